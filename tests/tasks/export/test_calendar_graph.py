from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import onnxruntime
import pytest
import spox
import spox.opset.ai.onnx.v18 as op
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.bundle.manifest import NULL_TIMESTAMP
from tasks.export.calendar_graph import CalendarGraph
from tasks.preprocessing.calendar import calendar_part
from tests.tasks.export.small_model import PARTS

MINUTE = 60_000_000


@pytest.fixture(scope="module", params=["nullable", "required"])
def session(request: pytest.FixtureRequest) -> onnxruntime.InferenceSession:
    micros = spox.argument(spox.Tensor(np.int64, ("batch",)))
    nullable = request.param == "nullable"
    null = op.equal(micros, op.const(np.array(NULL_TIMESTAMP))) if nullable else None
    calendar = CalendarGraph(micros, null)
    parts = {str(part): calendar.look_up(part, lambda values: values, -7) for part in PARTS}
    model = spox.build({"micros": micros}, parts)
    model.ir_version = 10
    return onnxruntime.InferenceSession(model.SerializeToString())


def graph_parts(session: onnxruntime.InferenceSession, micros: list[int]) -> dict[str, np.ndarray]:
    values = session.run(list(PARTS), {"micros": np.array(micros, np.int64)})
    return dict(zip(PARTS, values, strict=True))


@settings(max_examples=200, deadline=None)
@given(micros=st.lists(st.integers(-(2**63) + 1, 2**63 - 1), min_size=1, max_size=40))
def test_every_part_is_what_preprocessing_computes(session: onnxruntime.InferenceSession, micros: list[int]) -> None:
    got = graph_parts(session, micros)
    for part in PARTS:
        np.testing.assert_array_equal(got[part], calendar_part(np.array(micros, np.int64), part), err_msg=part)


@pytest.mark.parametrize("session", ["required"], indirect=True)
def test_every_day_of_eight_centuries_is_what_python_says(session: onnxruntime.InferenceSession) -> None:
    days = [datetime(1600, 1, 1, tzinfo=UTC) + timedelta(days=day, minutes=day % 1440) for day in range(292_194)]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    got = graph_parts(session, [((day - epoch) // timedelta(minutes=1)) * MINUTE for day in days])
    expected = np.array(
        [(d.month, d.day, d.isoweekday(), d.timetuple().tm_yday, d.hour, d.hour * 60 + d.minute) for d in days]
    )
    for column, part in enumerate(PARTS):
        np.testing.assert_array_equal(got[part], expected[:, column], err_msg=part)


def test_a_microsecond_before_1970_is_the_evening_before(session: onnxruntime.InferenceSession) -> None:
    got = {part: int(value[0]) for part, value in graph_parts(session, [-1]).items()}
    assert got == {
        "month": 12,
        "day_of_month": 31,
        "day_of_week": 3,
        "day_of_year": 365,
        "hour": 23,
        "minute_of_day": 1439,
    }


@pytest.mark.parametrize("session", ["nullable"], indirect=True)
def test_null_becomes_what_it_is_to_become(session: onnxruntime.InferenceSession) -> None:
    got = graph_parts(session, [0, NULL_TIMESTAMP])
    assert all(value[1] == -7 and value[0] >= 0 for value in got.values())
