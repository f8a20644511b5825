"""Profiling: what a dataset that nobody has described yet seems to be."""
