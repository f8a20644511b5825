"""Plots of predicted classes and labels, each a function from plain numbers to an SVG string (`tasks.report.svg`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from tasks.report.plots import Line
from tasks.report.svg import AMBER, BLUE, GREEN, INK, MUTED, RED, drawing, printable

SQUARE = (4.4, 3.9)

_COLOURS = (BLUE, AMBER, GREEN, RED, MUTED)
_STYLES = ("-", "--", "-.", ":")
_MOST_CLASSES = 12
_MOST_LINES = 10


def roc_curve(lines: Mapping[str, Line], area: float | None = None) -> str:
    """Draw the receiver operating characteristic.

    Args:
        lines: For each line's name (a class, or a single empty name) the false and true positive rates.
        area: The area under the curve, where there is one.
    """
    with drawing("roc", "ROC curve", f"Area under the curve {_number(area)}.", SQUARE) as sheet:
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
    with drawing("pr", "Precision-recall curve", f"Average precision {_number(average)}.", SQUARE) as sheet:
        if share is not None:
            sheet.axes.axhline(share, color=MUTED, linewidth=1, linestyle=":", label=f"chance, {share:.3f}")
        _draw_lines(sheet.axes, lines, f"model, average {_number(average)}")
        _unit_square(sheet.axes, "recall", "precision")
        sheet.axes.legend(loc="best")
    return sheet.svg


def calibration_curve(lines: Mapping[str, Line], before: Mapping[str, Line] | None = None) -> str:
    """Draw how often what was predicted came true.

    Args:
        lines: For each line's name the mean predicted probability and the observed share of each bin.
        before: The same of what the model said before it was calibrated; drawn where there is one line.
    """
    gap = max((abs(x - y) for xs, ys in lines.values() for x, y in zip(xs, ys, strict=True)), default=0.0)
    description = f"Predicted and observed shares differ by at most {gap:.3f} in a bin."
    with drawing("calibration", "Calibration", description, SQUARE) as sheet:
        sheet.axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":", label="perfect")
        if before and len(lines) == 1:
            for xs, ys in before.values():
                sheet.axes.plot(xs, ys, color=AMBER, linestyle="--", marker="s", markersize=3, label="not calibrated")
        _draw_lines(sheet.axes, lines, "model", marker="o")
        _unit_square(sheet.axes, "predicted probability", "observed share")
        sheet.axes.legend(loc="upper left")
    return sheet.svg


def gains_curve(lines: Mapping[str, Line]) -> str:
    """Draw which share of a class is found among the rows that the model ranks first.

    Args:
        lines: For each line's name the share of the rows and the share of the class found among them.
    """
    first = next(iter(lines.values()))
    description = f"The first {first[0][0]:.0%} of the rows hold {first[1][0]:.0%} of the class."
    with drawing("gains", "Cumulative gains", description, SQUARE) as sheet:
        sheet.axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":", label="chance")
        whole = {name: ([0.0, *xs], [0.0, *ys]) for name, (xs, ys) in lines.items()}
        _draw_lines(sheet.axes, whole, "model", marker="o")
        _unit_square(sheet.axes, "share of the rows, best first", "share of the class found")
        sheet.axes.legend(loc="lower right")
    return sheet.svg


def lift_curve(lines: Mapping[str, Line]) -> str:
    """Draw how many times more of a class than by chance is found among the rows that the model ranks first.

    Args:
        lines: For each line's name the share of the rows and the lift at each.
    """
    first = next(iter(lines.values()))
    description = f"The first {first[0][0]:.0%} of the rows hold {first[1][0]:.2f} times what chance would find."
    with drawing("lift", "Lift", description, SQUARE) as sheet:
        sheet.axes.axhline(1, color=MUTED, linewidth=1, linestyle=":", label="chance")
        _draw_lines(sheet.axes, lines, "model", marker="o")
        sheet.axes.set(xlabel="share of the rows, best first", ylabel="lift", xlim=(0, 1.02))
        sheet.axes.set_ylim(bottom=0)
        sheet.axes.legend(loc="upper right")
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
    size = (max(SQUARE[0], 2.2 + 0.8 * shown), max(SQUARE[1], 1.3 + 0.6 * shown))
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


def _draw_lines(axes: Axes, lines: Mapping[str, Line], alone: str, marker: str = "") -> None:
    """Draw one line for each class, told apart by dashes as well as colour; a single line is called `alone`.

    Of many classes the first are drawn: no eye can tell more apart.
    """
    for place, (name, (xs, ys)) in enumerate(list(lines.items())[:_MOST_LINES]):
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
