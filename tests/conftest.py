"""What all tests share: how hypothesis searches, the one kind of warning that is let through, the command line."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

import pytest
from hypothesis import settings

from hybridcolor import cli

# The first example of a numba kernel compiles it, so no deadline. In CI the same examples every time: a run that
# failed there fails here too.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_configure(config: pytest.Config) -> None:
    # napari and npe2 still use old names of pydantic, which hybridcolor itself does not use.
    if find_spec("pydantic"):
        config.addinivalue_line("filterwarnings", "ignore::pydantic.warnings.PydanticDeprecatedSince20")


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the command line: exit code, standard output, standard error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["hybridcolor", *map(str, arguments)])
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run
