"""Cleaning of ordered data: filling, smoothing and dropping rows, over whole datasets in bounded memory."""
