from __future__ import annotations

from tests.end_to_end.conftest import prefect_api
from tests.remote.conftest import bucket, s3_variables

__all__ = ["bucket", "prefect_api", "s3_variables"]
