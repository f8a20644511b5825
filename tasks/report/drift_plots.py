"""The plot of a series that drifted."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.report.svg import AMBER, BLUE, drawing, printable

_HEIGHT = 0.38


def shares_bars(name: str, parts: Sequence[tuple[str, float, float]]) -> str:
    """Draw how a series' values are distributed, in the reference and in the served rows.

    Args:
        name: The series'.
        parts: What values are counted together, their share of the reference, and their share of the served rows.
    """
    furthest = max(parts, key=lambda part: abs(part[2] - part[1]))
    description = f"{printable(furthest[0])}: {100 * furthest[2]:.3g} % served, {100 * furthest[1]:.3g} % in training."
    with drawing("drift", f"Distribution of {name}", description, (5.2, 1.0 + 0.3 * len(parts))) as sheet:
        axes, places = sheet.axes, range(len(parts))
        axes.barh([each - _HEIGHT / 2 for each in places], [part[1] for part in parts], _HEIGHT, color=BLUE)
        axes.barh([each + _HEIGHT / 2 for each in places], [part[2] for part in parts], _HEIGHT, color=AMBER)
        axes.set_yticks(places, [printable(part[0]) for part in parts])
        axes.set(xlabel="share of the rows")
        axes.xaxis.set_major_formatter(lambda share, _: f"{100 * share:g} %")
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.legend(["reference", "served"], loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return sheet.svg
