"""Films and volumes against scipy's direct solver and the formula written out, and against what must hold of any."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as spla
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridcolor.errors import (
    ConvergenceError,
    HybridColorError,
    ImageError,
    MethodError,
    PropagationWarning,
    SeedError,
)
from hybridcolor.propagate import cycles, grouping, propagate, volume
from hybridcolor.propagate.affinity import affinity_matrix, system_residual
from hybridcolor.propagate.aggregation import Graph, coarsen, group
from hybridcolor.propagate.elimination import eliminate
from hybridcolor.propagate.lattice import Lattice, affinity_rows, lattice_residual
from hybridcolor.propagate.system import inner
from hybridcolor.propagate.visits import stationary_visits
from hybridcolor.propagate.volume import propagate_volume
from hybridcolor.seeds import Seeds
from tests.propagate.pictures import photo_luminance


def plain_matrix(luminance, spacing=None):
    """W (n, n), written from the paper: window 3^N, its variance, the authors' settings."""
    luminance = luminance.astype(float) / 100
    pitch = np.ones(luminance.ndim) if spacing is None else np.array(spacing) / min(spacing)
    number = np.arange(luminance.size).reshape(luminance.shape)
    matrix = sp.lil_array((luminance.size, luminance.size))
    for here in np.ndindex(luminance.shape):
        window = [
            there
            for there in itertools.product(*(range(max(0, i - 1), i + 2) for i in here))
            if all(i < length for i, length in zip(there, luminance.shape, strict=True))
        ]
        variance = np.var([luminance[there] for there in window])
        window.remove(here)
        if not window:
            continue
        squares = np.array([(luminance[there] - luminance[here]) ** 2 for there in window])
        steps = np.array(window) - here
        factors = (steps**2).sum(axis=1) / ((steps * pitch) ** 2).sum(axis=1)
        sigma = max(0.6 * variance, -squares.min() / np.log(0.01), 2e-6)
        weights = factors * np.exp(-squares / sigma)
        for there, weight in zip(window, weights / weights.sum(), strict=True):
            matrix[number[here], number[there]] = weight
    return matrix.tocsr()


def direct(luminance, coords, ab, weight=np.inf, spacing=None):
    """(I - W + T) x = T s by SuperLU; a hard seed is a row x = s."""
    pull = np.zeros(luminance.size)
    target = np.zeros((luminance.size, 2))
    flat = np.ravel_multi_index(tuple(np.transpose(coords)), luminance.shape)
    pull[flat] = weight
    target[flat] = ab
    hard = np.isinf(pull)
    pull[hard] = 1.0
    rows = sp.diags_array((~hard).astype(float)) @ (sp.eye_array(luminance.size) - plain_matrix(luminance, spacing))
    solution = spla.splu((rows + sp.diags_array(pull)).tocsc()).solve(pull[:, None] * target)
    return solution.reshape(*luminance.shape, 2)


def smooth_volume(shape, seed=0):
    """Blobs, an edge and a little noise."""
    rng = np.random.default_rng(seed)
    axes = np.meshgrid(*(np.arange(length) for length in shape), indexing="ij", sparse=True)
    wave = sum(np.sin(axis * rng.uniform(0.2, 0.6) + rng.uniform(0, 6)) for axis in axes)
    values = 50 + 12 * wave + 20 * (sum(axes) % 17 > 8) + rng.normal(0, 1, shape)
    return values.clip(0, 100).astype(np.float32)


def scattered(shape, count, seed=0):
    rng = np.random.default_rng(seed)
    flat = rng.choice(int(np.prod(shape)), count, replace=False)
    return np.stack(np.unravel_index(flat, shape), axis=1), rng.uniform(-80, 80, (count, 2))


def moving_square(frames=10, size=28):
    """Frames, and where the square is in each."""
    film = np.full((frames, size, size), 70.0, np.float32)
    inside = np.zeros(film.shape, bool)
    for t in range(frames):
        inside[t, 8:18, 3 + t : 13 + t] = True
    film[inside] = 25.0
    return film + np.random.default_rng(0).normal(0, 0.3, film.shape).astype(np.float32), inside


