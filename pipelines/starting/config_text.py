"""The text of a pipeline's config: every choice with its reason behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipelines.starting.choices import Choices
from pipelines.starting.yaml_text import flow, noted, remark, scalar
from tasks.data.sources import SourceConfig
from tasks.profiling.targets import Guess

# Of thousands of columns that are no feature, `exclude` says why, one by one.
_MOST_WARNINGS = 25


@dataclass(frozen=True)
class ConfigPlan:
    """What a config is to say.

    Attributes:
        contract: The contract's file, from the config's folder.
        source: How the data is read; its path from the config's folder.
        assumed: Reasons for keys of the source, by key.
        exclude: Why a column is no feature, by column.
        accept: Why a leak does not stop a run, by the finding's name.
        texts: Whether some feature is a text.
        warnings: What a person should read first.
    """

    name: str
    contract: str
    source: SourceConfig
    assumed: Mapping[str, str]
    guess: Guess
    choices: Choices
    exclude: Mapping[str, str]
    accept: Mapping[str, str]
    texts: bool
    warnings: Sequence[str]


def config_text(plan: ConfigPlan) -> str:
    """Return the config as YAML."""
    targets = plan.guess.targets
    target = scalar(targets[0]) if len(targets) == 1 else flow(targets)
    lines = [
        remark(f"Predicts {', '.join(f'`{name}`' for name in targets)}. `headrace init` wrote this to start from;"),
        "# what stands behind a line is why it was chosen, and all of it may be changed.",
        *(remark(f"Look at: {warning}") for warning in plan.warnings[:_MOST_WARNINGS]),
        f"name: {scalar(plan.name)}",
        f"model: {scalar(plan.name)}",
        f"contract: {scalar(plan.contract)}",
        f"target: {target}",
        noted(f"problem: {plan.guess.problem}", plan.guess.why),
        "",
        *_source(plan.source, plan.assumed),
        *_cleaning(plan.choices),
        *_split(plan.choices),
        *_leakage(plan.accept),
        *_preprocess(plan),
        *_train(plan.choices),
        *_evaluate(plan.choices),
        *_gates(plan.choices),
    ]
    return "\n".join(lines) + "\n"


def _source(source: SourceConfig, assumed: Mapping[str, str]) -> Iterator[str]:
    yield "source:"
    said = source.model_dump(exclude_defaults=True)
    for key, value in said.items():
        text = flow(value) if isinstance(value, tuple) else scalar(value)
        yield noted(f"  {key}: {text}", assumed.get(key))
    yield ""


def _cleaning(choices: Choices) -> Iterator[str]:
    if choices.keep_equal is not None:
        yield from (noted("clean: {duplicates: {keep: all}}", choices.keep_equal), "")


def _split(choices: Choices) -> Iterator[str]:
    split = choices.split
    yield "split:"
    yield noted(f"  method: {split.method}", choices.split_why)
    if split.column is not None:
        yield f"  column: {scalar(split.column)}"
    if split.salt:
        yield noted(f"  salt: {scalar(split.salt)}", "with it every part has rows")
    if split.shares != (0.7, 0.15, 0.15):
        yield noted(f"  train: {split.train}", "few rows: enough of them must be left to test on")
        yield from (f"  validation: {split.validation}", f"  test: {split.test}")
    yield ""


def _leakage(accept: Mapping[str, str]) -> Iterator[str]:
    if accept:
        yield from ("leakage:", "  accept:")
        for name, why in accept.items():
            yield noted(f"    - {scalar(name)}", why)
        yield ""


def _preprocess(plan: ConfigPlan) -> Iterator[str]:
    choices = plan.choices
    lines = []
    if plan.exclude:
        lines.append("  exclude:")
        lines += [noted(f"    - {scalar(name)}", why) for name, why in plan.exclude.items()]
    if choices.min_count is not None and plan.texts:
        why = "a text seen less often counts as unseen; 20 rows, the default, are many here"
        lines.append(noted(f"  categories: {{min_count: {choices.min_count}}}", why))
    if choices.whole_range:
        why = "few rows: the thousandth from the end would be a single row"
        lines.append(noted("  numeric: {outliers: {method: quantile, lower: 0, upper: 1}}", why))
    if choices.keep:
        lines.append(noted(f"  keep: {flow(choices.keep)}", "carried along for the evaluation's sake, no feature"))
    if lines:
        yield from ("preprocess:", *lines, "")


def _train(choices: Choices) -> Iterator[str]:
    yield "train:"
    yield noted(f"  model: {choices.model}", choices.model_why)
    yield ""


def _evaluate(choices: Choices) -> Iterator[str]:
    if choices.keep:
        yield "evaluate:"
        yield noted(f"  groups: {scalar(choices.keep[0])}", "intervals are as wide as that many groups allow, not rows")
        yield ""


def _gates(choices: Choices) -> Iterator[str]:
    yield from ("promote:", "  gates:")
    yield noted(f"    floor: {{{choices.metric}: {choices.floor}}}", choices.floor_why)
    yield noted(
        f"    gain: {{{choices.metric}: {-choices.slack}}}", "so much worse than the champion is still no worse"
    )
