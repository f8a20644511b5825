"""The endpoint: serves a bundle over the Open Inference Protocol."""

__version__ = "0.1.0"
