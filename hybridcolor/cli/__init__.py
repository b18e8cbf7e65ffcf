"""The command line: ``hybridcolor VERB``.

Verbs only read their arguments, call the library and print. Heavy imports stay inside the verbs, so that ``--help``
answers at once. Bad input ends with one line on stderr and exit code 2. ``pictures``, ``many``, ``comparing`` and
``networks`` hold the verbs, ``common`` what they share; ``tiled`` decides which pictures go by tiles, ``stacked``
replays stacks.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import Annotated, Any

import typer

import hybridcolor
from hybridcolor.cli import comparing, many, networks, pictures
from hybridcolor.cli.common import complain, out
from hybridcolor.errors import HybridColorError

app = typer.Typer(
    help="Colorize gray pictures together with a person.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


_UsageError: type[Exception] = typer.BadParameter.__mro__[1]  # typer has no public name for it


def main() -> None:
    """Entry point: run a verb; a known error becomes one line and exit code 2."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C does: nothing half written is left
    # Before torch loads: busy waiting threads bring numerical code to a crawl when another program wants a core.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    for stream in (sys.stdout, sys.stderr):  # a file's name may hold what the terminal's encoding does not
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(prog_name="hybridcolor", standalone_mode=False)
    except _UsageError as error:
        complain(HybridColorError(_usage(error)))
    except typer.Abort:
        sys.exit(130)
    except HybridColorError as error:
        complain(error)
    except OSError as error:  # the system's word on what no verb foresaw: a full disk, a name that is too long
        complain(HybridColorError(f"{error.filename or 'the system says'}: {error.strerror or error}"))
    except MemoryError:
        complain(HybridColorError("there is not enough memory for this; close other programs or use a smaller picture"))
    else:
        if out.lost is None:
            sys.exit(code)
        complain(HybridColorError(f"standard output: {out.lost.strerror}; all is done, but not all of it is told"))
    sys.exit(2)


def _usage(error: Any) -> str:
    """What is wrong with the words of a command, in one line."""
    verb = error.ctx.command_path if error.ctx else "hybridcolor"
    return f"{error.format_message().rstrip('.')} (`{verb} --help` tells more)"


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    if version:
        out.print(f"hybridcolor {hybridcolor.__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(2)


for _part in (pictures, many, comparing, networks):
    app.add_typer(_part.app)