@pytest.mark.parametrize("shape", [(12, 13, 14), (3, 25, 24), (40, 45), (1, 30, 31), (2, 2, 300)])
@pytest.mark.parametrize("soft", [False, True])
def test_equals_the_direct_solution(shape, soft):
    luminance = smooth_volume(shape)
    coords, ab = scattered(shape, 9)
    weight = np.full(9, np.inf)
    if soft:
        weight[2:] = 10.0 ** np.random.default_rng(1).uniform(-3, 4, 7)
    found = propagate_volume(luminance, coords, ab, weight=weight, tolerance=1e-5)
    assert found.chroma.shape == (*shape, 2)
    assert np.abs(found.chroma - direct(luminance, coords, ab, weight)).max() < 1e-4
    assert found.residual < 1e-4


def test_a_line_equals_elimination():
    """Which keeps all digits, where SuperLU loses some."""
    luminance = smooth_volume((900,))
    coords, ab = scattered(luminance.shape, 30)
    pull, target = np.zeros((1, 900), np.float32), np.zeros((2, 1, 900), np.float32)
    pull[0, coords[:, 0]] = np.inf
    target[:, 0, coords[:, 0]] = ab.T
    found = propagate_volume(luminance, coords, ab, tolerance=1e-5).chroma
    assert np.abs(found.T - eliminate(luminance[None], pull, target)[:, 0]).max() < 1e-4


@pytest.mark.parametrize("kind", ["noise", "two levels", "salt and pepper", "checkerboard", "constant", "slabs"])
def test_equals_the_direct_solution_on_unkind_volumes(kind):
    shape = (10, 12, 13)
    rng = np.random.default_rng(5)
    index = np.indices(shape)
    luminance = {
        "noise": rng.uniform(0, 100, shape),
        "two levels": rng.integers(0, 2, shape) * 100,
        "salt and pepper": np.where(rng.random(shape) < 0.1, rng.integers(0, 2, shape) * 100, 50),
        "checkerboard": index.sum(axis=0) % 2 * 100,
        "constant": np.full(shape, 30),
        "slabs": index[0] // 2 % 2 * 100,
    }[kind].astype(np.float32)
    coords, ab = scattered(shape, 12)
    found = propagate_volume(luminance, coords, ab, tolerance=1e-3)
    assert np.abs(found.chroma - direct(luminance, coords, ab)).max() < 1e-2


def test_spacing_equals_the_formula_and_its_unit_is_free():
    luminance = smooth_volume((6, 11, 10))
    coords, ab = scattered(luminance.shape, 5)
    found = propagate_volume(luminance, coords, ab, spacing=(5, 1, 2), tolerance=1e-5).chroma
    assert np.abs(found - direct(luminance, coords, ab, spacing=(5, 1, 2))).max() < 1e-4
    other_unit = propagate_volume(luminance, coords, ab, spacing=(2.5, 0.5, 1), tolerance=1e-5).chroma
    np.testing.assert_allclose(other_unit, found, atol=1e-4)
    equal = propagate_volume(luminance, coords, ab, spacing=(3, 3, 3)).chroma
    np.testing.assert_array_equal(equal, propagate_volume(luminance, coords, ab).chroma)


