"""The weights that Zhang, Isola and Efros released for the plain network (ECCV 2016), in the form we use.

There are two releases of one network: a PyTorch state dict (``eccv16``) and a Caffe model
(``colorization_release_v2``). `read_released` takes either, checks every tensor, and gives the names of the PyTorch
release with these conventions:

- *input*: (L* - 50) / 100, as in PyTorch. Caffe fed L* - 50, so its first layer's weights are multiplied by 100.
- *batch norm*: after the last ReLU of blocks 1 to 7. Caffe stores sums and the factor that they were scaled by, which
  is divided out, and has no learned scale and shift: they become 1 and 0. Both use epsilon 1e-5.
- *head*: 313 logits. Their order is read off the fixed 1x1 layer from bins to ab (``model_out``, ``class8_ab``, whose
  columns are the rows of ``pts_in_hull``) and brought to that of `AB_BINS`, sorted by a* and then b*. A Caffe file
  without that layer, as trained, is in that order already.
- *sharpness*: Caffe's 2.606 before the softmax is no weight and belongs to decoding. The PyTorch release has no such
  factor in its code. `Released.temperature` is what logits are divided by so that our annealed mean is that release's.

May import ``caffemodel``, ``bins`` and ``errors``.
"""

from __future__ import annotations

import hashlib
import io
import warnings
import zipfile
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hybridcolor.bins import AB_BINS, ANNEALED_TEMPERATURE
from hybridcolor.errors import ModelError
from hybridcolor.predict.caffemodel import Blob, read_caffemodel

# Channels in, channels out and number of 3x3 layers of blocks 1 to 7; a batch norm ends each.
_BLOCKS = ((1, 64, 2), (64, 128, 2), (128, 256, 3), (256, 512, 3), (512, 512, 3), (512, 512, 3), (512, 512, 3))
_HEAD = "model8.6"
TO_AB = "model_out.weight"
"""The fixed layer from bins to ab, which says in which order the bins are."""
_AB_SCALE = 110  # the PyTorch release keeps ab divided by this
_CAFFE_SHARPNESS = 2.606
# Decoding layers that the authors' demo fills, and layers with blobs that prepare the training data.
_CAFFE_OPTIONAL = {"class8_ab", "conv8_313_rh", "data_l_meansub", "data_ab_ss"}
_ADVICE = "give the plain network (eccv16) as Zhang et al. released it"

MAX_BYTES = 640 * 2**20
"""Larger files are refused: the largest honest one, in doubles with their gradients, has 520 MB."""


@dataclass(frozen=True, slots=True)
class Released:
    """Weights of the plain network.

    Attributes
    ----------
    tensors : dict of Tensor
        float32, by the names of `released_shapes`.
    temperature : float
        Calibration: logits are divided by it before they are believed.
    source : str
        What kind of file they came in, for people.
    sha256 : str
        That file's.
    """

    tensors: dict[str, Tensor]
    temperature: float
    source: str
    sha256: str


def released_shapes() -> dict[str, tuple[int, ...]]:
    """Every tensor of the PyTorch release, with its shape.

    Examples
    --------
    >>> shapes = released_shapes()
    >>> shapes["model1.0.weight"], shapes["model8.6.weight"]
    ((64, 1, 3, 3), (313, 256, 1, 1))
    """
    shapes: dict[str, tuple[int, ...]] = {}
    for block, (cin, cout, layers) in enumerate(_BLOCKS, 1):
        for layer in range(layers):
            shapes[f"model{block}.{2 * layer}.weight"] = (cout, cin if layer == 0 else cout, 3, 3)
            shapes[f"model{block}.{2 * layer}.bias"] = (cout,)
        norm = f"model{block}.{2 * layers}."
        shapes |= {norm + part: (cout,) for part in ("weight", "bias", "running_mean", "running_var")}
        shapes[norm + "num_batches_tracked"] = ()
    for layer, weight in ((0, (512, 256, 4, 4)), (2, (256, 256, 3, 3)), (4, (256, 256, 3, 3))):
        shapes |= {f"model8.{layer}.weight": weight, f"model8.{layer}.bias": (256,)}
    bins = len(AB_BINS)
    return shapes | {f"{_HEAD}.weight": (bins, 256, 1, 1), f"{_HEAD}.bias": (bins,), TO_AB: (2, bins, 1, 1)}


