"""From a training run to a shipped model, in one command: calibrate, score, write weights, card and registry.

``hybridcolor publish RUN RECIPE --name NAME --data FOLDER`` replaces ``models/NAME.safetensors``, its registry entry
and the measured part of its card; what people wrote around that part stays.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save

from hybridcolor.errors import ImageError, ModelError
from hybridcolor.files import write_whole
from hybridcolor.predict import NetworkPredictor
from hybridcolor.predict.data import ImageSet, SoftTargets, central_square, read_shards, to_tensors
from hybridcolor.predict.evaluate import Calibration, mean_colour, mean_scores, score_photos
from hybridcolor.predict.networks import build_network
from hybridcolor.predict.recipe import Recipe
from hybridcolor.predict.train import read_checkpoint
from hybridcolor.predict.validation import VALIDATION_SIZE, cross_entropy
from hybridcolor.predict.weights import register

_MARK = ("<!-- measured: written by `hybridcolor publish` -->", "<!-- end of measured -->")


def publish_run(run: Path, recipe_path: Path, *, name: str, data: Path, folder: Path) -> dict[str, float]:
    """Ship the best weights of a run as model ``name`` and return its held-out scores.

    Raises
    ------
    ModelError
        If the run has no whole checkpoint or the recipe is of another network.
    ImageError
        If the held-out images are missing.
    """
    recipe = Recipe.read(recipe_path)
    state = read_checkpoint(run, "best.pt")
    if state["recipe"]["network"] != recipe.network:
        raise ModelError(f"{run}: trained {state['recipe']['network']!r}, {recipe_path} is for {recipe.network!r}")
    network = build_network(recipe.network)
    network.load_state_dict(state["average"])
    network.eval()
    training, held_out = read_shards(data, recipe.held_out)
    if len(held_out) < 2:
        raise ImageError(f"{len(held_out)} held-out images in {data}, at least 2 are needed to calibrate and to score")
    for_temperature, for_scores = range(0, len(held_out), 2), range(1, len(held_out), 2)
    temperature, entropy = fit_temperature(network, held_out, for_temperature, for_scores)
    predictor = NetworkPredictor(
        network,
        name,
        class_prior=state["prior"].numpy(),
        temperature=temperature,
        size=recipe.input_size,
        paint=recipe.line_art,
    )
    calibration = Calibration()
    rows = list(score_photos(predictor, held_out, for_scores, mean_colour(training), calibration))
    scores = {"cross_entropy": entropy, **mean_scores(rows), **calibration.best_twentieth()}
    scores = {key: round(value, 4) for key, value in scores.items()}

    tensors = {
        key: (value.half() if value.is_floating_point() else value).contiguous()
        for key, value in network.state_dict().items()
    }
    content = save({**tensors, "class_prior": state["prior"].float()})
    entry = {
        "file": f"{name}.safetensors",
        "sha256": hashlib.sha256(content).hexdigest(),
        "card": f"{name}.md",
        "network": recipe.network,
        "temperature": round(temperature, 4),
        "size": recipe.input_size,
        "licence": recipe.licence,
        "data": recipe.data,
        "summary": recipe.summary,
        "scores": scores,
        "paint": recipe.line_art,
    }
    write_whole(folder / f"{name}.safetensors", content)
    facts = {"steps": f"{state['step']} of {recipe.steps}", "training, wall seconds": f"{state['seconds']:.0f}"}
    _write_card(folder / f"{name}.md", name, scores=scores, facts={**facts, "held-out photos scored": len(for_scores)})
    register(folder, name, entry)
    return scores


@torch.inference_mode()
def fit_temperature(
    network: torch.nn.Module, images: ImageSet, fit_on: Sequence[int], score_on: Sequence[int]
) -> tuple[float, float]:
    """The temperature with the least cross entropy on one part of the images, and that entropy on the other part."""
    temperatures = np.arange(0.8, 1.61, 0.05)
    targets = SoftTargets()

    def entropies(indices: Sequence[int]) -> NDArray[np.float64]:
        total = np.zeros(len(temperatures))
        for i in indices:
            luminance, index, weight = to_tensors(central_square(images.decode(i), VALIDATION_SIZE)[None], targets)
            logits = network(luminance)
            total += [float(cross_entropy(logits / t, index, weight).mean()) for t in temperatures]
        return total / len(indices)

    best = int(entropies(fit_on).argmin())
    return float(temperatures[best]), float(entropies(score_on)[best])


def _write_card(path: Path, name: str, *, scores: dict[str, float], facts: dict[str, Any]) -> None:
    """Replace the measured part of a card, or begin a card with it."""
    lines = ["", "| what | measured |", "|---|---|", *(f"| {k} | {v} |" for k, v in {**facts, **scores}.items()), ""]
    text = path.read_text(encoding="utf-8") if path.exists() else f"# {name}\n\n{_MARK[0]}\n{_MARK[1]}\n"
    before, mark, rest = text.partition(_MARK[0])
    _, end, after = rest.partition(_MARK[1])
    if not mark or not end:
        raise ModelError(f"{path}: has no measured part; put {_MARK[0]} and {_MARK[1]} where the scores go")
    write_whole(path, (before + mark + "\n".join(lines) + "\n" + end + after).encode())
