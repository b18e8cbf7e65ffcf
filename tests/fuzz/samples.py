"""A small whole file of every kind that people hand over: pictures, scribbles, sessions, weights, recipes, lists."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import Image
from safetensors.numpy import save_file
from skimage import data

from hybridcolor.drawing import Drawing, Stroke
from hybridcolor.icc import srgb_profile
from hybridcolor.imagefiles import write_image
from hybridcolor.metadata import Metadata
from hybridcolor.picture import Picture
from hybridcolor.seedfiles import write_seeds
from hybridcolor.seeds import Seeds, concatenate
from hybridcolor.sessionfiles import save_drawing

SHAPE = (12, 14)
PICTURE = Picture(np.linspace(10, 90, SHAPE[0] * SHAPE[1], dtype=np.float32).reshape(SHAPE), source=Path("old.png"))
"""What the scribbles and sessions are for."""
NETWORK = "tiny"
"""What the weights are of, one layer from 4 x 4 pixels to a cell: `tests.fuzz.reading` adds it to the networks."""


def pictures(folder: Path) -> list[Path]:
    """A picture of every format and main kind."""
    rng = np.random.default_rng(11)
    small = np.ascontiguousarray(data.astronaut()[160:288:8, 180:333:9])
    deep = rng.integers(0, 65536, (9, 10, 4), np.uint16)
    image, gray = Image.fromarray(small), Image.fromarray(small[..., 0])
    image.save(folder / "rgb.png")
    image.quantize(9).save(folder / "palette.png")
    gray.convert("1").save(folder / "bilevel.png")
    (folder / "deep.png").write_bytes(cv2.imencode(".png", deep)[1].tobytes())
    image.save(folder / "rgb.jpg")
    image.save(folder / "progressive.jpg", progressive=True)
    image.convert("CMYK").save(folder / "cmyk.jpg")
    image.save(folder / "rgb.bmp")
    image.quantize(9).save(folder / "palette.bmp")
    image.save(folder / "lossy.webp")
    image.save(folder / "lossless.webp", lossless=True)
    tifffile.imwrite(folder / "plain.tif", deep, photometric="rgb", extrasamples=["unassalpha"], metadata=None)
    tifffile.imwrite(folder / "deflate.tif", small, photometric="rgb", compression="zlib", tile=(16, 16))
    tifffile.imwrite(folder / "strips.tif", small[..., 0], compression="zlib", rowsperstrip=3)
    image.save(folder / "lzw.tif", compression="tiff_lzw")
    image.save(folder / "jpeg.tif", compression="jpeg")
    image.quantize(9).save(folder / "palette.tif")
    image.save(folder / "packbits.tif", compression="packbits")
    gray.convert("1").save(folder / "fax.tif", compression="group4")
    lzw = cv2.imencode(".tiff", deep[..., :3], [cv2.IMWRITE_TIFF_COMPRESSION, 5])[1]
    (folder / "lzw16.tif").write_bytes(lzw.tobytes())
    tifffile.imwrite(
        folder / "big.tif", deep[..., 0], bigtiff=True, photometric="minisblack", iccprofile=srgb_profile()
    )
    tifffile.imwrite(folder / "lab.tif", small, photometric="cielab")
    tifffile.imwrite(folder / "inks.tif", deep, photometric="separated", compression="zlib")
    image.quantize(9).save(folder / "palette.gif", transparency=2)
    gray.save(folder / "steps.gif", save_all=True, append_images=[gray.rotate(90)])
    image.save(folder / "rgb.avif", exif=Metadata(dpi=(300, 300), author="Nobody", location={1: "N"}).to_exif())
    write_image(folder / "notes.png", small, metadata=Metadata(dpi=(300, 300), author="Nobody", location={1: "N"}))
    write_image(folder / "colour.dcm", small, metadata=Metadata(description="A note."))
    write_image(folder / "gray.dcm", small[..., 0])
    write_image(folder / "slice.nii", small)
    write_image(folder / "slice.nii.gz", small[..., 0])
    write_image(folder / "small.zarr", small)
    return sorted(folder.iterdir())


def documents(folder: Path) -> list[Path]:
    """Scribbles, sessions, recipes, lists and answers; named by what `tests.fuzz.reading` reads them as."""
    scribbles = concatenate(
        Seeds.of([[0, 0], [0, 1], [3, 3]], (20, -30), stroke=[0, 0, 1], origin=1), Seeds.of([[5, 5]], (0, 0), weight=2)
    )
    write_seeds(folder / "scribbles.json", scribbles, PICTURE)
    drawing = Drawing(imported=scribbles, model="none", method="optimization")
    for pixels, ab in (([[1, 1], [1, 2]], (40, 10)), ([[2, 2]], (0, 0)), ([[1, 1]], None)):
        drawing = drawing.with_stroke(Stroke.of(pixels, ab))
    save_drawing(folder / "edited.hybridcolor.json", drawing, PICTURE)
    write_seeds(folder / "marked.png", scribbles, PICTURE)
    layer = np.zeros((*SHAPE, 4), np.uint8)
    layer[2:4, 3:9] = (200, 60, 30, 255)
    Image.fromarray(layer).save(folder / "layer.webp", lossless=True, exact=True)
    (folder / "recipe.toml").write_text(
        'method = "hybrid"\nmodel = "none"\nvividness = 0.45\ncaution = 0.0\nname = "{stem}-colour.png"\n'
    )
    rows = [{"path": f"scan {i}.tif", "output": f"a/{i}.png", "seeds": ""} for i in range(3)]
    with (folder / "list.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    (folder / "list.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "answers.csv").write_text(
        "participant,seed,trial,question,picture,left,right,chosen,seconds_shown,answer_ms\n"
        "p1,7,1,better,a.png,cnn,gray,cnn,3,410\np1,7,2,better,b.png,cnn,gray,gray,3,520\n"
    )
    weights(folder / "tiny.safetensors")
    return sorted(folder.iterdir())


def weights(path: Path) -> None:
    """Of the network `NETWORK`, in the kinds of numbers that weights have."""
    tensors = {
        "0.weight": np.zeros((313, 1, 4, 4), np.float16),
        "0.bias": np.linspace(-1, 1, 313, dtype=np.float32),
        "class_prior": np.full(313, 1 / 313, np.float32),
    }
    save_file(tensors, path)


def all_samples(folder: Path) -> list[Path]:
    """Pictures and documents, in folders of their own."""
    for part in ("pictures", "documents"):
        (folder / part).mkdir(parents=True)
    return pictures(folder / "pictures") + documents(folder / "documents")
