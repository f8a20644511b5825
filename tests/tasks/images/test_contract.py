from pathlib import Path

import pytest

from data_contracts.odcs_file import read_contract_file
from data_contracts.odcs_schema import require_odcs
from tasks.images.config import ImagesConfig
from tasks.images.contract import derive_contract, write_contract


def config(mode: str = "L", classes: list[str] | None = None) -> ImagesConfig:
    return ImagesConfig.model_validate(
        {
            "source": {"path": "x", "format": "folders", "classes": classes},
            "image": {"width": 3, "height": 2, "mode": mode},
        }
    )


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3)])
def test_the_file_is_a_standard_contract_of_the_shape(tmp_path: Path, mode: str, channels: int):
    contract = write_contract("boots", config(mode, ["a", "b"]), tmp_path)
    file = read_contract_file(contract.path)
    require_odcs(file)
    assert contract.digest == file.digest() == derive_contract("boots", config(mode, ["a", "b"])).digest
    assert contract.columns[0].enum == ("a", "b")
    image, target = file.value["schema"][0]["properties"]
    sizes = []
    while image["logicalType"] == "array":
        sizes.append(image["logicalTypeOptions"]["maxItems"])
        image = image["items"]
    assert sizes == [2, 3, channels]
    assert image["logicalTypeOptions"] == {"minimum": 0, "maximum": 255}
    assert [each["value"] for each in target["enum"]] == ["a", "b"]


def test_the_digest_follows_the_shape_and_the_classes():
    grey = derive_contract("boots", config())
    assert grey.columns[0].enum is None
    digests = {each.digest for each in (grey, derive_contract("boots", config("RGB")))}
    digests.add(derive_contract("boots", config(classes=["a", "b"])).digest)
    assert len(digests) == 3
