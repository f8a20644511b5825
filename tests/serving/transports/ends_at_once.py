"""A worker that never works."""

import sys

sys.exit(7)
