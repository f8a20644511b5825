"""The answers to what a person asks of a run first, each in a sentence, with the rule by which it is good or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from tasks.metrics.table import direction
from tasks.report.evaluated import Compared, Evaluated
from tasks.report.inputs import ReportInputs
from tasks.report.wording import figure, interval, label, share

TEST = "test"
# From which share of the rows on a quarantine is more than a few rows gone astray.
MUCH_QUARANTINED = 0.01
# Baselines that look at no column.
_BLIND = frozenset({"majority", "prior", "mean", "median", "quantiles"})


Tone = Literal["good", "care", "bad"]
_WORDS: dict[Tone, str] = {"good": "yes", "care": "look here", "bad": "refused"}


class Answer(BaseModel):
    """One answer.

    Attributes:
        section: The id of the report's section that proves it.
        tone: `good`, `care` where a person should look, `bad` where a gate refused for it.
        word: The tone in a word or two, for no colour must be needed to know it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    section: str
    question: str
    tone: Tone
    word: str
    said: str


def answers(inputs: ReportInputs) -> tuple[Answer, ...]:
    """Answer, in the order of the report's sections."""
    return (_quality(inputs), _data(inputs), _failures(inputs), _parity(inputs))


def best_baseline(evaluated: Evaluated) -> tuple[str, float] | None:
    """Return the baseline that is best by the headline metric; None where none was measured by it."""
    name = evaluated.headline
    found = {each: of[name] for each, of in evaluated.metrics.items() if each != TEST and name in of}
    if not found:
        return None
    best = max(found, key=lambda each: direction(name) * found[each])
    return best, found[best]


def beats_baseline(evaluated: Evaluated) -> bool | None:
    """Say whether the model is better than the best baseline by more than chance: with its interval's worse end.

    Returns:
        None where there is no baseline, or where the model is better but there is no interval to tell by.
    """
    best, name = best_baseline(evaluated), evaluated.headline
    if best is None:
        return None
    way, ends = direction(name), evaluated.intervals.get(name)
    better = way * (evaluated.metrics[TEST][name] - best[1]) > 0
    if ends is None:
        return None if better else False
    return better and min(way * (end - best[1]) for end in ends) > 0


def is_chance(evaluated: Evaluated) -> bool:
    """Say whether the model cannot be told from an answer that looks at no column, by its headline's interval."""
    name, way = evaluated.headline, direction(evaluated.headline)
    ends = evaluated.intervals.get(name)
    blind = [way * of[name] for each, of in evaluated.metrics.items() if each in _BLIND and name in of]
    return ends is not None and bool(blind) and min(way * end for end in ends) <= max(blind)


def against_champion(evaluated: Evaluated, metric: str) -> Compared | None:
    """Return how the model stands against the champion by a metric; None where that is not known."""
    challenge = evaluated.challenge
    if challenge is None:
        return None
    return next((one for one in challenge.compared if one.name == metric), None)


def with_interval(evaluated: Evaluated) -> str:
    """Name the headline metric with its value on the test split and its interval."""
    name = evaluated.headline
    ends = interval(evaluated.intervals.get(name))
    return f"{label(name)} {figure(evaluated.metrics[TEST][name])}" + (f" ({ends})" if ends else "")


def refused_by(inputs: ReportInputs, *kinds: str) -> list[str]:
    """Return the gates that refused whose names begin with one of these words."""
    return [gate.name for gate in inputs.gates if not gate.passed and gate.name.split()[0] in kinds]


def _quality(inputs: ReportInputs) -> Answer:
    found = inputs.evaluated
    said = [f"{with_interval(found)} on rows that it has not seen", *_beside(found)]
    bad = refused_by(inputs, "floor", "gain")
    gained = against_champion(found, found.headline)
    worse = gained is not None and gained.interval is not None and gained.interval[1] < 0
    care = beats_baseline(found) is False or worse
    return _answer("quality", "Is the model good?", _tone(bad=bool(bad), care=care), "; ".join(said) + ".")


