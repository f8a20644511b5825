"""The page in a real browser, against the real server process."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import onnx.parser
import pytest
from PIL import Image

from serving.bundle.manifest import MODEL, InputSpec, OutputSpec
from serving.bundle.store import ModelStore
from serving.guard.key_file import add_key
from tests.serving.bundles import INPUTS, Endpoint, promote, serving, small_model, write_bundle
from tests.serving.records.test_tensor_column import _GRAPH as BRIGHT
from tests.serving.records.test_tensor_column import SPEC as PICTURE

NETWORK = (
    '<ir_version: 10, opset_import: ["": 18]> network (float[batch, 2] x) => (float[batch, 2] probabilities) '
    "{ probabilities = Softmax <axis = 1> (x) }"
)
NASTY = "<img src=x onerror=alert(1)>"


@dataclass
class Visit:
    """A tab, what it said on its console and what it asked for."""

    page: Any
    url: str
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def text(self, selector: str) -> str:
        found: str = self.page.locator(selector).first.inner_text()
        return found

    def wait(self, selector: str, text: str | re.Pattern[str]) -> None:
        self.page.locator(selector, has_text=text).first.wait_for(timeout=15_000)

    def predictions(self) -> int:
        return sum(url.endswith(":predict") for url in self.asked)


@pytest.fixture
def visit(browser: Any) -> Iterator[Any]:
    contexts = []

    def begin(url: str, **options: Any) -> Visit:
        context = browser.new_context(**options)
        contexts.append(context)
        visit = Visit(context.new_page(), url)
        visit.page.on("console", lambda message: visit.said.append(message.text))
        visit.page.on("pageerror", lambda error: visit.said.append(str(error)))
        visit.page.on("request", lambda request: visit.asked.append(request.url))
        visit.page.goto(url)
        return visit

    yield begin
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_it_loads_whole_and_asks_nobody_else(endpoint: Endpoint, visit: Any, scheme: str, width: int) -> None:
    seen = visit(endpoint.url, viewport={"width": width, "height": 800}, color_scheme=scheme)
    seen.wait("#health", "One model")
    seen.wait(".bars li", "late")
    seen.wait("[data-figure=requests]", re.compile(r"\d"))
    assert seen.text("#model-name") == "small"
    assert seen.text("#versions") == "version 1champion"
    assert seen.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert all(url.startswith(endpoint.url + "/") for url in seen.asked)
    assert seen.said == []
    levels = seen.page.locator("h1, h2:visible, h3:visible, h4:visible").evaluate_all(
        "all => all.map(h => +h.tagName[1])"
    )
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    unlabelled = "all => all.filter(one => !one.labels.length).map(one => one.outerHTML)"
    assert seen.page.locator("input, select").evaluate_all(unlabelled) == []


def test_it_predicts_as_one_types_and_says_what_is_wrong_where_it_is(endpoint: Endpoint, visit: Any) -> None:
    seen = visit(endpoint.url)
    page = seen.page
    seen.wait("#headline", "late")
    page.get_by_label("charter").check()
    seen.wait(".bars li", "100.0%")
    distance = page.get_by_label("distance")
    before = seen.predictions()
    distance.fill("")
    distance.press_sequentially("-5000", delay=10)
    seen.wait(".field .violation", "expected >= 0, got -5000")
    assert seen.predictions() <= before + 2
    assert distance.get_attribute("aria-invalid") == "true"
    assert page.evaluate(
        "id => document.getElementById(id).textContent", distance.get_attribute("aria-describedby").split()[1]
    )
    assert seen.text("#refusal") == "One field breaks the contract."
    distance.fill("")
    page.get_by_label("charter").uncheck()
    page.get_by_label("carrier").select_option("unknown")
    page.get_by_label("departs").fill("1969-12-31T23:00:00")
    seen.wait(".field .violation", "expected >= 2000-01-01T00:00:00Z")
    page.get_by_label("departs").fill("")
    # 0.5 for an unknown carrier, nothing else.
    seen.wait(".bars li", "62.2%")
    command = unquote(seen.text("#curl"))
    assert "/v1/models/small:predict" in command
    assert '{"records": [{"seats": ' in command
    page.get_by_role("button", name="Clear").click()
    seen.wait(".field .violation", "expected no null")
    page.get_by_role("button", name="Example").click()
    seen.wait("#answered", "Version 1")
    assert seen.text("#refusal") == ""


def test_numbers_keep_every_digit_that_was_typed(endpoint: Endpoint, visit: Any) -> None:
    seen = visit(endpoint.url)
    seen.wait("#headline", "late")
    seen.page.get_by_label("seats").fill("9007199254740995")
    # More than 2**53 + 1 seats, which a double cannot tell from 2**53 + 4.
    seen.wait(".bars li", "100.0%")
    assert '"seats": 9007199254740995' in seen.text("#curl")


def test_it_can_be_used_by_keyboard_alone(endpoint: Endpoint, visit: Any) -> None:
    seen = visit(endpoint.url)
    page = seen.page
    seen.wait("#headline", "late")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    reached: list[str] = []
    while "curl" not in reached and len(reached) < 30:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", reached[-3:]
        if reached[-1] == "field-4":
            page.keyboard.press("Space")
    assert reached[:3] == ["fill", "clear", "field-0"]
    assert {"field-1", "field-2", "field-3", "field-4", "copy"} <= set(reached)
    seen.wait(".bars li", "100.0%")


def test_a_hot_swap_shows_up_and_keeps_what_was_typed(tmp_path: Path, visit: Any) -> None:
    promote(tmp_path / "models")
    with serving(tmp_path / "models", tmp_path / "log", "--set", "poll_seconds=0.05") as endpoint:
        seen = visit(endpoint.url)
        seen.wait("#headline", "late")
        seen.page.get_by_label("distance").fill("0")
        seen.wait(".bars li", "on time")
        # Text from a bundle stays text.
        inputs = tuple(spec.model_copy(update={"description": NASTY}) for spec in INPUTS)
        store = ModelStore(tmp_path / "models")
        stored = store.register("small", lambda folder: write_bundle(folder, small_model(9), inputs=inputs))
        store.set_champion("small", stored.version)
        seen.wait("#versions", "version 2")
        seen.wait("#answered", "Version 2")
        seen.wait(".field .hint", NASTY)
        assert seen.page.get_by_label("distance").input_value() == "0"
        assert "kept for a rollback" in seen.text("#versions")
        assert seen.text("#news") == "Version 2 is shown now: champion."
        seen.page.get_by_role("link", name="version 1").click()
        seen.wait("#answered", "Version 1")
        assert seen.page.url.endswith("#small/1")
        assert seen.said == []


def test_a_key_is_asked_for_and_kept_nowhere(tmp_path: Path, visit: Any) -> None:
    promote(tmp_path / "models")
    keys = tmp_path / "keys.json"
    key = add_key(keys, "reader", ["small"], ["predict", "describe"])
    with serving(tmp_path / "models", tmp_path / "log", "--keys", str(keys)) as endpoint:
        seen = visit(endpoint.url)
        page = seen.page
        seen.wait("#door", "API key")
        assert not page.locator("#model").is_visible()
        page.keyboard.type("wrong")
        page.keyboard.press("Enter")
        seen.wait("#key-error", "not valid")
        page.get_by_role("textbox", name="API key").fill(key)
        page.keyboard.press("Enter")
        seen.wait("#headline", "late")
        assert "$HEADRACE_KEY" in seen.text("#curl")
        assert not page.get_by_role("link", name="OpenAPI").is_visible()
        assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
        assert not any(key in url for url in [*seen.asked, page.url])
        assert key not in page.content()
        page.get_by_role("button", name="Forget the key").click()
        seen.wait("#health", "Locked")
        assert not page.locator("#model").is_visible()


def test_pictures_are_sent_as_levels_and_what_has_no_form_says_so(tmp_path: Path, visit: Any) -> None:
    store = ModelStore(tmp_path / "models")
    bright, network = onnx.parser.parse_model(BRIGHT), onnx.parser.parse_model(NETWORK)
    bare = InputSpec(name="x", datatype="FP32", tensor="float32", logical_type="tensor", nullable=False, shape=(2,))
    outputs = (OutputSpec(name="probabilities", datatype="FP32", shape=(-1, 2)),)
    made: dict[str, Callable[[Path], None]] = {
        "bright": lambda folder: write_bundle(folder, bright, model="bright", inputs=(PICTURE,)),
        "network": lambda folder: write_bundle(folder, network, model="network", inputs=(bare,), outputs=outputs),
        "torn": lambda folder: write_bundle(folder, small_model(), model="torn"),
    }
    for name, write in made.items():
        store.set_champion(name, store.register(name, write).version)
    (tmp_path / "models" / "torn" / "1" / MODEL).write_bytes(b"")
    with serving(tmp_path / "models", tmp_path / "log") as endpoint:
        seen = visit(endpoint.url)
        picture = seen.page.get_by_label("image")
        for level, label in ((255, "late"), (0, "on time")):
            drawn = io.BytesIO()
            Image.new("L", (9, 9), level).save(drawn, "PNG")
            picture.set_input_files({"name": "p.png", "mimeType": "image/png", "buffer": drawn.getvalue()})
            seen.wait("#headline", label)
        picture.set_input_files({"name": "p.png", "mimeType": "image/png", "buffer": b"no picture"})
        seen.wait(".field .violation", "not a picture")
        seen.wait("#answered", "Choose a picture.")
        assert seen.text("#headline") == ""
        assert not seen.page.locator("#fill").is_visible()
        assert seen.said == []
        seen.page.get_by_role("link", name="network").click()
        seen.wait("#ask-note", "This form is for tables and pictures")
        assert seen.page.locator("#fields input").count() == 0
        seen.page.get_by_role("link", name="torn").click()
        seen.wait("#versions", "new champion refused")
        assert "altered since it was exported" in seen.text("#versions")
        assert not seen.page.locator("#fields").is_visible()
        seen.wait("#health", "torn has a refused version")
