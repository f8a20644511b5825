"""Retention: which runs, data and bundles a home no longer needs, and how they are removed."""
