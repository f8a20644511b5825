from __future__ import annotations

import datetime as dt

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts import instants_fast
from data_contracts.instants import read_instants
from data_contracts.instants_fast import read_seconds

SECONDS = st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0).isoformat() + "Z"
)
NEARLY = st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z")
ODD = st.sampled_from(
    [
        "",
        "2013-01-01",
        "2013-01-01T10:00:00z",
        "2013-01-01 10:00:00Z",
        "2O13-01-01T10:00:00Z",
        "2013-01-0:T10:00:00Z",
        "2013-0/-01T10:00:00Z",
        "0000-01-01T00:00:00Z",
        "2013-02-29T00:00:00Z",
        "ééééééééé-",
        "2013-01-01T10:00:00+1",
    ]
)


def _micros(text: str) -> int | None:
    # Python takes a small z too, and 61 seconds to a minute, for leap seconds.
    if not text.endswith("Z") or text[-3:-2] == "6":
        return None
    try:
        moment = dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
    except ValueError:
        return None
    since = moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000


@settings(max_examples=150, deadline=None)
@given(st.lists(st.none() | SECONDS | NEARLY | ODD, max_size=12), st.integers(0, 4))
def test_what_is_read_at_a_time_is_what_python_reads(texts, start):
    micros, ok = read_seconds(pa.array(texts, pa.string()).slice(start))
    expected = [None if text is None else _micros(text) for text in texts[start:]]
    assert [int(value) if there else None for value, there in zip(micros, ok, strict=True)] == expected


def test_blocks_do_not_show(monkeypatch):
    texts = pa.array([f"2013-01-{1 + row % 28:02d}T00:00:{row % 60:02d}Z" for row in range(100)] + [None, "x"])
    whole = read_seconds(texts)
    monkeypatch.setattr(instants_fast, "_BLOCK", 7)
    parts = read_seconds(texts)
    assert whole[0].tolist() == parts[0].tolist()
    assert whole[1].tolist() == parts[1].tolist() == [True] * 100 + [False, False]


def test_other_forms_stand_among_them():
    texts = pa.array(["2013-01-01T00:00:00Z", "2013-01-01T01:00:00+01:00", None, "2013-01-01T00:00:00.5Z", "no"])
    micros, ok = read_instants(texts, None, "UTC")
    assert ok.tolist() == [True, True, False, True, False]
    assert (micros[[1, 3]] - micros[0]).tolist() == [0, 500_000]
