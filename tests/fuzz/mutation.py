"""Damage: bytes changed, dropped, doubled and cut, and documents that are well formed and wrong inside."""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

_NEST: list[Any] = []
for _ in range(300):
    _NEST = [_NEST]
_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 0.5, 1e308, -1e-308, 2**31, 2**63, 2**64, -(2**70), float("nan"), float("inf"), "",
    "x" * 5000, "\ud800", "a\0b", "a\nb", "🎨", "../../etc/passwd", "/dev/zero", "none", "default", "optimization",
    "user", [], [[]], [0, 0, 1], [[0, 0, 10**9]], [[0, 0, 1]] * 500, [1, 2], [1e39, 0], _NEST, {}, {"": None},
)  # fmt: skip
_DOCUMENTS = (".json", ".jsonl")


def spoil(whole: Path, damaged: Path, rng: np.random.Generator) -> None:
    """A damaged copy of a file, or of a folder with one of its files damaged."""
    if damaged.is_dir():
        shutil.rmtree(damaged)
    name, content = whole.name, whole
    if whole.is_dir():
        shutil.copytree(whole, damaged)
        files = sorted(path for path in damaged.rglob("*") if path.is_file())
        damaged = content = files[rng.integers(len(files))]
        name = damaged.name
    damaged.write_bytes(spoiled(name, content.read_bytes(), rng))


def spoiled(name: str, content: bytes, rng: np.random.Generator) -> bytes:
    """Damaged content; of a document or a header that is one mostly in its meaning, so that it is still read."""
    if rng.random() < 0.25:
        return damage(content, rng)
    if name.endswith(".safetensors"):
        (length,) = struct.unpack_from("<Q", content)
        header = change(content[8 : 8 + length], rng)
        return struct.pack("<Q", len(header)) + header + content[8 + length :]
    if name.endswith(".jsonl"):
        return b"\n".join(change(line, rng) if rng.random() < 0.4 else line for line in content.splitlines())
    if name.endswith(_DOCUMENTS) or name.startswith((".z", "zarr.")):
        return change(content, rng)
    if name.endswith((".toml", ".csv")) and rng.random() < 0.7:
        return exchange(content, rng, quoted=name.endswith(".toml"))
    if name.endswith(".png") and rng.random() < 0.8:
        return change_png(content, rng)
    return damage(content, rng)


def damage(content: bytes, rng: np.random.Generator) -> bytes:
    """Change, drop, double or cut a few bytes, rather near the start, where the headers are."""
    spoiled = bytearray(content)
    for _ in range(rng.integers(1, 6)):
        at = int(len(spoiled) * rng.random() ** rng.integers(1, 4))
        length = int(rng.integers(1, 5))
        match rng.integers(5):
            case 0:
                spoiled[at : at + length] = rng.bytes(length)
            case 1:
                spoiled[at : at + length] = rng.choice([b"\0", b"\xff", b"\x7f"]) * length
            case 2:
                del spoiled[at : at + length]
            case 3:
                spoiled[at:at] = spoiled[at : at + length]
            case _:
                if rng.random() < 0.2:
                    del spoiled[at:]
                elif at < len(spoiled):
                    spoiled[at] ^= 1 << int(rng.integers(8))
    return bytes(spoiled)


def change(content: bytes, rng: np.random.Generator) -> bytes:
    """JSON with a few values replaced, dropped, doubled or moved."""
    whole = [json.loads(content)]
    for _ in range(rng.integers(1, 4)):
        places = list(_places(whole))
        where, key = places[int(rng.integers(len(places)))]
        other, from_ = places[int(rng.integers(len(places)))]
        match rng.integers(5):
            case 0 | 1:
                where[key] = _copy(_ODD[int(rng.integers(len(_ODD)))])
            case 2 if where is not whole:
                del where[key]
            case 3 if isinstance(where, list) and where is not whole:
                where.append(where[key])
            case _:
                where[key] = _copy(other[from_])
    return json.dumps(whole[0]).encode()


def change_png(content: bytes, rng: np.random.Generator) -> bytes:
    """PNG with one of its parts damaged, dropped, doubled or moved, under a check sum that is right."""
    at, chunks = 8, []
    while at < len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        chunks.append((name, content[at + 8 : at + 8 + length]))
        at += 12 + length
    which = int(rng.integers(len(chunks)))
    name, body = chunks[which]
    match rng.integers(6):
        case 0 if len(chunks) > 3:
            del chunks[which]
        case 1:
            chunks.insert(int(rng.integers(len(chunks))), chunks[which])
        case 2 if name == b"IDAT":
            chunks[which] = (name, zlib.compress(damage(zlib.decompress(body), rng)))
        case _:
            chunks[which] = (name, damage(body, rng))
    sums = (struct.pack(">I", len(b)) + n + b + struct.pack(">I", zlib.crc32(n + b)) for n, b in chunks)
    return content[:8] + b"".join(sums)


def exchange(content: bytes, rng: np.random.Generator, *, quoted: bool) -> bytes:
    """Lines of text with a few words replaced by odd ones, texts in quotes or not."""
    words = content.decode().replace(",", " , ").replace("=", " = ").replace("\n", " \n ").split(" ")
    for _ in range(rng.integers(1, 4)):
        odd = _ODD[int(rng.integers(len(_ODD)))]
        words[int(rng.integers(len(words)))] = odd if isinstance(odd, str) and not quoted else json.dumps(odd)
    return "".join(words).encode("utf-8", "surrogatepass")


def _copy(value: Any) -> Any:
    return json.loads(json.dumps(value))


def _places(node: Any) -> Any:
    """Every (container, key) in a tree of lists and dicts; not the inside of very deep ones."""
    stack = [(node, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > 12:
            continue
        keys = range(len(node)) if isinstance(node, list) else list(node)
        for key in keys:
            yield node, key
            if isinstance(node[key], (list, dict)):
                stack.append((node[key], depth + 1))