def read_released(path: Path) -> Released:
    """Read either release; which one it is is seen from the content, not from the name.

    Parameters
    ----------
    path : Path
        A PyTorch state dict (``.pth``) or a ``.caffemodel``.

    Raises
    ------
    ModelError
        If the file cannot be read or anything in it is missing, extra, of another shape or not finite.
    """
    try:
        return _released(_read_limited(Path(path)))
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error.__cause__


def _released(content: bytes) -> Released:
    if content.startswith(b"\x89HDF"):
        raise ModelError("an HDF5 file; give the binary .caffemodel or the PyTorch .pth")
    if content.startswith((b"PK", b"\x80")):  # a zip archive, or the pickle that older versions of PyTorch wrote
        tensors, source, temperature = _from_torch(content), "PyTorch state dict", 1 / ANNEALED_TEMPERATURE
    else:
        tensors, source = _from_caffe(read_caffemodel(content)), "Caffe model"
        temperature = 1 / (ANNEALED_TEMPERATURE * _CAFFE_SHARPNESS)
    _check_numbers(tensors)
    return Released(_in_our_order(tensors), temperature, source, hashlib.sha256(content).hexdigest())


def _read_limited(path: Path) -> bytes:
    """The bytes of a regular file of at most `MAX_BYTES`."""
    try:
        if not path.is_file():
            raise ModelError("no such file; check the name")
        if path.stat().st_size > MAX_BYTES:
            raise ModelError(f"larger than {MAX_BYTES >> 20} MiB; give the released plain network of Zhang et al.")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise ModelError(f"cannot be read ({getattr(error, 'strerror', None) or error})") from error


def _from_torch(content: bytes) -> dict[str, Tensor]:
    """The tensors of a state dict, all there and in shape."""
    state = _load_state(content)
    if "model_out.0.weight" in state:
        raise ModelError("the network of Zhang et al. 2017 (siggraph17); only that of 2016 (eccv16) can be imported")
    shapes = released_shapes()
    counters = {key for key in shapes if key.endswith("num_batches_tracked")}  # older versions of PyTorch wrote none
    _check_names(state, shapes, optional=counters)
    tensors: dict[str, Tensor] = {}
    for key, shape in shapes.items():
        value = state.get(key, torch.tensor(0))
        plain = isinstance(value, Tensor) and value.layout == torch.strided and value.device.type == "cpu"
        if not plain or value.is_quantized or value.is_complex():
            raise ModelError(f"{key} is not a plain tensor; {_ADVICE}")
        if tuple(value.shape) != shape:
            raise ModelError(_misfit(key, tuple(value.shape), shape))
        tensors[key] = value.long() if key in counters else value.detach().float().contiguous()
    return tensors


