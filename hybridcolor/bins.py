"""The 313 quantised ab colours, and distributions over them.

A CNN does not name one colour for a pixel, it spreads belief over the 313 ab bins of Zhang, Isola and
Efros (ECCV 2016, doi 10.1007/978-3-319-46487-9_40). `ColorDistribution` holds that belief and decodes it
in the ways the field knows. ``predict`` makes them, ``extract`` looks for seeds in them, ``pipeline`` takes the
prior colour from them. May import ``resampling`` and ``errors``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from hybridcolor.errors import MethodError, ModelError, SeedError
from hybridcolor.resampling import resample

BIN_STEP = 10
"""Distance between neighbouring bins, in ab units."""

# No gamut rule reproduces the published set, so it is a table: for each a* one contiguous run of b*, both ends kept.
_RUNS = {
    -90: (50, 90),
    -80: (20, 90),
    -70: (0, 90),
    -60: (-20, 90),
    -50: (-30, 100),
    -40: (-40, 100),
    -30: (-50, 100),
    -20: (-50, 100),
    -10: (-60, 100),
    0: (-70, 100),
    10: (-80, 90),
    20: (-80, 90),
    30: (-90, 90),
    40: (-100, 90),
    50: (-100, 80),
    60: (-110, 80),
    70: (-110, 80),
    80: (-110, 70),
    90: (-110, 70),
    100: (-90, 0),
}

AB_BINS: NDArray[np.float32] = np.array(
    [(a, b) for a, (low, high) in _RUNS.items() for b in range(low, high + 1, BIN_STEP)], np.float32
)
"""(313, 2) float32: the bin centres, rows sorted by a* and then b*."""
AB_BINS.flags.writeable = False

ANNEALED_TEMPERATURE = 0.38
"""The temperature of Zhang et al.: between the mean (1, timid) and the mode (0, spotty)."""

LARGEST_DOUBT = 45.0
"""The spread of a belief, in ab units, around which the least caution begins to leave gray."""
DEFAULT_VIVIDNESS = 0.45
"""How far rare colours are lifted by default (`ColorDistribution.rebalanced`). On 150 held-out photos it costs 5% more
ab error than none, and brings a quarter more colourfulness; on all 527 of them that is 74% of the truth's."""
DEFAULT_CONFIDENCE = 0.5
"""How sure of a place a belief has to be before it becomes an automatic seed; see `hybridcolor.extract.demands`."""


def check_shares(**settings: object) -> None:
    """Refuse settings that are no numbers from 0 to 1, such as vividness and caution.

    Raises
    ------
    MethodError
        If one is not.

    Examples
    --------
    >>> check_shares(vividness=0.5, caution=1)
    """
    for name, value in settings.items():
        if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1:
            raise MethodError(f"{name} is {value!r}, expected a number from 0 to 1")


