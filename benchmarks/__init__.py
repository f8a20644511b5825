"""Measured comparisons that anyone can rerun."""
