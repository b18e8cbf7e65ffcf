"""Training recipes: everything that decides a run, read from a TOML file such as ``models/train/lite.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from hybridcolor.errors import ModelError
from hybridcolor.files import read_whole


@dataclass(frozen=True, slots=True)
class Stage:
    """One resolution of the curriculum."""

    shards: list[str]
    size: int
    batch: int
    steps: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """A run's recipe.

    Attributes
    ----------
    summary, licence, data : str
        For the registry and the card.
    network : str
        A name in ``NETWORKS``.
    imagenet : bool
        Whether the encoder starts from ImageNet weights.
    seed : int
        The same seed gives the same run, killed and resumed or not.
    learning_rate, encoder_rate, weight_decay : float
        Of AdamW: the full rate, the encoder's share of it, the decay.
    rebalancing : float
        lambda of R. Zhang et al. 2016; 1 weighs all colours alike.
    average : float
        Decay of the running average of the weights, which is what ships.
    exponent : float
        A source of n images is drawn in proportion to ``n ** exponent``.
    held_out : list of str
        Shards whose held-out images are scored.
    stage : list of Stage
    hinted : float
        Share of pictures for which a person's hints are simulated.
    start_from : str
        Whose weights the network begins with: a run in the folder beside this one's, else a shipped model.
    line_art : bool
        Whether pictures are seen as line drawings.
    shares : dict
        Share of all images, by source, of sources that are drawn otherwise than by their size; ``n*`` stands for all
        that begin with an n, which share it by their size.
    input_size : int
        Shorter side, in pixels, at which the shipped model will look at pictures.
    patience : int
        Reports in a row without a lower held-out cross entropy after which training stops; 0 is never.
    """

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
    hinted: float = 0.0
    start_from: str = ""
    line_art: bool = False
    shares: dict[str, float] = field(default_factory=dict)
    input_size: int = 160
    patience: int = 0

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
            fields = tomllib.loads(read_whole(path).decode())
            return cls(**{**fields, "stage": [Stage(**stage) for stage in fields["stage"]]})
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, TypeError, KeyError) as error:
            raise ModelError(
                f"{path}: not a training recipe ({error}); compare it with models/train/lite.toml"
            ) from error