@pytest.mark.parametrize("shape", [(9, 14), (2, 7)])
def test_rows_agree_with_the_affinity_of_pictures(shape):
    luminance = np.ascontiguousarray(photo_luminance("coffee", 20, 20)[: shape[0], : shape[1]])
    lattice = Lattice.of(shape)
    rows = affinity_rows(luminance, lattice)
    expected = affinity_matrix(luminance).toarray()
    found = np.zeros_like(expected)
    for i, k in np.argwhere(rows > 0):
        found[i, i + lattice.offsets[k]] = rows[i, k]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_residual_agrees_with_that_of_pictures():
    luminance = photo_luminance("chelsea", 15, 18)
    rng = np.random.default_rng(1)
    pull = np.where(rng.random(luminance.shape) < 0.2, 3.0, 0).astype(np.float32)
    pull[3, 4] = np.inf
    target = rng.uniform(-50, 50, (2, *luminance.shape)).astype(np.float32)
    chroma = rng.uniform(-50, 50, (2, *luminance.shape))
    flat = (luminance.ravel(), Lattice.of(luminance.shape), pull.ravel(), target.reshape(2, -1), chroma.reshape(2, -1))
    rows = np.zeros((17, 2, 20))
    inner(rows)[...] = chroma
    found = np.zeros_like(rows, np.float32)
    system_residual(luminance, pull, target, rows, found)
    expected = inner(found)
    np.testing.assert_allclose(lattice_residual(*flat).reshape(expected.shape), expected, rtol=1e-6, atol=1e-6)


def test_a_picture_has_the_colours_of_optimization():
    luminance = photo_luminance("astronaut", 90, 100)
    coords, ab = scattered(luminance.shape, 40)
    expected = propagate(luminance, Seeds.of(coords, ab), method="optimization", tolerance=1e-3).chroma
    np.testing.assert_allclose(propagate_volume(luminance, coords, ab, tolerance=1e-3).chroma, expected, atol=1e-2)


def test_seeds_of_the_first_frame_follow_a_moving_square():
    film, inside = moving_square()
    red, blue = [60.0, 40.0], [0.0, -50.0]
    coords = [[0, 12, 8], [0, 2, 2], [0, 25, 25]]
    last = propagate_volume(film, coords, [red, blue, blue]).chroma[-1]
    to_red, to_blue = (np.linalg.norm(last - colour, axis=-1) for colour in (red, blue))
    assert (to_red[inside[-1]] < 20).all()  # the two are 108 apart
    assert (to_blue[~inside[-1]] < 20).all()


def test_like_frames_seeded_alike_have_like_colours():
    """Away from the ends every frame of a still film has the same window, so the same equation."""
    frame = smooth_volume((24, 26))
    coords, ab = scattered(frame.shape, 6)
    film = np.repeat(frame[None], 5, axis=0)
    everywhere = [[t, *at] for t in range(5) for at in coords]
    chroma = propagate_volume(film, everywhere, np.tile(ab, (5, 1)), tolerance=1e-4).chroma
    np.testing.assert_allclose(chroma[3], chroma[1], atol=1e-3)
    np.testing.assert_allclose(chroma[4], chroma[0], atol=1e-3)


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3)))[1:])
def test_axes_are_alike(axes):
    luminance = smooth_volume((9, 10, 11))
    coords, ab = scattered(luminance.shape, 6)
    expected = propagate_volume(luminance, coords, ab, tolerance=1e-4).chroma
    found = propagate_volume(luminance.transpose(axes), coords[:, axes], ab, tolerance=1e-4).chroma
    np.testing.assert_allclose(found, expected.transpose(*axes, 3), atol=1e-3)


@pytest.mark.parametrize("axis", range(3))
def test_directions_are_alike(axis):
    luminance = smooth_volume((9, 10, 11))
    coords, ab = scattered(luminance.shape, 6)
    expected = propagate_volume(luminance, coords, ab, tolerance=1e-4).chroma
    turned = coords.copy()
    turned[:, axis] = luminance.shape[axis] - 1 - coords[:, axis]
    found = propagate_volume(np.flip(luminance, axis), turned, ab, tolerance=1e-4).chroma
    np.testing.assert_allclose(np.flip(found, axis), expected, atol=1e-3)


@given(
    shape=st.lists(st.integers(1, 6), min_size=1, max_size=3).map(tuple),
    seed=st.integers(0, 99),
    levels=st.sampled_from([2, 5, 1000]),
)
@settings(max_examples=40, deadline=None)
def test_colours_lie_between_those_of_the_seeds(shape, seed, levels):
    rng = np.random.default_rng(seed)
    luminance = (rng.integers(0, levels, shape) * 100 / (levels - 1)).astype(np.float32)
    coords, ab = scattered(shape, min(3, luminance.size), seed)
    ab = ab.astype(np.float32)
    chroma = propagate_volume(luminance, coords, ab, tolerance=0.1).chroma
    assert (chroma >= ab.min(axis=0)).all()
    assert (chroma <= ab.max(axis=0)).all()
    np.testing.assert_array_equal(chroma[tuple(coords.T)], ab)


