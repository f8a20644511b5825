"""Benchmarks of the image tasks."""
