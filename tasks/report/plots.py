"""The plots of a run, each a function from plain numbers to an SVG string (`tasks.report.svg`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from tasks.report.svg import AMBER, BLUE, GREEN, INK, MUTED, PAPER, RED, drawing, printable
from tasks.report.wording import share

_SQUARE = (4.4, 3.9)
_COLOURS = (BLUE, AMBER, GREEN, RED, MUTED)
_STYLES = ("-", "--", "-.", ":")
_MOST_CLASSES = 12
_MOST_BARS = 12

Line = tuple[Sequence[float], Sequence[float]]


def loss_curves(training: Line, validation: Line, best_step: int | None = None) -> str:
    """Draw the loss of training and validation over the optimizer's steps.

    Args:
        training: Steps, and the training loss at each.
        validation: Steps, and the validation loss at each.
        best_step: The step whose network was kept.
    """
    least = min(validation[1], default=float("nan"))
    description = f"Validation loss falls to {least:.4g}" + (f"; kept at step {best_step}." if best_step else ".")
    with drawing("loss", "Loss curves", description, (7.2, 3.2)) as sheet:
        axes = sheet.axes
        axes.plot(*training, color=MUTED, linewidth=1.1, label="training")
        axes.plot(*validation, color=BLUE, marker="o", markersize=3.5, label="validation")
        if best_step is not None:
            axes.axvline(best_step, color=AMBER, linewidth=1.2, linestyle="--", label="kept")
        axes.set(xlabel="optimizer steps", ylabel="loss")
        axes.legend()
    return sheet.svg


def roc_curve(lines: Mapping[str, Line], area: float | None = None) -> str:
    """Draw the receiver operating characteristic.

    Args:
        lines: For each line's name (a class, or a single empty name) the false and true positive rates.
        area: The area under the curve, where there is one.
    """
    with drawing("roc", "ROC curve", f"Area under the curve {_number(area)}.", _SQUARE) as sheet:
        sheet.axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":", label="chance")
        _draw_lines(sheet.axes, lines, f"model, area {_number(area)}")
        _unit_square(sheet.axes, "false positive rate", "true positive rate")
        sheet.axes.legend(loc="lower right")
    return sheet.svg


def precision_recall_curve(lines: Mapping[str, Line], average: float | None = None, share: float | None = None) -> str:
    """Draw precision over recall.

    Args:
        lines: For each line's name the recalls and precisions.
        average: The average precision.
        share: The share of positive rows, which is the precision of chance.
    """
    with drawing("pr", "Precision-recall curve", f"Average precision {_number(average)}.", _SQUARE) as sheet:
        if share is not None:
            sheet.axes.axhline(share, color=MUTED, linewidth=1, linestyle=":", label=f"chance, {share:.3f}")
        _draw_lines(sheet.axes, lines, f"model, average {_number(average)}")
        _unit_square(sheet.axes, "recall", "precision")
        sheet.axes.legend(loc="upper right")
    return sheet.svg


def calibration_curve(lines: Mapping[str, Line]) -> str:
    """Draw how often what was predicted came true.

    Args:
        lines: For each line's name the mean predicted probability and the observed share of each bin.
    """
    gap = max((abs(x - y) for xs, ys in lines.values() for x, y in zip(xs, ys, strict=True)), default=0.0)
    description = f"Predicted and observed shares differ by at most {gap:.3f} in a bin."
    with drawing("calibration", "Calibration", description, _SQUARE) as sheet:
        sheet.axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":", label="perfect")
        _draw_lines(sheet.axes, lines, "model", marker="o")
        _unit_square(sheet.axes, "predicted probability", "observed share")
        sheet.axes.legend(loc="upper left")
    return sheet.svg


def confusion_matrix(counts: Sequence[Sequence[int]], classes: Sequence[Any]) -> str:
    """Draw the confusion matrix: rows are what was, columns what was predicted, shade is the share of the row.

    With many classes only the first are drawn, and the description says so.
    """
    shown = min(len(classes), _MOST_CLASSES)
    right, total = sum(row[place] for place, row in enumerate(counts)), sum(map(sum, counts))
    cut = f" The first {shown} of {len(classes)} classes are shown." if shown < len(classes) else ""
    description = f"{right:,} of {total:,} rows predicted right.{cut}"
    names = [printable(name, longest=14) for name in classes[:shown]]
    size = (max(_SQUARE[0], 2.2 + 0.8 * shown), max(_SQUARE[1], 1.3 + 0.6 * shown))
    with drawing("confusion", "Confusion matrix", description, size) as sheet:
        axes = sheet.axes
        for row in range(shown):
            for column in range(shown):
                share = counts[row][column] / max(1, sum(counts[row]))
                axes.fill_between([column, column + 1], row, row + 1, color=BLUE, alpha=0.04 + 0.5 * share, linewidth=0)
                text = f"{counts[row][column]:,}\n{share:.1%}"
                axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=INK, fontsize=8)
        axes.set(xlabel="predicted", ylabel="actual", xlim=(0, shown), ylim=(shown, 0))
        axes.set_xticks([place + 0.5 for place in range(shown)], names, rotation=45 if shown > 4 else 0)
        axes.set_yticks([place + 0.5 for place in range(shown)], names)
        axes.grid(visible=False)
        axes.tick_params(length=0)
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


def _draw_lines(axes: Axes, lines: Mapping[str, Line], alone: str, marker: str = "") -> None:
    """Draw one line for each class, told apart by dashes as well as colour; a single line is called `alone`."""
    for place, (name, (xs, ys)) in enumerate(lines.items()):
        axes.plot(
            xs,
            ys,
            color=_COLOURS[place % len(_COLOURS)],
            linestyle=_STYLES[place % len(_STYLES)],
            marker=marker,
            markersize=3.5,
            label=alone if len(lines) == 1 else printable(name),
        )


def _unit_square(axes: Axes, across: str, up: str) -> None:
    axes.set(xlabel=across, ylabel=up, xlim=(0, 1), ylim=(0, 1.005))


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"
