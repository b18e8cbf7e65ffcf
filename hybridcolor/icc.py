"""Colour profiles: from the colours of a file to L*a*b* under its ICC profile, and the sRGB profile that outputs carry.

Matrix and gray profiles (sRGB, Adobe RGB, Display P3, gray gamma, dot gain) are applied here, in floating point and
without clipping, since the L* of 8- and 16-bit pixels must not be rounded; ICC.1:2022 defines them. Profiles of
tables (CMYK, scanners) go through littleCMS, which Pillow offers for 8 bits only; deeper pixels are interpolated
between its answers. May import ``lab``.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from hybridcolor.lab import linear_to_lab, rgb_to_lab, runs, to_linear

Pixels = NDArray[Any]
Float = NDArray[np.float64]
Curve = Callable[[Float], Float]

_D50 = np.array([0.9642, 1.0, 0.8249])
# sRGB's primaries under D50, as its own profile rounds them: columns are red, green and blue.
_SRGB_D50 = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)  # g, a, b, c, d of a parametric curve of type 3
_FROM_PCS = np.linalg.inv(_SRGB_D50)
_ALIKE = 0.002  # of linear light: a profile that differs less from sRGB is sRGB, so that its values stay as they are
_MOST_TAGS = 100  # that are looked at: real profiles have some 20
_NODES = {3: 52, 4: 18}  # by channels, of a grid through a profile of tables; 255 is a multiple of 51 and of 17
_HEAD = 128  # bytes of a profile's header; then how many tags there are, and 12 bytes that say where each is


class _Model(NamedTuple):
    """A profile of curves, one a channel, and for RGB a matrix to linear sRGB; its rows sum to 1."""

    curves: list[Curve]
    matrix: Float | None


def to_lab(colours: Pixels, profile: bytes, *, space: str) -> NDArray[np.float32] | None:
    """L*a*b* (D65, as in ``lab``) of a picture's colours under its profile.

    Parameters
    ----------
    colours : (H, W, 1, 3 or 4) uint8, uint16 or float in 0..1
        Gray, RGB or CMYK.
    profile : bytes
        An ICC profile.
    space : {"gray", "rgb", "cmyk"}
        What the channels are.

    Returns
    -------
    (H, W, 3) float32 or None
        Of any chroma, also outside of sRGB. None if the colours are to be taken as sRGB: the profile is sRGB's own, is
        damaged, or is made for other channels.

    Examples
    --------
    >>> to_lab(np.zeros((1, 1, 3), np.uint8), srgb_profile(), space="rgb") is None
    True
    """
    try:
        return _to_lab(colours, profile, space)
    except (ValueError, KeyError, IndexError, ArithmeticError, struct.error, OSError, ImageCms.PyCMSError):
        return None  # a damaged profile does not cost the picture


def _to_lab(colours: Pixels, profile: bytes, space: str) -> NDArray[np.float32] | None:
    with np.errstate(all="ignore"):  # damaged curves may do anything, and are found out
        kind, tags = _parse(profile)
        if kind == {"gray": b"GRAY", "rgb": b"RGB ", "cmyk": b"CMYK"}[space] or (space, kind) == ("gray", b"RGB "):
            if b"A2B0" in tags and kind != b"GRAY":
                return _by_tables(colours, profile, space)
            model = _model(kind, profile[20:24], tags)
            return None if _is_srgb(model) else _by_curves(colours, model)
    return None


def pcs_to_lab(lab: Pixels) -> NDArray[np.float32]:
    """L*a*b* relative to D50, as profiles and TIFF files hold it, as L*a*b* relative to D65, as ``lab`` has it.

    Examples
    --------
    >>> pcs_to_lab(np.array([[[50.0, 0.0, 0.0]]])).round(2).tolist()
    [[[50.0, 0.0, 0.0]]]
    """
    flat = lab.reshape(-1, 3)
    out = np.empty(flat.shape, np.float32)
    to_linear_light = _neutral(_FROM_PCS * _D50).T
    for run in runs(len(flat)):
        lightness, a, b = flat[run].astype(np.float64).T
        y = (lightness + 16) / 116
        with np.errstate(all="ignore"):  # of floats that are no colours, which `Picture` refuses
            xyz = _cube(np.stack([y + a / 500, y, y - b / 200], axis=1))
            out[run] = linear_to_lab(xyz @ to_linear_light)
    return out.reshape(lab.shape)


@cache
def srgb_profile(*, gray: bool = False) -> bytes:
    """An ICC profile (version 4) of sRGB, or of gray with sRGB's curve; always the same bytes.

    Examples
    --------
    >>> ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))).strip()
    'sRGB'
    """
    curve = b"para" + struct.pack(">IHH", 0, 3, 0) + _fixed(*_SRGB_CURVE)
    tags = {b"desc": _text("sRGB gray" if gray else "sRGB"), b"cprt": _text("No copyright"), b"wtpt": _xyz(_D50)}
    if gray:
        tags[b"kTRC"] = curve
    else:
        adapted = (1.047886, 0.022919, -0.050216, 0.029582, 0.990484, -0.017079, -0.009252, 0.015073, 0.751678)
        tags[b"chad"] = b"sf32" + bytes(4) + _fixed(*adapted)  # from D65 to D50 by Bradford
        tags |= {name + b"XYZ": _xyz(column) for name, column in zip((b"r", b"g", b"b"), _SRGB_D50.T, strict=True)}
        tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    start, table, body = _HEAD + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    where: dict[bytes, int] = {}  # tags of the same content share it
    for name, data in tags.items():
        if data not in where:
            where[data] = start + len(body)
            body += data + bytes(-len(data) % 4)
        table += name + struct.pack(">II", where[data], len(data))
    date, size, space = struct.pack(">6H", 2020, 1, 1, 0, 0, 0), start + len(body), b"GRAY" if gray else b"RGB "
    head = struct.pack(">I4sI4s4s4s", size, b"", 0x04200000, b"mntr", space, b"XYZ ")  # version 4.2, of a monitor
    head += date + b"acsp" + bytes(28) + _fixed(*_D50)
    return head.ljust(_HEAD, b"\0") + table + body


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return b"mluc" + struct.pack(">III2s2sII", 0, 1, 12, b"en", b"US", len(encoded), 28) + encoded


def _xyz(values: Float) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(*values)


def _fixed(*values: float) -> bytes:
    """Numbers of 16 bits before and 16 bits after the point."""
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


# Reading


def _parse(profile: bytes) -> tuple[bytes, dict[bytes, bytes]]:
    """A profile's colour space and its tags."""
    if len(profile) < _HEAD + 4 or profile[36:40] != b"acsp":
        raise ValueError("not an ICC profile")
    (count,) = struct.unpack_from(">I", profile, _HEAD)
    tags = {}
    for i in range(min(count, _MOST_TAGS)):
        name, offset, size = struct.unpack_from(">4sII", profile, _HEAD + 4 + 12 * i)
        if offset + size > len(profile):
            raise ValueError("a tag lies outside the profile")
        tags[name] = profile[offset : offset + size]
    return profile[16:20], tags


