"""The loss, and how a network in training does on images held out from it."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from hybridcolor.bins import AB_BINS
from hybridcolor.predict.data import ImageSet, SoftTargets, central_square, to_tensors, true_colours
from hybridcolor.predict.recipe import Recipe
from hybridcolor.predict.simulation import scattered_hints

VALIDATION_SIZE = 160
"""Side of the square that is cut from the middle of every image, in pixels."""
_BATCH = 25  # images at a time


def cross_entropy(logits: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """(B, h, w) cross entropy of (B, Q, h, w) logits; ``index`` and ``weight`` are five bins a cell, (B, h, w, 5)."""
    log_p = logits.log_softmax(dim=1).permute(0, 2, 3, 1)
    return -(log_p.gather(3, index) * weight).sum(dim=3)


@torch.inference_mode()
def validate(network: nn.Module, held_out: ImageSet, *, hints: int = 0) -> dict[str, float]:
    """Cross entropy and ab RMSE of the mean colour on held-out images, and beside it the RMSE of gray.

    With ``hints``, the network is given so many in every image, drawn by lot but always the same.
    """
    network.eval()
    rng = np.random.default_rng(0)
    targets, bins = SoftTargets(), torch.from_numpy(AB_BINS.copy())
    entropy, squared, gray, count = 0.0, 0.0, 0.0, len(held_out)
    for first in range(0, count, _BATCH):
        chosen = range(first, min(first + _BATCH, count))
        lab = np.stack([central_square(held_out.decode(i), VALIDATION_SIZE) for i in chosen])
        luminance, index, weight = to_tensors(lab, targets)
        truth = true_colours(index, weight)
        given = [torch.stack([scattered_hints(each, hints, rng) for each in truth])] if hints else []
        logits = network(luminance, *given)
        mean = torch.einsum("bqhw,qc->bchw", logits.softmax(1), bins)
        entropy += float(cross_entropy(logits, index, weight).mean()) * len(chosen)
        squared += float(((mean - truth) ** 2).mean()) * len(chosen)
        gray += float((truth**2).mean()) * len(chosen)
    return {
        "cross_entropy": entropy / count,
        "ab_rmse": math.sqrt(squared / count),
        "gray_ab_rmse": math.sqrt(gray / count),
    }


def scores_so_far(network: nn.Module, held_out: ImageSet, recipe: Recipe) -> dict[str, float]:
    """What is logged: scores without hints, and with ten where the network takes them."""
    scores = validate(network, held_out)
    if recipe.hinted:
        hinted = validate(network, held_out, hints=10)
        scores |= {f"{name}_10": hinted[name] for name in ("cross_entropy", "ab_rmse")}
    return scores
