"""The documents are genuine, hold no secret, are the same every time, and open without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import great_expectations as gx
import pyarrow as pa
import pytest
from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResultSchema

from data_contracts.contract import ExpectationRule, RowRule
from tasks.data.document import SUITE, VALIDATION, run_document
from tasks.data.outcomes import MEASUREMENTS, ValidateConfig, read_outcomes
from tasks.data.validate import run_validate
from tasks.errors import IntegrityError
from tasks.references import DocsRef, ValidationRef
from tests.browser import chromium
from tests.tasks.data.tables import contract_of, ingest, write_parquet

PAGES = ("index.html", "result.html", "suite.html")
SECRET = "Ada Lovelace"
ALLOWED = "Grace Hopper"
ATTACK = "<script>alert(1)</script>"


def _rule(name: str, kind: str, severity: str = "error", **kwargs: object) -> ExpectationRule:
    return ExpectationRule(id=name, type=kind, kwargs=kwargs, severity=severity, line=7)


CONTRACT = contract_of(
    {"id": "integer", "word": "string", "person": "string", "size": "number"},
    key=("id",),
    rules=(
        RowRule(id="person.enum", column="person", kind="enum", argument=(ALLOWED,), line=3),
        RowRule(id="size.maximum", column="size", kind="maximum", argument=10, line=4),
    ),
    classified=("person",),
).model_copy(
    update={
        "expectation_rules": (
            _rule("median", "expect_column_median_to_be_between", column="size", max_value=3),
            _rule("rising", "expect_column_values_to_be_increasing", "warning", column="size"),
            _rule("common", "expect_column_most_common_value_to_be_in_set", column="person", value_set=[ALLOWED]),
            _rule("word <set>", "expect_column_values_to_be_in_set", column="word", value_set=["a"], mostly=0.1),
            _rule("word.set", "expect_column_values_to_be_in_set", column="word", value_set=["a"]),
        )
    }
)


@pytest.fixture(scope="module")
def documented(tmp_path_factory: pytest.TempPathFactory, dask) -> tuple[Path, ValidationRef, DocsRef]:
    home = tmp_path_factory.mktemp("home")
    rows = 50
    table = pa.table(
        {
            "id": [*range(rows - 1), 0],
            "word": ["a", ATTACK] * (rows // 2),
            "person": [ALLOWED, SECRET, SECRET, None, SECRET] * (rows // 5),
            "size": [float(number % 12) for number in range(rows)],
        }
    )
    raw = ingest(write_parquet(home / "data.parquet", table, row_group=20), CONTRACT, home, dask)
    validation = run_validate(raw, CONTRACT, ValidateConfig(), home, dask)
    return home, validation, run_document(validation, CONTRACT, home)


def _texts(docs: DocsRef) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in docs.folder.iterdir()}


class _Links(HTMLParser):
    """The fragments that a page has, where it leads, and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            elif name == "href" and tag == "a":
                self.links.append(value or "")
            elif name in {"src", "href", "srcset", "data", "action"}:
                self.loaded.append(value or "")


def test_the_documents_are_genuine(documented):
    _, _, docs = documented
    texts = _texts(docs)
    assert set(texts) == {SUITE, VALIDATION, *PAGES}
    result = ExpectationSuiteValidationResultSchema().load(json.loads(texts[VALIDATION]))
    assert result["statistics"]["unsuccessful_expectations"] == docs.failed == 7
    suite = json.loads(texts[SUITE])
    rebuilt = gx.ExpectationSuite(name=suite["name"], expectations=suite["expectations"], meta=suite["meta"])
    assert [each.meta["rule"] for each in rebuilt.expectations] == [
        rule.id for rule in (*CONTRACT.row_rules, *CONTRACT.key_rules, *CONTRACT.expectation_rules)
    ]


def test_keys_are_counted_as_the_library_counts_them(documented):
    _, _, docs = documented
    results = json.loads(_texts(docs)[VALIDATION])["results"]
    key = next(each["result"] for each in results if each["expectation_config"]["meta"]["rule"] == "key")
    assert (key["element_count"], key["unexpected_count"]) == (50, 2)


def test_no_page_loads_anything_and_every_link_leads_somewhere(documented):
    _, _, docs = documented
    texts = _texts(docs)
    pages = {name: _Links(texts[name]) for name in PAGES}
    for name, page in pages.items():
        assert page.loaded == []
        assert not {"script", "link", "img", "iframe"} & set(page.tags)
        assert "default-src 'none'; style-src 'unsafe-inline'" in texts[name]
        assert "url(" not in texts[name]
        assert "@import" not in texts[name]
        assert len(page.ids) == len(set(page.ids))
        for link in page.links:
            file, _, fragment = link.partition("#")
            assert file in {"", *texts}, link
            assert not fragment or fragment in pages[file or name].ids, link


def test_what_fails_comes_first_with_its_examples(documented):
    page = _texts(documented[2])["result.html"]
    order = [page.index(f'id="{anchor}"') for anchor in ("size.maximum", "median", "rising", "id.type")]
    assert order == sorted(order)
    assert page.index('id="failing"') < page.index('id="warnings"') < page.index('id="holding"')
    assert "4 of 50 values (8.0%) are unexpected" in page
    assert page.count("<code>11.0</code>") == 4


def test_secrets_and_markup_do_not_reach_the_documents(documented):
    for name, text in _texts(documented[2]).items():
        assert SECRET not in text, name
        assert ALLOWED not in text, name
        assert (ATTACK in text) == (name == VALIDATION), name
    assert "***" in _texts(documented[2])["result.html"]
    _, validation, _ = documented
    outcomes = json.dumps([outcome.model_dump() for outcome in read_outcomes(validation)])
    assert SECRET not in outcomes
    assert ALLOWED not in outcomes


def test_the_same_validation_gives_the_same_documents(documented, tmp_path):
    _, validation, docs = documented
    again = run_document(validation, CONTRACT, tmp_path)
    assert again.digest == docs.digest
    assert _texts(again) == _texts(docs)
    assert str(tmp_path) not in "".join(_texts(again).values())


def test_measurements_that_are_gone_are_an_error(documented, tmp_path):
    lost = documented[1].model_copy(update={"path": str(tmp_path)})
    with pytest.raises(IntegrityError, match=rf"(?s){MEASUREMENTS}.*run the pipeline again"):
        run_document(lost, CONTRACT, tmp_path)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with chromium() as opened:
        yield opened


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_asks_nobody_and_shows_every_page_whole(documented, browser, scheme, width):
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True)
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    files = [(documented[2].folder / name).as_uri() for name in PAGES]
    for file in files:
        page.goto(file)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), file
    context.close()
    assert asked == files
    assert said == []
