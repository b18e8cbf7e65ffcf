"""How a batch colorizes: a few settings from a TOML file, and a key that changes when a result could."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import hybridcolor
from hybridcolor.bins import DEFAULT_VIVIDNESS
from hybridcolor.drawing import NO_MODEL
from hybridcolor.errors import MethodError
from hybridcolor.imagefiles import WRITABLE_SUFFIXES
from hybridcolor.predict.weights import find_model
from hybridcolor.propagate import get_propagator


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is done to every picture.

    Attributes
    ----------
    method : str
        A name in `hybridcolor.propagate.PROPAGATORS`.
    model : str
        A model's name, or "none" for scribbles alone.
    vividness, caution : float
        As for `hybridcolor.colorize`.
    name : str
        What an output is called; ``{stem}`` is the input's name without its ending. The ending says the format.

    Raises
    ------
    MethodError
        If a setting is unknown or out of range.
    ModelError
        If the model is not installed.

    Examples
    --------
    >>> Recipe(method="chrominance", name="{stem}-colour.jpg").target_name("old")
    'old-colour.jpg'
    """

    method: str = "hybrid"
    model: str = "default"
    vividness: float = DEFAULT_VIVIDNESS
    caution: float = 0.0
    name: str = "{stem}.png"

    def __post_init__(self) -> None:
        for field in fields(self):
            value, kind = getattr(self, field.name), (int, float) if field.name in ("vividness", "caution") else str
            if isinstance(value, bool) or not isinstance(value, kind):
                raise MethodError(f"recipe: {field.name} cannot be {value!r}")
        get_propagator(self.method)
        if self.model != NO_MODEL:
            find_model(self.model)
        if not (0 <= self.vividness <= 1 and 0 <= self.caution <= 1):
            raise MethodError(f"recipe: vividness and caution are from 0 to 1, not {self.vividness}, {self.caution}")
        plain = self.name.replace("{stem}", "x", 1)
        if plain == self.name or Path(plain).name != plain or "{" in plain:
            raise MethodError(f"recipe: name {self.name!r} is to hold {{stem}} once, and no folder")
        if not plain.endswith(WRITABLE_SUFFIXES):
            raise MethodError(f"recipe: name {self.name!r} is to end in one of {' '.join(WRITABLE_SUFFIXES)}")

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """A recipe from a TOML file with any of the attributes.

        Raises
        ------
        MethodError
            If it cannot be read, or has something else in it.
        """
        try:
            content: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise MethodError(f"{path}: cannot be read ({error.strerror})") from error
        except ValueError as error:
            raise MethodError(f"{path}: is not TOML ({error})") from error
        known = [field.name for field in fields(cls)]
        for key in content:
            if key not in known:
                raise MethodError(f"{path}: {key!r} is unknown; known: {', '.join(known)}")
        return cls(**content)

    def target_name(self, stem: str) -> str:
        """What the output of a picture is called."""
        return self.name.replace("{stem}", stem, 1)

    def provenance(self) -> dict[str, Any]:
        """Everything that a result depends on besides its picture and scribbles."""
        weights = None if self.model == NO_MODEL else find_model(self.model).sha256
        return {"hybridcolor": hybridcolor.__version__, **asdict(self), "weights_sha256": weights}

    def key(self) -> str:
        """A checksum of the provenance."""
        return hashlib.sha256(json.dumps(self.provenance(), sort_keys=True).encode()).hexdigest()[:16]
