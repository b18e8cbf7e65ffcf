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

from hybridcolor.bins import DEFAULT_VIVIDNESS, ColorDistribution
from hybridcolor.errors import ImageError, ModelError
from hybridcolor.extract import extract_seeds
from hybridcolor.lab import lab_to_rgb, quantize
from hybridcolor.metrics import ab_rmse, colourfulness, psnr
from hybridcolor.predict import NetworkPredictor
from hybridcolor.predict.data import ImageSet, SoftTargets, central_square, read_shards, to_tensors
from hybridcolor.predict.networks import build_network
from hybridcolor.predict.train import VALIDATION_SIZE, Recipe, cross_entropy, read_checkpoint
from hybridcolor.predict.weights import register, write_whole
from hybridcolor.resampling import guided_resample

INPUT_SIZE = 160
"""Shorter side at which the shipped model looks at pictures; the best of 128, 160, 192 and 256 on held-out photos."""
_MARK = ("<!-- measured: written by `hybridcolor publish` -->", "<!-- end of measured -->")


def publish_run(run: Path, recipe_path: Path, *, name: str, data: Path, folder: Path) -> dict[str, float]:
    """Ship the averaged weights of a run as model ``name`` and return its held-out scores.

    Raises
    ------
    ModelError
        If the run has no whole checkpoint or the recipe is of another network.
    ImageError
        If the held-out images are missing.
    """
    recipe = Recipe.read(recipe_path)
    state = read_checkpoint(run)
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
        network, name, class_prior=state["prior"].numpy(), temperature=temperature, size=INPUT_SIZE
    )
    scores = {"cross_entropy": entropy, **score(predictor, held_out, for_scores, mean_colour=_mean_colour(training))}
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
        "size": INPUT_SIZE,
        "licence": recipe.licence,
        "data": recipe.data,
        "summary": recipe.summary,
        "scores": scores,
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


def score(
    predictor: NetworkPredictor, images: ImageSet, indices: Sequence[int], *, mean_colour: NDArray[np.float32]
) -> dict[str, float]:
    """Held-out scores of the prediction, of gray and of one mean colour on the same photos, and of the seeds.

    The result scored is the one `colorize` starts from: annealed mean at the default vividness.
    """
    rows: list[dict[str, float]] = []
    for i in indices:
        lab = images.decode(i)
        luminance, truth = np.ascontiguousarray(lab[..., 0].clip(0, 100)), np.ascontiguousarray(lab[..., 1:])
        belief = predictor.predict(luminance)
        vivid = belief.rebalanced(DEFAULT_VIVIDNESS)
        colour = guided_resample(vivid.annealed_mean(), luminance)
        rgb, gray, true = (quantize(lab_to_rgb(luminance, c), 8) for c in (colour, np.zeros_like(truth), truth))
        rows.append(
            {
                "ab_rmse": ab_rmse(colour, truth),
                "ab_rmse_of_mean": ab_rmse(belief.upsample(belief.mean()), truth),
                "gray_ab_rmse": ab_rmse(np.zeros_like(truth), truth),
                "mean_colour_ab_rmse": ab_rmse(np.broadcast_to(mean_colour, truth.shape), truth),
                "psnr": psnr(rgb, true),
                "gray_psnr": psnr(gray, true),
                "colourfulness": colourfulness(rgb),
                "true_colourfulness": colourfulness(true),
                **_seed_scores(belief, luminance, truth),
            }
        )
    known = {key: [row[key] for row in rows if np.isfinite(row[key])] for key in rows[0]}
    return {key: float(np.mean(values)) for key, values in known.items() if values}


def _seed_scores(
    belief: ColorDistribution, luminance: NDArray[np.float32], truth: NDArray[np.float32]
) -> dict[str, float]:
    """How many coloured seed pixels a photo gets, and how many of them beat gray and have about the right hue."""
    seeds = extract_seeds(belief, luminance, vividness=DEFAULT_VIVIDNESS)
    coloured = seeds.take(np.hypot(*seeds.ab.T) > 0)
    if len(coloured) == 0:
        return {"coloured_seeds": 0.0, "seeds_better_than_gray": np.nan, "seeds_hue_within_30": np.nan}
    true = truth[tuple(coloured.coords.T)]
    better = np.hypot(*(coloured.ab - true).T) < np.hypot(*true.T)
    cosine = (coloured.ab * true).sum(1) / np.maximum(np.hypot(*coloured.ab.T) * np.hypot(*true.T), 1e-6)
    vivid = np.hypot(*true.T) > 10
    hue = float((cosine[vivid] > np.cos(np.pi / 6)).mean()) if vivid.any() else np.nan
    return {
        "coloured_seeds": float(len(np.unique(coloured.stroke))),
        "seeds_better_than_gray": float(better.mean()),
        "seeds_hue_within_30": hue,
    }


def _mean_colour(images: ImageSet, *, count: int = 500) -> NDArray[np.float32]:
    """The mean ab of some training images."""
    chosen = np.linspace(0, len(images) - 1, min(count, len(images))).astype(int)
    mean: NDArray[np.float32] = np.mean([images.decode(int(i))[..., 1:].mean(axis=(0, 1)) for i in chosen], axis=0)
    return mean


def _write_card(path: Path, name: str, *, scores: dict[str, float], facts: dict[str, Any]) -> None:
    """Replace the measured part of a card, or begin a card with it."""
    lines = ["", "| what | measured |", "|---|---|", *(f"| {k} | {v} |" for k, v in {**facts, **scores}.items()), ""]
    text = path.read_text(encoding="utf-8") if path.exists() else f"# {name}\n\n{_MARK[0]}\n{_MARK[1]}\n"
    before, mark, rest = text.partition(_MARK[0])
    _, end, after = rest.partition(_MARK[1])
    if not mark or not end:
        raise ModelError(f"{path}: has no measured part; put {_MARK[0]} and {_MARK[1]} where the scores go")
    write_whole(path, (before + mark + "\n".join(lines) + "\n" + end + after).encode())
