"""The reference job in plain Dask DataFrame, as one writes it by hand. Arguments: IN OUT."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import dask.dataframe as dd
import numpy as np
import pandas as pd
from dask.distributed import Client, LocalCluster

from benchmarks.data import job

_BLANKS = " \t\r\n"


def main(source: str, out: str) -> None:
    target, passing = Path(out), Path(out) / "_kept"
    target.mkdir(parents=True, exist_ok=True)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        raw = dd.read_parquet(source, split_row_groups=True)
        step = raw.map_partitions(_step)
        broken = step[step["reason"].notnull()][[*job.RAW, "reason"]]
        broken.to_parquet(target / "quarantine", write_index=False)
        columns = ["event_id", "ts", "flight", "pax_clean", "email_clean", *(f"n_{n}" for n in job.TEXTS), *job.NUMBERS]
        kept = step[step["reason"].isnull()][columns].drop_duplicates(split_out=8)
        kept.map_partitions(_split).to_parquet(passing, write_index=False)
        fitted = _fit(dd.read_parquet(passing))
        for name in job.SPLITS:
            part = dd.read_parquet(passing, filters=[("split", "==", name)])
            part.map_partitions(_features, fitted).to_parquet(target / f"split={name}", write_index=False)
    shutil.rmtree(passing)
    (target / "stats.json").write_text(json.dumps(fitted))


def _step(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.copy()
    for name in job.TEXTS:
        text = frame[name].str.strip(_BLANKS).str.upper()
        frame[f"n_{name}"] = text.mask(text.isin(job.NULL_TOKENS))
    frame["pax_clean"] = frame["pax_name"].str.strip(_BLANKS)
    frame["email_clean"] = frame["email"].str.strip(_BLANKS).str.lower()
    for name in job.NUMBERS:
        frame[name] = frame[name].astype("float64")
    frame["ts"] = pd.to_datetime(frame["sched_ts"], format=job.TS_FORMAT, errors="coerce").astype("datetime64[us]")
    reason = pd.Series(pd.NA, index=frame.index, dtype="string")
    reason = reason.mask(~frame["distance"].between(1, 6000), "bad_distance")
    reason = reason.mask(~frame["n_origin"].isin(job.ORIGINS), "bad_origin")
    reason = reason.mask(~frame["n_carrier"].isin(job.CARRIERS), "bad_carrier")
    frame["reason"] = reason.mask(frame["ts"].dt.year != job.YEAR, "bad_ts")
    return frame


def _split(frame: pd.DataFrame) -> pd.DataFrame:
    frame = frame.rename(columns={f"n_{name}": name for name in job.TEXTS})
    domain = frame["email_clean"].str.extract("@(.*)$", expand=False)
    frame["email_domain"] = domain.where(frame["email_clean"].str.match(job.EMAIL).fillna(value=False))
    bucket = ((frame["event_id"] * job.SPLIT_FACTOR) % job.SPLIT_MODULUS) // 65536 % 100
    split = np.where(bucket < 80, "train", np.where(bucket < 90, "val", "test"))
    frame["split"] = pd.Series(split, index=frame.index, dtype="string")
    return frame.drop(columns=["pax_clean", "email_clean"])


def _fit(kept: dd.DataFrame) -> dict[str, Any]:
    train = kept[kept["split"] == "train"]
    # Dask's own quantiles are approximate; exact ones gather one column at a time.
    quartiles = {name: np.nanquantile(train[name].compute(), [0.25, 0.5, 0.75]).tolist() for name in job.NUMBERS}
    bounds = {name: job.fences(quartiles[name][0], quartiles[name][2]) for name in job.FENCED} | job.RANGES
    counts = train["dest"].value_counts().compute()
    most_frequent = min((-count, value) for value, count in counts.items())[1]
    fitted: dict[str, Any] = {
        "median": {name: quartiles[name][1] for name in job.NUMBERS},
        "lo": {name: bounds[name][0] for name in job.NUMBERS},
        "hi": {name: bounds[name][1] for name in job.NUMBERS},
        "fill": {name: most_frequent if name in job.MOST_FREQUENT else job.UNKNOWN for name in job.CATEGORIES},
    }
    filled = train.map_partitions(_repaired, fitted)
    mean, std = filled[list(job.NUMBERS)].mean().compute(), filled[list(job.NUMBERS)].std(ddof=0).compute()
    fitted |= {"mean": mean.to_dict(), "std": std.to_dict()}
    fitted["vocab"] = {name: sorted(filled[name].unique().compute().tolist()) for name in job.CATEGORIES}
    return fitted


def _repaired(frame: pd.DataFrame, fitted: dict[str, Any]) -> pd.DataFrame:
    columns: dict[str, pd.Series] = {}
    for name in job.NUMBERS:
        columns[name] = frame[name].fillna(fitted["median"][name]).clip(fitted["lo"][name], fitted["hi"][name])
    for name in job.CATEGORIES:
        columns[name] = frame[name].fillna(fitted["fill"][name])
    return pd.DataFrame(columns)


def _features(frame: pd.DataFrame, fitted: dict[str, Any]) -> pd.DataFrame:
    repaired = _repaired(frame, fitted)
    moment = frame["ts"].dt
    columns: dict[str, Any] = {name: frame[name] for name in ("event_id", "flight", "ts")}
    columns |= {"month": moment.month, "dow": moment.day_of_week + 1, "hour": moment.hour}
    for name in job.NUMBERS:
        columns[name] = ((repaired[name] - fitted["mean"][name]) / fitted["std"][name]).astype("float32")
    for name in job.CATEGORIES:
        codes = pd.Index(fitted["vocab"][name]).get_indexer(repaired[name])
        columns[name] = pd.Series(codes.astype("int16"), index=frame.index)
    outside = [(frame[n] < fitted["lo"][n]) | (frame[n] > fitted["hi"][n]) for n in job.NUMBERS]
    columns["n_imputed"] = frame[list(job.NUMBERS)].isna().sum(axis=1).astype("int8")
    columns["n_clipped"] = np.sum(outside, axis=0).astype("int8")
    return pd.DataFrame(columns).astype(dict.fromkeys(("month", "dow", "hour"), "int8"))


if __name__ == "__main__":
    main(*sys.argv[1:3])
