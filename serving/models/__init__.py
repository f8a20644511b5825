"""Loaded model versions: kept in step with the store, batched, run."""
