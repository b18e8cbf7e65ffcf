"""``hybridcolor models import``: weights that others trained become a model of one's own.

`import_model` reads a release (``released``), and only when everything in it fits are safetensors, a card and the
registry's entry written. May import ``released``, ``weights`` and below.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from hybridcolor.bins import AB_BINS
from hybridcolor.drawing import NO_MODEL
from hybridcolor.errors import ModelError
from hybridcolor.files import write_whole
from hybridcolor.predict.released import TO_AB, Released, read_released
from hybridcolor.predict.weights import ModelEntry, own_folder, read_registry, register

NETWORK = "plain"
"""The network that `read_released` gives weights of."""
INPUT_SIZE = 224
"""Shorter side at which an imported model looks at pictures: the size of the published Caffe network's input."""
_RESERVED = {"default", NO_MODEL}  # what ``--model`` takes besides names

_CARD = """# {name}

Automatic colours for photos by the network of R. Zhang, P. Isola and A. A. Efros, "Colorful image colorization",
ECCV 2016 (doi:10.1007/978-3-319-46487-9_40): luminance in, a distribution over 313 ab colours out, on a grid a quarter
of the input's size.

- **Network**: `plain`, 22 layers, 32.2 million parameters. Input: L* of a picture whose shorter side is brought to
  {size} pixels.
- **Weights**: `{name}.safetensors`, 32-bit floats, written by `hybridcolor models import`; checksum in `registry.json`.
- **Came from**: `{file}`, a {source} with sha256 `{sha256}`.
- **Licence**: that of whoever trained these weights. The file holds no licence text; look where you have it from.

## What was converted

- The input is (L* - 50) / 100; a Caffe model's first layer was multiplied by 100 for that.
- Batch norm is kept as mean, variance, scale and shift, with epsilon 1e-5; Caffe's sums were divided by their factor.
- The 313 logits were brought to the order of `hybridcolor.bins.AB_BINS`, sorted by a* and then b*, from the order that
  the file's own layer from bins to ab has; a Caffe model without that layer is in that order already.
- Logits are divided by {temperature:.4f}, so that the annealed mean at T = 0.38 gives the colours of the release's own
  decoding.
- Class prior: uniform. The network was trained with rare colours lifted, so `--vividness` adds nothing to it.

## Measured

Nothing yet on this machine.
"""


def import_model(
    path: Path, *, name: str | None = None, folder: Path | None = None, overwrite: bool = False
) -> ModelEntry:
    """Convert the released weights of the plain network into a model that `load_predictor` knows.

    Parameters
    ----------
    path : Path
        The PyTorch state dict or the ``.caffemodel`` of Zhang et al. (2016).
    name : str, optional
        The model's name; the file's if not given.
    folder : Path, optional
        A folder of models, made if missing; a person's own one if not given.
    overwrite : bool, optional
        Whether a model of that name may be replaced.

    Returns
    -------
    ModelEntry
        What the registry says now.

    Raises
    ------
    ModelError
        If anything in the file does not fit, the name is taken or cannot be one, or the folder cannot be written.
        Nothing is written then.
    """
    path = Path(path)
    name = path.stem if name is None else name
    folder = own_folder() if folder is None else Path(folder)
    _check_name(name, folder, overwrite=overwrite)
    released = read_released(path)
    prior = torch.full((len(AB_BINS),), 1 / len(AB_BINS))
    weights = {key: tensor for key, tensor in released.tensors.items() if key != TO_AB}  # from bins to ab: we decode
    content = save({**weights, "class_prior": prior})
    entry: dict[str, Any] = {
        "file": f"{name}.safetensors",
        "sha256": hashlib.sha256(content).hexdigest(),
        "card": f"{name}.md",
        "network": NETWORK,
        "temperature": round(released.temperature, 6),
        "size": INPUT_SIZE,
        "licence": "that of its authors, see the card",
        "data": "ImageNet, if these are the weights that Zhang et al. released",
        "summary": f"Imported: the plain network of Zhang et al. 2016, from a {released.source}",
        "scores": {},
    }
    with _all_or_nothing(folder, entry["file"], entry["card"]):
        write_whole(folder / entry["file"], content)
        write_whole(folder / entry["card"], _card(name, path, released).encode())
        register(folder, name, entry)
    return read_registry(folder)[1][name]


def _check_name(name: str, folder: Path, *, overwrite: bool) -> None:
    """Refuse names that cannot be file names everywhere, that mean something else, or that are taken."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name) or name in _RESERVED:
        raise ModelError(f"{name!r} cannot be a model's name; give --name with letters, digits, '-', '_' and '.'")
    here = read_registry(folder)[1] if (folder / "registry.json").exists() else {}
    if folder == own_folder() and name in _names() - here.keys():
        raise ModelError(f"{name!r} is the name of a shipped model; choose another --name")
    taken = name in here or any((folder / f"{name}{suffix}").exists() for suffix in (".safetensors", ".md"))
    if taken and not overwrite:
        raise ModelError(f"{name!r} exists already in {folder}; choose another --name or pass --overwrite")


def _names() -> set[str]:
    """Every model that there is now; none before the first import into a folder that HYBRIDCOLOR_MODELS names."""
    with suppress(ModelError):
        return set(read_registry()[1])
    return set()


@contextmanager
def _all_or_nothing(folder: Path, *names: str) -> Iterator[None]:
    """Make the folder; if what follows fails, take away again the files that were not there before."""
    new = [folder / name for name in names if not (folder / name).exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException as error:
        for file in new:
            with suppress(OSError):
                file.unlink()
        if isinstance(error, OSError):
            raise ModelError(
                f"{folder}: cannot be written ({error.strerror}); choose another folder with -o"
            ) from error
        raise


def _card(name: str, path: Path, released: Released) -> str:
    return _CARD.format(
        name=name,
        size=INPUT_SIZE,
        file=re.sub(r"[^\w. -]", "_", path.name),
        source=released.source,
        sha256=released.sha256,
        temperature=released.temperature,
    )