def _model(kind: bytes, pcs: bytes, tags: dict[bytes, bytes]) -> _Model:
    """A profile's curves and matrix; ``pcs`` is the space that it connects by, XYZ or, for gray, L*a*b*."""
    if kind == b"GRAY":
        curve = _curve(tags[b"kTRC"])
        return _Model([curve if pcs == b"XYZ " else lambda x: _from_lightness(curve(x))], None)
    if pcs != b"XYZ ":
        raise ValueError("a matrix profile connects by XYZ")
    columns = [np.frombuffer(tags[name + b"XYZ"], ">i4", 3, 8) / 65536 for name in (b"r", b"g", b"b")]
    return _Model(
        [_curve(tags[name + b"TRC"]) for name in (b"r", b"g", b"b")], _neutral(_FROM_PCS @ np.transpose(columns))
    )


def _neutral(matrix: Float) -> Float:
    """Rows scaled to sum to 1, which rounding has spoilt: white is white, gray is gray."""
    sums = matrix.sum(axis=1, keepdims=True)
    if not (np.abs(sums - 1) < 0.05).all():
        raise ValueError("the profile's white is not white")
    return np.asarray(matrix / sums)


def _from_lightness(lightness: Float) -> Float:
    """Y of L* / 100: what the curve of a gray profile that connects by L*a*b* gives."""
    return _cube((100 * lightness + 16) / 116)


def _cube(root: Float) -> Float:
    """The inverse of the cube root of L*a*b*, with its straight line."""
    return np.where(root > 6 / 29, root**3, 3 * (6 / 29) ** 2 * (root - 4 / 29))


