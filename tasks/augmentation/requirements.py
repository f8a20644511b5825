"""What of augmentation and class weights can be known to be impossible before any data is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from data_contracts.contract import Contract
from tasks.augmentation.balance import INTERPOLATING
from tasks.augmentation.classes import require_possible_classes
from tasks.augmentation.config import AugmentConfig
from tasks.errors import ConfigError
from tasks.preprocessing.config import PreprocessConfig
from tasks.preprocessing.options import category_options, require_preprocessing
from tasks.preprocessing.problem import require_target

_SHOWN_KINDS = {"labels": "a list of labels", "number": "a number"}


def require_augmentation(
    contract: Contract,
    config: AugmentConfig,
    class_weights: str | Mapping[str, float],
    preprocess: PreprocessConfig,
    label_noise: str = "none",
) -> None:
    """Check a config against the target and the features that it will have.

    Whether a named class occurs, and whether it can have its share, shows only in the training split; `run_augment`
    and `run_train` then say so. So does a column that turns out to give no feature.

    Args:
        contract: Types the columns.
        config: The section `augment`.
        class_weights: `train.class_weights`.
        preprocess: The section `preprocess`.
        label_noise: `label_noise.action`.

    Raises:
        ConfigError: The target has no classes, a name cannot be one of them, or a method does not fit the features.
    """
    balance, kind = config.balance, require_target(contract, preprocess)
    if kind != "classes":
        _require_no_classes(
            {
                "augment.balance.method": balance.method,
                "train.class_weights": class_weights,
                "label_noise.action": label_noise,
            },
            f"`{', '.join(preprocess.targets)}` is {_SHOWN_KINDS[kind]}",
        )
        return
    target = contract.column(preprocess.targets[0])
    for key, named in (("augment.balance.ratio", balance.ratio), ("train.class_weights", class_weights)):
        if isinstance(named, Mapping):
            require_possible_classes(named, target, key)
    if balance.method in INTERPOLATING:
        require_fitting_method(balance.method, _code_features(contract, preprocess))


def _require_no_classes(asked: Mapping[str, object], target: str) -> None:
    for key, wanted in asked.items():
        if wanted != "none":
            raise ConfigError(
                f"{key}: expected `none`, got {wanted!r}: the target {target}, which has no classes\n"
                "  do: write `none`, or predict one boolean, string or integer column as classes"
            )


def _code_features(contract: Contract, preprocess: PreprocessConfig) -> list[str]:
    """Return the names of the features that will be codes of categories."""
    return [
        measure.name
        for measure in require_preprocessing(contract, preprocess)
        if measure.role == "feature"
        and measure.kind == "category"
        and category_options(measure, preprocess).encode.method == "ordinal"
    ]


def require_fitting_method(method: str, categories: Sequence[str]) -> None:
    """Check that an interpolating method fits the features.

    Raises:
        ConfigError: There are categories and the method has no way with them, or the other way round.
    """
    if categories and method != "smotenc":
        shown = ", ".join(categories[:5]) + (", ..." if len(categories) > 5 else "")
        raise ConfigError(
            f"augment.balance.method: {method} interpolates numbers, and {len(categories)} features are categories "
            f"({shown})\n  do: take method smotenc, over or under, or another encoding than ordinal for these columns"
        )
    if method == "smotenc" and not categories:
        raise ConfigError(
            "augment.balance.method: smotenc needs categories, and no feature is one\n"
            "  do: take method smote, adasyn, over or under"
        )
