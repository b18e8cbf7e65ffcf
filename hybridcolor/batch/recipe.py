"""How a batch colorizes: a few settings from a TOML file, and a key that changes when a result could."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import hybridcolor
from hybridcolor.batch.stores import fetched
from hybridcolor.bins import DEFAULT_VIVIDNESS
from hybridcolor.errors import MethodError
from hybridcolor.files import checksum, read_whole
from hybridcolor.imagefiles import WRITABLE_SUFFIXES
from hybridcolor.propagate.registry import check_options
from hybridcolor.provenance import made_by, weights_sha256


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
        In 0..1, as for `hybridcolor.colorize`.
    options : dict
        For the method.
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
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = "{stem}.png"

    def __post_init__(self) -> None:
        kinds: dict[str, Any] = {"vividness": (int, float), "caution": (int, float), "options": dict}
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, bool) or not isinstance(value, kinds.get(each.name, str)):
                raise MethodError(f"recipe: {each.name} cannot be {value!r}")
        check_options(self.method, self.options)
        self.weights_sha256()
        if not (0 <= self.vividness <= 1 and 0 <= self.caution <= 1):
            raise MethodError(f"recipe: vividness and caution are from 0 to 1, not {self.vividness}, {self.caution}")
        plain = self.name.replace("{stem}", "x", 1)
        if plain == self.name or Path(plain).name != plain or "{" in plain or "\0" in plain:
            raise MethodError(f"recipe: name {self.name!r} is to hold {{stem}} once, and no folder")
        if not plain.lower().endswith(WRITABLE_SUFFIXES):
            raise MethodError(f"recipe: name {self.name!r} is to end in one of {' '.join(WRITABLE_SUFFIXES)}")

    @classmethod
    def read(cls, path: Path | str) -> Recipe:
        """A recipe from a TOML file, or the URL of one, with any of the attributes.

        Raises
        ------
        MethodError
            If it cannot be read, is not TOML, or has an unknown key or a bad value.
        ImageError
            If it cannot be fetched.
        ModelError
            If its model is not installed.
        """
        try:
            with fetched(str(path)) as copy:
                content: dict[str, Any] = tomllib.loads(read_whole(copy).decode())
        except OSError as error:
            raise MethodError(f"{path}: cannot be read ({error.strerror})") from error
        except ValueError as error:
            raise MethodError(f"{path}: is not TOML ({error})") from error
        known = [each.name for each in fields(cls)]
        for key in content:
            if key not in known:
                raise MethodError(f"{path}: {key!r} is unknown; known: {', '.join(known)}")
        return cls(**content)

    def target_name(self, stem: str) -> str:
        """What the output of a picture is called."""
        return self.name.replace("{stem}", stem, 1)

    def provenance(self) -> dict[str, Any]:
        """Everything that a result depends on besides its picture and scribbles."""
        return {"hybridcolor": hybridcolor.__version__, **asdict(self), "weights_sha256": self.weights_sha256()}

    def weights_sha256(self) -> str | None:
        """SHA-256 of the model's weights; None without a model."""
        return weights_sha256(self.model)

    def note(self, seeds: Path | str | None = None, *, tiles: bool = False) -> str:
        """The provenance of one output, for the file itself to tell: see `hybridcolor.provenance.made_by`."""
        settings = asdict(self)
        del settings["name"]
        return made_by(**settings, seeds_sha256=checksum(seeds), tiles=tiles)

    def key(self) -> str:
        """The first 16 hex digits of the SHA-256 of `provenance`."""
        return hashlib.sha256(json.dumps(self.provenance(), sort_keys=True).encode()).hexdigest()[:16]
