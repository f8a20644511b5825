"""From a source to clean, split rows: ingest, validate, clean and split."""
