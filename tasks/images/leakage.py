"""Images of one split that look like images of another: what a model has seen, it need not understand."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from tasks.data.partitions import read_manifest
from tasks.data.split import SPLITS, read_codes
from tasks.engine import DaskConfig, map_partitions, open_client
from tasks.images.duplicates import NearDuplicatesConfig
from tasks.images.findings import read_places
from tasks.images.near import require_few
from tasks.images.search import NearSearch, write_hashes
from tasks.references import DatasetRef, SplitRef
from tasks.storage import naming_full_disk, remove_folder


def pairs_across_splits(
    images: DatasetRef, split: SplitRef, config: NearDuplicatesConfig, home: Path, dask: DaskConfig
) -> pa.Table:
    """Return the pairs of near-duplicate images that stand in different splits.

    Images of one split with the same hash are represented by the first of them. Nothing is left on disk.

    Args:
        images: The dataset.
        split: Its split.
        config: The hash and the distance; `keep` does not matter.
        home: Where the hashes lie meanwhile; every worker must see it.
        dask: Where the work runs.

    Returns:
        A row for each pair: `distance` in bits, and of each end `split`, `source_file`, `source_row` and `label` (the
        class's position), the names of the other end's preceded by `other_`; in the order of the images.

    Raises:
        DataError: There are too many near pairs to mean anything.
    """
    groups = np.concatenate([read_codes(split, index) for index in range(len(read_manifest(images).partitions))])
    with open_client(dask) as client, _working_folder(home) as folder:
        files = write_hashes(client, images, config.hash, folder)
        search = replace(NearSearch.prepare(files, groups, config.max_distance), across=True)
        pairs = pa.concat_tables(map_partitions(client, search.pairs, search.tasks(), label="images across splits"))
        require_few(pairs.num_rows, config.max_distance)
        pairs = pairs.sort_by([("first", "ascending"), ("second", "ascending")])
        columns = {"distance": pairs["distance"]}
        for end, prefix in (("first", ""), ("second", "other_")):
            positions = pairs[end].to_numpy()
            places = read_places(client, images, positions) if len(positions) else None
            columns[f"{prefix}split"] = pa.array([SPLITS[code] for code in groups[positions]], pa.string())
            for name in ("source_file", "source_row", "label"):
                columns[f"{prefix}{name}"] = pa.array([]) if places is None else places[name]
    return pa.table(columns)


@contextmanager
def _working_folder(home: Path) -> Iterator[Path]:
    folder = home / f".tmp-{uuid.uuid4().hex}"
    try:
        with naming_full_disk(home):
            folder.mkdir(parents=True)
            yield folder
    finally:
        remove_folder(folder)
