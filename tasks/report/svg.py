"""Drawing with Matplotlib so that the result is small, deterministic, accessible and at home on light and dark pages.

The same SVG serves in two places. Inside `report.html` its colours follow the page's style sheet, through custom
properties. Alone, as an image in a Prefect artifact, the properties are not set and the light palette applies, paper
included, so it stays legible whatever theme is around it.
"""

from __future__ import annotations

import base64
import io
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# Reading our own drawing back, not a stranger's document.
from xml.etree import ElementTree as ET

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, MUTED, GRID, PAPER = "#1c2730", "#5b6871", "#d5dbdf", "#ffffff"
BLUE, AMBER, GREEN, RED = "#1f6aa5", "#a65600", "#2e7d4f", "#b3342d"

_PROPERTIES = {
    INK: "ink",
    MUTED: "muted",
    GRID: "grid",
    PAPER: "paper",
    BLUE: "blue",
    AMBER: "amber",
    GREEN: "green",
    RED: "red",
}
_STYLE: dict[Any, Any] = {
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "figure.facecolor": PAPER,
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.8,
    "svg.fonttype": "none",
    "svg.hashsalt": "headrace",
    "text.color": INK,
    # A class may be named `$x$`.
    "text.parse_math": False,
    "xtick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.color": MUTED,
    "ytick.labelcolor": INK,
}
_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_LONGEST_NAME = 24
# Matplotlib's style is global state.
_one_at_a_time = threading.Lock()


@dataclass
class Drawing:
    """A figure while it is drawn, and the finished SVG after its `drawing` block has ended."""

    figure: Figure
    axes: Axes
    svg: str = ""


@contextmanager
def drawing(name: str, title: str, description: str, size: tuple[float, float] = (5.2, 3.4)) -> Iterator[Drawing]:
    """Open a figure in the house's style and, when the block ends, render it.

    Args:
        name: Prefix of the drawing's element ids; one page may hold many drawings, each with its own.
        title: What the drawing is, for those who cannot see it.
        description: What it shows, in a sentence with its main figures.
        size: Width and height in inches.
    """
    with _one_at_a_time, mpl.rc_context(), warnings.catch_warnings():
        # Not the user's own matplotlibrc: the same numbers give the same bytes everywhere.
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        # The reader's browser draws the text, with fonts that Matplotlib need not have.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = Figure(figsize=size)
        sheet = Drawing(figure, figure.add_subplot())
        yield sheet
        rendered = io.StringIO()
        figure.savefig(rendered, format="svg", metadata=_NO_METADATA)
    sheet.svg = _finish(rendered.getvalue(), name, title, description)


def as_data_uri(svg: str) -> str:
    """Return a drawing as a data URI, for `![title](uri)` in a Prefect markdown artifact."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def printable(text: object, longest: int = _LONGEST_NAME) -> str:
    """Return a label for a drawing: control characters, which XML cannot hold, are shown as `?`, and the end is cut."""
    shown = "".join(one if one.isprintable() else "?" for one in str(text))
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def _finish(rendered: str, name: str, title: str, description: str) -> str:
    ET.register_namespace("", _SVG)
    root = ET.fromstring(rendered)  # noqa: S314
    for element in root.iter():
        for key, value in list(element.attrib.items()):
            element.attrib[key] = _at_home(value) if key == "style" else value
        if "id" in element.attrib:
            element.set("id", f"{name}-{element.attrib['id']}")
        if reference := element.attrib.pop(f"{{{_XLINK}}}href", None):
            element.set("href", f"#{name}-{reference.removeprefix('#')}")
        if "clip-path" in element.attrib:
            element.set("clip-path", element.attrib["clip-path"].replace("#", f"#{name}-"))
    _drop_global_style(root)
    _describe(root, name, title, description)
    return ET.tostring(root, encoding="unicode") + "\n"


def _at_home(style: str) -> str:
    """Let the page's custom properties, where it sets them, decide colours and font."""
    style = re.sub(r"font-family: [^;]*", "font-family: var(--plot-font, 'DejaVu Sans', Verdana, sans-serif)", style)
    for colour, role in _PROPERTIES.items():
        style = style.replace(colour, f"var(--plot-{role}, {colour})")
    return style


def _drop_global_style(root: ET.Element) -> None:
    """Move Matplotlib's `*` rule onto the root, where it is inherited: inside a page it would style everything."""
    for parent in root.iter():
        for style in parent.findall(f"{{{_SVG}}}style"):
            parent.remove(style)
    root.set("stroke-linejoin", "round")
    root.set("stroke-linecap", "butt")


def _describe(root: ET.Element, name: str, title: str, description: str) -> None:
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{name}-{tag}"})
        element.text = printable(text, longest=400)
        root.insert(place, element)
    root.set("role", "img")
    root.set("aria-labelledby", f"{name}-title {name}-desc")
