"""What all tests share: how hypothesis searches, here and in continuous integration."""

from __future__ import annotations

import os

from hypothesis import settings

# The first example of a numba kernel compiles it, so no deadline. In CI the same examples every time: a run that
# failed there fails here too.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
