"""Damaging columns of text: blanks, other cases, wrong categories, words for null, broken instants and addresses."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.data.dirty.base import (
    BAD_EMAIL,
    BAD_TS,
    DOMAINS,
    FIRST_NAMES,
    LAST_NAMES,
    MESSES,
    NULL_TOKENS,
    RATES,
)

MISSING, WRONG = -1, -2
_STRANGE = ("XX", "??", "Zz9")


@dataclass(frozen=True)
class Damage:
    """What may happen to a column of categories: the rates of wrong and missing values, and words for null."""

    wrong: float = 0.0
    missing: float = 0.0
    tokens: bool = True


def drawn(random: np.random.Generator, rows: int, rate: float) -> np.ndarray:
    """Draw rows at a rate; int64, ascending and distinct."""
    return np.unique(random.integers(0, rows, random.binomial(rows, rate)))


def marked(rows: int, chosen: np.ndarray) -> np.ndarray:
    """Return a mask, bool [rows], of the chosen rows."""
    mask = np.zeros(rows, bool)
    mask[chosen] = True
    return mask


def damage_category(
    random: np.random.Generator, codes: np.ndarray, values: list[str], damage: Damage
) -> tuple[pa.Array, np.ndarray, Counter[str]]:
    """Damage a column of categories.

    Returns:
        The texts, the code that each row should end with (`MISSING`, `WRONG`), and how often what was done.
    """
    rows, known, ways = len(codes), len(values), len(MESSES)
    pool = [*values, *(mess(value) for value in values for mess in MESSES), *_STRANGE, *NULL_TOKENS]
    strange, tokens = known * (1 + ways), known * (1 + ways) + len(_STRANGE)
    truth = codes.astype("int64", copy=True)
    index = np.where(truth < 0, 0, truth)
    null = truth < 0
    counts: Counter[str] = Counter()
    messy = drawn(random, rows, RATES["messy_string"])
    messy = messy[truth[messy] >= 0]
    index[messy] = known + truth[messy] * ways + random.integers(0, ways, len(messy))
    counts["messy"] = len(messy)
    if damage.wrong:
        wrong = drawn(random, rows, damage.wrong)
        index[wrong] = strange + random.integers(0, len(_STRANGE), len(wrong))
        truth[wrong], null[wrong] = WRONG, False
        counts["bad"] = len(wrong)
    if damage.missing:
        missing = drawn(random, rows, damage.missing)
        truth[missing], null[missing] = MISSING, True
        counts["missing"] = len(missing)
    if damage.tokens:
        said = drawn(random, rows, RATES["null_token"])
        index[said] = tokens + random.integers(0, len(NULL_TOKENS), len(said))
        truth[said], null[said] = MISSING, False
        counts["null_token"] = len(said)
    return pc.take(pa.array(pool), pa.array(index.astype("int32"), mask=null)), truth, counts


def damage_instants(random: np.random.Generator, instants: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Replace some instants by what is none, or not of the year; returns the mask of those too."""
    bad = drawn(random, len(instants), RATES["bad_ts"])
    mask = marked(len(instants), bad)
    replaced = pa.array([BAD_TS[i] for i in random.integers(0, len(BAD_TS), len(bad))], pa.string())
    return pc.replace_with_mask(instants, pa.array(mask), replaced), mask


def damage_people(random: np.random.Generator, rows: int) -> tuple[dict[str, Any], np.ndarray, Counter[str]]:
    """Make up names and e-mail addresses and damage the addresses.

    Returns:
        The two columns, the code of each address's domain (`MISSING` where there is none), and counts.
    """
    first, last = random.integers(0, len(FIRST_NAMES), rows), random.integers(0, len(LAST_NAMES), rows)
    number, domain = random.integers(0, 10000, rows), random.integers(0, len(DOMAINS), rows)
    given, family = pc.take(pa.array(FIRST_NAMES), pa.array(first)), pc.take(pa.array(LAST_NAMES), pa.array(last))
    name = pc.binary_join_element_wise(pc.utf8_capitalize(given), pc.utf8_capitalize(family), " ")
    user = pc.binary_join_element_wise(given, family, ".")
    user = pc.binary_join_element_wise(user, pc.cast(pa.array(number), pa.string()), "")
    mail = pc.binary_join_element_wise(user, pc.take(pa.array(DOMAINS), pa.array(domain)), "@")
    counts: Counter[str] = Counter()
    messy = marked(rows, drawn(random, rows, RATES["messy_string"]))
    shouted = pc.binary_join_element_wise(" ", pc.utf8_upper(mail.filter(pa.array(messy))), "")
    mail = pc.replace_with_mask(mail, pa.array(messy), shouted)
    counts["email.messy"] = int(messy.sum())
    bad = marked(rows, drawn(random, rows, RATES["bad_email"]))
    broken = pa.array([BAD_EMAIL[i] for i in random.integers(0, len(BAD_EMAIL), int(bad.sum()))], pa.string())
    mail = pc.replace_with_mask(mail, pa.array(bad), broken)
    counts["email.bad"] = int(bad.sum())
    missing = marked(rows, drawn(random, rows, RATES["missing"]))
    mail = pc.if_else(pa.array(missing), pa.scalar(None, pa.string()), mail)
    counts["email.missing"] = int(missing.sum())
    domain[bad | missing] = MISSING
    return {"pax_name": name, "email": mail}, domain, counts
