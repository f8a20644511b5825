"""Cross-validation: how good what `train` makes is on rows that it did not learn from, and how much that varies."""