def _load_state(content: bytes) -> Mapping[str, Any]:
    """What PyTorch's loader for data alone makes of a file: no code in a pickle is run."""
    if _unpacked_size(content) > MAX_BYTES:
        raise ModelError(f"unpacks to more than {MAX_BYTES >> 20} MiB; {_ADVICE}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old formats
            state: Any = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever it trips over
        raise ModelError("not a whole PyTorch state dict of plain tensors; download it again") from error
    if not isinstance(state, Mapping) or not all(isinstance(key, str) for key in state):
        raise ModelError(f"holds no state dict; {_ADVICE}")
    return state


def _unpacked_size(content: bytes) -> int:
    """What a zip archive says that its members have together; the content's own size for anything else."""
    if not content.startswith(b"PK"):
        return len(content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return sum(member.file_size for member in archive.infolist())
    except Exception as error:  # zipfile too raises more than it says
        raise ModelError("a damaged archive; download it again") from error


def _from_caffe(layers: dict[str, list[Blob]]) -> dict[str, Tensor]:
    """The tensors of the PyTorch release, from Caffe's layers."""
    layers = {name.removeprefix("bw_"): blobs for name, blobs in layers.items()}
    names = _caffe_names()
    _check_names(layers, names.values(), optional=_CAFFE_OPTIONAL)
    shapes = released_shapes()
    tensors: dict[str, Tensor] = {}
    for key, name in names.items():
        if f"{key}.running_mean" in shapes:
            tensors |= _from_caffe_norm(key, _fit(name, layers[name], *[shapes[f"{key}.bias"]] * 2, (1,)))
        else:
            parts = [f"{key}.weight", f"{key}.bias"]
            tensors |= zip(parts, _fit(name, layers[name], *(shapes[part] for part in parts)), strict=True)
    tensors["model1.0.weight"] = tensors["model1.0.weight"] * 100
    if "conv8_313_rh" in layers:
        (sharpness,) = _fit("conv8_313_rh", layers["conv8_313_rh"], (len(AB_BINS),))
        if not torch.allclose(sharpness, torch.tensor(_CAFFE_SHARPNESS), atol=1e-3):
            raise ModelError(f"conv8_313_rh is not {_CAFFE_SHARPNESS} throughout; {_ADVICE}")
    to_ab = torch.from_numpy(AB_BINS.T.copy())[..., None, None]
    if "class8_ab" in layers:
        (given,) = _fit("class8_ab", layers["class8_ab"][:1], shapes[TO_AB])  # its bias, if any, was never filled
        to_ab = given if given.any() else to_ab  # zeros: as it is before the authors' demo fills it
    tensors[TO_AB] = to_ab / _AB_SCALE
    return tensors


def _from_caffe_norm(key: str, blobs: list[Tensor]) -> dict[str, Tensor]:
    """A batch norm from Caffe's sums and the factor they were scaled by; a factor of 0 makes them 0, as in Caffe."""
    mean, variance, factor = blobs
    scale = torch.where(factor == 0, 0.0, 1 / factor)
    return {
        f"{key}.weight": torch.ones_like(mean),
        f"{key}.bias": torch.zeros_like(mean),
        f"{key}.running_mean": mean * scale,
        f"{key}.running_var": variance * scale,
        f"{key}.num_batches_tracked": torch.tensor(0),
    }


def _caffe_names() -> dict[str, str]:
    """Caffe's name of each layer with weights, by its name in PyTorch; ``bw_conv1_1`` without its first letters."""
    names: dict[str, str] = {}
    for block, (_, _, layers) in enumerate(_BLOCKS, 1):
        names |= {f"model{block}.{2 * layer}": f"conv{block}_{layer + 1}" for layer in range(layers)}
        names[f"model{block}.{2 * layers}"] = f"conv{block}_{layers}norm"
    return names | {"model8.0": "conv8_1", "model8.2": "conv8_2", "model8.4": "conv8_3", _HEAD: "conv8_313"}


def _fit(name: str, blobs: list[Blob], *shapes: tuple[int, ...]) -> list[Tensor]:
    """A layer's blobs as float32 tensors of the expected shapes; older files have dimensions of 1 before them."""
    if len(blobs) != len(shapes):
        raise ModelError(f"layer {name} has {len(blobs)} blobs, expected {len(shapes)}; {_ADVICE}")
    tensors = []
    for number, (blob, shape) in enumerate(zip(blobs, shapes, strict=True)):
        if blob.shape != (1,) * (blob.ndim - len(shape)) + shape:
            raise ModelError(_misfit(f"blob {number} of {name}", blob.shape, shape))
        with np.errstate(over="ignore"):  # what does not fit float32 becomes infinite and is refused
            tensors.append(torch.from_numpy(blob.reshape(shape).astype(np.float32)))
    return tensors


def _check_names(given: Iterable[str], expected: Iterable[str], *, optional: Set[str]) -> None:
    """Refuse what is missing and what is left over, naming the first of them."""
    given, expected = set(given), set(expected)
    for wrong, names in (("lacks", expected - optional - given), ("has unknown", given - expected - optional)):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise ModelError(f"{wrong} {min(names)[:60]!r}{more}; {_ADVICE}")


def _check_numbers(tensors: dict[str, Tensor]) -> None:
    for key, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise ModelError(f"{key} holds numbers that are not finite; download it again")
        if key.endswith("running_var") and (tensor < 0).any():
            raise ModelError(f"{key} holds negative variances; download it again")


def _misfit(what: str, shape: tuple[int, ...], expected: tuple[int, ...]) -> str:
    return f"{what} has shape {shape[:8]}, expected {expected}; {_ADVICE}"


def _in_our_order(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The head's logits in the order of `AB_BINS`, whatever order ``model_out`` says they have."""
    columns = tensors[TO_AB].flatten(1).numpy().astype(np.float64) * _AB_SCALE
    a, b = np.rint(columns / 10)
    order = np.lexsort((b, a))
    if not np.allclose(columns[:, order], AB_BINS.T, rtol=0, atol=0.5):
        raise ModelError(f"its layer from bins to colours does not hold the 313 bins of Zhang et al.; {_ADVICE}")
    rows = torch.from_numpy(order)
    head = {f"{_HEAD}.{part}": tensors[f"{_HEAD}.{part}"][rows] for part in ("weight", "bias")}
    return tensors | head | {TO_AB: tensors[TO_AB][:, rows].contiguous()}
