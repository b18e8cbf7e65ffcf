"""``hybridcolor models export``: a model as ONNX, for programs that have no PyTorch.

May import ``networks``, ``weights`` and below. Needs the package onnx: the ``onnx`` extra.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from hybridcolor.bins import AB_BINS
from hybridcolor.errors import ModelError
from hybridcolor.files import write_whole
from hybridcolor.predict import load_network
from hybridcolor.predict.weights import find_model

OPSET = 18
"""Version of the ONNX operators: old enough for what is in use, and what PyTorch's exporters write natively."""
_TRACED = (1, 1, 64, 96)  # any size would do: sides stay free


class _Calibrated(nn.Module):
    """A network whose logits are divided by the model's temperature."""

    def __init__(self, network: nn.Module, temperature: float) -> None:
        super().__init__()
        self.network = network
        self.temperature = temperature

    def forward(self, luminance: Tensor) -> Tensor:
        return self.network(luminance) / self.temperature  # type: ignore[no-any-return]


def to_onnx(network: nn.Module, *, temperature: float = 1.0) -> bytes:
    """A network as an ONNX model of free batch and size.

    Parameters
    ----------
    network : torch.nn.Module
        Luminance (B, 1, H, W) in 0..1, sides multiples of its ``stride``, to logits (B, Q, H / 4, W / 4).
    temperature : float, optional
        What the logits are divided by, so that they are calibrated.

    Returns
    -------
    bytes
        Input ``luminance``, output ``logits``; the metadata hold ``stride`` and, as JSON, the ab ``bins``.

    Raises
    ------
    ModelError
        If the package onnx is missing.
    """
    try:
        import onnx
    except ImportError as error:
        raise ModelError("ONNX export needs the package onnx; pip install 'hybridcolor[onnx]'") from error
    axes = {0: "batch", 2: "height", 3: "width"}
    module = _Calibrated(network, temperature).eval()
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # this exporter is called legacy; the new one takes 40 times as long
        path = Path(folder) / "model.onnx"
        torch.onnx.export(
            module,
            (torch.zeros(_TRACED),),
            path,
            dynamo=False,
            opset_version=OPSET,
            input_names=["luminance"],
            output_names=["logits"],
            dynamic_axes={"luminance": axes, "logits": {0: "batch", 2: "rows", 3: "columns"}},
        )
        model = onnx.load(path)
    properties = {"stride": str(getattr(network, "stride", 4)), "bins": json.dumps(AB_BINS.astype(int).tolist())}
    onnx.helper.set_model_props(model, properties)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def export_model(name: str, path: Path, *, overwrite: bool = False) -> None:
    """Write an installed model as ONNX.

    Parameters
    ----------
    name : str
        A name that ``hybridcolor models`` lists.
    path : Path
        The file to write; it ends in ``.onnx``.
    overwrite : bool, optional
        Whether it may replace one that is there.

    Raises
    ------
    ModelError
        If the model is unknown or damaged, onnx is missing, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() != ".onnx":
        raise ModelError(f"{path}: '{path.suffix}' is not .onnx; give a name that ends so")
    if path.exists() and not overwrite:
        raise ModelError(f"{path}: exists already; choose another name or pass --overwrite")
    if not path.parent.is_dir() or (path.exists() and not path.is_file()):
        raise ModelError(f"{path}: has no folder, or is not an ordinary file; choose another place for -o")
    entry = find_model(name)
    network, _ = load_network(entry)
    content = to_onnx(network, temperature=entry.temperature)
    try:
        write_whole(path, content)
    except OSError as error:
        raise ModelError(f"{path}: cannot be written ({error.strerror}); choose another place for -o") from error
