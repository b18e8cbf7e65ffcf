"""What the tests of training share: little pictures in shards, and a recipe of a few steps."""

from __future__ import annotations

import io
import tarfile

import numpy as np
from PIL import Image

RECIPE = """
summary = "a test"
licence = "none"
data = "made up"
network = "lite"
imagenet = false
seed = 3
learning_rate = 1e-3
encoder_rate = 0.5
weight_decay = 0.01
rebalancing = 0.5
average = 0.9
exponent = 0.7
held_out = ["*.tar"]
[[stage]]
shards = ["*.tar"]
size = 64
batch = 4
steps = 4
"""


def picture_file(rng):
    """A little PNG of one colour and some noise."""
    buffer = io.BytesIO()
    noise = rng.integers(0, 60, (64, 80, 3)) + rng.integers(0, 190, 3)
    Image.fromarray(noise.astype(np.uint8)).save(buffer, "png")
    return buffer.getvalue()


def write_shard(path, contents):
    """A tar of files by name."""
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w") as shard:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            shard.addfile(member, io.BytesIO(content))
