"""What `hybridcolor replay` does with a stack: all of its slices, in one file."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from rich.progress import track

from hybridcolor.cli.common import check_folder, err, out
from hybridcolor.errors import ImageError


def replay_stack(stack: Path, output: Path, *, max_pixels: int, overwrite: bool) -> None:
    """Colorize every slice as it was edited.

    Raises
    ------
    HybridColorError
        As `hybridcolor.stacks.write_stack`, and for what is no stack.
    """
    from hybridcolor.stacks import saved_slices, session_beside, write_stack

    check_folder(output)
    slices = saved_slices(stack, max_pixels=max_pixels)
    if len(slices) == 1:
        raise ImageError(f"{stack}: holds one picture; give what was saved beside it, {session_beside(stack).name}")
    started = time.perf_counter()
    with closing(write_stack(output, slices, overwrite=overwrite)) as written:
        for _ in track(written, "colorizing", len(slices), console=err, disable=not err.is_terminal):
            pass
    drawn = sum(each.drawn is not None for each in slices)
    out.print(f"{output}  {len(slices)} slices, {drawn} as drawn, {time.perf_counter() - started:.1f} s")
