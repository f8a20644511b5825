"""The plots of a run's rows and of its training, each a function from plain numbers to an SVG string."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tasks.report.svg import AMBER, BLUE, GREEN, INK, MUTED, PAPER, RED, drawing, printable
from tasks.report.wording import label, share

_MOST_BARS = 12

Line = tuple[Sequence[float], Sequence[float]]


def loss_curves(training: Line, validation: Line, best_step: int | None = None, metric: str = "log_loss") -> str:
    """Draw the loss of training and a metric of the validation split over the steps of training.

    Args:
        training: Steps, and the training loss at each; nothing where it cannot share an axis with the metric.
        validation: Steps, and the metric at each.
        best_step: The step whose model was kept.
        metric: The metric's name.
    """
    kept = "" if best_step is None else f"; kept at step {best_step}"
    least = min(validation[1], default=float("nan"))
    description = f"The lowest {label(metric)} of the validation split is {least:.4g}{kept}."
    with drawing("loss", "Loss curves", description, (7.2, 3.2)) as sheet:
        axes = sheet.axes
        if training[0]:
            axes.plot(*training, color=MUTED, linewidth=1.1, label="training")
        axes.plot(*validation, color=BLUE, marker="o", markersize=3.5, label="validation")
        if best_step is not None:
            axes.axvline(best_step, color=AMBER, linewidth=1.2, linestyle="--", label="kept")
        axes.set(xlabel="steps", ylabel="loss" if training[0] else label(metric))
        axes.legend()
    return sheet.svg


def row_accounting(kept: int, quarantined: int, left_out: Mapping[str, int]) -> str:
    """Draw where the rows went, as one bar.

    Args:
        kept: Rows that reached a split.
        quarantined: Rows that broke a rule.
        left_out: Rows that are neither, by why: at most three reasons.
    """
    reasons = zip(left_out.items(), (AMBER, GREEN, MUTED), strict=False)
    others = {name: (count, colour) for (name, count), colour in reasons}
    parts = {"kept": (kept, BLUE), **others, "quarantined": (quarantined, RED)}
    total = max(1, kept + quarantined + sum(left_out.values()))
    description = "; ".join(f"{count:,} rows {name}" for name, (count, _) in parts.items()) + "."
    with drawing("rows", "Row accounting", description, (7.2, 1.7)) as sheet:
        left = 0
        for name, (count, colour) in parts.items():
            label = f"{name} {count:,} ({share(count, total)})"
            sheet.axes.barh([0], [count], left=left, color=colour, edgecolor=PAPER, linewidth=0.8, label=label)
            left += count
        sheet.axes.set(xlabel="rows", yticks=[], xlim=(0, total))
        sheet.axes.xaxis.set_major_formatter("{x:,.0f}")
        sheet.axes.spines["left"].set_visible(False)
        sheet.axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, handlelength=1, handleheight=1)
    return sheet.svg


def quarantine_reasons(rows: Mapping[str, int]) -> str:
    """Draw how many rows each rule quarantined, the most first; rules beyond the first twelve are added up.

    Args:
        rows: Rows quarantined, by the id of the first rule that each broke.
    """
    most = sorted(rows.items(), key=lambda item: (-item[1], item[0]))
    if len(most) > _MOST_BARS:
        rest = most[_MOST_BARS - 1 :]
        most = [*most[: _MOST_BARS - 1], (f"{len(rest)} other rules", sum(count for _, count in rest))]
    description = f"{sum(rows.values()):,} rows quarantined by {len(rows)} rules."
    with drawing("quarantine", "Quarantine reasons", description, (7.2, 0.9 + 0.28 * max(1, len(most)))) as sheet:
        names = [printable(name, longest=40) for name, _ in most]
        # By place, not by name: two long ids may look the same once cut.
        bars = sheet.axes.barh(range(len(most)), [count for _, count in most], color=RED, height=0.62)
        sheet.axes.bar_label(bars, fmt="{:,.0f}", padding=3, color=INK)
        sheet.axes.set_yticks(range(len(most)), names)
        sheet.axes.set(xlabel="rows")
        sheet.axes.invert_yaxis()
        sheet.axes.margins(x=0.12)
        sheet.axes.xaxis.set_major_formatter("{x:,.0f}")
        sheet.axes.grid(visible=False, axis="y")
    return sheet.svg
