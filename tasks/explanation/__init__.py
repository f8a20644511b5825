"""Explanation: what a model looks at, over the whole test split and in single rows of it."""
