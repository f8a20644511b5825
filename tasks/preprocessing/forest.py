"""Rows that are unusual as a whole: an isolation forest over the finished numeric features.

After Liu, Ting and Zhou, "Isolation Forest" (2008): rows that few random cuts set apart are outliers. scikit-learn
grows the trees; what is kept are plain numbers, which float32 holds exactly, so that the graph decides the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.preprocessing.config import RowOutlierConfig
from tasks.preprocessing.constants import Forest, NumericFeature, Preprocessing, Tree
from tasks.preprocessing.options import ROW_IS_OUTLIER

_TREE_ROWS = 128
# Path lengths are kept in whole 1/256, so that adding a few hundred of them in float32 is exact in any order.
_DEPTH_UNIT = 256.0
_EULER_GAMMA = 0.5772156649015329


def fit_forest(
    preprocessing: Preprocessing, names: tuple[str, ...], matrix: NDArray[np.float32], config: RowOutlierConfig
) -> Preprocessing:
    """Return the constants with a forest, and with the feature `row_is_outlier` for action `flag`.

    Args:
        preprocessing: The constants so far.
        names: The finished features that rows are judged by.
        matrix: Those of a sample of the training rows, float32 [S, names].
        config: How many trees, what share to call outliers.
    """
    from sklearn.ensemble import IsolationForest  # noqa: PLC0415 - a second to import, for those who ask for it

    grown = IsolationForest(
        n_estimators=config.trees, max_samples=min(_TREE_ROWS, len(matrix)), random_state=config.seed, n_jobs=1
    ).fit(matrix)
    trees = tuple(
        _tree(each.tree_, columns) for each, columns in zip(grown.estimators_, grown.estimators_features_, strict=True)
    )
    forest = Forest(features=names, trees=trees, threshold=0.0, action=config.action)
    paths = np.sort(path_lengths(forest, matrix))
    threshold = float(paths[min(len(paths) - 1, int(len(paths) * config.contamination))])
    forest = forest.model_copy(update={"threshold": threshold})
    flag = NumericFeature(name=ROW_IS_OUTLIER, column="", source="number", kind="row_outlier")
    added = (flag,) if config.action == "flag" else ()
    return preprocessing.model_copy(update={"forest": forest, "numeric": (*preprocessing.numeric, *added)})


def path_lengths(forest: Forest, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return each row's path lengths, added over the trees: float64 [N], exact."""
    total = np.zeros(len(matrix))
    rows = np.arange(len(matrix))
    for tree in forest.trees:
        features, thresholds = np.array(tree.features), np.array(tree.thresholds, dtype=np.float32)
        left, right, depths = np.array(tree.left), np.array(tree.right), np.array(tree.depths)
        node = np.zeros(len(matrix), dtype=np.int64)
        inner = features[node] >= 0
        while inner.any():
            goes_left = matrix[rows, features[node]] <= thresholds[node]
            node = np.where(inner, np.where(goes_left, left[node], right[node]), node)
            inner = features[node] >= 0
        total += depths[node]
    return total


def _tree(grown: Any, columns: NDArray[np.int64]) -> Tree:
    depth = np.zeros(grown.node_count)
    for parent in range(grown.node_count):
        for child in (grown.children_left[parent], grown.children_right[parent]):
            if child > 0:
                depth[child] = depth[parent] + 1
    leaf = grown.children_left < 0
    expected = np.where(leaf, depth + _unseen_path(grown.n_node_samples), 0.0)
    return Tree(
        features=tuple(int(each) for each in np.where(leaf, -1, columns[grown.feature])),
        thresholds=tuple(float(each) for each in np.where(leaf, 0.0, _rounded_down(grown.threshold))),
        left=tuple(int(each) for each in np.where(leaf, 0, grown.children_left)),
        right=tuple(int(each) for each in np.where(leaf, 0, grown.children_right)),
        depths=tuple(float(each) for each in np.rint(expected * _DEPTH_UNIT) / _DEPTH_UNIT),
    )


def _rounded_down(thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the greatest float32 at or below each threshold: float32 features compare with it as with the original."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded).astype(np.float64)


def _unseen_path(rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the average path length of the tree that a leaf of so many rows would have grown into."""
    many = np.maximum(rows, 3).astype(np.float64)
    average = 2 * (np.log(many - 1) + _EULER_GAMMA) - 2 * (many - 1) / many
    return np.where(rows > 2, average, np.where(rows == 2, 1.0, 0.0))
