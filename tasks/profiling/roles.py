"""What a column is for: a key, a group, a time, personal data, nothing to learn from, or a feature."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tasks.profiling.facts import ColumnFacts
from tasks.profiling.personal import personal_kind
from tasks.profiling.words import words_of

_NAMING = frozenset(
    {"id", "ids", "uuid", "guid", "key", "pk", "rownames", "rowname", "rowid", "index", "idx", "unnamed"}
)
_NUMBERING = frozenset({"no", "nr", "number", "num", "code", "row", "column", "obs", "ref"})
_ENTITIES = frozenset({"patient", "customer", "user", "subject", "client", "session", "person", "household", "member",
                       "account", "student", "individual", "kunde", "case"})  # fmt: skip
_BIRTH = frozenset({"birth", "born", "birthday", "dob", "geburtsdatum", "geburtstag"})
_LEAST_GROUPS, _ROWS_EACH = 20, 1.9
_LEAST_TIMES = 20
_SERIAL = frozenset({"number", "no", "nr", "num"})
# Where a single text stands in so many of the rows, at least and at most, that it stands there says something.
_TELLING = 0.01, 0.99
_NEARLY_UNIQUE = 0.5


@dataclass(frozen=True)
class Roles:
    """What the columns of a dataset are for.

    Attributes:
        key: The column that names each row; None without one.
        group: The column whose rows belong together, with the reason.
        groups: How many values that column has; None without one.
        time: The column that says when a row happened, with the reason.
        personal: What personal data a column seems to hold, by column.
        useless: Why a column is no feature, by column; the key, personal data and the group's name are here too.
        warnings: What a person should know, about all of it.
    """

    key: str | None
    group: tuple[str, str] | None
    groups: int | None
    time: tuple[str, str] | None
    personal: dict[str, str]
    useless: dict[str, str]
    warnings: tuple[str, ...]


def find_roles(columns: Sequence[ColumnFacts], targets: Sequence[str]) -> Roles:
    """Tell what each column is for, what is predicted being known."""
    others = [facts for facts in columns if facts.name not in targets]
    personal = {facts.name: kind for facts in others if (kind := personal_kind(facts)) is not None}
    keys = [facts.name for place, facts in enumerate(others) if _names_rows(facts, first=place == 0)]
    key = keys[0] if keys else None
    group = next((found for facts in others if facts.name != key and (found := _groups(facts))), None)
    time = next((found for facts in others if facts.name not in personal and (found := _times(facts))), None)
    useless = {facts.name: why for facts in others if (why := _useless(facts, keys)) is not None}
    useless |= {name: f"likely personal: {kind}" for name, kind in personal.items()}
    if group is not None:
        useless.setdefault(group[0], "names whom the rows belong to, which tells nothing of anybody new")
    groups = next((facts.distinct for facts in others if group is not None and facts.name == group[0]), None)
    return Roles(key, group, groups, time, personal, useless, tuple(_warnings(useless, personal, keys)))


def _names_rows(facts: ColumnFacts, *, first: bool) -> bool:
    if facts.nulls or not facts.unique or facts.kind not in {"integer", "string"} or facts.rows < 2:
        return False
    words = set(words_of(facts.name))
    if words & _NAMING:
        return True
    if facts.kind == "string":
        return bool(words & (_NUMBERING | _ENTITIES)) and facts.longest <= 64
    counted = facts.minimum in {0, 1} and facts.maximum == facts.rows - 1 + (facts.minimum or 0)
    return counted and (first or bool(words & _NUMBERING))


def _groups(facts: ColumnFacts) -> tuple[str, str] | None:
    words = words_of(facts.name)
    named = "id" in words or (words[-1:] and words[-1] in _ENTITIES)
    if not named or facts.nulls or facts.kind not in {"integer", "string"}:
        return None
    if facts.distinct < _LEAST_GROUPS or facts.told < _ROWS_EACH * facts.distinct:
        return None
    each = facts.told / facts.distinct
    return facts.name, f"each `{facts.name}` has {each:.1f} rows on average, which must not be in two splits"


def _times(facts: ColumnFacts) -> tuple[str, str] | None:
    if facts.kind not in {"date", "timestamp"} or facts.nulls or facts.distinct < _LEAST_TIMES:
        return None
    if set(words_of(facts.name)) & _BIRTH:
        return None
    return facts.name, f"`{facts.name}` says when: the latest rows are the test, as the future will be"


def _useless(facts: ColumnFacts, keys: Sequence[str]) -> str | None:
    if not facts.told:
        return "holds no value"
    if facts.distinct <= 1:
        if not facts.nulls:
            return "holds the same value in every row"
        if facts.kind != "string" or not _TELLING[0] <= facts.told / facts.rows <= _TELLING[1]:
            return "holds one value, or none"
        return None
    if facts.name in keys:
        return "names each row: a model would learn it by heart"
    return _useless_text(facts) if facts.kind == "string" else _useless_number(facts)


def _useless_number(facts: ColumnFacts) -> str | None:
    if facts.kind != "integer":
        return None
    words = words_of(facts.name)
    serial = len(words) > 1 and words[-1] in _SERIAL
    if (set(words) & _NAMING or serial) and facts.distinct > _LEAST_GROUPS:
        return f"{facts.distinct:,} numbers that name something and measure nothing"
    if facts.maximum is not None and facts.maximum >= 2**53:
        return "numbers beyond 2^53, which a model cannot tell apart"
    return None


def _useless_text(facts: ColumnFacts) -> str | None:
    if facts.told >= 20 and facts.distinct > _NEARLY_UNIQUE * facts.told:
        return f"nearly every text is another ({facts.distinct:,} in {facts.told:,} rows)"
    return None


def _warnings(useless: dict[str, str], personal: dict[str, str], keys: Sequence[str]) -> list[str]:
    said = [f"`{name}` seems to hold {kind}: restricted in the contract, no feature" for name, kind in personal.items()]
    said += [
        f"`{name}` is no feature: {why}" for name, why in useless.items() if name not in personal and name not in keys
    ]
    return said
