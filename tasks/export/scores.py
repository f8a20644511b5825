"""A trained model as ONNX: from preprocessed features to scores."""

from __future__ import annotations

from functools import singledispatch

import onnx

from tasks.export.blend_graph import export_blend
from tasks.export.network import export_image_network, export_network
from tasks.export.trees_graph import export_trees
from tasks.models.blend import BlendPredictor
from tasks.models.images.predictor import ImagePredictor
from tasks.models.predictor import NetworkPredictor, Predictor
from tasks.models.trees import TreesPredictor


@singledispatch
def export_scores(predictor: Predictor, numeric: int, categorical: int) -> onnx.ModelProto:
    """Export a trained model; two exports of the same model are the same bytes.

    Args:
        predictor: The model.
        numeric: Columns of the float32 matrix.
        categorical: Columns of the int64 matrix.

    Returns:
        A model with inputs `numeric` and `categorical`, of images the one input `image`, uint8 [N, H, W, C]; output
        `logits` float32 [N, O], and a dynamic batch.
    """
    raise NotImplementedError(type(predictor).__name__)


@export_scores.register
def _(predictor: NetworkPredictor, numeric: int, categorical: int) -> onnx.ModelProto:
    return export_network(predictor.network, numeric, categorical)


@export_scores.register
def _(predictor: ImagePredictor, numeric: int, categorical: int) -> onnx.ModelProto:  # noqa: ARG001
    return export_image_network(predictor.network)


@export_scores.register
def _(predictor: TreesPredictor, numeric: int, categorical: int) -> onnx.ModelProto:
    return export_trees(predictor, numeric, categorical)


@export_scores.register
def _(predictor: BlendPredictor, numeric: int, categorical: int) -> onnx.ModelProto:
    members = [export_scores(member, numeric, categorical) for member in predictor.members]
    return export_blend(predictor, members, numeric, categorical)
