"""The report of a run: its plots, and one self-contained page."""
