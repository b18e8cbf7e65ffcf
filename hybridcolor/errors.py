"""The one error family of hybridcolor.

Every error that reaches a person is one of these, with one line that says what was wrong, what was
expected and what to do; the technical cause is chained (``raise ... from``). The command line turns
them into that line and exit code 2. This module imports nothing.
"""

from __future__ import annotations


class HybridColorError(Exception):
    """Base of every error that hybridcolor raises on purpose: one line, whatever a damaged file brought into it."""

    def __str__(self) -> str:
        """The line."""
        return " ".join(super().__str__().splitlines())


class ImageError(HybridColorError):
    """A picture cannot be read, written or used."""


class TooLargeError(ImageError):
    """A picture has more pixels than were allowed."""


class SeedError(HybridColorError):
    """Seeds or scribbles are malformed, or do not fit the picture."""


class ModelError(HybridColorError):
    """A model is unknown, missing, damaged or does not fit its description."""


class MethodError(HybridColorError):
    """A propagation method is unknown or was given an option or input it cannot use."""


class ConvergenceError(HybridColorError):
    """A solver could not reach the accuracy it promises."""


class PropagationWarning(UserWarning):
    """A slower or safer path was taken; the answer is still right."""
