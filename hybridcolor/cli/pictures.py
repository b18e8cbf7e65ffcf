"""Verbs for single pictures: colorize them, find their seeds, edit them by hand, and a demonstration."""

from __future__ import annotations

import signal
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from hybridcolor.cli.common import (
    MAX_PIXELS,
    SHARE,
    Frame,
    MaxPixels,
    Model,
    Overwrite,
    check_folder,
    check_free,
    check_is_folder,
    check_seeds_file,
    load,
    make_folder,
    out,
    plan_jobs,
    progress,
    reporting,
    tell_of,
)
from hybridcolor.cli.stacked import replay_stack
from hybridcolor.cli.tiled import Tiling
from hybridcolor.errors import ImageError, MethodError

if TYPE_CHECKING:
    from hybridcolor.picture import Picture
    from hybridcolor.pipeline import Colorization
    from hybridcolor.predict import Predictor
    from hybridcolor.recognition import Palette
    from hybridcolor.seeds import Seeds

app = typer.Typer()
_UNSEEN = {
    "white": "white, which stays as it is; for a drawing take --method lineart, else --finish paint",
    "black": "black, where no colour shows; if white is drawn on black, invert the picture first",
}


@app.command()
def colorize(
    inputs: Annotated[list[Path], typer.Argument(help="Gray or colour images, or folders of them.", metavar="INPUT")],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", help="A file for one input (.ora, .psd: in layers), else a folder, made if missing."
        ),
    ],
    method: Annotated[
        str,
        typer.Option(
            help="How seeds spread: hybrid, optimization, chrominance, watershed, flood, lineart, levelset; or auto, "
            "by what kind of picture it is."
        ),
    ] = "hybrid",
    seeds: Annotated[
        Path | None,
        typer.Option(help="Your scribbles: seeds .json, a marked copy of the picture, or a transparent layer."),
    ] = None,
    save_seeds: Annotated[
        Path | None, typer.Option(help="Also save the seeds that were used: .json, or an image to paint on.")
    ] = None,
    model: Model = "default",
    vividness: Annotated[
        float | None, typer.Option(**SHARE, help="How far rare colours are lifted; 0 is the timid average.")
    ] = None,
    caution: Annotated[
        float, typer.Option(**SHARE, help="Leave gray where the network is unsure: 0 nowhere, 1 everywhere.")
    ] = 0.0,
    finish: Annotated[
        str | None,
        typer.Option(
            help="How colour is put on: photo keeps the luminance; paint gives blank paper the colours of strokes; "
            "tone also turns screentone into shade; pattern hatching too. Else methods and models for drawings paint."
        ),
    ] = None,
    tint: Annotated[
        float, typer.Option(**SHARE, help="Lines of a drawing: 0 black, 1 in a dark shade of their colour.")
    ] = 0.0,
    palette_from: Annotated[
        Path | None,
        typer.Option(
            help="A coloured page, or a session that coloured one: what is drawn there again gets the same colours. "
            "For models of drawings."
        ),
    ] = None,
    tiles: Annotated[
        bool | None,
        typer.Option(
            help="Colour a huge picture by tiles, in little memory; done by itself for photos above 25 megapixels "
            "without scribbles. With them, given as .json, it keeps less detail."
        ),
    ] = None,
    frame: Frame = 0,
    max_pixels: MaxPixels = MAX_PIXELS,
    keep_private: Annotated[
        bool, typer.Option("--keep-private", help="Also keep where a photo was taken, or a DICOM file's patient.")
    ] = False,
    overwrite: Overwrite = False,
) -> None:
    """Colorize pictures. Luminance, size, bit depth and transparency stay as they are.

    For instance:

      hybridcolor colorize old.jpg -o old-colour.png

      hybridcolor colorize old.jpg -o old-colour.png --seeds scribbles.png

      hybridcolor colorize scans/ -o coloured/

      hybridcolor colorize drawing.png -o coloured.png --model lineart --seeds scribbles.png

      hybridcolor colorize page2.png -o page2-colour.png --model lineart --palette-from page1-colour.png

      hybridcolor colorize page.png -o page.ora --model none --method lineart --seeds scribbles.png --finish tone
    """
    from hybridcolor import pipeline
    from hybridcolor.bins import DEFAULT_VIVIDNESS
    from hybridcolor.files import checksum
    from hybridcolor.layers import is_layered
    from hybridcolor.marked import write_used_seeds
    from hybridcolor.painting import check_finish
    from hybridcolor.propagate import get_propagator
    from hybridcolor.provenance import made_by

    if method != "auto":
        get_propagator(method)
    if finish is not None:
        check_finish(finish)
    jobs = plan_jobs(inputs, output, overwrite=overwrite, kept=(seeds, palette_from))
    if len(jobs) > 1 and (seeds or save_seeds):
        raise MethodError(f"--seeds and --save-seeds are for one picture, {len(jobs)} were given; run them one by one")
    if save_seeds is not None:
        check_seeds_file(save_seeds, jobs[0][0], palette_from, result=jobs[0][1], overwrite=overwrite)
    predictor = load(model) if palette_from or jobs[0][1] != output else None  # an unknown one makes no folder
    palette = None if palette_from is None else _palette(palette_from, predictor, max_pixels)
    if jobs[0][1] != output:
        make_folder(output)
    needs = {
        "layers": is_layered(output),
        "--method auto": method == "auto",
        "--save-seeds": save_seeds is not None,
        f"--finish {finish}": finish in ("tone", "pattern"),
        "--tint": tint > 0,
        "--palette-from": palette_from is not None,
    }
    tiling = Tiling.of(tiles, needs, seeds=seeds, max_pixels=max_pixels)
    wishes: dict[str, Any] = {"vividness": DEFAULT_VIVIDNESS if vividness is None else vividness, "caution": caution}
    writing = {"keep_private": keep_private, "overwrite": overwrite}
    used: dict[str, Any] = {"seeds_sha256": checksum(seeds), "palette_sha256": checksum(palette_from)}
    made = partial(made_by, model=model, finish=finish, tint=tint or None, **used, **wishes)
    failures = 0
    for source, target in progress(jobs):
        with reporting(many=len(jobs) > 1) as failed:
            predictor = predictor or load(model)
            picture = tiling.read(source, target, frame=frame, predictor=predictor, method=method)
            if picture is None:
                told = {"software": made(method=method, tiles=True), **writing}
                asked = {"predictor": predictor, "method": method, "finish": finish, **wishes}
                tiling.colorize(source, target, frame=frame, writing=told, **asked)
                continue
            scribbles = None if seeds is None else _scribbles(seeds, picture, predictor)
            chosen = _chosen(picture, predictor) if method == "auto" else method
            shown = finish or ("paint" if is_layered(target) else pipeline.usual_finish(chosen, predictor))
            asked = {"method": chosen, "finish": shown, "tint": tint, "palette": palette, **wishes}
            result = pipeline.colorize(picture, predictor=predictor, scribbles=scribbles, **asked)
            result = replace(result, provenance=made(method=chosen))
            pipeline.write_colorization(target, result, **writing)
            if save_seeds is not None:
                write_used_seeds(save_seeds, result.seeds, picture, predictor, overwrite=overwrite)
            _tell(target, result)
        failures += len(failed)
    if failures:
        raise ImageError(
            f"{failures} of {len(jobs)} pictures could not be colorized; "
            + ("the others are done" if failures < len(jobs) else "the lines above say why")
        )


