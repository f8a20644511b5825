"""What to do next: stated rules over what a run found, each with the reason that set it off. Nothing is guessed."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict

from tasks.report.answers import MUCH_QUARANTINED, TEST, against_champion, beats_baseline, best_baseline, is_chance
from tasks.report.inputs import GateLine, ReportInputs
from tasks.report.wording import figure, interval, label, share

# Of probabilities: by how much they are off on average before that is worth a word.
BADLY_CALIBRATED = 0.05
_MOST_CLASSES = 3
_LINEAR = frozenset({"logistic", "ridge"})
_FOR_CHANCE = (
    "Bring other columns, or many more rows: the model cannot be told from one that looks at no column. A lower gate "
    "would only let luck through."
)


class Advice(BaseModel):
    """One thing to do.

    Attributes:
        do: What.
        why: What was found, and by which rule it is said.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    do: str
    why: str


def advice(inputs: ReportInputs) -> tuple[Advice, ...]:
    """Return what to do next, what matters most first; never nothing."""
    found = (
        *_of_gates(inputs),
        *_of_baselines(inputs),
        *_of_quarantine(inputs),
        *_of_slices(inputs),
        *_of_classes(inputs),
        *_of_calibration(inputs),
        *_of_rounds(inputs),
    )
    return (*found, *_serve(inputs))


def _of_gates(inputs: ReportInputs) -> Iterator[Advice]:
    for gate in inputs.gates:
        if not gate.passed:
            bound = f"{'at least' if gate.comparison == '>=' else 'at most'} {figure(gate.bound)}"
            got = "nothing that can be compared" if gate.measured is None else figure(gate.measured)
            why = f"Gate {gate.name} refused: {bound} is needed, {got} was measured."
            yield Advice(do=_to_pass(gate, inputs), why=why)


def _to_pass(gate: GateLine, inputs: ReportInputs) -> str:
    kind, _, rest = gate.name.partition(" ")
    if kind == "floor":
        return (
            _FOR_CHANCE
            if is_chance(inputs.evaluated)
            else (
                f"Better the data or the training until {label(rest)} reaches {figure(gate.bound)} (`headrace search` "
                f"tries settings), or set `promote.gates.floor.{rest}` to what is good enough for its use."
            )
        )
    if kind == "gain":
        one = against_champion(inputs.evaluated, rest)
        within = one is not None and one.interval is not None and one.interval[0] <= 0 <= one.interval[1]
        same = f" (the interval, {interval(one.interval)}, holds 0)" if within and one is not None else ""
        return (
            f"Leave the champion where it is: this version does not better it by what `promote.gates.gain.{rest}` "
            f"asks for{same}. New data or other settings may."
        )
    if kind in {"parity", "trial"}:
        return (
            "Do not serve this version: its graph does not answer as the trained model does. Report it with this page; "
            "with a layer of your own, look at its ONNX form first."
        )
    if kind == "latency_ms":
        return (
            "Take a smaller model or fewer columns, or measure on the machine that is to serve; then set "
            "`promote.gates.latency_ms` to what its callers can wait for."
        )
    if kind == "fairness":
        return "Look at the groups under Fairness: more rows of the worse one, or a threshold of its own, may mend it."
    return f"Look at what {gate.name} measures, and at the rows behind it; then better the data or change the gate."


def _of_baselines(inputs: ReportInputs) -> Iterator[Advice]:
    best = best_baseline(inputs.evaluated)
    if best is None or beats_baseline(inputs.evaluated) is not False:
        return
    name = inputs.evaluated.headline
    ends = interval(inputs.evaluated.intervals.get(name))
    simple = best[0] in _LINEAR and not is_chance(inputs.evaluated)
    instead = " Try `train.model: linear`, or `auto`, which tries several." if simple else ""
    yield Advice(
        do=f"Ask whether this model is worth it: {label(best[0])} alone reaches {figure(best[1])}.{instead}",
        why=f"{label(name)} is {figure(inputs.evaluated.metrics[TEST][name])}"
        + (f", its interval {ends}" if ends else "")
        + ": not better than the best baseline by more than chance.",
    )


def _of_quarantine(inputs: ReportInputs) -> Iterator[Advice]:
    rows = inputs.accounting
    if rows.in_quarantine <= MUCH_QUARANTINED * rows.rows_in:
        return
    rule, count = max(rows.quarantined.items(), key=lambda each: each[1])
    yield Advice(
        do=f"Look at the rows that broke `{rule}`. Mend them at the source; or, if they are right, change the rule in "
        "the contract; or let a repair in the contract mend them.",
        why=f"{share(rows.in_quarantine, rows.rows_in)} of the rows are in quarantine (said from "
        f"{MUCH_QUARANTINED:.0%} on), most for this rule: {count:,} of {rows.in_quarantine:,}.",
    )


def _of_slices(inputs: ReportInputs) -> Iterator[Advice]:
    if inputs.sliced is None or not inputs.sliced.worst:
        return
    worst, loss = inputs.sliced.worst[0], inputs.sliced.loss
    yield Advice(
        do=f"Look at rows where {worst.name}: are their values and their target right, and are there enough of them?",
        why=f"The worst slice: {loss} {figure(worst.loss)} over {worst.rows:,} rows, elsewhere {figure(worst.rest)}.",
    )


def _of_classes(inputs: ReportInputs) -> Iterator[Advice]:
    never = [str(one["class"]) for one in inputs.evaluated.details if one.get("recall") == 0 and one.get("rows")]
    if not never:
        return
    more = f" and {len(never) - _MOST_CLASSES} more" if len(never) > _MOST_CLASSES else ""
    yield Advice(
        do="Weigh the rare classes (`train.class_weights: balanced`) or choose thresholds (`calibrate.threshold`), if "
        "finding them matters.",
        why=f"Of the rows of the test split none was predicted right in: {', '.join(never[:_MOST_CLASSES])}{more}.",
    )


def _of_calibration(inputs: ReportInputs) -> Iterator[Advice]:
    error = inputs.evaluated.metrics[TEST].get("ece")
    if error is None or error <= BADLY_CALIBRATED:
        return
    used = inputs.evaluated.calibration.get("method", "none")
    other = "isotonic" if used != "isotonic" else "temperature"
    yield Advice(
        do=f"Do not take the probabilities literally; try `calibrate.method: {other}` (it is {used} now), or more rows "
        "in the validation split, on which calibration is fitted.",
        why=f"Probabilities are off by {figure(error)} on average (said from {BADLY_CALIBRATED:g} on).",
    )


def _of_rounds(inputs: ReportInputs) -> Iterator[Advice]:
    steps = inputs.history.validation[0]
    if len(steps) < 2 or inputs.history.best_step != int(steps[-1]):
        return
    yield Advice(
        do="Train for longer: raise `train.rounds`, or for trees their number.",
        why="The model that was kept is that of the last round: it was still getting better.",
    )


def _serve(inputs: ReportInputs) -> Iterator[Advice]:
    if inputs.promoted:
        yield Advice(
            do="Serve it with `headrace serve`; later `headrace drift` says whether requests are still like the data.",
            why="Every gate held.",
        )
    elif inputs.champion_version is None:
        yield Advice(
            do="There is nothing to serve yet: mend what is said above and run again.", why="There is no champion."
        )
    else:
        yield Advice(
            do=f"Nothing is urgent: version {inputs.champion_version} serves on.", why="The champion stays as it was."
        )
