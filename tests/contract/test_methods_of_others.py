"""What a method that another package adds may answer."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import numpy as np
import pytest

import hybridcolor.propagate.registry as registry
from hybridcolor.errors import ImageError, MethodError
from hybridcolor.propagate import Propagation, PropagationState, propagate
from hybridcolor.seeds import Seeds

LUMINANCE = np.full((5, 7), 50, np.float32)
SEEDS = Seeds.of([[1, 1]], [[20, 30]])


@pytest.fixture
def add(monkeypatch):
    def add(answer):
        monkeypatch.setattr(EntryPoint, "load", lambda self: lambda luminance, seeds, *, gain=1.0: answer)
        point = EntryPoint("own", "of_others:own", registry.ENTRY_POINTS)
        monkeypatch.setattr(registry, "entry_points", lambda group, name=None: [point])

    return add


@pytest.mark.parametrize(
    ("answer", "error", "complaint"),
    [
        (np.zeros((5, 7, 2)), MethodError, "method 'own' answers ndarray, expected a Propagation"),
        (None, MethodError, "answers NoneType"),
        (Propagation(np.zeros((3, 3, 2), np.float32)), ImageError, "the chroma of method 'own' has shape"),
        (Propagation(np.full((5, 7, 2), np.nan, np.float32)), ImageError, "not finite"),
    ],
)
def test_what_is_no_answer_is_told(add, answer, error, complaint):
    add(answer)
    with pytest.raises(error, match=complaint):
        propagate(LUMINANCE, SEEDS, method="own")
    state = PropagationState(LUMINANCE, method="own")
    state.add(SEEDS)
    with pytest.raises(error, match=complaint):
        list(state.refine())


def test_options_are_its_own_and_numbers_of_any_type_will_do(add):
    add(Propagation(np.ones((5, 7, 2)), iterations=3))
    found = propagate(LUMINANCE, SEEDS, method="own", gain=2.0)
    assert found.chroma.dtype == np.float32
    assert found.iterations == 3
    with pytest.raises(MethodError, match="its options are gain"):
        propagate(LUMINANCE, SEEDS, method="own", loss=2.0)
