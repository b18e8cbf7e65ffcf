"""Resizing against block means, and edges taken from a guide."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcolor.resampling import guided_resample, resample

SIDES = st.integers(1, 40)


@given(SIDES, SIDES, SIDES, SIDES, st.integers(0, 2**32 - 1))
def test_resampling_stays_within_the_range_of_the_plane(
    rows: int, columns: int, new_rows: int, new_columns: int, seed: int
) -> None:
    plane = np.random.default_rng(seed).uniform(-100, 100, (rows, columns, 2)).astype(np.float32)
    result = resample(plane, (new_rows, new_columns))
    assert result.shape == (new_rows, new_columns, 2)
    assert result.dtype == np.float32
    assert result.min() >= plane.min() - 1e-3
    assert result.max() <= plane.max() + 1e-3


def test_shrinking_by_a_whole_factor_averages_blocks() -> None:
    plane = np.random.default_rng(0).normal(size=(12, 20)).astype(np.float32)
    blocks = plane.reshape(6, 2, 5, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(resample(plane, (6, 5)), blocks, atol=1e-6)


@given(SIDES, SIDES, st.integers(1, 300), st.integers(1, 300))
def test_a_constant_grid_stays_constant_under_any_guide(h: int, w: int, rows: int, columns: int) -> None:
    guide = np.random.default_rng(h * w).uniform(0, 100, (rows, columns)).astype(np.float32)
    result = guided_resample(np.full((h, w, 2), 37.0, np.float32), guide)
    assert result.shape == (rows, columns, 2)
    np.testing.assert_allclose(result, 37.0, atol=1e-2)


def test_a_constant_guide_only_smooths() -> None:
    grid = np.random.default_rng(1).normal(0, 30, (10, 12, 2)).astype(np.float32)
    result = guided_resample(grid, np.full((80, 96), 60, np.float32))
    plain = resample(grid, (80, 96))
    assert np.abs(result.mean() - plain.mean()) < 1
    assert result.std() < plain.std()


def test_colour_steps_where_the_guide_steps() -> None:
    """A step inside a cell: bilinear interpolation makes a ramp of it, the guide puts it back where it is."""
    columns = np.arange(200)
    truth = np.where(columns < 90, -20.0, 40.0).astype(np.float32)[None].repeat(100, axis=0)
    guide = np.where(columns < 90, 30.0, 80.0).astype(np.float32)[None].repeat(100, axis=0)
    grid = cv2.resize(np.dstack([truth, truth]), (10, 5), interpolation=cv2.INTER_AREA)
    plain, guided = resample(grid, guide.shape), guided_resample(grid, guide)
    plain_steps, guided_steps = (np.diff(result[50, :, 0]) for result in (plain, guided))
    assert guided_steps.argmax() == 89
    assert guided_steps.max() > 10 * plain_steps.max()


@pytest.mark.parametrize("level", [0.0, 100.0])
def test_even_black_and_white_pictures_give_finite_colours(level: float) -> None:
    grid = np.random.default_rng(2).normal(0, 30, (4, 4, 2)).astype(np.float32)
    assert np.isfinite(guided_resample(grid, np.full((50, 50), level, np.float32))).all()
