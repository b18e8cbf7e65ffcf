"""Pictures, and what one process makes of them without any trouble."""

from __future__ import annotations

import pytest

from hybridcolor.batch import plan_tasks, run_batch
from tests.batch.common import COUNT, RECIPE, contents, make


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    return make(tmp_path_factory.mktemp("pictures"), COUNT)


@pytest.fixture(scope="session")
def expected(pictures, tmp_path_factory):
    """What one process makes of them without any trouble."""
    folder = tmp_path_factory.mktemp("expected")
    outcome = run_batch(plan_tasks([pictures], RECIPE, folder), folder, RECIPE)
    assert (outcome.done, outcome.failures) == (COUNT, [])
    return contents(folder)


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text('model = "none"\nmethod = "chrominance"\n')
    return path
