"""What a model expects of its raw columns: the categories it knows, and the range of its training data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from serving.bundle.errors import BundleError, RemoteError
from serving.bundle.manifest import BundleManifest, InputSpec

# The files that the training side puts into a bundle; a bundle without them is served, and nothing is expected.
REFERENCE = "reference.json"
PREPROCESSING = "preprocessing.json"
# A larger vocabulary (names, tickets) is not held in the endpoint, and what is unseen in it is not counted.
MOST_VALUES = 100_000


class Expected(NamedTuple):
    """What one column held in training.

    Attributes:
        values: The categories that the graph knows, numbers as `int`; None where it has none.
        lowest: The least value of the training data, timestamps in microseconds; None where there is none.
        highest: The greatest.
    """

    values: frozenset[str] | frozenset[int] | None = None
    lowest: float | None = None
    highest: float | None = None


class _Range(BaseModel):
    minimum: float | None = None
    maximum: float | None = None


class _Reference(BaseModel):
    columns: Mapping[str, _Range] = {}


class _Category(BaseModel):
    column: str
    part: str | None = None
    vocabulary: tuple[str, ...]


class _Encoding(BaseModel):
    category: _Category


class _Preprocessing(BaseModel):
    categorical: tuple[_Category, ...] = ()
    encodings: tuple[_Encoding, ...] = ()

    def whole(self) -> Iterator[_Category]:
        """Yield the vocabularies of whole values; those of a date's parts say nothing of the date."""
        every = [*self.categorical, *(encoding.category for encoding in self.encodings)]
        return (category for category in every if category.part is None)


_Document = TypeVar("_Document", bound=BaseModel)


def read_expected(folder: Path, manifest: BundleManifest) -> dict[str, Expected]:
    """Return what is expected of each input of which anything is known.

    Args:
        folder: The bundle's folder, its files checked against their digests.
        manifest: Its manifest.

    Raises:
        BundleError: A file does not hold what the training side writes.
    """
    reference = _read(folder, REFERENCE, manifest, _Reference)
    preprocessing = _read(folder, PREPROCESSING, manifest, _Preprocessing)
    ranges = {} if reference is None else reference.columns
    vocabularies = {} if preprocessing is None else {c.column: c.vocabulary for c in preprocessing.whole()}
    return {spec.name: _expected(spec, ranges, vocabularies) for spec in manifest.inputs if not spec.shape}


def _expected(spec: InputSpec, ranges: Mapping[str, _Range], vocabularies: Mapping[str, tuple[str, ...]]) -> Expected:
    words = vocabularies.get(spec.name)
    values: frozenset[str] | frozenset[int] | None = None
    if words is not None and len(words) <= MOST_VALUES:
        values = frozenset(words) if spec.tensor == "string" else frozenset(map(int, words))
    span = ranges.get(spec.name)
    if span is None or spec.tensor == "string" or spec.logical_type == "boolean":
        return Expected(values)
    return Expected(values, span.minimum, span.maximum)


def _read(folder: Path, name: str, manifest: BundleManifest, document: type[_Document]) -> _Document | None:
    if name not in manifest.files:
        return None
    path = folder / name
    try:
        return document.model_validate_json(path.read_bytes())
    except RemoteError:
        raise
    except OSError as error:
        raise BundleError.at(path, f"cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise BundleError.at(path, f"not what the training side writes: {place}: {first['msg']}") from error
