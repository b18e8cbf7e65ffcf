"""What compiling may not change: the bytes that come out."""

from __future__ import annotations

import os
import pkgutil
import subprocess
import sys
from importlib import import_module

from numba.core.dispatcher import Dispatcher

from hybridcolor import propagate
from hybridcolor.propagate import affinity, smoothing

MODULES = [import_module(f"{propagate.__name__}.{found.name}") for found in pkgutil.iter_modules(propagate.__path__)]
KERNELS = {kernel for module in MODULES for kernel in vars(module).values() if isinstance(kernel, Dispatcher)}


def called_by(kernel):
    found = (kernel.py_func.__globals__.get(name) for name in kernel.py_func.__code__.co_names)
    return {each for each in found if isinstance(each, Dispatcher)}


def test_what_comes_to_fast_loops_is_put_into_its_compiled_callers():
    """Else the run that compiles and those after it may run different copies of it; see `affinity.FAST`."""
    reaching = {kernel for kernel in KERNELS if kernel.targetoptions.get("fastmath")}
    while more := {kernel for kernel in KERNELS - reaching if called_by(kernel) & reaching}:
        reaching |= more
    assert {affinity.outflow, smoothing.descend} <= reaching
    helpers = reaching & set().union(*map(called_by, KERNELS))
    assert helpers == {kernel for kernel in KERNELS if kernel.targetoptions.get("forceinline")}


ASIDE = """
from hybridcolor.propagate import chrominance, warm_up
warm_up("chrominance", aside=True)
stats = [each.stats for each in vars(chrominance).values() if hasattr(each, "stats")]
print(sum(each.cache_hits.total() > 0 for each in stats), sum(each.cache_misses.total() for each in stats))
"""


def test_what_was_never_compiled_here_is_compiled_by_a_process_of_its_own(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", ASIDE], env=environment, capture_output=True, text=True, check=True)
    found, missed = map(int, ran.stdout.split())
    assert found > 0
    assert missed == 0