def test_axes_of_one_voxel_change_nothing():
    luminance = smooth_volume((20, 21))
    coords, ab = scattered(luminance.shape, 5)
    expected = propagate_volume(luminance, coords, ab).chroma
    for axis in range(3):
        deep = propagate_volume(np.expand_dims(luminance, axis), np.insert(coords, axis, 0, axis=1), ab).chroma
        np.testing.assert_allclose(deep.reshape(expected.shape), expected, atol=1e-4)  # sums are taken by lines


def test_one_voxel_and_all_seeded():
    assert propagate_volume([[[40.0]]], [[0, 0, 0]], [[5.0, 6.0]]).chroma.tolist() == [[[[5.0, 6.0]]]]
    luminance = smooth_volume((2, 3, 4))
    everywhere = np.argwhere(luminance >= 0)
    ab = np.random.default_rng(0).uniform(-9, 9, (24, 2)).astype(np.float32)
    np.testing.assert_array_equal(propagate_volume(luminance, everywhere, ab).chroma.reshape(-1, 2), ab)


@pytest.mark.parametrize("damage", [1e-3, 1e3])
def test_safe_solver_bears_a_poor_stationary_vector(monkeypatch, damage):
    """Groups go by it; a wrong one makes a weak cycle, and is all that the safe solver has."""
    luminance = smooth_volume((10, 11, 12))
    coords, ab = scattered(luminance.shape, 6)
    rows = np.random.default_rng(0).random(luminance.size) < 0.3
    monkeypatch.setattr(grouping, "stationary_visits", lambda *_: np.where(rows, damage, 1).astype(np.float32))
    monkeypatch.setattr(volume, "grouped", lambda *_: None)
    monkeypatch.setattr(volume, "FACTOR_BELOW", 0)
    with pytest.warns(PropagationWarning, match="safe solver"):
        found = propagate_volume(luminance, coords, ab, tolerance=1e-4)
    assert np.abs(found.chroma - direct(luminance, coords, ab)).max() < 1e-3
    assert found.residual < 1e-3


def test_the_last_of_two_seeds_on_a_voxel_holds():
    luminance = smooth_volume((4, 4, 4))
    assert (propagate_volume(luminance, [[1, 1, 1], [1, 1, 1]], [[9, 9], [1, 2]]).chroma == [1, 2]).all()


def test_same_bytes_every_time():
    luminance = smooth_volume((16, 24, 25))
    coords, ab = scattered(luminance.shape, 8)
    first, second = (propagate_volume(luminance, coords, ab).chroma.tobytes() for _ in range(2))
    assert first == second


def test_iterations_hardly_grow_with_size():
    used = []
    for size in (16, 32, 48):
        luminance = smooth_volume((size, size, size))
        used.append(propagate_volume(luminance, *scattered(luminance.shape, 20)).iterations)
    assert max(used) <= 3 * min(used) + 6


