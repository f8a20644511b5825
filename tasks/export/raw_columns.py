"""Raw columns of a model: how the contract's columns enter the graph, and how a table becomes its tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from data_contracts.contract import Column, Contract
from data_contracts.instants import UTC_NAMES, instant_pattern
from data_contracts.privacy import python_pattern
from data_contracts.repair import ISO, date_formats
from data_contracts.row_rules import is_secret
from serving.bundle.manifest import (
    NULL_TIMESTAMP,
    Datatype,
    DateForm,
    InputRule,
    InputSpec,
    TensorType,
    TextRepair,
)
from tasks.errors import ConfigError, DataError
from tasks.images.layout import pixels_of
from tasks.preprocessing.columns import one_array
from tasks.preprocessing.constants import ImageInput, Preprocessing

_MICROS = pa.timestamp("us", tz="UTC")


def input_specs(contract: Contract, preprocessing: Preprocessing) -> tuple[InputSpec, ...]:
    """Describe the raw columns that the features need, in the contract's order.

    Raises:
        ConfigError: The preprocessing was fitted on columns that the contract does not have.
    """
    if preprocessing.image is not None:
        return (_image_spec(preprocessing.image),)
    needed = set(preprocessing.columns)
    missing = sorted(needed - {column.name for column in contract.columns})
    if missing:
        raise ConfigError(
            f"contract {contract.name} {contract.version}: the preprocessing needs columns that it does not have: "
            f"{', '.join(missing[:5])}\n  do: fit the preprocessing again with this contract"
        )
    return tuple(input_spec(contract, column) for column in contract.columns if column.name in needed)


def _image_spec(image: ImageInput) -> InputSpec:
    return InputSpec(
        name=image.column,
        datatype="UINT8",
        tensor="uint8",
        logical_type="image",
        nullable=False,
        shape=image.shape,
        description=f"Rows of pixels, levels of 0 to 255, {'red, green and blue' if image.mode == 'RGB' else 'grey'}",
    )


def input_spec(contract: Contract, column: Column) -> InputSpec:
    """Describe one column as the endpoint takes it: its rules, and how its texts are put right."""
    datatype, tensor = _types(column)
    rules = (rule for rule in contract.row_rules if rule.column == column.name)
    zone = column.options.get("defaultTimezone", "UTC")
    extract = column.privacy.pattern if column.privacy is not None else None
    return InputSpec(
        name=column.name,
        datatype=datatype,
        tensor=tensor,
        logical_type=column.logical_type,
        nullable=not column.required,
        rules=tuple(InputRule(id=rule.id, kind=rule.kind, argument=rule.argument) for rule in rules),
        description=column.description,
        examples=column.examples,
        repair=TextRepair(**column.repair.model_dump(exclude={"formats"})),
        date_forms=_date_forms(column),
        zone="UTC" if zone in UTC_NAMES else zone,
        extract=None if extract is None else python_pattern(extract),
        masked=is_secret(column),
    )


def _date_forms(column: Column) -> tuple[DateForm, ...]:
    if column.logical_type not in {"date", "timestamp"} or date_formats(column) == (None,):
        return ()
    # The patterns are anchored for RE2; the endpoint matches whole texts by itself.
    return tuple(
        DateForm(written=text_format or ISO, pattern=instant_pattern(text_format).removeprefix("^").removesuffix("$"))
        for text_format in date_formats(column)
    )


def _types(column: Column) -> tuple[Datatype, TensorType]:
    match column.logical_type:
        case "string":
            return "BYTES", "string"
        case "number":
            return "FP64", "float64"
        case "integer":
            return "INT64", "int64" if column.required else "float64"
        case "boolean":
            return "BOOL", "bool" if column.required else "float64"
        case "date" | "timestamp":
            return "BYTES", "int64"


def feed(table: pa.Table, inputs: Sequence[InputSpec]) -> dict[str, np.ndarray]:
    """Turn typed rows into the graph's tensors.

    Args:
        table: Columns typed as the contract says (`data_contracts.parsing.ParsedTable.table`).
        inputs: The model's raw columns.

    Returns:
        One array [rows] per column, of the input's tensor type; strings are an object array of `str`, images uint8
        [rows, H, W, C].

    Raises:
        DataError: A column that must not be null is.
    """
    return {spec.name: _tensor(table.column(spec.name), spec) for spec in inputs}


def _tensor(column: pa.ChunkedArray[Any], spec: InputSpec) -> np.ndarray:
    if spec.logical_type == "image":
        height, width, channels = spec.shape
        return pixels_of(column, (height, width, channels))
    values: Any = one_array(column)
    if spec.tensor == "string":
        return np.asarray(values.fill_null("").to_numpy(zero_copy_only=False), dtype=object)
    if spec.tensor == "float64":
        return np.asarray(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
    if spec.logical_type in {"date", "timestamp"}:
        values = values.cast(_MICROS).cast(pa.int64())
        values = values.fill_null(NULL_TIMESTAMP) if spec.nullable else values
    if values.null_count:
        raise DataError(
            f"column {spec.name}: {values.null_count} of {len(values)} values are null, but the contract requires it\n"
            "  do: validate the dataset against the contract that the model was exported with"
        )
    return np.asarray(values.to_numpy(zero_copy_only=False))
