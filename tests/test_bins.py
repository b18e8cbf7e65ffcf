"""The bins against the published table, decodings against brute force, encodings against their formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hybridcolor.bins import AB_BINS, ColorDistribution, nearest_bin, rebalancing_weights, soft_encode
from hybridcolor.errors import ModelError

Q = 313
LOGITS = arrays(np.float32, (2, 3, Q), elements=st.floats(-20, 20, width=32))


# Zhang et al. 2016, the published table: for each a* from -90 to 100, the first and the last b*.
PUBLISHED = [
    (50, 90), (20, 90), (0, 90), (-20, 90), (-30, 100), (-40, 100), (-50, 100), (-50, 100), (-60, 100), (-70, 100),
    (-80, 90), (-80, 90), (-90, 90), (-100, 90), (-100, 80), (-110, 80), (-110, 80), (-110, 70), (-110, 70), (-90, 0),
]  # fmt: skip


def test_the_table_is_the_published_one():
    """313 bins of step 10, sorted by a* and then b*."""
    assert AB_BINS.shape == (Q, 2)
    assert (AB_BINS % 10 == 0).all()
    assert len(np.unique(AB_BINS, axis=0)) == Q
    assert np.array_equal(np.lexsort((AB_BINS[:, 1], AB_BINS[:, 0])), np.arange(Q))
    assert sorted(set(AB_BINS[:, 0].tolist())) == list(range(-90, 101, 10))
    for a, (low, high) in zip(range(-90, 101, 10), PUBLISHED, strict=True):
        assert AB_BINS[AB_BINS[:, 0] == a, 1].tolist() == list(range(low, high + 1, 10))
    with pytest.raises(ValueError, match="read-only"):
        AB_BINS[0, 0] = 1


@given(st.floats(-130, 130), st.floats(-130, 130))
def test_soft_encoding_is_the_formula(a: float, b: float):
    index, weight = soft_encode([a, b])
    squared = ((AB_BINS.astype(np.float64) - [a, b]) ** 2).sum(axis=1)
    nearest = np.sort(squared)[:5]
    expected = np.exp(-(nearest - nearest[0]) / 50)
    np.testing.assert_allclose(squared[index], nearest, rtol=1e-6)
    np.testing.assert_allclose(weight, expected / expected.sum(), rtol=1e-4, atol=1e-7)
    assert weight.sum() == pytest.approx(1, abs=1e-5)


def test_soft_encoding_far_outside_is_finite():
    _, weight = soft_encode([[1e4, -1e4], [500.0, 500.0]])
    assert np.isfinite(weight).all()


@given(LOGITS)
def test_decodings_agree_with_brute_force(logits):
    belief = ColorDistribution(logits, shape=(8, 12))
    p = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    p /= p.sum(axis=-1, keepdims=True)
    mean = (p[..., None] * AB_BINS).sum(axis=-2)
    variance = (p * ((AB_BINS - mean[..., None, :]) ** 2).sum(axis=-1)).sum(axis=-1)
    sharp = p ** (1 / 0.38)
    sharp /= sharp.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(belief.probability(), p, atol=1e-5)
    np.testing.assert_allclose(belief.mean(), mean, atol=1e-2)
    np.testing.assert_allclose(belief.std(), np.sqrt(variance), atol=0.1)
    np.testing.assert_allclose(belief.annealed_mean(), (sharp[..., None] * AB_BINS).sum(axis=-2), atol=2e-2)
    np.testing.assert_allclose(belief.confidence(), p.max(axis=-1), atol=1e-5)
    assert np.array_equal(belief.mode(), AB_BINS[logits.argmax(axis=-1)])


def test_samples_come_as_often_as_they_are_probable():
    logits = np.full((1, 20000, Q), -50, np.float32)
    logits[..., 10], logits[..., 200] = np.log(0.8), np.log(0.2)
    drawn = ColorDistribution(logits, (4, 80000)).sample(np.random.default_rng(0))
    share = (drawn == AB_BINS[200]).all(axis=-1).mean()
    assert share == pytest.approx(0.2, abs=0.01)


def test_top_names_the_most_probable_bins_of_the_cell_under_a_pixel():
    logits = np.zeros((2, 2, Q), np.float32)
    logits[1, 0, 7], logits[1, 0, 8] = 9, 8
    (first, p), (second, q) = ColorDistribution(logits, (10, 20)).top(2, 9, 9)
    assert first == tuple(AB_BINS[7])
    assert second == tuple(AB_BINS[8])
    assert p > q > 0


@given(arrays(np.float64, 20, elements=st.floats(1e-4, 1)), st.floats(0, 1))
def test_rebalancing_has_mean_one_under_the_prior(p, smoothing):
    p = p / p.sum()
    weight = rebalancing_weights(p, smoothing=smoothing)
    assert (p * weight).sum() == pytest.approx(1, rel=1e-4)
    assert (np.diff(weight[np.argsort(p)]) <= 1e-6 * weight.max()).all()


def test_vividness_lifts_rare_bins_and_zero_changes_nothing():
    prior = np.full(Q, 1e-4, np.float32)
    prior[int(nearest_bin([0, 0]))] = 1 - prior[1:].sum()
    belief = ColorDistribution(np.zeros((1, 1, Q), np.float32), (4, 4), prior)
    assert belief.rebalanced(0) is belief
    gray = int(nearest_bin([0, 0]))
    at = [belief.rebalanced(v).probability()[0, 0, gray] for v in (0, 0.5, 1)]
    assert at[0] > at[1] > at[2]


def test_misfits_are_refused():
    with pytest.raises(ModelError, match="shape"):
        ColorDistribution(np.zeros((2, 2, 5), np.float32), (8, 8))
    with pytest.raises(ModelError, match="class prior"):
        ColorDistribution(np.zeros((2, 2, Q), np.float32), (8, 8), np.zeros(3, np.float32))
    with pytest.raises(ModelError, match="not finite"):
        ColorDistribution(np.full((2, 2, Q), np.nan, np.float32), (8, 8))
    with pytest.raises(ModelError, match="class prior"):
        ColorDistribution(np.zeros((2, 2, Q), np.float32), (8, 8)).rebalanced(0.5)


@given(arrays(np.float64, (2, 3, 2), elements=st.floats(-130, 130)), st.integers(1, 9), st.floats(1, 30))
def test_encoding_keeps_the_shape_and_starts_with_the_nearest(ab, neighbours, sigma):
    index, weight = soft_encode(ab, neighbours=neighbours, sigma=sigma)
    assert index.shape == weight.shape == (2, 3, neighbours)
    distance = np.hypot(*(AB_BINS - ab[..., None, :]).transpose(3, 0, 1, 2))
    chosen = np.take_along_axis(distance, nearest_bin(ab)[..., None], axis=-1)[..., 0]
    np.testing.assert_allclose(chosen, distance.min(axis=-1), rtol=1e-9)
    np.testing.assert_allclose(weight.sum(axis=-1), 1, atol=1e-5)


@given(arrays(np.float64, Q, elements=st.floats(1e-5, 1)), st.floats(0.01, 1))
def test_rebalancing_is_zhangs_formula(p, smoothing):
    """Equation 4: w ~ ((1 - lambda) p + lambda / Q) ** -1, with E[w] = sum p w = 1."""
    p = p / p.sum()
    expected = np.array([1 / ((1 - smoothing) * share + smoothing / Q) for share in p])
    expected /= sum(expected * p)
    np.testing.assert_allclose(rebalancing_weights(p, smoothing=smoothing), expected, rtol=1e-5)


@given(LOGITS, arrays(np.float32, Q, elements=st.floats(2**-10, 1, width=32)), st.floats(0.1, 1))
def test_vividness_multiplies_probabilities_by_the_weights(logits, prior, vividness):
    prior = (prior / prior.sum()).astype(np.float32)
    belief = ColorDistribution(logits, (8, 12), prior)
    expected = belief.probability().astype(np.float64) * rebalancing_weights(prior).astype(np.float64) ** vividness
    expected /= expected.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(belief.rebalanced(vividness).probability(), expected, atol=1e-5)
    assert belief.rebalanced(vividness).shape == belief.shape


@given(LOGITS, st.integers(1, 20), st.integers(0, 7), st.integers(0, 11))
def test_top_is_a_sort_of_the_cell(logits, count, row, column):
    belief = ColorDistribution(logits, shape=(8, 12))
    p = belief.probability()[row // 4, column // 4]
    found = belief.top(count, row, column)
    assert len(found) == count
    np.testing.assert_allclose([q for _, q in found], np.sort(p)[::-1][:count], atol=1e-6)
    for colour, q in found:
        assert p[int(nearest_bin(colour))] == pytest.approx(q, abs=1e-6)


@given(LOGITS, st.lists(st.tuples(st.integers(0, 7), st.integers(0, 11)), min_size=1, max_size=9))
def test_places_are_decoded_as_in_the_whole(logits, places):
    belief = ColorDistribution(logits, shape=(8, 12))
    np.testing.assert_allclose(belief.at(places).mean()[0], belief.mean()[belief.cells(places)], atol=1e-3)
    np.testing.assert_array_equal(
        belief.at(places).mode()[0], belief.mode().reshape(-1, 2)[belief.cell_numbers(places)]
    )


@given(LOGITS)
def test_sharper_means_lie_between_mean_and_mode(logits):
    belief = ColorDistribution(logits, shape=(8, 12))
    np.testing.assert_allclose(belief.annealed_mean(1.0), belief.mean(), atol=1e-3)
    ordered = np.sort(logits, axis=-1)
    clear = ordered[..., -1] - ordered[..., -2] > 0.5
    np.testing.assert_allclose(belief.annealed_mean(0.01)[clear], belief.mode()[clear], atol=1e-2)


def test_decodings_are_brought_to_the_pictures_size():
    belief = ColorDistribution(np.zeros((2, 3, Q), np.float32), (7, 11))
    assert belief.upsample(belief.mean()).shape == (7, 11, 2)
    assert belief.upsample(belief.std()).shape == (7, 11)
