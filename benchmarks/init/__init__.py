"""The first ten minutes: from a raw file to an endpoint."""
