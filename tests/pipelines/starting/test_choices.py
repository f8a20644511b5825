"""Gates stand where luck hardly comes, and guesses about columns and classes say what a person must know."""

from __future__ import annotations

import numpy as np
import pytest

from data_contracts.contract import Column
from pipelines.starting.choices import choose
from tasks.preprocessing.targets import Problem
from tasks.profiling.facts import ColumnFacts
from tasks.profiling.profile import plain_form
from tasks.profiling.roles import find_roles
from tasks.profiling.targets import Guess, guess_problem

NO_ROLES = find_roles((), ())


def floor_of(problem: Problem, counts: dict[str | int | float, int], rows: int) -> tuple[str, float]:
    chosen = choose(Guess(("y",), problem, "", counts), NO_ROLES, rows)
    return chosen.metric, chosen.floor


def column(name: str, values: dict[str | int | float, int], rows: int = 0) -> ColumnFacts:
    told = sum(values.values())
    return ColumnFacts(
        column=Column(name=name, logical_type="string"), arrow="string", rows=rows or told, nulls=(rows or told) - told,
        distinct=len(values), values=values, minimum=None, maximum=None, longest=8, sample=tuple(map(str, values)),
    )  # fmt: skip


@pytest.mark.parametrize("rows", [600, 2_000, 20_000])
def test_noise_hardly_ever_passes_the_floor_of_two_classes(rows: int) -> None:
    metric, floor = floor_of("binary", {"a": rows // 2, "b": rows // 2}, rows)
    draw, test = np.random.default_rng(1), round((0.2 if rows < 1_000 else 0.15) * rows)
    half, passed = test // 2, 0
    for _ in range(400):
        ranks = draw.permutation(2 * half) + 1
        passed += (ranks[:half].sum() - half * (half + 1) / 2) / half**2 >= floor
    assert metric == "roc_auc"
    assert passed <= 4
    assert 0.55 <= floor <= 0.7


def test_the_floor_of_a_rare_class_is_above_one_lucky_row() -> None:
    metric, floor = floor_of("binary", {"no": 19_940, "yes": 60}, 20_000)
    assert metric == "average_precision"
    assert floor == pytest.approx(0.003 + 100 / 3_000, abs=1e-3)


def test_the_floor_of_many_classes_is_above_the_commonest() -> None:
    metric, floor = floor_of("multiclass", {"a": 1_000, "b": 500, "c": 12}, 1_512)
    assert metric == "accuracy"
    assert 0.70 < floor < 0.80
    metric, floor = floor_of("multiclass", {"a": 500, "b": 500, "c": 500}, 1_500)
    assert metric == "balanced_accuracy"
    assert 0.40 < floor < 0.45


def test_a_text_that_is_there_or_not_is_a_feature() -> None:
    gift, never, always = (column("note", {"gift": told}, 1_000) for told in (300, 5, 1_000))
    assert "note" not in find_roles((gift,), ()).useless
    assert find_roles((never,), ()).useless["note"] == "holds one value, or none"
    assert find_roles((always,), ()).useless["note"] == "holds the same value in every row"


def test_rare_classes_are_counted() -> None:
    many = column("sku", {"a": 900, "b": 50, "c": 12, "d": 11})
    (said,) = guess_problem((many,), ["sku"]).warnings
    assert said.startswith("2 of the 4 classes of `sku` have fewer than 34 rows (d has 11)")
    few = guess_problem((column("fraud", {"no": 9_940, "yes": 60}),), ["fraud"]).warnings
    assert few[0] == "extreme imbalance: yes is 0.6 % of `fraud`; accuracy tells little"
    assert few[1].startswith("about 9 rows with yes come into the test split")


@pytest.mark.parametrize(
    ("kind", "said"), [("duration[ms]", "number"), ("binary", "text"), ("struct<a: int64>", "columns of their own")]
)
def test_what_no_contract_describes_can_be_written_plainly(kind: str, said: str) -> None:
    assert said in plain_form(kind)
