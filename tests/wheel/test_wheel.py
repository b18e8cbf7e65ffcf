"""The wheel, built and run as a stranger has it: in an environment of its own, away from the checkout.

The new environment borrows the dependencies of the present one through a path file, so nothing is downloaded;
hybridcolor itself comes from the wheel alone, which the tests make sure of.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from configparser import ConfigParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import hybridcolor
from hybridcolor.lab import rgb_to_lab

CHECKOUT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.wheel,
    pytest.mark.skipif(not (CHECKOUT / "pyproject.toml").is_file(), reason="not a checkout: nothing to build from"),
]


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that must succeed, with nothing in its environment that leads to the checkout."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "HYBRIDCOLOR", "COV", "VIRTUAL_ENV"))}
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Folder with the source distribution and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, CHECKOUT, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def models(wheel):
    """The wheel's registry: fields by model name."""
    with zipfile.ZipFile(wheel) as archive:
        registry = json.loads(archive.read("hybridcolor/_models/registry.json"))
    assert registry["default"] in registry["models"]
    return registry["models"]


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The ``bin`` folder of an environment that has the wheel."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False)
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=home)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip())
    # A path file adds a folder without reading the path files inside it, so the editable install stays out of sight.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return scripts


def test_only_our_packages_are_inside(names):
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"hybridcolor", "napari_hybridcolor", f"hybridcolor-{hybridcolor.__version__}.dist-info"}
    strays = ("__pycache__", "tests/", "runs/", "checkpoint", ".pt", ".ipynb", ".log")
    assert not [name for name in names if any(stray in name for stray in strays)]


def test_every_module_is_inside(names):
    for package, root in (("hybridcolor", CHECKOUT), ("napari_hybridcolor", CHECKOUT / "plugins")):
        files = (path.relative_to(root).as_posix() for path in (root / package).rglob("*.py"))
        assert set(files) <= names
    assert "hybridcolor/py.typed" in names


def test_plugin_manifest_is_where_its_entry_point_says(wheel, names):
    with zipfile.ZipFile(wheel) as archive:
        (path,) = (name for name in names if name.endswith(".dist-info/entry_points.txt"))
        entries = ConfigParser()
        entries.read_string(archive.read(path).decode())
    module, _, manifest = entries["napari.manifest"]["hybridcolor"].partition(":")
    assert f"{module}/{manifest}" in names


def test_registered_weights_are_inside_and_whole(wheel, models):
    with zipfile.ZipFile(wheel) as archive:
        for entry in models.values():
            content = archive.read(f"hybridcolor/_models/{entry['file']}")
            assert entry["file"].endswith(".safetensors")
            assert hashlib.sha256(content).hexdigest() == entry["sha256"]
            assert archive.read(f"hybridcolor/_models/{entry['card']}")


def test_licence_texts_are_inside(wheel, names):
    here = {path.name: path.read_bytes() for path in (CHECKOUT / "models" / "licenses").iterdir()}
    assert {"Apache-2.0.txt", "NOTICE.txt", "efficientnet-lite1-LICENSE.txt"} <= set(here)
    with zipfile.ZipFile(wheel) as archive:
        for name, content in here.items():
            assert archive.read(f"hybridcolor/_models/licenses/{name}") == content
    assert [name for name in names if name.endswith(".dist-info/licenses/LICENSE")]


def test_source_distribution_holds_the_sources_only(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "Makefile", "README.md", "LICENSE", "tests/wheel/test_wheel.py"} <= names
    unwanted = (".venv", "runs", "demo", "build", "dist", ".git", ".hypothesis")
    assert not [name for name in names if name.partition("/")[0] in unwanted]


def test_it_runs_from_the_wheel(installed, tmp_path):
    where = run(installed / "python", "-c", "import hybridcolor; print(hybridcolor.__file__)", cwd=tmp_path).strip()
    assert Path(where).is_relative_to(installed.parent)
    assert hybridcolor.__version__ in run(installed / "hybridcolor", "--version", cwd=tmp_path)


def test_it_finds_its_models(installed, tmp_path, models):
    shown = run(installed / "hybridcolor", "models", cwd=tmp_path)
    assert all(name in shown for name in models)


def test_it_colorizes(installed, tmp_path):
    y, x = np.mgrid[:64, :80]
    gray = (40 + 150 * np.hypot(x - 30, y - 30).clip(0, 40) / 40).astype(np.uint8)
    Image.fromarray(gray).save(tmp_path / "gray.png")
    run(installed / "hybridcolor", "colorize", "gray.png", "-o", "colour.png", cwd=tmp_path)
    with Image.open(tmp_path / "colour.png") as picture:
        result = np.asarray(picture.convert("RGB"))
    assert result.shape == (64, 80, 3)
    before = rgb_to_lab(np.repeat(gray[..., None], 3, axis=2))[..., 0]
    assert np.abs(rgb_to_lab(result)[..., 0] - before).max() <= 0.5
