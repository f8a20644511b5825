"""Plots of predicted numbers and quantiles, each a function from plain numbers to an SVG string."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from tasks.report.class_plots import SQUARE
from tasks.report.plots import Line
from tasks.report.svg import AMBER, BLUE, MUTED, drawing


def predicted_and_true(points: Line, band: tuple[Sequence[float], Sequence[float]] | None = None) -> str:
    """Draw what was true over what was predicted.

    Args:
        points: The predictions, ascending, and what was true.
        band: The lowest and highest predicted quantile at the same points, where quantiles are predicted.
    """
    description = f"{len(points[0]):,} rows at even steps of the prediction."
    with drawing("scatter", "Predicted and true", description, SQUARE) as sheet:
        axes = sheet.axes
        both = [*points[0], *points[1]]
        ends = [min(both), max(both)]
        axes.plot(ends, ends, color=MUTED, linewidth=1, linestyle=":", label="perfect")
        if band is not None:
            axes.fill_between(points[0], *band, color=AMBER, alpha=0.25, linewidth=0, label="outer quantiles")
        axes.plot(*points, color=BLUE, linestyle="", marker="o", markersize=3, alpha=0.6, label="rows")
        axes.set(xlabel="predicted", ylabel="true")
        axes.legend(loc="upper left")
    return sheet.svg


def residual_histogram(edges: Sequence[float], counts: Sequence[int]) -> str:
    """Draw how often which error occurs; the outermost bars hold what lies beyond them too.

    Args:
        edges: Of the bars, one more than there are bars.
        counts: Rows in each.
    """
    description = (
        f"Truth minus prediction of {sum(counts):,} rows; most lie between {edges[0]:.4g} and {edges[-1]:.4g}."
    )
    with drawing("residuals", "Residuals", description, SQUARE) as sheet:
        widths = [high - low for low, high in pairwise(edges)]
        sheet.axes.bar(edges[:-1], counts, width=widths, align="edge", color=BLUE, alpha=0.75, linewidth=0)
        sheet.axes.axvline(0, color=AMBER, linewidth=1.2, linestyle="--")
        sheet.axes.set(xlabel="true minus predicted", ylabel="rows")
        sheet.axes.yaxis.set_major_formatter("{x:,.0f}")
    return sheet.svg


def residuals_by_prediction(spread: Mapping[str, Sequence[float]]) -> str:
    """Draw whether errors depend on the prediction.

    Args:
        spread: `predicted`, and the residual's `low`, `middle` and `high` percentile there.
    """
    worst = max(map(abs, spread["middle"]), default=0.0)
    description = f"The median error is at most {worst:.4g} in any tenth of the rows by prediction."
    with drawing("spread", "Residuals by prediction", description, SQUARE) as sheet:
        axes, where = sheet.axes, spread["predicted"]
        axes.axhline(0, color=MUTED, linewidth=1, linestyle=":")
        axes.fill_between(where, spread["low"], spread["high"], color=BLUE, alpha=0.2, linewidth=0, label="5% to 95%")
        axes.plot(where, spread["middle"], color=BLUE, marker="o", markersize=3.5, label="median")
        axes.set(xlabel="predicted", ylabel="true minus predicted")
        axes.legend()
    return sheet.svg


def quantile_calibration(line: Line) -> str:
    """Draw which share of the rows lies below each quantile.

    Args:
        line: The quantiles, and the share of the rows at or below each.
    """
    gap = max((abs(x - y) for x, y in zip(*line, strict=True)), default=0.0)
    description = f"The share of rows below a quantile differs from it by at most {gap:.3f}."
    with drawing("quantiles", "Quantiles and the rows below them", description, SQUARE) as sheet:
        sheet.axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=":", label="perfect")
        sheet.axes.plot(*line, color=BLUE, marker="o", markersize=4, label="model")
        sheet.axes.set(xlabel="quantile", ylabel="share of the rows below", xlim=(0, 1), ylim=(0, 1.005))
        sheet.axes.legend(loc="upper left")
    return sheet.svg