def _curve(tag: bytes) -> Curve:
    """A transfer curve, of numbers in 0..1."""
    if tag[:4] == b"curv":
        count = int.from_bytes(tag[8:12])
        if count == 0:
            return lambda x: x
        values = np.frombuffer(tag, ">u2", count, 12).astype(np.float64)
        if count == 1:
            return lambda x: np.asarray(x ** (values[0] / 256))
        return lambda x: np.interp(x, np.linspace(0, 1, count), values / 65535)
    if tag[:4] != b"para":
        raise ValueError("unknown kind of curve")
    # All kinds are written as the largest one, 4: (a x + b)^g + e from d on, and c x + f below.
    kind = int.from_bytes(tag[8:10])
    numbers = np.zeros(7)
    numbers[1] = 1  # a: kind 0 is x^g
    given = np.frombuffer(tag, ">i4", (1, 3, 4, 5, 7)[kind], 12) / 65536
    numbers[: len(given)] = given
    g, a, b, c, d, e, f = (float(number) for number in numbers)
    if kind in (1, 2):  # (a x + b)^g + c from -b / a on, and c below
        c, d, e, f = 0.0, -b / a, c, c

    def curve(x: Float) -> Float:
        return np.asarray(np.clip(np.where(x >= d, np.maximum(a * x + b, 0) ** g + e, c * x + f), 0, 1))

    return curve


def _is_srgb(model: _Model) -> bool:
    """Whether a profile does what sRGB does, or raise `ValueError` if its curves are damaged."""
    steps = np.linspace(0, 1, 256)
    if not all(np.isfinite(curve(steps)).all() for curve in model.curves):
        raise ValueError("a curve is not finite")
    alike = all(np.abs(curve(steps) - to_linear(steps)).max() < _ALIKE for curve in model.curves)
    return alike and (model.matrix is None or bool(np.abs(model.matrix - np.eye(3)).max() < _ALIKE))


# Applying


def _by_curves(colours: Pixels, model: _Model) -> NDArray[np.float32]:
    """L*a*b* under a profile of curves; gray pixels under a profile of RGB count as three equal channels."""
    channels = colours.reshape(-1, colours.shape[2])
    look_up = [_table(curve, colours.dtype) for curve in model.curves]
    gray = colours.shape[2] == 1
    out = np.empty((len(channels), 3), np.float32)
    for run in runs(len(channels)):
        if gray and model.matrix is None:
            linear = np.repeat(look_up[0](channels[run]), 3, axis=1)
        else:
            linear = np.stack([curve(channels[run, 0 if gray else i]) for i, curve in enumerate(look_up)], axis=1)
        if model.matrix is not None:
            green = linear[:, 1:2]
            linear = green + (linear - green) @ model.matrix.T.astype(np.float32)  # keeps grays gray to the last bit
        out[run] = linear_to_lab(linear)
    return out.reshape(*colours.shape[:2], 3)


def _table(curve: Curve, dtype: np.dtype[Any]) -> Callable[[Pixels], NDArray[np.float32]]:
    """A curve for pixels of a type; of integers, by a table of all of them."""
    if dtype.kind == "f":
        return lambda values: curve(np.asarray(values, np.float64)).astype(np.float32)
    values = curve(np.linspace(0, 1, np.iinfo(dtype).max + 1)).astype(np.float32)
    return lambda pixels: values[pixels]


def _by_tables(colours: Pixels, profile: bytes, space: str) -> NDArray[np.float32]:
    """L*a*b* under a profile of tables, by littleCMS.

    Relative colorimetric with black point compensation, which is what people expect of a print or a scan.
    """
    mode = "CMYK" if space == "cmyk" else "RGB"
    if colours.shape[2] == 1:
        colours = np.repeat(colours, 3, axis=2)
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile())),
        mode,
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION | ImageCms.Flags.NOWHITEONWHITEFIXUP,  # that fix makes a step
    )

    def convert(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        image = Image.frombytes(mode, pixels.shape[1::-1], np.ascontiguousarray(pixels).tobytes())
        return np.asarray(ImageCms.applyTransform(image, transform))

    return rgb_to_lab(convert(colours)) if colours.dtype == np.uint8 else _interpolated(colours, convert)


def _interpolated(colours: Pixels, convert: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> NDArray[np.float32]:
    """L*a*b* of pixels deeper than 8 bits, between the sRGB colours of a grid of 8 bits."""
    from scipy.ndimage import map_coordinates

    count = colours.shape[2]
    nodes = _NODES[count]
    grid = np.stack(np.meshgrid(*[np.linspace(0, 255, nodes)] * count, indexing="ij"), axis=-1).astype(np.uint8)
    answers = convert(grid.reshape(1, -1, count)).reshape(*grid.shape[:-1], 3) / np.float32(255)
    top = np.iinfo(colours.dtype).max if colours.dtype.kind == "u" else 1
    flat = colours.reshape(-1, count)
    out = np.empty((len(flat), 3), np.float32)
    for run in runs(len(flat)):
        places = flat[run].T * ((nodes - 1) / top)
        rgb = [map_coordinates(answers[..., i], places, order=1, mode="nearest") for i in range(3)]
        out[run] = rgb_to_lab(np.stack(rgb, axis=1))
    return out.reshape(*colours.shape[:2], 3)