def _scribbles(path: Path, picture: Picture, predictor: Predictor | None) -> Seeds:
    """What a person drew; that there is nothing is told."""
    from hybridcolor.marked import read_scribbles

    scribbles = read_scribbles(path, picture, predictor)
    if len(scribbles) == 0:
        out.print(f"{path}: has no strokes; is it the copy that you drew on?")
    return scribbles


def _chosen(picture: Picture, predictor: Predictor | None) -> str:
    """The method for a picture of its kind, told with the reason; a model's colours are for hybrid in any case."""
    from hybridcolor.propagate.kinds import FOR_DRAWINGS, METHOD_OF, kind_of

    kind = kind_of(picture.luminance)
    own = METHOD_OF[kind.name]
    method = own if predictor is None else "hybrid"
    out.print(f"{kind.name}: {kind.reason}; method {method}")
    if predictor is not None and own in FOR_DRAWINGS and not getattr(predictor, "paint", False):
        out.print("this model knows photos; for a drawing take --model lineart, or --model none with --seeds")
    return method


def _tell(target: Path, result: Colorization) -> None:
    """What was made, and what of a person's strokes cannot be seen in it."""
    from hybridcolor.layers import is_layered

    height, width = result.picture.shape
    out.print(f"{target}  {width} x {height}, {result.seconds:.1f} s")
    ground = None if is_layered(target) else result.strokes_lost_on()
    if ground is not None:
        out.print(f"most strokes lie on {_UNSEEN[ground]}")


def _palette(path: Path, predictor: Predictor | None, max_pixels: int) -> Palette:
    """The palette of a picture in colour, or of what a session made of one."""
    from hybridcolor.imagefiles import read_image
    from hybridcolor.picture import Picture
    from hybridcolor.recognition import Palette
    from hybridcolor.session import EditSession
    from hybridcolor.sessionfiles import SUFFIX, picture_of

    if not path.name.endswith(SUFFIX):
        return Palette.of(read_image(path, max_pixels=max_pixels), predictor)
    editing = EditSession(read_image(picture_of(path), max_pixels=max_pixels))
    editing.load(path)
    painted = replace(editing.final(), finish="paint", tint=0.0).to_rgb()
    return Palette.of(Picture.from_array(painted), predictor, drawing=editing.picture.luminance)


