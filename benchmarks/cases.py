"""What is measured. A case takes a scene, prepares what should not be timed, and gives back the call to time."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.filters import sobel
from skimage.graph import MCP_Geometric
from skimage.segmentation import random_walker, watershed

from benchmarks.scenes import Scene
from hybridcolor.lab import rgb_to_lab
from hybridcolor.picture import Picture
from hybridcolor.propagate import PROPAGATORS, PropagationState, get_propagator, propagate
from hybridcolor.propagate.registry import ENGINES
from hybridcolor.seeds import Seeds
from tests.propagate.direct import dissected, spsolve

Case = Callable[[Scene], Callable[[], Any]]


def method(name: str, **options: Any) -> Case:
    """A propagation method through the public face, on as many threads as this process has cores."""
    if "threads" in inspect.signature(get_propagator(name)).parameters:
        options["threads"] = len(os.sched_getaffinity(0))
    return lambda scene: lambda: propagate(scene.luminance, scene.seeds, method=name, prior=scene.prior, **options)


def has_direct_solver(name: str) -> bool:
    return "solver" in inspect.signature(get_propagator(name)).parameters


def markers(scene: Scene) -> NDArray[np.int32]:
    """Strokes as labels from 1."""
    labels = np.zeros(scene.luminance.shape, np.int32)
    labels[tuple(scene.seeds.coords.T)] = scene.seeds.stroke + 1
    return labels


def opencv_watershed(scene: Scene) -> Callable[[], Any]:
    gray, labels = cv2.cvtColor(scene.rgb, cv2.COLOR_RGB2GRAY), markers(scene)
    picture = cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR)
    return lambda: cv2.watershed(picture, labels.copy())


def skimage_watershed(scene: Scene) -> Callable[[], Any]:
    labels = markers(scene)
    return lambda: watershed(sobel(scene.luminance), labels)


def one_label_geodesic(scene: Scene) -> Callable[[], Any]:
    rows, columns = np.gradient(scene.luminance)
    costs = 0.1 + np.hypot(rows, columns)
    starts = scene.seeds.coords[scene.seeds.stroke == scene.seeds.stroke[0]]
    return lambda: MCP_Geometric(costs).find_costs(starts)


def walker(scene: Scene) -> Callable[[], Any]:
    labels = markers(scene)
    return lambda: random_walker(scene.luminance / 100, labels, beta=1000, mode="cg_j", tol=1e-3)


def bilateral(scene: Scene) -> Callable[[], Any]:
    return lambda: cv2.bilateralFilter(scene.rgb, 9, 25.0, 5.0)


def edge_preserving(scene: Scene) -> Callable[[], Any]:
    return lambda: cv2.edgePreservingFilter(scene.rgb, flags=cv2.RECURS_FILTER)


METHODS: dict[str, Case] = {name: method(name) for name in PROPAGATORS}

DISSECTED = "SuperLU, nested dissection"
PEERS: dict[str, Case] = {
    "SuperLU, scipy's order": lambda scene: lambda: spsolve(scene.luminance, scene.seeds),
    DISSECTED: lambda scene: lambda: dissected(scene.luminance, scene.seeds, scene.seeds.ab),
    "skimage random_walker": walker,
    "skimage MCP_Geometric, one label": one_label_geodesic,
    "skimage watershed": skimage_watershed,
    "cv2.watershed": opencv_watershed,
    "cv2.bilateralFilter, 9 pixels": bilateral,
    "cv2.edgePreservingFilter": edge_preserving,
}


def edit(name: str, *, refined: bool) -> Case:
    """One stroke more, or the same one less, in a settled state: to its preview, or to the first refinement."""

    def prepare(scene: Scene) -> Callable[[], Any]:
        state = PropagationState(scene.luminance, method=name, prior=scene.prior)
        state.set_seeds(scene.seeds)
        for _ in state.refine():
            pass
        middle = scene.luminance.shape[0] // 2
        row, column = np.mgrid[middle : middle + 7, middle : middle + 40].reshape(2, -1)
        stroke = Seeds.of(np.stack([row, column], axis=1), (60.0, -30.0), stroke=10**6)
        drawn = False

        def call() -> Any:
            nonlocal drawn
            if drawn:
                state.remove(10**6)
            else:
                state.add(stroke)
            drawn = not drawn
            preview = state.preview()
            return next(state.refine()) if refined else preview

        return call

    return prepare


EDITS: dict[str, Case] = {
    f"{name}, stroke to {'first refinement' if refined else 'preview'}": edit(name, refined=refined)
    for name in ENGINES
    for refined in (False, True)
}


def whole_path(scene: Scene) -> Callable[[], Any]:
    from hybridcolor.pipeline import colorize  # loads torch, which the other cases need not wait for
    from hybridcolor.predict import load_predictor

    picture, predictor = Picture.from_array(scene.rgb), load_predictor()
    return lambda: colorize(picture, predictor=predictor, scribbles=scene.seeds)


def prediction(scene: Scene) -> Callable[[], Any]:
    from hybridcolor.predict import load_predictor

    predictor = load_predictor()
    return lambda: predictor.predict(scene.luminance)


def recombination(scene: Scene) -> Callable[[], Any]:
    picture = Picture.from_array(scene.rgb)
    return lambda: picture.to_rgb(scene.prior)


PATH: dict[str, Case] = {
    "rgb_to_lab": lambda scene: lambda: rgb_to_lab(scene.rgb),
    "predict": prediction,
    "Picture.to_rgb": recombination,
    "colorize": whole_path,
}

CASES = METHODS | PEERS | EDITS | PATH
