"""For every test: kernels go to a folder of the tests', not to the user's."""

import os
import tempfile

os.environ.setdefault("BIBUN_CACHE", os.path.join(tempfile.gettempdir(), f"bibun-tests-{getattr(os, 'getuid', int)()}"))
