"""`bundle.json`: what a bundle is, what proves it, and how its model is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, PositiveInt

MANIFEST = "bundle.json"
MODEL = "model.onnx"
# Written beside the model after its digest is taken: they hold times and paths, which differ from run to run.
NOT_DIGESTED = frozenset({MANIFEST, "report.html", "measurements.json"})

_Integer = Literal["INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"]
Datatype = Literal["BYTES", "FP64", "FP32", "FP16", "BOOL", _Integer]
Problem = Literal["binary", "multiclass", "multilabel", "regression", "quantile"]
_IntegerTensor = Literal["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
TensorType = Literal["string", "float64", "float32", "float16", "bool", _IntegerTensor]
NULL_TIMESTAMP = -(2**63)


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InputRule(_Frozen):
    """One row rule of the contract that a request must keep; the words are `data_contracts.contract.RowRule`'s."""

    id: str
    kind: str
    argument: Any = None


class TextRepair(_Frozen):
    """How texts are put right before they are read; the words are `data_contracts.contract.Repair`'s.

    `synonyms` has its keys in the column's own form. `null_markers` None stands for the usual ones.
    """

    unicode: Literal["NFC", "NFD", "NFKC", "NFKD"] | None = None
    trim: bool = True
    case: Literal["upper", "lower", "title"] | None = None
    null_markers: tuple[str, ...] | None = None
    synonyms: Mapping[str, str] = {}
    thousands_separator: str | None = None
    decimal_separator: str | None = None


class DateForm(_Frozen):
    """One way in which dates are written: in words, and as a regular expression with a named group for each part."""

    written: str
    pattern: str


class InputSpec(_Frozen):
    """One raw column of a request.

    `datatype` is the type on the wire; `tensor` is the graph's. They differ where null needs room: a nullable
    integer or boolean travels as INT64 or BOOL with JSON `null` and enters the graph as float64 with NaN. A
    timestamp or date travels as BYTES (ISO 8601) or INT64 and enters as int64 microseconds since 1970 UTC, null as
    `NULL_TIMESTAMP`. A null string enters as the empty string.

    Texts are put right as `repair` says; a number or boolean whose texts the contract repairs may travel as BYTES too.
    `date_forms` are tried in order, then ISO 8601; a text without an offset is in `zone`. Of a text with `extract`, a
    regular expression with one group, only what the group finds enters the graph, once the rules were checked.

    `datatype` is the input's own; a column also accepts others that it can be read from without loss.

    `shape` is that of one record, empty for a table's column; an image has height, width and channels, and its levels
    of 0 to 255 travel as UINT8. A `tensor` is what a bare network takes: any shape, `datatype` and `tensor` of the same
    kind, no rules; a nullable one of floating-point numbers holds NaN, which is null in JSON.

    `masked` marks a column that the contract classifies: its values appear in no log and no sample.
    """

    name: str
    datatype: Datatype
    tensor: TensorType
    logical_type: Literal["string", "integer", "number", "boolean", "date", "timestamp", "image", "tensor"]
    nullable: bool
    rules: tuple[InputRule, ...] = ()
    description: str | None = None
    examples: tuple[Any, ...] = ()
    repair: TextRepair = TextRepair()
    date_forms: tuple[DateForm, ...] = ()
    zone: str = "UTC"
    extract: str | None = None
    shape: tuple[PositiveInt, ...] = ()
    masked: bool = False


class OutputSpec(_Frozen):
    """One output of the graph. `shape` has -1 for the batch."""

    name: str
    datatype: Datatype
    shape: tuple[int, ...]


class BundleManifest(_Frozen):
    """The content of `bundle.json`.

    Attributes:
        model: The model's name, as in the endpoint's path.
        digest: SHA-256 of the rest of this document: the same data, config and seed give the same digest.
        files: SHA-256 of every file of the bundle that counts (all but `NOT_DIGESTED`).
        problem: Which outputs there are: for `binary` and `multiclass` `label` and `probabilities`, for `multilabel`
            `labels` and `probabilities`, for `regression` `prediction`, for `quantile` `quantiles`.
        classes: The classes in the order of `probabilities`' columns; none but for `binary` and `multiclass`.
        labels: The labels in the order of the columns of `labels` and `probabilities`; none but for `multilabel`.
        quantiles: What the columns of `quantiles` are, ascending; none but for `quantile`.
        proofs: What was shown before promotion: contract and data digests, validation, metrics, gates, parity.
        inputs: Raw columns, in the contract's order.
    """

    format: Literal[1] = 1
    model: str
    digest: str
    files: Mapping[str, str]
    problem: Problem
    inputs: tuple[InputSpec, ...]
    outputs: tuple[OutputSpec, ...]
    classes: tuple[str, ...] | tuple[int, ...] | tuple[bool, ...] = ()
    labels: tuple[str, ...] = ()
    quantiles: tuple[float, ...] = ()
    proofs: Mapping[str, Any]
