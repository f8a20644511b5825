from tests.tasks.data.tables import dask
from tests.tasks.training.conftest import problem

__all__ = ["dask", "problem"]
