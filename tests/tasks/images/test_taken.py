from pathlib import Path

import pytest

from data_contracts.errors import ContractBrokenError
from tasks.engine import DaskConfig
from tasks.images.taken import require_taken, validation_of
from tests.tasks.images.pictures import encode, ingest_folders, picture, write_folders


def test_too_many_images_in_quarantine_stop_the_run(tmp_path: Path, dask: DaskConfig):
    good = {f"a/{seed}.png": encode(picture(seed)) for seed in range(3)}
    images = ingest_folders(write_folders(tmp_path / "in", {**good, "a/torn.png": b"\x89PNG"}), tmp_path, dask)
    found = validation_of(images)
    assert (found.rows, found.kept, found.quarantined) == (4, 3, 1)
    require_taken(images, 0.25)
    with pytest.raises(
        ContractBrokenError, match=r"(?s)1 of 4 \(25.0%\) are in quarantine, at most 20.0% may.*\n  do: "
    ):
        require_taken(images, 0.2)
