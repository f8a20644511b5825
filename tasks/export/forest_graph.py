"""An isolation forest as one ONNX operator: `tasks.preprocessing.forest.path_lengths`, to the bit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import spox.opset.ai.onnx.ml.v3 as ml
import spox.opset.ai.onnx.v18 as op
from spox import Var

from tasks.preprocessing.constants import Forest


def row_outliers(forest: Forest, finished: Var, rows: Sequence[int]) -> Var:
    """Return whether each row of the batch is an outlier, float32 [1, batch].

    Args:
        forest: The fitted forest.
        finished: Finished features, float32 [features, batch].
        rows: Which of them are the forest's, in its order.
    """
    judged = op.transpose(op.gather(finished, op.const(np.array(rows, np.int64)), axis=0))
    nodes = [(number, node, tree) for number, tree in enumerate(forest.trees) for node in range(len(tree.features))]
    leaves = [(number, node, tree) for number, node, tree in nodes if tree.features[node] < 0]
    paths = ml.tree_ensemble_regressor(
        judged,
        n_targets=1,
        nodes_treeids=[number for number, _, _ in nodes],
        nodes_nodeids=[node for _, node, _ in nodes],
        nodes_featureids=[max(tree.features[node], 0) for _, node, tree in nodes],
        nodes_modes=["BRANCH_LEQ" if tree.features[node] >= 0 else "LEAF" for _, node, tree in nodes],
        nodes_values=[tree.thresholds[node] for _, node, tree in nodes],
        nodes_truenodeids=[tree.left[node] for _, node, tree in nodes],
        nodes_falsenodeids=[tree.right[node] for _, node, tree in nodes],
        target_treeids=[number for number, _, _ in leaves],
        target_nodeids=[node for _, node, _ in leaves],
        target_ids=[0 for _ in leaves],
        target_weights=[tree.depths[node] for _, node, tree in leaves],
    )
    outlier = op.less(paths, op.const(np.array([[forest.threshold]], np.float32)))
    return op.reshape(op.cast(outlier, to=np.float32), op.const(np.array([1, -1], np.int64)))
