"""The cards of the served models: what each takes and answers, who serves, and what was shown of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from serving.bundle.manifest import BundleManifest, InputSpec
from serving.errors import NotFoundError
from serving.models.loaded import LoadedModel
from serving.models.overview import ModelOverview
from serving.models.served import ServedModels
from serving.page.proofs import read_proofs
from serving.page.statistics import read_statistics
from serving.protocol.classification import labels_of
from serving.protocol.examples import example_record, example_value
from serving.protocol.value_schemas import portable

_BOUNDS = frozenset(
    {
        "minimum",
        "maximum",
        "exclusive_minimum",
        "exclusive_maximum",
        "multiple_of",
        "pattern",
        "min_length",
        "max_length",
    }
)


class Cards:
    """Cards of versions, made when a version is loaded and kept as long as it is.

    Args:
        root: The model store's; what people read does not say where that is.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._kept: WeakKeyDictionary[LoadedModel, dict[str, Any]] = WeakKeyDictionary()

    def loaded(self, folder: Path, model: LoadedModel) -> None:
        """Make the card of a version that was just loaded. Blocks for a moment."""
        manifest = model.manifest
        statistics = read_statistics(folder, manifest)
        self._kept[model] = {
            **card_of(manifest),
            **_known("targets", list(statistics.targets)),
            "example": example_record(manifest.inputs, statistics.typical),
            "proofs": read_proofs(folder, manifest),
        }

    def example(self, model: LoadedModel) -> dict[str, Any] | None:
        """Return a record that a loaded version answers; None where none is known."""
        found: dict[str, Any] | None = self._kept[model]["example"]
        return found

    def all(self, served: ServedModels, visible: Collection[str] | None) -> dict[str, Any]:
        """Return who serves, of every model that may be named.

        Args:
            served: The models.
            visible: Those that may be named; None for all.
        """
        seen = [each for each in served.overview() if visible is None or each["model"] in visible]
        problems = {name: model.manifest.problem for name, model in served.loaded.items()}
        return {"models": [self._told(each) | _known("problem", problems.get(each["model"])) for each in seen]}

    def one(self, served: ServedModels, model: str, version: str | None) -> dict[str, Any]:
        """Return the card of a version, the champion if none is named.

        Raises:
            NotFoundError: It is not served.
        """
        found = served.get(model, version)
        overview = next((each for each in served.overview() if each["model"] == model), None)
        if overview is None:
            raise NotFoundError(f"model {model!r:.120} is not served")
        role = next((each["role"] for each in overview["versions"] if each["version"] == found.version), "leaving")
        return {**self._told(overview), "version": found.version, "role": role, **self._kept[found]}

    def _told(self, overview: ModelOverview) -> dict[str, Any]:
        refused = {version: reason.replace(f"{self._root}/", "") for version, reason in overview["refused"].items()}
        return {**overview, "refused": refused}


def card_of(manifest: BundleManifest) -> dict[str, Any]:
    """Return what a version takes and answers, as a JSON value."""
    outputs = [
        {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}
        | _known("labels", list(labels_of(spec, manifest)))
        for spec in manifest.outputs
    ]
    named = {"classes": manifest.classes, "labels": manifest.labels, "quantiles": manifest.quantiles}
    return {
        "digest": manifest.digest,
        "problem": manifest.problem,
        **{name: list(values) for name, values in named.items() if values},
        "inputs": [input_card(spec) for spec in manifest.inputs],
        "outputs": outputs,
    }


def input_card(spec: InputSpec) -> dict[str, Any]:
    """Return what a form needs to know of an input, as a JSON value; what there is not is left out."""
    rules: Mapping[str, Any] = {rule.kind: rule.argument for rule in spec.rules}
    card: dict[str, Any] = {"name": spec.name, "kind": spec.logical_type, "nullable": spec.nullable}
    card |= _known("description", spec.description) | _known("shape", list(spec.shape))
    card |= _known("choices", list(rules.get("enum", ()))) | {
        kind: portable(rules[kind]) for kind in _BOUNDS & rules.keys()
    }
    if spec.logical_type not in {"image", "tensor"}:
        found = example_value(spec)
        card |= _known("examples", list(spec.examples) or ([] if found is None else [found]))
    return card


def _known(name: str, value: Any) -> dict[str, Any]:
    return {name: value} if value not in (None, [], "") else {}
