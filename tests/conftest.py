"""Settings of every test.

Property tests draw the same examples in every run, so that a red run is about the change at hand; `make test-all`
draws new ones, to look further.
"""

from hypothesis import settings

settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("exploring", derandomize=False, deadline=None, print_blob=True)
settings.load_profile("fixed")
