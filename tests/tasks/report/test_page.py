"""Whether everybody can read the report, and what stands beside it."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

from tasks.report.inputs import Accounting, EarlyInputs
from tasks.report.report import render, run_early_report, run_report
from tests.browser import chromium
from tests.tasks.report.example import RULES, example_inputs, plain_inputs
from tests.tasks.report.page import Page, example_page


def test_headings_and_landmarks_are_in_order() -> None:
    page = Page(example_page())
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    assert [page.count(tag) for tag in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    assert ("html", {"lang": "en"}) in page.elements
    assert all(attributes.get("aria-label") for tag, attributes in page.elements if tag == "nav")
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    within = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert {str(target).removeprefix("#") for target in within} <= ids
    regions = [attributes for _, attributes in page.elements if attributes.get("role") == "region"]
    assert all(region["aria-label"] and region["tabindex"] == "0" for region in regions)


def test_no_colour_is_needed_to_know_how_it_stands() -> None:
    said = Page(example_page()).said
    assert "Is the model good? refused ROC-AUC 0.7512 (0.7463 to 0.7561)" in said
    assert "Can the data be trusted? yes All 336,776 rows are accounted for" in said


def test_the_documents_of_the_data_are_linked_to() -> None:
    page = Page(render(plain_inputs(documents="data_docs/index.html")))
    assert ("a", {"href": "data_docs/index.html"}) in page.elements
    assert "Data Docs" not in Page(example_page()).said


def test_a_run_that_ended_early_tells_of_its_data(tmp_path: Path) -> None:
    rows = Accounting(rows_in=10, kept=5, quarantined={"a.enum": 5}, duplicates=0, splits={})
    message = "the data broke it\n  do: mend <b>&"
    told = EarlyInputs(pipeline="x", verdict="contract broken", message=message, accounting=rows, rules=RULES)
    page = Page(run_early_report(told, tmp_path / "report.html").read_text())
    assert "Ended early: x, contract broken" in page.said
    assert "do: mend <b>&" in page.said
    assert "a.enum 5" in page.said
    assert (page.count("script"), page.count("h1"), page.count("svg")) == (0, 1, 2)
    assert json.loads((tmp_path / "report.json").read_bytes())["accounting"]["rows_in"] == 10


def test_beside_the_page_stands_what_it_tells(tmp_path: Path) -> None:
    run_report(plain_inputs(), tmp_path / "report.html")
    told = json.loads((tmp_path / "report.json").read_bytes())
    assert told["accounting"]["rows_in"] == 336_776
    assert [answer["section"] for answer in told["answers"]] == ["quality", "data", "failures", "parity"]
    assert "curves" not in told["evaluated"]


def test_tables_and_drawings_are_accessible() -> None:
    page = Page(example_page())
    assert page.count("h1") == 1
    assert page.count("caption") == page.count("table")
    assert all("scope" in attributes for tag, attributes in page.elements if tag == "th")
    drawings = [attributes for tag, attributes in page.elements if tag == "svg"]
    assert len(drawings) == 9
    assert all(attributes["role"] == "img" and attributes["aria-labelledby"] for attributes in drawings)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_have_contrast_in_every_scheme() -> None:
    """WCAG 2.1, success criterion 1.4.3: 4.5 to 1 for text."""
    style = example_page()
    schemes = [dict(re.findall(r"--(\w+): (#\w{6})", block)) for block in re.findall(r":root \{([^}]*)\}", style)]
    assert len(schemes) == 3
    for scheme in schemes:
        for ground in ("page", "card"):
            for text in ("ink", "muted", "blue", "amber", "green", "red"):
                light, dark = sorted((_luminance(scheme[ground]), _luminance(scheme[text])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (scheme, ground, text)


@pytest.mark.integration
@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 400)])
def test_a_browser_shows_it_whole(tmp_path: Path, scheme: str, width: int) -> None:
    page_file = run_report(example_inputs(documents="data_docs/index.html"), tmp_path / "report.html")
    asked: list[str] = []
    with chromium() as browser:
        page = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 800})
        page.on("request", lambda request: asked.append(request.url))
        page.goto(page_file.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        rules = page.locator("details table")
        assert not rules.is_visible()
        page.emulate_media(media="print")
        assert rules.is_visible(), "what is folded up must be printed"
        assert not page.locator("nav").is_visible()
    assert asked == [page_file.as_uri()]
