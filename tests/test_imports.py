"""Importing hybridcolor, and asking its version, stays light; every public name can be had."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import hybridcolor

HEAVY = {
    *("torch", "numba", "llvmlite", "cv2", "matplotlib", "jinja2", "dask", "distributed"),
    *("napari", "magicgui", "npe2", "vispy", "qtpy", "superqt", "PyQt5", "PyQt6", "PySide2", "PySide6"),
}

IMPORT = "import hybridcolor"
VERSION = """
import contextlib, io, sys
sys.argv = ["hybridcolor", "--version"]
from hybridcolor.cli import main
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()) as shown:
    main()
import hybridcolor
assert hybridcolor.__version__ in shown.getvalue(), shown.getvalue()
"""


def modules_loaded_by(code: str) -> set[str]:
    """Top-level names of the modules that a fresh interpreter holds after running ``code``."""
    report = "\nimport json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    run = subprocess.run([sys.executable, "-c", code + report], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout.splitlines()[-1]))


@pytest.mark.parametrize("code", [IMPORT, VERSION], ids=["import", "version"])
def test_nothing_heavy_is_loaded(code):
    loaded = modules_loaded_by(code)
    assert "hybridcolor" in loaded
    assert not loaded & HEAVY


def test_the_check_above_sees_what_is_loaded():
    assert "cv2" in modules_loaded_by("import hybridcolor, hybridcolor.bins")


def test_every_public_name_is_there():
    assert len(set(hybridcolor.__all__)) == len(hybridcolor.__all__) > 5
    for name in hybridcolor.__all__:
        assert getattr(hybridcolor, name) is not None
    assert set(hybridcolor.__all__) <= set(dir(hybridcolor))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="colourize"):
        hybridcolor.colourize  # noqa: B018
