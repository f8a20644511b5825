"""Likely personal data, by what a column is called and by what its texts look like."""

from __future__ import annotations

import re

from data_contracts.formats import STRING_FORMATS
from tasks.profiling.facts import ColumnFacts
from tasks.profiling.words import words_of

# The share of the sampled texts that must look like it.
_MOST = 0.8
_LOOKS = {
    "e-mail addresses": re.compile(STRING_FORMATS["email"]),
    "IBANs": re.compile(r"^[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?$"),
    "IP addresses": re.compile(f"{STRING_FORMATS['ipv4']}|{STRING_FORMATS['ipv6']}"),
    "telephone numbers": re.compile(r"^\+[0-9][0-9 ()/.-]{6,18}$|^\(?[0-9]{3}\)?[ .-][0-9]{3}[ .-][0-9]{4}$"),
}
_PHONE = re.compile(r"^\+?[0-9(][0-9 ()/.-]{5,19}$")
_FULL_NAME = re.compile(r"^(?:[A-Z][\w'.-]+,? ){1,3}[A-Z][\w'-]+$")
_FIRST = frozenset(
    {"firstname", "lastname", "surname", "forename", "fullname", "vorname", "nachname", "prenom", "apellido"}
)
_SAID = (
    (_FIRST, "names of people"),
    (frozenset({"street", "strasse", "stra\u00dfe", "address", "adresse", "direccion"}), "addresses"),
    (frozenset({"birthdate", "birthday", "dob", "geburtsdatum", "geburtstag"}), "dates of birth"),
    (frozenset({"ssn", "passport", "iban", "creditcard", "taxid"}), "numbers of documents or accounts"),
)
_PHONE_WORDS = frozenset({"phone", "tel", "telephone", "telefon", "mobile", "handy", "fax", "cell"})


def personal_kind(facts: ColumnFacts) -> str | None:
    """Return what personal data a column seems to hold, in the plural; None where nothing speaks for it."""
    words = set(words_of(facts.name))
    joined = "".join(words_of(facts.name))
    for said, what in _SAID:
        if words & said or joined in said:
            return None if what == "addresses" and facts.kind != "string" else what
    if "birth" in words and facts.kind in {"date", "timestamp", "string"}:
        return "dates of birth"
    return _by_texts(facts, words) if facts.kind == "string" else _by_numbers(facts, words)


def _by_numbers(facts: ColumnFacts, words: set[str]) -> str | None:
    numbers = facts.kind == "integer" and facts.distinct > 0.5 * facts.told and (facts.minimum or 0) > 10**6
    return "telephone numbers" if words & _PHONE_WORDS and numbers else None


def _by_texts(facts: ColumnFacts, words: set[str]) -> str | None:
    found = next((what for what, pattern in _LOOKS.items() if _mostly(pattern, facts)), None)
    if found is not None:
        return found
    if words & _PHONE_WORDS and _mostly(_PHONE, facts):
        return "telephone numbers"
    different = "name" in words and facts.distinct > 0.3 * facts.told and _mostly(_FULL_NAME, facts)
    named = {"first", "name"} <= words or {"last", "name"} <= words
    return "names of people" if named or different else None


def _mostly(pattern: re.Pattern[str], facts: ColumnFacts) -> bool:
    found = sum(pattern.match(text) is not None for text in facts.sample)
    return bool(facts.sample) and found >= _MOST * len(facts.sample)
