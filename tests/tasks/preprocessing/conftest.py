from tests.tasks.data.tables import dask

__all__ = ["dask"]
