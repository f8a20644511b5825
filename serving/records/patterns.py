"""Regular expressions of contracts, run by RE2 as where the contract's data is checked.

RE2 takes time linear in the text, whatever the pattern. Python's `re` can be kept busy for ever by one value: `^(a+)+$`
needs twice as long for each further `a` of a text that does not match.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import re2  # type: ignore[import-untyped]

# A backslash and what it escapes, so that the second of two backslashes escapes nothing.
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class PatternError(ValueError):
    """RE2 does not take the pattern."""


def finder(pattern: str) -> Callable[[str], Any]:
    """Return what says whether a pattern is found anywhere in a text: truthy if it is.

    Raises:
        PatternError: It is no pattern of RE2, which knows neither lookaround nor references to groups.
    """
    # One pattern needs no set, but a set is asked without the groups' places and five times as fast.
    patterns = re2.Set.SearchSet(_options())
    try:
        patterns.Add(pattern)
    except re2.error as error:
        raise PatternError(_said(error)) from error
    patterns.Compile()
    match: Callable[[str], Any] = patterns.Match
    return match


def group_finder(pattern: str) -> Callable[[str], str]:
    """Return what gives the text of a pattern's first group where it is first found; the empty text where nothing is.

    Args:
        pattern: As bundles have it: what RE2 and Python's `re` both know, but for the end of the text, which is in
            Python's words.

    Raises:
        PatternError: It is no pattern of RE2, or has no group.
    """
    own = _ESCAPE.sub(lambda escape: r"\z" if escape[1] == "Z" else escape[0], pattern)
    try:
        compiled = re2.compile(own, _options())
    except re2.error as error:
        raise PatternError(_said(error)) from error
    if not compiled.groups:
        raise PatternError("there is no group")
    search = compiled.search

    def find(text: str) -> str:
        found = search(text)
        return "" if found is None else found.group(1) or ""

    return find


def _options() -> Any:
    options = re2.Options()
    # It would write to standard error by itself.
    options.log_errors = False
    return options


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else "no pattern of RE2"
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)