@app.command(name="seeds")
def seeds_(
    source: Annotated[Path, typer.Argument(help="The picture.", metavar="INPUT")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A .json file, or an image to paint on.")],
    model: Annotated[str, typer.Option(help="A model that `hybridcolor models` lists.")] = "default",
    frame: Frame = 0,
    max_pixels: MaxPixels = MAX_PIXELS,
    overwrite: Overwrite = False,
) -> None:
    """Find automatic seeds and save them, to be edited and given back with `colorize --seeds`.

    A .json file keeps everything. An image is the gray picture with the seeds painted on it: open it in a paint
    program, add or repaint strokes, best with a hard brush, save it without JPEG.
    """
    from hybridcolor.imagefiles import check_holds, read_image
    from hybridcolor.marked import found_seeds
    from hybridcolor.predict import load_predictor
    from hybridcolor.seedfiles import write_seeds

    check_seeds_file(output, source, overwrite=overwrite)
    picture = read_image(source, frame=frame, max_pixels=max_pixels)
    check_holds(output, picture.shape)
    tell_of(source, picture, frame=frame)
    found = found_seeds(picture.luminance, load_predictor(model))
    write_seeds(output, found, picture, overwrite=overwrite)
    patches = len(set(found.stroke.tolist()))
    out.print(f"{output}  {patches} patches, {len(found)} pixels")


@app.command()
def edit(
    source: Annotated[Path, typer.Argument(help="A picture, or what the editor saved beside one.", metavar="INPUT")],
    seeds: Annotated[
        Path | None, typer.Option(help="Strokes to begin with: a marked copy of the picture, or seeds as JSON.")
    ] = None,
) -> None:
    """Open a picture in a napari window, to correct its colours by hand. Strokes are saved as you go.

    For instance:

      hybridcolor edit old.jpg

      hybridcolor edit old.png --seeds marked.png
    """
    from importlib import import_module
    from importlib.util import find_spec

    if find_spec("napari") is None:
        raise MethodError("the editor needs napari; pip install 'hybridcolor[gui]'")
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # which would be heard in the midst of Qt's own code
    import_module("napari_hybridcolor.opening").edit(source, seeds)  # a plugin: nothing here depends on it


@app.command()
def replay(
    session: Annotated[
        Path,
        typer.Argument(
            help="What the editor saved, NAME.hybridcolor.json; or a stack, a file or a folder, for all its slices.",
            metavar="SESSION",
        ),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The coloured picture; of a stack .tif, .nii or .nii.gz.")
    ],
    picture: Annotated[
        Path | None, typer.Option(help="The picture it was drawn on, if it is not beside the session.")
    ] = None,
    frame: Frame = 0,
    max_pixels: MaxPixels = MAX_PIXELS,
    overwrite: Overwrite = False,
) -> None:
    """Colorize a picture as it was edited: the same strokes and settings, the same picture to the bit.

    For instance:

      hybridcolor replay old.png.hybridcolor.json -o old-colour.png

      hybridcolor replay scan.nii.gz -o scan-colour.nii.gz
    """
    from hybridcolor.imagefiles import READABLE_SUFFIXES, check_holds, check_no_source, read_image
    from hybridcolor.pipeline import write_colorization
    from hybridcolor.session import EditSession
    from hybridcolor.sessionfiles import picture_of
    from hybridcolor.stacks import frame_beside

    if picture is None and (session.is_dir() or session.name.lower().endswith(READABLE_SUFFIXES)):
        if frame:
            raise MethodError("--frame is for the session of one slice; of a stack all are written")
        replay_stack(session, output, max_pixels=max_pixels, overwrite=overwrite)
        return
    check_folder(output)
    check_free(output, overwrite=overwrite)
    drawn_on = picture_of(session) if picture is None else picture
    if picture is None and not drawn_on.exists():
        raise ImageError(f"{drawn_on}: the picture of this session is not there; say where it is with --picture")
    check_no_source(output, drawn_on, session)
    frame = frame or frame_beside(session, drawn_on)
    editing = EditSession(read_image(drawn_on, frame=frame, max_pixels=max_pixels))
    check_holds(output, editing.picture.shape, editing.picture.alpha)
    editing.load(session)
    result = editing.final()
    write_colorization(output, result, overwrite=overwrite)
    count = len(editing.drawing.strokes)
    out.print(f"{output}  {count} stroke{'' if count == 1 else 's'}, {result.seconds:.1f} s")


@app.command()
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the pictures.")] = Path("demo"),
    overwrite: Overwrite = False,
) -> None:
    """Colorize two photos whose colours are known, and compare."""
    from hybridcolor.demo import run_demo

    check_is_folder(output)
    table = Table("photo", "picture", "PSNR, dB", "ab RMSE", "colourfulness")
    for score in run_demo(output, overwrite=overwrite):
        table.add_row(
            score.photo, score.picture, f"{score.psnr:.2f}", f"{score.ab_rmse:.2f}", f"{score.colourfulness:.1f}"
        )
    out.print(table)
    out.print("'corrected' adds a few scribbles in the true colours to the automatic seeds.")
    out.print(f"Look at {output / 'comparison.png'}")
