"""Evaluation: how good a model is on rows it has not seen, beside what simple baselines reach."""
