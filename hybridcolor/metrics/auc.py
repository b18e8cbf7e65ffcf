"""AuC: the area under the curve of "how many pixels are right to within so much", raw and class-balanced."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hybridcolor.bins import AB_BINS, BIN_STEP, nearest_bin
from hybridcolor.errors import ModelError

LIMIT = 150.0
"""The largest threshold on the error, in ab units, as published."""

_SMOOTHING = 5.0  # sigma of the Gaussian that smooths a prior, in ab units, as published
_RAREST = 1e-6
_REACH = 12  # of the table of cells, in steps of the bins


def auc(result: NDArray[np.float32], truth: NDArray[np.float32], *, class_prior: ArrayLike | None = None) -> float:
    r"""Area under the share of pixels whose ab error is at most t, for t from 0 to 150, divided by 150.

    With d the Euclidean distance in ab and w the weights of the pixels,

    .. math:: \frac{1}{150} \int_0^{150} \frac{\sum w [d \le t]}{\sum w}\,dt
              = 1 - \frac{\sum w \min(d, 150)}{150 \sum w}.

    Raw: w = 1. Class-balanced: w = 1 / p of the truth's bin, so that rare colours count as much as common ones.

    Parameters
    ----------
    result, truth : (H, W, 2) float32
        a* and b*.
    class_prior : (313,) array-like, optional
        Smoothed share p of each bin of `hybridcolor.bins.AB_BINS` in the true pictures (`smoothed_prior`); a share
        below one in a million counts as that, or one odd pixel would outweigh all others. Omitted: raw.

    Returns
    -------
    float
        In 0..1; 1 is perfect. Gray scores about 0.88 on photos when raw, so compare with gray's.

    Raises
    ------
    ModelError
        If the prior is not 313 numbers of at least 0, not all 0.

    References
    ----------
    Zhang, Isola, Efros, "Colorful image colorization", ECCV 2016, section 3.1, doi 10.1007/978-3-319-46487-9_40. They
    publish percent, and sum over whole thresholds, which differs from the integral by 1/300 at most.

    Examples
    --------
    >>> auc(np.zeros((1, 2, 2), np.float32), np.array([[[0, 0], [0, 15]]], np.float32))
    0.95
    """
    distance = np.minimum(np.hypot(*np.moveaxis(result - truth, -1, 0)), LIMIT)
    if class_prior is None:
        return 1 - float(distance.mean(dtype=np.float64)) / LIMIT
    weight = _inverse(class_prior)[_bins_of(truth)]
    return 1 - float((weight * distance).sum() / (weight.sum() * LIMIT))


def smoothed_prior(*truths: NDArray[np.float32]) -> NDArray[np.float64]:
    """How often each of the 313 bins occurs in true pictures, smoothed over its neighbours (sigma 5, as published).

    Parameters
    ----------
    *truths : (H, W, 2) float32
        a* and b* of each picture; every pixel counts the same.

    Returns
    -------
    (313,) float64
        Sums to 1.

    Examples
    --------
    >>> prior = smoothed_prior(np.zeros((4, 4, 2), np.float32))
    >>> int(prior.argmax()) == int(nearest_bin([0, 0])), round(float(prior.sum()), 6)
    (True, 1.0)
    """
    counts = sum(np.bincount(_bins_of(truth).ravel(), minlength=len(AB_BINS)) for truth in truths)
    smooth = _kernel() @ np.asarray(counts, np.float64)
    return np.asarray(smooth / smooth.sum())


def _inverse(class_prior: ArrayLike) -> NDArray[np.float64]:
    """The weight 1 / p of each bin."""
    p = np.asarray(class_prior, np.float64)
    if p.shape != (len(AB_BINS),) or not (np.isfinite(p).all() and p.min() >= 0 and p.max() > 0):
        raise ModelError(f"class prior: expected {len(AB_BINS)} shares of at least 0, not all 0; got shape {p.shape}")
    return np.asarray(1 / np.maximum(p, _RAREST))


def _bins_of(ab: NDArray[np.float32]) -> NDArray[np.intp]:
    """`nearest_bin` of a whole picture: by table where a colour's own cell of the grid is a bin, as it mostly is."""
    cell = np.clip(np.rint(ab * np.float32(1 / BIN_STEP)), -_REACH, _REACH).astype(np.int8) + np.int8(_REACH)
    index = np.asarray(_cells()[cell[..., 0], cell[..., 1]])
    elsewhere = index < 0
    if elsewhere.any():
        index[elsewhere] = nearest_bin(ab[elsewhere])
    return index


@cache
def _cells() -> NDArray[np.intp]:
    """Which bin is at each step of the grid; -1 where none is."""
    table = np.full((2 * _REACH + 1, 2 * _REACH + 1), -1, np.intp)
    steps = np.rint(AB_BINS / BIN_STEP).astype(np.intp) + _REACH
    table[steps[:, 0], steps[:, 1]] = np.arange(len(AB_BINS))
    return table


@cache
def _kernel() -> NDArray[np.float64]:
    """(313, 313): how much each bin takes of each other; what a bin gives sums to 1."""
    squared = ((AB_BINS[:, None] - AB_BINS[None]).astype(np.float64) ** 2).sum(axis=-1)
    weight = np.exp(-squared / (2 * _SMOOTHING**2))
    return np.asarray(weight / weight.sum(axis=0))
