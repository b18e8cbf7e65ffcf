"""The command line: ``hybridcolor VERB``.

Verbs only read their arguments, call the library and print. Heavy imports stay inside the verbs, so that ``--help``
answers at once. Bad input ends with one line on stderr and exit code 2. ``pictures``, ``many``, ``comparing`` and
``networks`` hold the verbs, ``common`` what they share; ``tiled`` decides which pictures go by tiles.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated

import typer

import hybridcolor
from hybridcolor.cli import comparing, many, networks, pictures
from hybridcolor.cli.common import complain
from hybridcolor.errors import HybridColorError

app = typer.Typer(
    help="Colorize gray pictures together with a person.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Entry point: run a verb; a known error becomes one line and exit code 2."""
    # Before torch loads: busy waiting threads bring numerical code to a crawl when another program wants a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    for stream in (sys.stdout, sys.stderr):  # a file's name may hold what the terminal's encoding does not
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app(prog_name="hybridcolor")
    except HybridColorError as error:
        complain(error)
    except OSError as error:  # the system's word on what no verb foresaw: a full disk, a name that is too long
        complain(HybridColorError(f"{error.filename or 'hybridcolor'}: {error.strerror or error}"))
    except MemoryError:
        complain(HybridColorError("there is not enough memory for this; close other programs or use a smaller picture"))
    else:
        return
    sys.exit(2)


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        typer.echo(f"hybridcolor {hybridcolor.__version__}")
        raise typer.Exit


for _part in (pictures, many, comparing, networks):
    app.add_typer(_part.app)