def soft_encode(
    ab: ArrayLike, *, neighbours: int = 5, sigma: float = 5.0
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Spread each colour over its nearest bins with Gaussian weights (Zhang et al. 2016, section 2.1).

    Parameters
    ----------
    ab : (..., 2) array-like
        Colours, a* and b*.
    neighbours : int, optional
        How many bins share a colour.
    sigma : float, optional
        Width of the Gaussian in ab units.

    Returns
    -------
    index : (..., neighbours) int
        Rows of `AB_BINS`, nearest first.
    weight : (..., neighbours) float32
        Weights that sum to 1.

    Examples
    --------
    >>> index, weight = soft_encode([50.0, 20.0])
    >>> AB_BINS[index[0]].tolist(), round(float(weight.sum()), 6)
    ([50.0, 20.0], 1.0)
    """
    ranks = range(1, neighbours + 1)  # named one by one, so that a single neighbour keeps its axis
    found = cKDTree(AB_BINS).query(np.asarray(ab, np.float64), k=list(ranks))
    squared, index = np.asarray(found[0]) ** 2, np.asarray(found[1], np.intp)
    weight = np.exp((squared[..., :1] - squared) / (2 * sigma**2))  # relative to the nearest: never 0 / 0 far outside
    return index, (weight / weight.sum(axis=-1, keepdims=True)).astype(np.float32)


def nearest_bin(ab: ArrayLike) -> NDArray[np.intp]:
    """Row of `AB_BINS` nearest to each colour of an (..., 2) array."""
    return np.asarray(cKDTree(AB_BINS).query(np.asarray(ab, np.float64))[1], np.intp)


def rebalancing_weights(class_prior: ArrayLike, *, smoothing: float = 0.5) -> NDArray[np.float32]:
    """Class weights that lift rare colours: ``1 / ((1 - s) p + s / Q)``, normalised to mean 1 under p.

    Parameters
    ----------
    class_prior : (Q,) array-like
        How often each bin occurs; sums to 1.
    smoothing : float, optional
        The mix with the uniform distribution, in 0..1 (lambda in the paper); 1 gives equal weights.

    Returns
    -------
    (Q,) float32
        Weights w with ``sum(p * w) = 1``.

    Examples
    --------
    >>> rebalancing_weights([0.9, 0.1], smoothing=1.0).tolist()
    [1.0, 1.0]
    """
    p = np.asarray(class_prior, np.float64)
    weight = 1.0 / ((1.0 - smoothing) * p + smoothing / len(p))
    return np.asarray(weight / (p * weight).sum(), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class ColorDistribution:
    """What a CNN believes about the colour of every cell of a coarse grid laid over a picture.

    All decodings answer on the grid (h, w); `upsample` brings any of them to the picture's size.

    Attributes
    ----------
    logits : (h, w, Q) float32
        Unnormalised log probabilities of the bins.
    shape : tuple of int
        Rows and columns of the picture that the grid covers.
    class_prior : (Q,) float32 or None
        How often each bin occurred in training; `rebalanced` needs it.
    bins : (Q, 2) float32
        The colours; `AB_BINS` unless a model brings its own.

    Raises
    ------
    ModelError
        If the shapes do not fit together or a logit is not finite.

    Examples
    --------
    >>> logits = np.zeros((1, 1, 313), np.float32)
    >>> logits[0, 0, int(nearest_bin([40, 30]))] = 20.0
    >>> belief = ColorDistribution(logits, shape=(4, 4))
    >>> belief.mode()[0, 0].tolist(), bool(belief.std()[0, 0] < 1)
    ([40.0, 30.0], True)
    """

    logits: NDArray[np.float32]
    shape: tuple[int, int]
    class_prior: NDArray[np.float32] | None = None
    bins: NDArray[np.float32] = field(default_factory=lambda: AB_BINS)

    def __post_init__(self) -> None:
        if self.logits.ndim != 3 or self.logits.shape[2] != len(self.bins):
            raise ModelError(f"distribution: logits have shape {self.logits.shape}, expected (h, w, {len(self.bins)})")
        if self.class_prior is not None and self.class_prior.shape != (len(self.bins),):
            raise ModelError(
                f"distribution: the class prior has shape {self.class_prior.shape}, not ({len(self.bins)},)"
            )
        if not np.isfinite(self.logits).all():
            raise ModelError("distribution: a logit is not finite; the model's weights are damaged")

    def probability(self, temperature: float = 1.0) -> NDArray[np.float32]:
        """(h, w, Q) probabilities, ``softmax(logits / temperature)``."""
        scaled = self.logits / np.float32(temperature)
        scaled -= scaled.max(axis=-1, keepdims=True)
        np.exp(scaled, out=scaled)
        scaled /= scaled.sum(axis=-1, keepdims=True)
        return np.asarray(scaled)

    def mean(self) -> NDArray[np.float32]:
        """(h, w, 2) expected ab: the least squared error, and the least vivid."""
        return np.asarray(self.probability() @ self.bins, np.float32)

    def annealed_mean(self, temperature: float = ANNEALED_TEMPERATURE) -> NDArray[np.float32]:
        """(h, w, 2) mean of the sharpened distribution (Zhang et al. 2016, equation 5); temperature in (0, 1]."""
        return np.asarray(self.probability(temperature) @ self.bins)

    def mode(self) -> NDArray[np.float32]:
        """(h, w, 2) the most probable bin's ab."""
        return np.asarray(self.bins[self.logits.argmax(axis=-1)])

    def sample(self, rng: np.random.Generator) -> NDArray[np.float32]:
        """(h, w, 2) one bin drawn for each cell by itself, by the Gumbel trick."""
        return np.asarray(self.bins[(self.logits + rng.gumbel(size=self.logits.shape)).argmax(axis=-1)])

    def std(self) -> NDArray[np.float32]:
        """(h, w) root mean squared distance of the colour from its mean, in ab units: the error the CNN expects."""
        p = self.probability()
        variance = p @ (self.bins**2).sum(axis=1) - ((p @ self.bins) ** 2).sum(axis=-1)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))

    def sureness(self, caution: float) -> NDArray[np.float32]:
        """(h, w) how much of each colour a cautious person would show, in 0..1.

        Parameters
        ----------
        caution : float
            0 shows all; more leaves gray where `std` is above ``45 (1 - caution)`` ab units, softly; 1 shows none.
        """
        limit = np.float32(LARGEST_DOUBT * (1 - caution))
        if caution == 0 or limit == 0:
            return np.full(self.logits.shape[:2], float(caution == 0), np.float32)
        return np.asarray(((1.25 * limit - self.std()) / (0.5 * limit)).clip(0, 1), np.float32)

    def confidence(self) -> NDArray[np.float32]:
        """(h, w) probability of the most probable bin, in 0..1. High on grays too: see ``extract`` for ranking."""
        return np.asarray(self.probability().max(axis=-1))

    def top(self, count: int, row: int, column: int) -> list[tuple[tuple[float, float], float]]:
        """The ``count`` most probable colours at a pixel of the picture, each as ((a*, b*), probability)."""
        p = self.at([[row, column]]).probability()[0, 0]
        return [((float(self.bins[i, 0]), float(self.bins[i, 1])), float(p[i])) for i in np.argsort(-p)[:count]]

    def rebalanced(self, vividness: float) -> ColorDistribution:
        """The distribution with rare colours lifted: ``logits + vividness * log w`` (`rebalancing_weights`).

        Parameters
        ----------
        vividness : float
            0 leaves the calibrated belief; 1 is the full rebalancing of the paper.

        Raises
        ------
        ModelError
            If the model came without a class prior.
        """
        if vividness == 0:
            return self
        if self.class_prior is None:
            raise ModelError("vividness needs a model with a class prior, this one has none; use vividness 0")
        lift = np.float32(vividness) * np.log(rebalancing_weights(self.class_prior))
        return replace(self, logits=self.logits + lift)

    def cells(self, coords: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows and columns of the grid's cells that hold (N, 2) pixels of the picture, to index any decoding with.

        Raises
        ------
        SeedError
            If a pixel lies outside the picture.

        Examples
        --------
        >>> belief = ColorDistribution(np.zeros((2, 4, 313), np.float32), shape=(10, 20))
        >>> [cell.tolist() for cell in belief.cells([[9, 9], [0, 19]])]
        [[1, 0], [1, 3]]
        """
        pixels = np.asarray(coords, np.int64)
        if ((pixels < 0) | (pixels >= self.shape)).any():
            raise SeedError(f"a pixel lies outside the picture of {self.shape[0]} x {self.shape[1]}; count from 0")
        row, column = (pixels * self.logits.shape[:2] // self.shape).T
        return row, column

    def cell_numbers(self, coords: ArrayLike) -> NDArray[np.int64]:
        """The cells that hold (N, 2) pixels of the picture, as one number each, counted row by row: (N,)."""
        row, column = self.cells(coords)
        return np.asarray(row * self.logits.shape[1] + column)

    def at(self, coords: ArrayLike) -> ColorDistribution:
        """What is believed of (N, 2) pixels of the picture, as a grid of one row, (1, N): cheaper than to decode all.

        Examples
        --------
        >>> belief = ColorDistribution(np.zeros((2, 4, 313), np.float32), shape=(10, 20))
        >>> belief.at([[9, 9], [0, 19], [5, 5]]).probability().shape
        (1, 3, 313)
        """
        return replace(self, logits=self.logits[self.cells(coords)][None])

    def upsample(self, grid: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bilinear interpolation of an (h, w) or (h, w, C) decoding to the picture's (H, W)."""
        return resample(grid, self.shape)