def _beside(found: Evaluated) -> Iterator[str]:
    best, name = best_baseline(found), found.headline
    if best is not None:
        sure = beats_baseline(found)
        better = direction(name) * (found.metrics[TEST][name] - best[1]) > 0
        verdict = {True: "better than", False: "no better than", None: "better than"}[sure if not better else None]
        doubt = ", though the interval does not exclude it" if better and sure is False else ""
        yield f"{verdict} the best baseline, {label(best[0])} with {figure(best[1])}{doubt}"
    gained = against_champion(found, name)
    if gained is None or found.challenge is None:
        return
    champion = f"the champion, version {found.challenge.champion}, with {figure(gained.champion)}"
    if gained.interval is None:
        yield f"{'better' if gained.gain > 0 else 'no better'} than {champion}"
    elif gained.interval[0] > 0:
        yield f"better than {champion}"
    elif gained.interval[1] < 0:
        yield f"worse than {champion}"
    else:
        yield f"not to be told apart from {champion}"


def _data(inputs: ReportInputs) -> Answer:
    rows = inputs.accounting
    broken = sum(not rule.passed for rule in inputs.rules)
    much = rows.in_quarantine > MUCH_QUARANTINED * rows.rows_in
    hold = (
        f"{broken} of the contract's {len(inputs.rules)} rules do not hold for every row"
        if broken
        else f"all {len(inputs.rules)} rules of the contract hold"
    )
    said = (
        f"All {rows.rows_in:,} rows are accounted for: {share(rows.kept, rows.rows_in)} are used, "
        f"{share(rows.in_quarantine, rows.rows_in)} are in quarantine; {hold}."
    )
    return _answer("data", "Can the data be trusted?", _tone(care=much), said)


def _failures(inputs: ReportInputs) -> Answer:
    bad, found = refused_by(inputs, "slices", "fairness"), inputs.sliced
    word, care = "no worse part found", False
    if found is None:
        said, word = "Images have no columns to be cut into slices by; each class is told by itself.", "not searched"
    elif not found.tried:
        said, word = "It is not known: no slice was large enough, or none was asked for.", "not searched"
    elif not found.worst:
        said = f"Nowhere more than elsewhere, among the {found.tried:,} slices that were tried."
    else:
        worst = found.worst[0]
        others = f"; {len(found.worst) - 1} more are told below" if len(found.worst) > 1 else ""
        losses = f"{found.loss} {figure(worst.loss)}, elsewhere {figure(worst.rest)}"
        said, care = f"Most where {worst.name} ({worst.rows:,} rows): {losses}{others}.", True
    if bad:
        said += f" Refused by: {', '.join(bad)}."
    tone = _tone(bad=bool(bad), care=care)
    return _answer("failures", "Where does it fail?", tone, said, word if tone == "good" else None)


def _parity(inputs: ReportInputs) -> Answer:
    sides: list[dict[str, Any]] = [inputs.certificate[name] for name in ("test", "generated")]
    rows, flips = (sum(side[name] for side in sides) for name in ("rows", "label_flips"))
    worst = max(side["max_difference"] for side in sides)
    bad = refused_by(inputs, "parity", "trial")
    other = "no answer is another" if not flips else f"{flips:,} answers are others"
    said = (
        f"On {rows:,} rows the served graph differs by at most {figure(float(worst))} from what was trained; {other}."
    )
    if bad:
        said += f" Refused by: {', '.join(bad)}."
    return _answer("parity", "Is what is served what was trained?", _tone(bad=bool(bad), care=bool(flips)), said)


def _tone(*, care: bool, bad: bool = False) -> Tone:
    return "bad" if bad else "care" if care else "good"


def _answer(section: str, question: str, tone: Tone, said: str, word: str | None = None) -> Answer:
    return Answer(section=section, question=question, tone=tone, word=word or _WORDS[tone], said=said)
