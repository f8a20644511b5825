"""The same job by other engines, each in an environment of its own."""
