"""Which pictures `hybridcolor colorize` takes by tiles; one that fits in neither way is refused before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybridcolor.cli.common import out, tell_frames, tell_of
from hybridcolor.errors import MethodError, TooLargeError

if TYPE_CHECKING:
    from hybridcolor.picture import Picture
    from hybridcolor.predict import Predictor


@dataclass(frozen=True, slots=True)
class Tiling:
    """How large pictures are treated.

    Attributes
    ----------
    wanted : bool or None
        What ``--tiles`` or ``--no-tiles`` says.
    whole : str
        The option that needs a picture at once; empty if none does.
    seeds : Path or None
        Scribbles.
    max_pixels : int
        The person's own limit.
    """

    wanted: bool | None
    whole: str
    seeds: Path | None
    max_pixels: int

    @classmethod
    def of(cls, wanted: bool | None, needs: dict[str, bool], *, seeds: Path | None, max_pixels: int) -> Tiling:
        """How the options have pictures treated: ``needs`` says by name whether an option needs a picture at once.

        Raises
        ------
        MethodError
            If tiles are wanted with one of them.
        """
        marked = seeds is not None and seeds.suffix.lower() != ".json"
        whole = next((name for name, needed in needs.items() if needed), "--seeds in an image" if marked else "")
        if wanted and whole:
            raise MethodError(f"--tiles does not go with {whole}")
        return cls(wanted, whole, seeds, max_pixels)

    def read(
        self, source: Path, target: Path, *, frame: int, predictor: Predictor | None, method: str
    ) -> Picture | None:
        """The picture; None if it is to be coloured by tiles: above `TILES_FROM` where that is as good, or for memory.

        Raises
        ------
        ImageError
            If it cannot be read, its result cannot be written, or it fits into free memory in neither way.
        """
        from hybridcolor.imagefiles import check_holds, read_image
        from hybridcolor.tiles import TILES_FROM, as_at_once, pixels_in_memory

        room = pixels_in_memory(scribbles=self.seeds is not None)
        may = self.wanted is not False and not self.whole
        as_good = may and self.seeds is None and as_at_once(predictor, method)
        most = 0 if self.wanted else min(room, TILES_FROM) if as_good else room
        try:
            picture = read_image(source, frame=frame, max_pixels=min(most, self.max_pixels))
        except TooLargeError as error:
            if most >= self.max_pixels:
                raise
            if may:
                return None
            because = self.whole or "--no-tiles"
            raise TooLargeError(
                f"{source}: has more than the {room / 1e6:.0f} million pixels that free memory has room for; do "
                f"without {because}, and it is coloured by tiles, or close other programs"
            ) from error
        check_holds(target, picture.shape, picture.alpha)
        tell_of(source, picture, frame=frame)
        return picture

    def colorize(self, source: Path, target: Path, *, frame: int, writing: dict[str, Any], **wishes: Any) -> None:
        """Colorize a picture by tiles, as `colorize_bands` is told by the wishes and `write_tiles` by ``writing``."""
        from hybridcolor.imagefiles import check_holds, open_bands
        from hybridcolor.seedfiles import read_json_seeds
        from hybridcolor.tiles import colorize_bands, write_tiles

        with open_bands(source, frame=frame, max_pixels=self.max_pixels) as bands:
            check_holds(target, bands.shape)
            tell_frames(source, bands.read(0, 1), frame=frame)
            drawn = None if self.seeds is None else read_json_seeds(self.seeds, bands.shape)
            write_tiles(target, colorize_bands(bands, scribbles=drawn, **wishes), **writing)
            out.print(f"{target}  {bands.shape[1]} x {bands.shape[0]}, by tiles")
