from __future__ import annotations

from typing import Any

import pytest

from tasks.report.answers import answers, beats_baseline
from tasks.report.evaluated import Challenge, Compared
from tasks.report.groups import Group, Sliced
from tasks.report.inputs import Accounting, GateLine
from tests.tasks.report.example import CERTIFICATE, GATES, example_evaluated, plain_inputs

HELD = tuple(gate for gate in GATES if gate.passed)


def good_inputs(evaluated: dict[str, Any] | None = None, **changes: Any) -> Any:
    return plain_inputs(evaluated, **{"promoted": True, "gates": HELD, **changes})


def sliced(*worst: Group, tried: int = 20) -> Sliced:
    return Sliced(loss="log loss", metrics=(), searched="20 were tried.", tried=tried, worst=worst)


def tones(inputs: Any) -> list[str]:
    return [answer.tone for answer in answers(inputs)]


def test_a_run_in_which_nothing_stands_out_is_good() -> None:
    assert tones(good_inputs()) == ["good"] * 4


@pytest.mark.parametrize(
    ("ends", "metrics", "better"),
    [
        ((0.70, 0.80), {"test": {"roc_auc": 0.75}, "logistic": {"roc_auc": 0.6}}, True),
        ((0.70, 0.80), {"test": {"roc_auc": 0.75}, "logistic": {"roc_auc": 0.72}}, False),
        ((0.70, 0.80), {"test": {"roc_auc": 0.75}, "logistic": {"roc_auc": 0.77}}, False),
        (None, {"test": {"roc_auc": 0.75}, "logistic": {"roc_auc": 0.72}}, None),
        (None, {"test": {"roc_auc": 0.75}, "logistic": {"roc_auc": 0.77}}, False),
        ((0.70, 0.80), {"test": {"roc_auc": 0.75}}, None),
    ],
)
def test_a_baseline_is_beaten_by_more_than_chance(
    ends: tuple[float, float] | None, metrics: dict[str, dict[str, float]], better: bool | None
) -> None:
    intervals = {} if ends is None else {"roc_auc": ends}
    assert beats_baseline(example_evaluated(metrics=metrics, intervals=intervals)) is better
    inputs = good_inputs({"metrics": metrics, "intervals": intervals})
    assert tones(inputs)[0] == ("care" if better is False else "good")


def test_a_lower_loss_beats_a_baseline() -> None:
    assert beats_baseline(example_evaluated(headline="log_loss"))


@pytest.mark.parametrize(
    ("interval", "said", "tone"),
    [
        ((0.01, 0.02), "; better than the champion, version 2", "good"),
        ((-0.02, -0.01), "; worse than the champion, version 2", "care"),
        ((-0.01, 0.01), "; not to be told apart from the champion, version 2", "good"),
        (None, "; better than the champion, version 2", "good"),
    ],
)
def test_the_champion_is_told_apart_by_the_interval(interval: tuple[float, float] | None, said: str, tone: str) -> None:
    one = Compared(name="roc_auc", champion=0.74, candidate=0.75, gain=0.01, interval=interval)
    inputs = good_inputs({"challenge": Challenge(champion="2", said="", compared=(one,))})
    answer = answers(inputs)[0]
    assert said in answer.said
    assert answer.tone == tone


def test_much_in_quarantine_is_worth_a_look() -> None:
    rows = Accounting(rows_in=100, kept=98, quarantined={"a": 2}, duplicates=0, splits={"train": 98})
    answer = answers(good_inputs(accounting=rows))[1]
    assert (answer.tone, answer.word) == ("care", "look here")
    assert "98.0% are used, 2.0% are in quarantine" in answer.said


def test_where_it_fails() -> None:
    worst = Group(name="plan: gold", rows=120, loss=0.9, rest=0.4, metrics={})
    said = answers(good_inputs(sliced=sliced(worst, worst)))[2]
    assert (said.tone, said.said) == (
        "care",
        "Most where plan: gold (120 rows): log loss 0.9000, elsewhere 0.4000; 1 more are told below.",
    )
    assert answers(good_inputs(sliced=sliced()))[2].word == "no worse part found"
    assert answers(good_inputs(sliced=sliced(tried=0)))[2].word == "not searched"
    gate = GateLine(name="fairness sex parity", passed=False, comparison="<=", bound=0.1, measured=0.2)
    assert answers(plain_inputs(sliced=sliced(), gates=(gate,)))[2].tone == "bad"


def test_what_is_served_is_what_was_trained() -> None:
    flipped = {**CERTIFICATE, "generated": {**CERTIFICATE["generated"], "label_flips": 3}}
    answer = answers(good_inputs(certificate=flipped))[3]
    assert (answer.tone, "3 answers are others" in answer.said) == ("care", True)
    gate = GateLine(name="parity test max_difference", passed=False, comparison="<=", bound=1e-5, measured=1.0)
    assert answers(plain_inputs(gates=(gate,)))[3].tone == "bad"
