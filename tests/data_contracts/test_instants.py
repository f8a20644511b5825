from __future__ import annotations

import datetime as dt

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.errors import ContractError
from data_contracts.instants import instant_pattern, read_instants

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def micros_of(moment: dt.datetime) -> int:
    return (moment - EPOCH) // dt.timedelta(microseconds=1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.datetimes(timezones=st.just(dt.timezone(dt.timedelta(hours=5, minutes=30)))), min_size=1))
def test_iso_text_reads_back(moments):
    micros, ok = read_instants(pa.array([moment.isoformat() for moment in moments]), None, "UTC")
    assert ok.all()
    assert micros.tolist() == [micros_of(moment) for moment in moments]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 9999), st.integers(0, 14), st.integers(0, 33))
def test_only_days_of_the_calendar_can_be_read(year, month, day):
    ok = read_instants(pa.array([f"{year:04d}-{month:02d}-{day:02d}"]), None, "UTC")[1][0]
    try:
        dt.date(year, month, day)
    except ValueError:
        assert not ok
    else:
        assert ok


@pytest.mark.parametrize(
    ("text_format", "text", "expected"),
    [
        ("dd/MM/yyyy", "03/02/2013", dt.datetime(2013, 2, 3, tzinfo=dt.UTC)),
        ("yyyyMMdd'T'HHmmss", "20130203T040506", dt.datetime(2013, 2, 3, 4, 5, 6, tzinfo=dt.UTC)),
        ("d.M.yyyy", "3.2.2013", dt.datetime(2013, 2, 3, tzinfo=dt.UTC)),
        ("yyyy-MM-dd HH:mm:ss.SSSXXX", "2013-02-03 04:05:06.007-01:00",
         dt.datetime(2013, 2, 3, 5, 5, 6, 7_000, tzinfo=dt.UTC)),
    ],
)  # fmt: skip
def test_formats(text_format, text, expected):
    micros, ok = read_instants(pa.array([text, "nonsense"]), text_format, "UTC")
    assert ok.tolist() == [True, False]
    assert micros[0] == micros_of(expected)


def test_an_open_quote_is_an_error():
    with pytest.raises(ContractError, match="a quote is not closed"):
        instant_pattern("yyyy-MM-dd'T")
