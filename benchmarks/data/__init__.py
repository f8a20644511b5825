"""The data half against Polars, DuckDB, Dask DataFrame and the floor of reading and writing."""
