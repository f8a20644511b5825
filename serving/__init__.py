"""The endpoint: serves a bundle over the Open Inference Protocol."""
