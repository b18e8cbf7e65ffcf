"""The reader of .caffemodel on files made by hand and on damaged ones."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from hybridcolor.errors import ModelError
from hybridcolor.predict import caffemodel as module
from hybridcolor.predict.caffemodel import read_caffemodel
from tests.predict.releases import blob, caffemodel, field, layer, varint

NUMBERS = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda dtype: arrays(dtype, array_shapes(max_dims=4, max_side=3))
)


@given(st.dictionaries(st.text(max_size=8), st.lists(NUMBERS, min_size=1, max_size=3), max_size=3), st.booleans())
@settings(max_examples=50)
def test_what_was_written_is_read(layers, v1_layers):
    found = read_caffemodel(caffemodel(layers, v1_layers=v1_layers))
    assert found.keys() == layers.keys()
    for name, blobs in layers.items():
        for got, written in zip(found[name], blobs, strict=True):
            assert got.dtype == written.dtype
            np.testing.assert_array_equal(got, written)


def test_legacy_shapes_have_four_dimensions():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    (got,) = read_caffemodel(caffemodel({"a": [array]}, legacy_shape=True))["a"]
    np.testing.assert_array_equal(got, array[None, None])


def test_numbers_one_by_one_and_in_several_parts():
    """The encoding allows both, whatever the schema says."""
    array = np.arange(6, dtype=np.float32)
    (got,) = read_caffemodel(layer("a", [blob(array, packed=False)]))["a"]
    np.testing.assert_array_equal(got, array)
    shape = field(7, field(1, 2) + field(1, 3))  # dimensions one by one too
    parts = field(5, array[:2].tobytes()) + field(5, array[2:].tobytes())
    (got,) = read_caffemodel(layer("a", [shape + parts]))["a"]
    np.testing.assert_array_equal(got, array.reshape(2, 3))


def test_unknown_fields_are_skipped():
    array = np.float32([1, 2])
    unknown = (
        field(6, b"gradients") + varint(99 << 3 | 1) + bytes(8) + varint(98 << 3 | 5) + bytes(4) + field(97, 2**63)
    )
    content = field(50, b"more") + layer("a", [unknown + blob(array) + unknown]) + field(51, 7)
    np.testing.assert_array_equal(read_caffemodel(content)["a"][0], array)


ONE = blob(np.float32([1, 2]))
DAMAGED = {
    "text": b"name: 'LtoAB'\nlayer { }\n",
    "a length beyond the end": varint(100 << 3 | 2) + varint(2**62) + b"abc",
    "a length beyond the layer": field(100, field(1, b"a") + varint(7 << 3 | 2) + varint(50)) + bytes(60),
    "a number that never ends": b"\xff" * 11,
    "a key cut off": b"\xa2",
    "a group": varint(100 << 3 | 3),
    "field 0": b"\x02\x00",
    "a layer that is a number": field(100, 5),
    "a name that is a number": field(100, field(1, 5) + field(7, ONE)),
    "a name that is not UTF-8": field(100, field(1, b"\xff\xfe") + field(7, ONE)),
    "a shape that is a number": layer("a", [field(7, 1) + field(5, bytes(4))]),
    "fewer numbers than the shape": layer("a", [field(7, field(1, varint(3))) + field(5, bytes(8))]),
    "more numbers than the shape": layer("a", [field(7, field(1, varint(1))) + field(5, bytes(8))]),
    "no numbers": layer("a", [field(7, field(1, varint(2**40) * 3))]),
    "no shape": layer("a", [field(5, bytes(8))]),
    "half a number": layer("a", [field(7, field(1, varint(2))) + field(5, bytes(7))]),
    "a negative dimension": layer("a", [field(7, field(1, varint(2**64 - 1) * 2)) + field(5, bytes(4))]),
    "a thousand dimensions": layer("a", [field(7, field(1, b"\x01" * 1000)) + field(5, bytes(4))]),
    "two layers of a name": layer("a", [ONE]) * 2,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damaged_files_are_refused_in_one_line(content):
    with pytest.raises(ModelError, match=r"not a whole \.caffemodel") as caught:
        read_caffemodel(content)
    assert "\n" not in str(caught.value)


def test_a_file_cut_anywhere_is_refused_or_has_whole_layers_only():
    content = caffemodel({"a": [np.arange(5.0)], "b": [np.float32([[1, 2]])]}, v1_layers=True)
    whole = read_caffemodel(content)
    accepted = []
    for end in range(len(content)):
        with suppress(ModelError):
            accepted.append(read_caffemodel(content[:end]))
    assert [list(found) for found in accepted] == [[], [], ["a"], ["a", "b"]]  # behind nothing, the name, each layer
    for found in accepted:
        for name, blobs in found.items():
            np.testing.assert_array_equal(blobs[0], whole[name][0])


@given(st.binary(max_size=300))
@settings(max_examples=300)
def test_any_bytes_are_an_answer_or_a_model_error(content):
    for start in (b"", varint(100 << 3 | 2) + varint(len(content)), layer("a", [])):
        with suppress(ModelError):
            assert isinstance(read_caffemodel(start + content), dict)


def test_flipped_bits_are_an_answer_or_a_model_error():
    rng = np.random.default_rng(5)
    content = caffemodel({"a": [np.arange(5.0)], "b": [np.float32([[1, 2]])]})
    refused = 0
    for _ in range(2000):
        damaged = bytearray(content)
        damaged[rng.integers(len(content))] ^= 1 << rng.integers(8)
        try:
            read_caffemodel(bytes(damaged))
        except ModelError:
            refused += 1
    assert refused > 200


@pytest.mark.parametrize("small", [field(9, 0), field(100, b""), field(100, field(1, b"a"))])
def test_millions_of_tiny_fields_are_refused(small):
    with pytest.raises(ModelError, match="more than 100000 fields"):
        read_caffemodel(small * 3_000_000)


def test_the_budget_of_fields_is_the_whole_files(monkeypatch):
    monkeypatch.setattr(module, "MAX_FIELDS", 40)
    layers = {name: [np.float32([1])] for name in "abcdefgh"}
    with pytest.raises(ModelError, match="more than 40 fields"):
        read_caffemodel(caffemodel(layers))
    monkeypatch.setattr(module, "MAX_FIELDS", 80)
    assert len(read_caffemodel(caffemodel(layers))) == 8
