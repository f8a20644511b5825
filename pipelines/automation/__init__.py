"""Prefect's automations that belong to a pipeline: what starts a retraining, and who is told of what."""
