from __future__ import annotations

import base64
import re
import warnings
from collections.abc import Callable
from functools import cache
from xml.etree import ElementTree as ET

import matplotlib as mpl
import pytest

from tasks.report import class_plots, drift_plots, number_plots, plots
from tasks.report.svg import INK, as_data_uri, printable

SVG = "{http://www.w3.org/2000/svg}"
LINE = ([0.0, 0.5, 1.0], [0.0, 0.8, 1.0])
TENTHS = ([0.1, 0.5, 1.0], [0.3, 0.8, 1.0])

DRAW: dict[str, Callable[[], str]] = {
    "loss": lambda: plots.loss_curves(([0, 10, 20], [0.7, 0.6, 0.5]), ([10, 20], [0.65, 0.61]), 20),
    "roc": lambda: class_plots.roc_curve({"": LINE}, 0.75),
    "pr": lambda: class_plots.precision_recall_curve({"": LINE}, 0.5, 0.237),
    "calibration": lambda: class_plots.calibration_curve({"": LINE}, {"": ([0.0, 1.0], [0.3, 0.6])}),
    "gains": lambda: class_plots.gains_curve({"": TENTHS}),
    "lift": lambda: class_plots.lift_curve({"": TENTHS}),
    "scatter": lambda: number_plots.predicted_and_true(LINE, ([-1.0, 0.0, 0.5], [0.5, 1.0, 2.0])),
    "residuals": lambda: number_plots.residual_histogram([-1.0, 0.0, 1.0], [30, 70]),
    "spread": lambda: number_plots.residuals_by_prediction(
        {"predicted": [1.0, 2.0], "low": [-1.0, -2.0], "middle": [0.0, 0.1], "high": [1.0, 2.0]}
    ),
    "quantiles": lambda: number_plots.quantile_calibration(([0.1, 0.5, 0.9], [0.15, 0.5, 0.85])),
    "confusion": lambda: class_plots.confusion_matrix([[90, 10], [5, 45]], ["no", "yes"]),
    "rows": lambda: plots.row_accounting(900, 40, {"duplicates": 50, "dropped for nulls": 0, "without a target": 10}),
    "drift": lambda: drift_plots.shares_bars("age", [("up to 30", 0.5, 0.2), ("above 30", 0.5, 0.8)]),
    "quarantine": lambda: plots.quarantine_reasons({"a.enum": 3, "b.minimum": 7}),
}


@cache
def drawn(name: str) -> str:
    return DRAW[name]()


@pytest.fixture(params=DRAW)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def _texts(svg: str) -> list[str]:
    return ["".join(one.itertext()) for one in ET.fromstring(svg).iter(f"{SVG}text")]


def test_the_same_numbers_give_the_same_bytes(name: str) -> None:
    with mpl.rc_context({"lines.linewidth": 9, "svg.hashsalt": None}):
        first = DRAW[name]()
    assert first == drawn(name)
    assert "Matplotlib" not in first
    assert "metadata" not in first


def test_a_drawing_says_what_it_is(name: str) -> None:
    root = ET.fromstring(drawn(name))
    assert root.get("role") == "img"
    by_id = {one.get("id"): one for one in root.iter()}
    described = [by_id[identity].text for identity in str(root.get("aria-labelledby")).split()]
    assert all(described)
    assert [one.tag for one in root][:2] == [f"{SVG}title", f"{SVG}desc"]


def test_ids_are_the_drawings_own_and_references_meet_them(name: str) -> None:
    svg = drawn(name)
    ids = re.findall(r' id="([^"]*)"', svg)
    assert len(ids) == len(set(ids))
    assert all(identity.startswith(f"{name}-") for identity in ids)
    references = re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', svg)
    assert {one or other for one, other in references} <= set(ids)


def test_colours_follow_the_page_and_have_a_value_alone(name: str) -> None:
    svg = drawn(name)
    assert f"var(--plot-ink, {INK})" in svg
    assert not re.search(r"(?:fill|stroke): #", svg)
    assert "<style" not in svg


def test_a_data_uri_holds_the_drawing(name: str) -> None:
    svg = drawn(name)
    kind, _, content = as_data_uri(svg).partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(content).decode() == svg


def test_hostile_class_names_are_text() -> None:
    hostile = ["<script>alert(1)</script>", "$\\frac{$", "a\x00b\x1b", '"><img src=x>']
    counts = [[1] * 4] * 4
    svg = class_plots.confusion_matrix(counts, hostile)
    tags = {one.tag.removeprefix(SVG) for one in ET.fromstring(svg).iter()}
    assert tags.isdisjoint({"script", "img", "image"})
    assert "$\\frac{$" in _texts(svg)
    assert "a?b?" in _texts(svg)


def test_a_script_the_font_lacks_is_left_to_the_browser() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = plots.quarantine_reasons({"名前.enum": 3})
    assert "名前.enum" in _texts(svg)


def test_many_classes_are_cut_and_said() -> None:
    counts = [[int(row == column) for column in range(30)] for row in range(30)]
    svg = class_plots.confusion_matrix(counts, list(range(30)))
    assert "The first 12 of 30 classes are shown." in svg
    assert "30 of 30 rows predicted right" in svg


def test_a_class_that_never_was_has_no_share() -> None:
    assert "0.0%" in "".join(_texts(class_plots.confusion_matrix([[3, 0], [0, 0]], [False, True])))


def test_reasons_beyond_the_first_twelve_are_added_up() -> None:
    svg = plots.quarantine_reasons({f"rule_{place:02d}": 100 - place for place in range(20)})
    shown = _texts(svg)
    assert "rule_10" in shown
    assert "rule_11" not in shown
    assert "9 other rules" in shown
    assert f"{sum(100 - place for place in range(11, 20)):,}" in shown


def test_long_rule_ids_that_look_alike_keep_their_own_bars() -> None:
    svg = plots.quarantine_reasons({"x" * 60 + "a": 5, "x" * 60 + "b": 3})
    assert [text for text in _texts(svg) if text in {"5", "3"}].count("5") >= 1
    assert len([text for text in _texts(svg) if text.startswith("xxx")]) == 2


def test_one_line_for_each_class() -> None:
    svg = class_plots.roc_curve({"cat": LINE, "dog": LINE, "fox": LINE})
    assert {"cat", "dog", "fox"} <= set(_texts(svg))
    assert "not known" in svg


def test_of_many_lines_the_first_ten_are_drawn() -> None:
    shown = _texts(class_plots.roc_curve({f"class {place}": LINE for place in range(14)}))
    assert [text for text in shown if text.startswith("class")] == [f"class {place}" for place in range(10)]


def test_a_metric_that_is_no_loss_names_its_axis() -> None:
    shown = _texts(plots.loss_curves(([], []), ([10, 20], [31.0, 30.5]), 20, "rmse"))
    assert "root mean squared error" in shown
    assert "training" not in shown


def test_no_row_at_all_is_drawn() -> None:
    assert "0 rows kept" in plots.row_accounting(0, 0, {})


@pytest.mark.parametrize(
    ("text", "shown"), [("abc", "abc"), ("x" * 30, "x" * 23 + "…"), ("a\nb", "a?b"), (True, "True")]
)
def test_printable(text: object, shown: str) -> None:
    assert printable(text) == shown
