"""Data Docs: pages of a contract's suite and its result that open without any network."""
