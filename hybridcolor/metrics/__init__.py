"""Scores of a colorization against the truth, of its colours alone, and of the ways in which colorizations fail.

`SCORES` and `FAILURES` in ``registry`` name them all; each function can also be called alone. docs/metrics.md
defines each and says what it misses. May import ``lab``, ``bins``, ``resampling`` and ``errors``.
"""

from hybridcolor.metrics.fidelity import ab_rmse, colourfulness, psnr

__all__ = ["ab_rmse", "colourfulness", "psnr"]
