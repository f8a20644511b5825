"""Settings of every test.

Property tests draw the same examples in every run, so that a red run is about the change at hand; `make test-all`
draws new ones, to look further. Tests run side by side, so none may take every core for its sums: that is said before
anything imports a numeric library.
"""

import os

from hypothesis import settings

os.environ.setdefault("OMP_NUM_THREADS", "1")

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("exploring", derandomize=False, deadline=None, print_blob=True)
settings.load_profile("fixed")
