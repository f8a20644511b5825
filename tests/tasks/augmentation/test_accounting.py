from __future__ import annotations

from pathlib import Path

import pytest

from tasks.augmentation.accounting import AUGMENTATION, AugmentationAccounting, read_augmentation
from tasks.errors import IntegrityError
from tasks.references import DatasetRef

SOUND = {
    "before": {"a": 10, "b": 4},
    "left_out": {"label_noise": {"a": 1, "b": 0}, "under": {"a": 3}},
    "added": {"noise": {"a": 6, "b": 4}},
    "after": {"a": 12, "b": 8},
}


def test_what_adds_up_passes() -> None:
    accounting = AugmentationAccounting.model_validate(SOUND)
    assert accounting.reconciled() is accounting


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_lost_row_is_named_with_its_class(name: str) -> None:
    after = {**SOUND["after"], name: SOUND["after"][name] - 1}
    with pytest.raises(IntegrityError, match=f"class `{name}` had"):
        AugmentationAccounting.model_validate({**SOUND, "after": after}).reconciled()


def test_a_dataset_without_its_accounting_is_named(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match=f"{AUGMENTATION}: the accounting of the augmentation is gone"):
        read_augmentation(DatasetRef(path=str(tmp_path), digest="0", rows=0))
