from __future__ import annotations

import numpy as np
import pytest
from napari_hybridcolor.layers import layer_picture, scribble_seeds, seed_labels

from hybridcolor.errors import ImageError, SeedError
from hybridcolor.seeds import AUTO, USER, Seeds


@pytest.mark.parametrize("shape", [(5, 6, 7), (3, 4, 5, 3), (9,)])
def test_stacks_are_refused(shape):
    with pytest.raises(ImageError, match="not a stack"):
        layer_picture(np.zeros(shape, np.uint8))


def test_pictures_keep_their_depth():
    assert layer_picture(np.zeros((3, 4), np.uint16)).bit_depth == 16
    assert layer_picture(np.zeros((3, 4, 4), np.uint8)).alpha is not None


def test_labels_become_seeds_and_go_back():
    labels = np.zeros((6, 8), int)
    labels[1, 2:5] = 3
    labels[4, 4] = 1
    seeds = scribble_seeds(labels, {1: (0.0, 0.0), 2: (9.0, 9.0), 3: (-20.0, 30.0)})
    assert (seeds.origin == USER).all()
    assert seeds.ab[seeds.stroke == 3].tolist() == [[-20.0, 30.0]] * 3
    assert seeds.ab[seeds.stroke == 1].tolist() == [[0.0, 0.0]]
    assert np.array_equal(seed_labels(seeds, (6, 8)) > 0, labels > 0)


def test_no_labels_are_no_seeds_and_labels_without_colour_are_told():
    assert len(scribble_seeds(np.zeros((4, 4), int), {})) == 0
    with pytest.raises(SeedError, match="label 5 has no colour"):
        scribble_seeds(np.full((1, 1), 5), {1: (0.0, 0.0)})
    with pytest.raises(SeedError, match="outside"):
        seed_labels(Seeds.of([[9, 9]], [0, 0], origin=AUTO), (3, 3))
