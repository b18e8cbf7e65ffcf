"""Where trained weights are, and whether they are what the registry says.

``registry.json`` names every model: its file, sha256, network, calibration and scores. It is looked for in the folder
that ``HYBRIDCOLOR_MODELS`` names, and in no other then; else in the installed package (``hybridcolor/_models``) or the
checkout's ``models``, and beside it in the person's own folder, which holds what was imported. Weights are safetensors:
data only, nothing in them can run.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

import hybridcolor
from hybridcolor.errors import ModelError
from hybridcolor.files import read_whole, write_whole

ENVIRONMENT = "HYBRIDCOLOR_MODELS"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model of the registry.

    Attributes
    ----------
    name : str
        What ``--model`` takes.
    folder : Path
        Where its files are.
    file, sha256, card : str
        Weights, their checksum, and the card that says what they are.
    network : str
        A name in ``NETWORKS``.
    temperature : float
        Calibration: logits are divided by it before they are believed.
    size : int
        Shorter side, in pixels, at which the network looks at a picture.
    licence, data, summary : str
        For people.
    scores : dict
        Measured on held-out images, see the card.
    paint : bool
        Whether it colours drawings, whose blank paper needs room for colour (`hybridcolor.painting`).
    """

    name: str
    folder: Path
    file: str
    sha256: str
    card: str
    network: str
    temperature: float
    size: int
    licence: str
    data: str
    summary: str
    scores: dict[str, float]
    paint: bool = False

    def __post_init__(self) -> None:
        for name in ("file", "sha256", "card", "network", "licence", "data", "summary"):
            if not isinstance(getattr(self, name), str):
                raise TypeError(f"{name} of {self.name!r} is not text")
        if type(self.size) is not int or not 4 <= self.size <= 4096:
            raise ValueError(f"size of {self.name!r} is not a number of pixels in 4..4096")
        if type(self.temperature) not in (int, float) or not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature of {self.name!r} is not above 0")
        if type(self.paint) is not bool:
            raise TypeError(f"paint of {self.name!r} is neither true nor false")
        if not all(type(score) in (int, float) for score in self.scores.values()):
            raise TypeError(f"scores of {self.name!r} are not numbers by name")


def models_folder() -> Path:
    """The folder that holds the registry.

    Raises
    ------
    ModelError
        If there is none.
    """
    package = Path(hybridcolor.__file__).parent
    named = os.environ.get(ENVIRONMENT)
    candidates = [Path(named)] if named else [package / "_models", package.parent / "models"]
    for folder in candidates:
        if (folder / "registry.json").is_file():
            return folder
    raise ModelError(
        f"no registry.json in {' or '.join(map(str, candidates))}; reinstall hybridcolor, or point {ENVIRONMENT} to it"
    )


def own_folder() -> Path:
    """Where imported models go: the folder that ``HYBRIDCOLOR_MODELS`` names, else one among the person's data."""
    named = os.environ.get(ENVIRONMENT)
    if named:
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME") or os.environ.get("LOCALAPPDATA") or "~/.local/share"
    with suppress(RuntimeError):  # an account without a home
        return Path(data).expanduser() / "hybridcolor" / "models"
    return Path("hybridcolor-models")


def read_registry(folder: Path | None = None) -> tuple[str, dict[str, ModelEntry]]:
    """The default model's name and all models by name: the shipped ones and the person's own, or those of one folder.

    Raises
    ------
    ModelError
        If the registry is missing, damaged or of another schema.
    """
    if folder is not None:
        return _read_folder(folder)
    default, entries = _read_folder(models_folder())
    own = own_folder()
    if ENVIRONMENT not in os.environ and (own / "registry.json").is_file():
        entries = _read_folder(own)[1] | entries
    return default, entries


def _read_folder(folder: Path) -> tuple[str, dict[str, ModelEntry]]:
    path = folder / "registry.json"
    try:
        registry: dict[str, Any] = json.loads(read_whole(path).decode())
        if registry["schema"] != SCHEMA:
            raise ModelError(f"{path}: schema {registry['schema']} is not {SCHEMA}; update hybridcolor")
        entries = {name: ModelEntry(name=name, folder=folder, **fields) for name, fields in registry["models"].items()}
        default = entries[registry["default"]].name
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{path}: not a model registry ({error}); reinstall hybridcolor") from error
    return default, entries


def find_model(name: str) -> ModelEntry:
    """The entry of a model; ``"default"`` is the one the registry recommends.

    Raises
    ------
    ModelError
        If no model has this name.
    """
    default, entries = read_registry()
    entry = entries.get(default if name == "default" else name)
    if entry is None:
        raise ModelError(f"unknown model {name!r}; known: default, {', '.join(entries)}")
    return entry


def load_weights(entry: ModelEntry) -> dict[str, Tensor]:
    """All tensors of a model's file as float32, after its checksum was found right.

    Raises
    ------
    ModelError
        If the file is missing, damaged or another than the registry's.
    """
    path = entry.folder / entry.file
    try:
        content = read_whole(path)
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        reason = getattr(error, "strerror", error)
        raise ModelError(f"{path}: cannot read the weights ({reason}); reinstall hybridcolor") from error
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise ModelError(f"{path}: the checksum is not the registry's, the file is damaged; reinstall hybridcolor")
    try:
        tensors: dict[str, Tensor] = load(content)
    except SafetensorError as error:
        raise ModelError(f"{path}: not a safetensors file ({error})") from error
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}


def register(folder: Path, name: str, entry: dict[str, Any]) -> None:
    """Put a model's entry into a folder's registry; the first model becomes the default.

    Raises
    ------
    ModelError
        If the registry that is there is damaged.
    """
    registry: dict[str, Any] = {"schema": SCHEMA, "default": name, "models": {}}
    path = folder / "registry.json"
    if path.exists():
        read_registry(folder)  # refuses a damaged one
        registry = json.loads(read_whole(path).decode())
    registry["models"][name] = entry
    write_whole(path, (json.dumps(registry, indent=2) + "\n").encode())
