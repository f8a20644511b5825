"""The reference job in Polars: lazy frames on its streaming engine. Arguments: IN OUT."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.data import job


def main(source: str, out: str) -> None:
    Path(out, "quarantine").mkdir(parents=True, exist_ok=True)
    step = _step(pl.scan_parquet(job.parquet_files(source)))
    quarantine = step.filter(pl.col("reason").is_not_null()).select([*job.RAW, "reason"])
    written = quarantine.sink_parquet(f"{out}/quarantine/q.parquet", compression="snappy", lazy=True)
    _, kept = pl.collect_all([written, _kept(step)], engine="streaming")
    fitted = _fit(kept.lazy().filter(pl.col("split") == "train"))
    target = pl.PartitionBy(out, key="split", include_key=False)
    _features(kept.lazy(), fitted).sink_parquet(target, compression="snappy", mkdir=True, engine="streaming")
    Path(out, "stats.json").write_text(json.dumps(fitted))


def _step(raw: pl.LazyFrame) -> pl.LazyFrame:
    """Normalise the texts and find the first reason that holds."""
    instant = pl.col("sched_ts").str.to_datetime(job.TS_FORMAT, strict=False, time_unit="us")
    typed = raw.with_columns([_category(name).alias(f"n_{name}") for name in job.TEXTS] + [instant.alias("ts")])
    wrong_time = pl.col("ts").is_null() | (pl.col("ts").dt.year() != job.YEAR)
    return typed.with_columns(
        reason=pl.when(wrong_time)
        .then(pl.lit("bad_ts"))
        .when(~pl.col("n_carrier").is_in(job.CARRIERS).fill_null(value=False))
        .then(pl.lit("bad_carrier"))
        .when(~pl.col("n_origin").is_in(job.ORIGINS).fill_null(value=False))
        .then(pl.lit("bad_origin"))
        .when(~pl.col("distance").is_between(1, 6000).fill_null(value=False))
        .then(pl.lit("bad_distance"))
    )


def _category(name: str) -> pl.Expr:
    text = pl.col(name).str.strip_chars().str.to_uppercase()
    return pl.when(text.is_in(job.NULL_TOKENS)).then(None).otherwise(text)


def _kept(step: pl.LazyFrame) -> pl.LazyFrame:
    """Return the distinct rows that keep the contract, with their split and the domain of the address."""
    whole = ("seats", "plane_year")
    numbers = [pl.col(name).cast(pl.Float64) if name in whole else pl.col(name).fill_nan(None) for name in job.NUMBERS]
    people = [
        pl.col("pax_name").str.strip_chars(),
        pl.col("email").str.strip_chars().str.to_lowercase().alias("email"),
    ]
    texts = [pl.col(f"n_{name}").alias(name) for name in job.TEXTS]
    distinct = (
        step.filter(pl.col("reason").is_null()).select(["event_id", "ts", "flight", *people, *texts, *numbers]).unique()
    )
    domain = pl.col("email").str.split("@").list.get(1, null_on_oob=True)
    bucket = ((pl.col("event_id") * job.SPLIT_FACTOR) % job.SPLIT_MODULUS) // 65536 % 100
    split = pl.when(bucket < 80).then(pl.lit("train")).when(bucket < 90).then(pl.lit("val")).otherwise(pl.lit("test"))
    return distinct.with_columns(
        email_domain=pl.when(pl.col("email").str.contains(job.EMAIL)).then(domain), split=split
    ).drop("pax_name", "email")


def _fit(train: pl.LazyFrame) -> dict[str, Any]:
    probabilities = (0.25, 0.5, 0.75)
    quartiles = [
        pl.col(name).quantile(probability, "linear").alias(f"{name}|{probability}")
        for name in job.NUMBERS
        for probability in probabilities
    ]
    most = pl.col("dest").drop_nulls().value_counts(sort=True).head(50).implode().alias("most")
    found = train.select([*quartiles, most]).collect(engine="streaming")
    median = {name: found[f"{name}|0.5"][0] for name in job.NUMBERS}
    fenced = {name: job.fences(found[f"{name}|0.25"][0], found[f"{name}|0.75"][0]) for name in job.FENCED}
    bounds = {**fenced, **job.RANGES}
    most_frequent = min((-each["count"], each["dest"]) for each in found["most"][0].to_list())[1]
    fill = {name: most_frequent if name in job.MOST_FREQUENT else job.UNKNOWN for name in job.CATEGORIES}
    repaired = train.select(
        [pl.col(name).fill_null(median[name]).clip(*bounds[name]) for name in job.NUMBERS]
        + [pl.col(name).fill_null(fill[name]) for name in job.CATEGORIES]
    )
    moments = [pl.col(name).mean().alias(f"{name}|mean") for name in job.NUMBERS]
    moments += [pl.col(name).std(ddof=0).alias(f"{name}|std") for name in job.NUMBERS]
    values = [pl.col(name).unique().sort().implode().alias(name) for name in job.CATEGORIES]
    measured = repaired.select(moments + values).collect(engine="streaming")
    return {
        "median": median,
        "lo": {name: bounds[name][0] for name in job.NUMBERS},
        "hi": {name: bounds[name][1] for name in job.NUMBERS},
        "mean": {name: measured[f"{name}|mean"][0] for name in job.NUMBERS},
        "std": {name: measured[f"{name}|std"][0] for name in job.NUMBERS},
        "fill": fill,
        "vocab": {name: sorted(measured[name][0].to_list()) for name in job.CATEGORIES},
    }


def _features(kept: pl.LazyFrame, fitted: dict[str, Any]) -> pl.LazyFrame:
    def scaled(name: str) -> pl.Expr:
        filled = pl.col(name).fill_null(fitted["median"][name]).clip(fitted["lo"][name], fitted["hi"][name])
        return ((filled - fitted["mean"][name]) / fitted["std"][name]).cast(pl.Float32)

    def code(name: str) -> pl.Expr:
        values = fitted["vocab"][name]
        filled = pl.col(name).fill_null(fitted["fill"][name])
        return filled.replace_strict(values, range(len(values)), default=-1, return_dtype=pl.Int16)

    outside = [(pl.col(name) < fitted["lo"][name]) | (pl.col(name) > fitted["hi"][name]) for name in job.NUMBERS]
    parts = {"month": pl.col("ts").dt.month(), "dow": pl.col("ts").dt.weekday(), "hour": pl.col("ts").dt.hour()}
    return kept.select(
        ["split", "event_id", "flight", "ts"]
        + [part.cast(pl.Int8).alias(name) for name, part in parts.items()]
        + [scaled(name) for name in job.NUMBERS]
        + [code(name) for name in job.CATEGORIES]
        + [pl.sum_horizontal([pl.col(name).is_null() for name in job.NUMBERS]).cast(pl.Int8).alias("n_imputed")]
        + [pl.sum_horizontal(outside).cast(pl.Int8).alias("n_clipped")]
    )


if __name__ == "__main__":
    main(*sys.argv[1:3])
