from __future__ import annotations

import errno
import json
import shutil
from pathlib import Path

import onnx
import pytest

from serving.bundle.read import open_bundle
from tasks.errors import DiskFullError, IntegrityError
from tasks.references import BundleRef
from tests.tasks.export import small_model
from tests.tasks.export.conftest import Trained, export


def test_the_bundle_is_whole_and_stands_under_its_digest(bundle: BundleRef, trained: Trained) -> None:
    manifest = open_bundle(Path(bundle.path))
    assert Path(bundle.path) == trained.home / "bundles" / bundle.digest
    assert manifest.digest == bundle.digest
    assert set(manifest.files) == {
        "model.onnx",
        "preprocessing.json",
        "decision.json",
        "reference.json",
        "contract.odcs.yaml",
    }
    assert (manifest.model, manifest.problem, manifest.classes) == ("orders", "binary", (False, True))
    assert [output.name for output in manifest.outputs] == ["label", "probabilities"]
    assert manifest.proofs["contract"]["digest"] == trained.contract.digest
    assert manifest.proofs["checkpoint"] == {"digest": trained.checkpoint.digest}
    assert manifest.proofs["calibration"]["digest"] == trained.calibration.digest
    assert manifest.proofs["calibration"]["after"] == {"log_loss": 0.7, "ece": 0.1}


def test_the_model_says_what_it_is(bundle: BundleRef, trained: Trained) -> None:
    model = onnx.load(Path(bundle.path) / "model.onnx")
    assert {each.key: each.value for each in model.metadata_props} == {
        "model": "orders",
        "contract.name": "orders",
        "contract.version": "1.2.0",
        "contract.digest": trained.contract.digest,
        "problem": "binary",
        "classes": json.dumps([False, True]),
    }
    assert [each.name for each in model.graph.input] == [
        name for name in small_model.SCHEMA.names if name not in {"id", "good"}
    ]


def test_no_file_of_the_bundle_knows_where_it_was_made(bundle: BundleRef, trained: Trained) -> None:
    for path in Path(bundle.path).iterdir():
        content = path.read_bytes()
        for trace in (str(trained.home).encode(), str(Path.home()).encode(), b"site-packages", b".py"):
            assert trace not in content, (path.name, trace)


def test_exported_again_elsewhere_the_digest_is_the_same(bundle: BundleRef, trained: Trained, tmp_path: Path) -> None:
    again = export(trained, tmp_path)
    assert again.digest == bundle.digest
    for path in Path(bundle.path).iterdir():
        assert (Path(again.path) / path.name).read_bytes() == path.read_bytes()


def test_a_contract_that_changed_meanwhile_is_refused(trained: Trained, tmp_path: Path) -> None:
    changed = tmp_path / "orders.odcs.yaml"
    changed.write_text(Path(trained.contract.path).read_text().replace("1.2.0", "1.3.0"))
    contract = trained.contract.model_copy(update={"path": str(changed)})
    with pytest.raises(IntegrityError, match="the contract changed while the pipeline ran"):
        export(trained, tmp_path, contract=contract)
    assert not list((tmp_path / "bundles").iterdir())


def test_a_contract_that_is_gone_is_named(trained: Trained, tmp_path: Path) -> None:
    contract = trained.contract.model_copy(update={"path": str(tmp_path / "lost.yaml")})
    with pytest.raises(IntegrityError, match=r"lost\.yaml: the contract's file is gone"):
        export(trained, tmp_path, contract=contract)


def test_a_full_disk_leaves_nothing(trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(DiskFullError):
        export(trained, tmp_path)
    assert not list((tmp_path / "bundles").iterdir())


def test_a_lost_checkpoint_is_named(trained: Trained, tmp_path: Path) -> None:
    lost = tmp_path / "checkpoint"
    shutil.copytree(trained.checkpoint.path, lost)
    (lost / "network.safetensors").unlink()
    broken = trained.checkpoint.model_copy(update={"path": str(lost)})
    with pytest.raises(IntegrityError, match=r"network\.safetensors"):
        export(trained, tmp_path, checkpoint=broken)


def test_a_calibration_of_another_checkpoint_is_refused(trained: Trained, tmp_path: Path) -> None:
    other = trained.checkpoint.model_copy(update={"digest": "another"})
    with pytest.raises(IntegrityError, match="the calibration is of checkpoint"):
        export(trained, tmp_path, checkpoint=other)


@pytest.mark.parametrize("name", ["decision.json", "calibration.json"])
def test_a_lost_calibration_is_told(trained: Trained, tmp_path: Path, name: str) -> None:
    lost = tmp_path / "calibration"
    shutil.copytree(trained.calibration.path, lost)
    (lost / name).unlink()
    with pytest.raises(IntegrityError, match=f"{name}: the calibration is gone"):
        export(trained, tmp_path, calibration=trained.calibration.model_copy(update={"path": str(lost)}))
