"""hybridcolor: colorize gray pictures together with a person.

>>> import hybridcolor as hc
>>> picture = hc.Picture.from_array([[0.2, 0.4], [0.6, 0.8]])
>>> hc.colorize(picture, scribbles=hc.Seeds.of([[0, 0]], [[20, 30]]), method="optimization").to_rgb().shape
(2, 2, 3)

Every name here is loaded when it is first used: importing the package costs nothing and loads no torch, no Qt, no
numba and no OpenCV. The path through the package is ``imagefiles`` -> ``picture`` -> ``predict`` -> ``extract`` ->
``propagate`` -> ``pipeline`` -> ``session``. (The function ``propagate`` is ``hybridcolor.propagate.propagate``: a
package and a function cannot share one name here.)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from hybridcolor.bins import ColorDistribution
    from hybridcolor.errors import HybridColorError
    from hybridcolor.extract import extract_seeds, merge_seeds
    from hybridcolor.imagefiles import read_image, write_image
    from hybridcolor.picture import Picture
    from hybridcolor.pipeline import Colorization, colorize, write_colorization
    from hybridcolor.predict import Predictor, load_predictor
    from hybridcolor.propagate import PROPAGATORS, Propagation, PropagationState
    from hybridcolor.seedfiles import read_seeds, write_seeds
    from hybridcolor.seeds import Seeds
    from hybridcolor.session import EditSession

_HOME = {
    "ColorDistribution": "bins",
    "Colorization": "pipeline",
    "EditSession": "session",
    "HybridColorError": "errors",
    "PROPAGATORS": "propagate",
    "Picture": "picture",
    "Predictor": "predict",
    "Propagation": "propagate",
    "PropagationState": "propagate",
    "Seeds": "seeds",
    "colorize": "pipeline",
    "extract_seeds": "extract",
    "load_predictor": "predict",
    "merge_seeds": "extract",
    "read_image": "imagefiles",
    "read_seeds": "seedfiles",
    "write_colorization": "pipeline",
    "write_image": "imagefiles",
    "write_seeds": "seedfiles",
}

__all__ = [
    "PROPAGATORS",
    "ColorDistribution",
    "Colorization",
    "EditSession",
    "HybridColorError",
    "Picture",
    "Predictor",
    "Propagation",
    "PropagationState",
    "Seeds",
    "colorize",
    "extract_seeds",
    "load_predictor",
    "merge_seeds",
    "read_image",
    "read_seeds",
    "write_colorization",
    "write_image",
    "write_seeds",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'hybridcolor' has no attribute {name!r}")
    value = getattr(import_module(f"hybridcolor.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
