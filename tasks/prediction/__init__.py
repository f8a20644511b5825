"""From scores to an answer: what a model's numbers are taken to mean."""
