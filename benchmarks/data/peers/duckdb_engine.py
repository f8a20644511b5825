"""The reference job in DuckDB: SQL. Arguments: IN OUT."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.data import job

_BLANKS = "E' \\t\\r\\n'"


def main(source: str, out: str) -> None:
    Path(out, "quarantine").mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(
        config={"threads": 2, "temp_directory": f"{out}/_spill", "preserve_insertion_order": "false"}
    )
    connection.execute("set enable_progress_bar=false")
    connection.execute(_step(source))
    connection.execute(
        f"copy (select {', '.join(job.RAW)}, reason from step where reason is not null) "
        f"to '{out}/quarantine/q.parquet' (compression snappy)"
    )
    connection.execute(_kept())
    fitted = _fit(connection)
    for name, values in fitted["vocab"].items():
        connection.execute(f"create temp table v_{name} (v varchar, code smallint)")
        rows = f"insert into v_{name} select unnest(?::varchar[]), unnest(range({len(values)}))::smallint"
        connection.execute(rows, [values])
    connection.execute(
        f"copy ({_features(fitted)}) to '{out}' "
        "(format parquet, compression snappy, partition_by (split), overwrite_or_ignore)"
    )
    Path(out, "stats.json").write_text(json.dumps(fitted))


def _listed(values: Iterable[str]) -> str:
    return "(" + ",".join(f"'{value}'" for value in values) + ")"


def _category(name: str) -> str:
    text = f"upper(trim({name},{_BLANKS}))"
    return f"case when {text} in {_listed(job.NULL_TOKENS)} then null else {text} end"


def _number(name: str) -> str:
    if name in {"seats", "plane_year"}:
        return f"{name}::double {name}"
    return f"case when isnan({name}) then null else {name} end {name}"


def _step(source: str) -> str:
    texts = ", ".join(f"{_category(name)} n_{name}" for name in job.TEXTS)
    return f"""create view step as with typed as (
        select *, {texts}, try_strptime(sched_ts, '{job.TS_FORMAT}') ts from read_parquet('{source}/*.parquet'))
      select *, case
        when ts is null or year(ts) != {job.YEAR} then 'bad_ts'
        when n_carrier is null or n_carrier not in {_listed(job.CARRIERS)} then 'bad_carrier'
        when n_origin is null or n_origin not in {_listed(job.ORIGINS)} then 'bad_origin'
        when distance is null or isnan(distance) or distance < 1 or distance > 6000 then 'bad_distance'
      end reason from typed"""


def _kept() -> str:
    texts = ", ".join(f"n_{name} {name}" for name in job.TEXTS)
    numbers = ", ".join(map(_number, job.NUMBERS))
    return f"""create temp table good as with distinct_rows as (
        select distinct event_id, ts, flight, trim(pax_name) pax_name, lower(trim(email,{_BLANKS})) email,
          {texts}, {numbers} from step where reason is null),
      split_rows as (select * exclude (pax_name, email),
          case when regexp_matches(email, '{job.EMAIL}') then split_part(email,'@',2) end email_domain,
          ((event_id*{job.SPLIT_FACTOR}) % {job.SPLIT_MODULUS}) // 65536 % 100 b from distinct_rows)
      select * exclude (b), case when b<80 then 'train' when b<90 then 'val' else 'test' end split from split_rows"""


def _fit(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    quartiles = ", ".join(f"quantile_cont({name},[0.25,0.5,0.75])" for name in job.NUMBERS)
    row = connection.execute(f"select {quartiles} from good where split='train'").fetchone()
    assert row is not None
    found = dict(zip(job.NUMBERS, row, strict=True))
    bounds = {name: job.fences(found[name][0], found[name][2]) for name in job.FENCED} | job.RANGES
    fitted: dict[str, Any] = {
        "median": {name: found[name][1] for name in job.NUMBERS},
        "lo": {name: bounds[name][0] for name in job.NUMBERS},
        "hi": {name: bounds[name][1] for name in job.NUMBERS},
    }
    most = "select dest from good where split='train' and dest is not null group by 1 order by count(*) desc, dest"
    most_frequent = connection.execute(f"{most} limit 1").fetchall()[0][0]
    fitted["fill"] = {name: most_frequent if name in job.MOST_FREQUENT else job.UNKNOWN for name in job.CATEGORIES}
    moments = ", ".join(
        f"avg({_repaired(name, fitted)}), stddev_pop({_repaired(name, fitted)})" for name in job.NUMBERS
    )
    measured = connection.execute(f"select {moments} from good where split='train'").fetchone()
    assert measured is not None
    fitted["mean"] = dict(zip(job.NUMBERS, measured[0::2], strict=True))
    fitted["std"] = dict(zip(job.NUMBERS, measured[1::2], strict=True))
    distinct = "select distinct coalesce({0},'{1}') from good where split='train'"
    fitted["vocab"] = {
        name: sorted(value for (value,) in connection.execute(distinct.format(name, fitted["fill"][name])).fetchall())
        for name in job.CATEGORIES
    }
    return fitted


def _repaired(name: str, fitted: dict[str, Any]) -> str:
    median, lower, upper = (fitted[key][name] for key in ("median", "lo", "hi"))
    return f"least(greatest(coalesce({name},{median!r}),{lower!r}),{upper!r})"


def _features(fitted: dict[str, Any]) -> str:
    mean, std, lower, upper = (fitted[key] for key in ("mean", "std", "lo", "hi"))
    numbers = [f"(({_repaired(name, fitted)}-{mean[name]!r})/{std[name]!r})::float {name}" for name in job.NUMBERS]
    codes = [f"coalesce(v_{name}.code,-1::smallint) {name}" for name in job.CATEGORIES]
    missing = " + ".join(f"({name} is null)::tinyint" for name in job.NUMBERS)
    outside = [f"coalesce(({n}<{lower[n]!r} or {n}>{upper[n]!r})::tinyint,0)" for n in job.NUMBERS]
    joins = [f"left join v_{n} on coalesce(good.{n},'{fitted['fill'][n]}')=v_{n}.v" for n in job.CATEGORIES]
    return f"""select split, event_id, flight, ts, month(ts)::tinyint "month", isodow(ts)::tinyint dow,
        hour(ts)::tinyint "hour", {", ".join(numbers)}, {", ".join(codes)}, ({missing})::tinyint n_imputed,
        ({" + ".join(outside)})::tinyint n_clipped from good {" ".join(joins)}"""


if __name__ == "__main__":
    main(*sys.argv[1:3])
