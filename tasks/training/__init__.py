"""Training: networks for tables, trained by Lightning so that the same run always gives the same weights."""
