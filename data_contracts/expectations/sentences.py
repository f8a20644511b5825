"""What an expectation asks for, in the library's own words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.registry import get_renderer_impl

_PLACE = re.compile(r"\$(\w+)")
# The library writes `$v__0 $v__1 ...` for the values of a set.
_LISTED = re.compile(r"v__(\d+)")
_SHOWN = 12
# The library has no sentence for the first two, which are ours, and draws a chart for the third.
_MULTIPLES, _METRIC = "expect_column_values_to_be_multiples_of", "expect_contract_metric_to_hold"
_DIVERGENCE = "expect_column_kl_divergence_to_be_less_than"
_STYLE = {"styling": {}, "include_column_name": True}


class Part(NamedTuple):
    """A piece of a sentence; `value` tells an argument from the words around it."""

    text: str
    value: bool


def sentence(kind: str, kwargs: Mapping[str, Any]) -> list[Part]:
    """Return the sentence that Great Expectations renders for an expectation, in parts.

    Args:
        kind: The expectation's registered type.
        kwargs: Its arguments; masked ones are shown as they are.
    """
    if kind in _OWN:
        return _OWN[kind](kwargs)
    found = get_renderer_impl(kind, "renderer.prescriptive")
    if found is None:
        return [Part(f"{kind} {dict(kwargs)}", value=False)]
    _, render = found
    blocks: Any = render(
        configuration=ExpectationConfiguration(type=kind, kwargs=dict(kwargs)), runtime_configuration=_STYLE
    )
    block: Any = blocks[0] if isinstance(blocks[0], dict) else blocks[0].to_json_dict()
    rendered = block["string_template"]
    # The library forgets this one where every value is asked for.
    params = {"mostly_pct": f"{100 * (kwargs.get('mostly') or 1):g}", **rendered["params"]}
    parts = _filled(rendered["template"], params)
    if isinstance(ranges := kwargs.get("quantile_ranges"), Mapping):
        parts += [
            part for pair in zip(ranges["quantiles"], ranges["value_ranges"], strict=False) for part in _range(*pair)
        ]
    return [part for part in parts if part.text]


def _filled(words: str, params: Mapping[str, Any]) -> list[Part]:
    """Put arguments into the places of a template; of a long list, only the first ones."""
    parts: list[Part] = []
    start = left_out = 0
    for place in _PLACE.finditer(words):
        name = place.group(1)
        if name not in params:
            continue
        if (listed := _LISTED.fullmatch(name)) and int(listed.group(1)) >= _SHOWN:
            left_out += 1
        else:
            parts += [Part(words[start : place.start()], value=False), Part(_text(params[name]), value=True)]
        start = place.end()
    if left_out:
        parts.append(Part(f" and {left_out:,} more", value=False))
    return [*parts, Part(words[start:], value=False)]


def _range(quantile: Any, ends: Any) -> list[Part]:
    low, high = ("any" if end is None else _text(end) for end in ends)
    return [Part(" ", value=False), Part(f"{quantile}: {low} to {high}", value=True)]


def _multiples(kwargs: Mapping[str, Any]) -> list[Part]:
    return _filled("$column values must be whole multiples of $factor.", kwargs)


def _divergence(kwargs: Mapping[str, Any]) -> list[Part]:
    return _filled(
        "$column divergence from the given distribution (Kullback-Leibler) must be at most $threshold.", kwargs
    )


def _metric(kwargs: Mapping[str, Any]) -> list[Part]:
    bound = kwargs["bound"]
    params = {
        "columns": ", ".join(kwargs["columns"]) or "the table",
        "metric": kwargs["metric"],
        "bound": " and ".join(map(_text, bound)) if isinstance(bound, list | tuple) else _text(bound),
    }
    compared = re.sub(r"(?=[A-Z])", " ", str(kwargs["operator"])).lower()
    unit = "percent of the rows" if kwargs["unit"] == "percent" else "rows"
    return _filled(f"$metric of $columns {compared} $bound {unit}.", params)


def _text(value: Any) -> str:
    return f"{value:.0f}" if isinstance(value, float) and abs(value) < 1e15 and value.is_integer() else str(value)


_OWN: Mapping[str, Callable[[Mapping[str, Any]], list[Part]]] = {
    _MULTIPLES: _multiples,
    _METRIC: _metric,
    _DIVERGENCE: _divergence,
}
