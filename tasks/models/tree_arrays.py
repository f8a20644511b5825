"""Trees as plain arrays: what is kept of them, checked when it is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from tasks.errors import IntegrityError

LEAF = -1

# LightGBM takes numbers between these two for 0, and cuts beside 0 at one of them (`kZeroThreshold` in its source).
_ZERO = float(np.float32(1e-35))

_TYPES = {"output": np.int32, "start": np.int64, "feature": np.int32, "left": np.int32, "right": np.int32}


@dataclass(frozen=True)
class Trees:
    """`T` trees of `N` nodes in all; a tree's nodes stand together, its root first, children behind their parent.

    Attributes:
        output: Which score a tree counts for, int32 `[T]`.
        start: Where its nodes start, int64 `[T + 1]`; the last is `N`.
        feature: Which feature a node compares, int32 `[N]`; -1 for a leaf.
        threshold: A row whose feature is at most this goes left, float64 `[N]`; 0 for a leaf.
        left: The child's number in its tree, int32 `[N]`; 0 for a leaf.
        right: As `left`.
        value: What a leaf adds to the score, float64 `[N]`; 0 for a split.
    """

    output: NDArray[np.int32]
    start: NDArray[np.int64]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]

    def file(self) -> bytes:
        """Return the trees as safetensors; equal trees give equal bytes."""
        return bytes(save({each.name: getattr(self, each.name) for each in fields(self)}))

    def tree(self, index: int) -> slice:
        """Return where a tree's nodes stand."""
        return slice(int(self.start[index]), int(self.start[index + 1]))


def read_trees(content: bytes, features: int, outputs: int) -> Trees:
    """Read what `Trees.file` wrote, and check that every row would find a leaf.

    Args:
        content: The file.
        features: How many features there are.
        outputs: How many scores.

    Raises:
        SafetensorError: The file is torn or of another format.
        IntegrityError: It holds no trees of these features and outputs.
    """
    arrays = load(content)
    wanted = {each.name: np.dtype(_TYPES.get(each.name, np.float64)) for each in fields(Trees)}
    if {name: array.dtype for name, array in arrays.items()} != wanted or any(
        each.ndim != 1 for each in arrays.values()
    ):
        raise IntegrityError(f"trees: expected the arrays {', '.join(wanted)}, each of its type and with one dimension")
    trees = Trees(**arrays)
    for flaw in _flaws(trees, features, outputs):
        raise IntegrityError(f"trees: {flaw}")
    return trees


def _flaws(trees: Trees, features: int, outputs: int) -> Iterator[str]:
    """Say what is wrong; whoever asks for a second flaw must have mended the first."""
    nodes, sizes = len(trees.feature), np.diff(trees.start)
    if any(len(each) != nodes for each in (trees.threshold, trees.left, trees.right, trees.value)):
        yield "the arrays of the nodes differ in length"
    if len(trees.start) != len(trees.output) + 1 or trees.start[0] != 0 or trees.start[-1] != nodes or min(sizes) < 1:
        yield "the starts do not cut the nodes into trees"
    if not ((trees.output >= 0) & (trees.output < outputs)).all():
        yield f"a tree counts for none of the {outputs} scores"
    if not ((trees.feature >= LEAF) & (trees.feature < features)).all():
        yield f"a node compares none of the {features} features"
    if not (np.isfinite(trees.threshold).all() and np.isfinite(trees.value).all()):
        yield "a threshold or a leaf is not finite"
    here = np.arange(nodes) - np.repeat(trees.start[:-1], sizes)
    size = np.repeat(sizes, sizes)
    split = trees.feature != LEAF
    if not all(((child > here) & (child < size))[split].all() for child in (trees.left, trees.right)):
        yield "a child does not stand behind its parent, in the same tree"


def from_lightgbm(grown: Iterable[tuple[int, Mapping[str, Any]]]) -> Trees:
    """Take over trees that LightGBM grew without categorical splits and without missing values.

    Args:
        grown: Of each tree the score that it counts for, and its `tree_structure` of `Booster.dump_model`.
    """
    outputs, starts = [], [0]
    nodes: list[tuple[int, float, int, int, float]] = []
    for output, root in grown:
        nodes += _nodes(root)
        outputs.append(output)
        starts.append(len(nodes))
    feature, threshold, left, right, value = zip(*nodes, strict=True)
    return Trees(
        output=np.array(outputs, np.int32),
        start=np.array(starts, np.int64),
        feature=np.array(feature, np.int32),
        threshold=np.array(threshold, np.float64),
        left=np.array(left, np.int32),
        right=np.array(right, np.int32),
        value=np.array(value, np.float64),
    )


def _nodes(root: Mapping[str, Any]) -> list[tuple[int, float, int, int, float]]:
    """Number a tree's nodes level by level."""
    queue = [root]
    found = []
    for node in queue:
        if "leaf_value" in node:
            found.append((LEAF, 0.0, 0, 0, float(node["leaf_value"])))
            continue
        assert node["decision_type"] == "<=", node["decision_type"]
        found.append((int(node["split_feature"]), _exact(float(node["threshold"])), len(queue), len(queue) + 1, 0.0))
        queue += [node["left_child"], node["right_child"]]
    return found


def _exact(threshold: float) -> float:
    """Return a threshold that sends -1e-35 itself where LightGBM sends it: with 0."""
    return float(np.nextafter(threshold, -np.inf)) if threshold == -_ZERO else threshold
