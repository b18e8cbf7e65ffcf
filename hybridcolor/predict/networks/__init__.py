"""The networks that predict colour, by name.

Every network maps luminance (B, 1, H, W), scaled to 0..1 and with sides that are multiples of ``stride``,
to logits (B, Q, H / 4, W / 4) over the ab bins; those with hints also take a person's (see `hints`), those in
``-ab`` name one colour (see `regression`). torch may be imported here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from torch import nn

from hybridcolor.errors import ModelError
from hybridcolor.predict.networks.lite import LiteNetwork
from hybridcolor.predict.networks.plain import PlainNetwork
from hybridcolor.predict.networks.regression import Regression
from hybridcolor.predict.networks.residual import ResidualNetwork

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "lite": LiteNetwork,
    "lite1": partial(LiteNetwork, depth=1.1),
    "lite2": partial(LiteNetwork, depth=1.2, width=1.1),
    "lite1-hints": partial(LiteNetwork, depth=1.1, hints=True),
    "plain": PlainNetwork,
    "residual": ResidualNetwork,
    "plain-ab": lambda: Regression(PlainNetwork(outputs=2)),
    "residual-ab": lambda: Regression(ResidualNetwork(outputs=2)),
}
"""Every network that a weight file may name, as a constructor without arguments."""


def build_network(name: str) -> nn.Module:
    """A network with untrained weights.

    Raises
    ------
    ModelError
        If no network has this name.

    Examples
    --------
    >>> sum(p.numel() for p in build_network("lite").parameters()) // 100_000
    39
    """
    if name not in NETWORKS:
        raise ModelError(f"unknown network {name!r}; known: {', '.join(NETWORKS)}")
    return NETWORKS[name]()
