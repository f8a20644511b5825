"""The fast reading of YAML says what the slow one does, to the line, or leaves the file to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from data_contracts import yaml_lines
from data_contracts.yaml_fast import read_fast
from data_contracts.yaml_lines import YamlFileError, read_yaml

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("data_contracts/*.yaml"), *ROOT.glob("pipelines/configs/*.yaml"),
                ROOT / "tests/data_contracts/everything.odcs.yaml"])  # fmt: skip


def alike(text: str) -> bool:
    """Tell whether both readings agree where both read; libyaml takes a few files that ruamel.yaml does not."""
    found, expected = read_fast(text), slow(text)
    return found is None or expected is None or (repr(found[0]), found[1]) == (repr(expected[0]), expected[1])


def slow(text: str) -> tuple[Any, Any] | None:
    try:
        root = YAML(typ="rt", pure=True).load(text)
    except (YAMLError, ValueError, TypeError, IndexError):
        return None
    lines: dict[Any, int] = {}
    return (yaml_lines._plain(root, (), lines), lines) if isinstance(root, CommentedMap) else None


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_shipped_files_are_read_fast_and_alike(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert read_fast(text) is not None
    assert slow(text) is not None
    assert alike(text)


@pytest.mark.parametrize(
    "value",
    [
        "yes", "on", "True", "FALSE", "tRue", "null", "~", "", "Null", "0", "-0", "007", "0o17", "0x1F", "0b11",
        "1_000", "+5", "1.", ".5", "1e5", "1.5E-3", "-1e-05", ".inf", "-.INF", ".nan", "1:30", "12:30:45",
        "2013-01-31", "0 6 * * *", "9223372036854775808", "1234567890123456789012", "'1'", '"a\\n b"', "=", "- ",
        "a: b", "a #b", "a#b", "|\n  x\n  y", ">\n  x\n  y", "[1, 2.0, yes]", "{b: 1, c: }", "[[], {}]", "x  y",
        "a\n  b", "1.5.2", "1,000", "-", "--", "+.", "-x", ".", "_",
    ],
)  # fmt: skip
def test_a_value_means_what_it_does_to_the_slow_reading(value: str) -> None:
    text = f"# c\na: {value}\nb:\n- {value}\n"
    assert alike(text)
    assert (read_fast(text) is None) == (value in {"=", "- ", "a: b", "-"})


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x\n", "a: {b: &x 1}\n", "? a\n: b\n", "a: !!str 1\n", "a: !own 1\n", "a: {b: 1}\n<<: {c: 2}\n",
        "%YAML 1.1\n---\na: yes\n", "1: a\n", "a: 1\na: 2\n", "[1]\n", "a: [\n", "", "\ufeffa: 1\n",
        "a: 2013-01-31T10:00:00Z\n", "? [a]\n: b\n", "a: 1\n---\nb: 2\n", "a: \x07\n",
        "a: " + "[" * 2000 + "]" * 2000,
    ],
    ids=repr,
)  # fmt: skip
def test_what_only_the_slow_reading_knows_is_left_to_it(text: str) -> None:
    assert read_fast(text) is None


WORDS = st.text(alphabet="ab0159.-+_eE:,#'\"{}[]&*!|>%@~ tryn\u00e4\u20ac\t", max_size=8)
LINES = st.lists(st.tuples(st.sampled_from(["", "  ", "- ", "  - ", "    "]), WORDS, WORDS), min_size=1, max_size=5)


@settings(max_examples=200, deadline=None)
@given(lines=LINES, colon=st.sampled_from([": ", ":\n", ": '", ": ["]))
def test_whatever_is_read_fast_is_read_alike(lines: list[tuple[str, str, str]], colon: str) -> None:
    text = "\n".join(f"{indent}{key}{colon}{value}" for indent, key, value in lines)
    assert alike(text)


def test_errors_name_the_line_as_before(tmp_path: Path) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text("a: 1\nb: 2\na: 3\n", encoding="utf-8")
    with pytest.raises(YamlFileError, match=r"twice\.yaml:3: not valid YAML: found duplicate key"):
        read_yaml(path)
