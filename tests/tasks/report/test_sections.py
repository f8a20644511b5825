from __future__ import annotations

from tasks.report.sections import flatten


def test_flatten_names_leaves_by_their_path() -> None:
    nested = {"a": {"b": 1, "c": {"d": [1, "x"]}}, "e": {}, "f": None, "g": 0.5, "h": True}
    assert dict(flatten(nested)) == {
        "a.b": "1",
        "a.c.d": '[1, "x"]',
        "e": "{}",
        "f": "–",  # noqa: RUF001
        "g": "0.5000",
        "h": "yes",
    }
