from tests.tasks.data.tables import dask, without_gx

__all__ = ["dask", "without_gx"]
