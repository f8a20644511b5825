"""Real example datasets, written from what is installed."""