def test_coarse_graph_is_the_galerkin_product():
    luminance = photo_luminance("coffee", 24, 25)
    lattice = Lattice.of(luminance.shape)
    rows = affinity_rows(luminance, lattice)
    rng = np.random.default_rng(0)
    weight, excess = rng.uniform(0.1, 2, (2, luminance.size)).astype(np.float32)
    weight[::37] = 0
    graph = Graph(rows.ravel(), lattice.offsets, None)
    labels, count = group(graph, weight)
    assert set(labels[weight > 0]) == set(range(count))
    assert (labels[weight == 0] == -1).all()
    walk = affinity_matrix(luminance)
    matrix = sp.diags_array(weight) @ (sp.diags_array(excess + walk.sum(axis=1)) - walk)
    kept = np.flatnonzero(labels >= 0)
    prolongation = sp.csr_array((np.ones(kept.size), (kept, labels[kept])), shape=(labels.size, count))
    expected = (prolongation.T @ matrix @ prolongation).toarray()
    coarse, coarse_excess = coarsen(graph, excess, weight, labels, count)
    found = -sp.csr_array((coarse.values, coarse.columns, coarse.starts), shape=(count, count)).toarray()
    found[np.diag_indices(count)] = coarse_excess - found.sum(axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_visits_are_balanced():
    """Their size over far regions may be off; what matters is that arrivals balance departures."""
    luminance = photo_luminance("chelsea", 30, 31)
    lattice = Lattice.of(luminance.shape)
    graph = Graph(affinity_rows(luminance, lattice).ravel(), lattice.offsets, None)
    found = stationary_visits(graph, luminance.size).astype(float)
    unbalanced = np.abs(affinity_matrix(luminance).T @ found - found)
    assert unbalanced.sum() < 0.005 * found.sum()
    assert (unbalanced / found).max() < 0.2


@pytest.mark.parametrize("damage", [np.nan, np.inf, 0.0])
@pytest.mark.parametrize("factor_below", [volume.FACTOR_BELOW, 0])
def test_safe_solver_takes_over_and_says_so(monkeypatch, damage, factor_below):
    luminance = smooth_volume((10, 11, 12))
    coords, ab = scattered(luminance.shape, 6)
    sound = cycles.Hierarchy.cycle
    monkeypatch.setattr(cycles.Hierarchy, "cycle", lambda self, load, depth=0: damage * sound(self, load, depth))
    monkeypatch.setattr(volume, "FACTOR_BELOW", factor_below)
    with pytest.warns(PropagationWarning, match="safe solver"):
        found = propagate_volume(luminance, coords, ab, tolerance=1e-4).chroma
    assert np.abs(found - direct(luminance, coords, ab)).max() < 1e-3


def test_no_solver_left_raises(monkeypatch):
    luminance = smooth_volume((4, 5, 6))
    for name in ("grouped", "factored"):
        monkeypatch.setattr(volume, name, lambda *_, **__: None)
    with pytest.warns(PropagationWarning), pytest.raises(ConvergenceError, match="raise tolerance"):
        propagate_volume(luminance, *scattered(luminance.shape, 6))


@pytest.mark.parametrize(
    ("error", "arguments"),
    [
        (SeedError, {"coords": np.empty((0, 3), int), "ab": np.empty((0, 2))}),
        (SeedError, {"coords": [[0, 0]]}),
        (SeedError, {"coords": [[0, 0, 4]]}),
        (SeedError, {"coords": [[0, -1, 0]]}),
        (SeedError, {"coords": [[0.5, 0, 0]]}),
        (SeedError, {"ab": [[1, 2, 3]]}),
        (SeedError, {"ab": [[np.nan, 0]]}),
        (SeedError, {"weight": 0}),
        (SeedError, {"weight": [1, 2]}),
        (ImageError, {"luminance": np.full((3, 4, 4), np.nan)}),
        (ImageError, {"luminance": np.full((3, 4, 4), 101)}),
        (ImageError, {"luminance": np.zeros((2, 2, 2, 2))}),
        (ImageError, {"luminance": np.zeros((0, 2, 2))}),
        (ImageError, {"luminance": np.full((3, 4, 4), "x")}),
        (MethodError, {"spacing": (1, 1)}),
        (MethodError, {"spacing": (1, 0, 1)}),
        (MethodError, {"tolerance": 0}),
    ],
)
def test_unfit_input_is_refused_in_one_line(error, arguments):
    given_ = {"luminance": np.full((3, 4, 4), 50.0), "coords": [[0, 0, 0]], "ab": [[1, 2]]} | arguments
    with pytest.raises(error) as raised:
        propagate_volume(given_.pop("luminance"), given_.pop("coords"), given_.pop("ab"), **given_)
    assert "\n" not in str(raised.value)
    assert issubclass(error, HybridColorError)
