"""`{partition}` in a config."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.config import load_pipeline
from pipelines.scheduling.due import require_partition
from tasks.errors import ConfigError
from tests.end_to_end.customers import PIPELINE

CUT = PIPELINE.replace("customers.csv", '"data/{partition}/{part}-{partition}.csv"')
SECTION = "partitions: {by: month, from: 2013-01-01}\n"
LINE = PIPELINE.count("\n") + 1


def write(folder: Path, text: str) -> Path:
    path = folder / "customers.yaml"
    path.write_text(text)
    return path


def refusal(path: Path, partition: str | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load_pipeline(path, (), partition)
    return str(caught.value)


def test_only_the_placeholder_is_replaced(tmp_path: Path) -> None:
    config = load_pipeline(write(tmp_path, CUT + SECTION), (), "2013-05")
    assert config.source.path == str(tmp_path / "data" / "2013-05" / "{part}-2013-05.csv")


def test_a_config_that_is_only_looked_at_has_the_first_partition(tmp_path: Path) -> None:
    path = write(tmp_path, CUT.replace("model: churn", "model: churn-{partition}") + "partitions: {values: [a, b]}\n")
    assert load_pipeline(path).model == "churn-a"


def test_a_setting_may_hold_it_too(tmp_path: Path) -> None:
    config = load_pipeline(write(tmp_path, PIPELINE + SECTION), ["source.path=more/{partition}.csv"], "2014-01")
    assert config.source.path == str(tmp_path / "more" / "2014-01.csv")


def test_the_placeholder_without_the_section(tmp_path: Path) -> None:
    path = write(tmp_path, CUT)
    assert refusal(path).startswith(f"{path}:6: source.path: it holds {{partition}}, and the config has no section")


def test_the_section_without_the_placeholder(tmp_path: Path) -> None:
    path = write(tmp_path, PIPELINE + SECTION)
    assert refusal(path).startswith(f"{path}:{LINE}: partitions: nothing in the config holds {{partition}}")


def test_a_name_is_the_same_for_all_partitions(tmp_path: Path) -> None:
    path = write(tmp_path, CUT.replace("name: customers", "name: customers-{partition}") + SECTION)
    assert refusal(path).startswith(f"{path}:1: name: it is the same for every partition")


def test_partitions_that_are_none(tmp_path: Path) -> None:
    assert "partition `may`: expected a month such as" in refusal(write(tmp_path, CUT + SECTION), "may")
    assert "the config has no section `partitions`" in refusal(write(tmp_path, PIPELINE), "2013-05")


def test_a_wrong_section_has_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, CUT + "partitions: {by: month, form: 2013-01-01}\n")
    assert f"{path}:{LINE}: partitions.form: unknown key; did you mean `from`?" in refusal(path)


def test_a_run_without_a_partition_says_which_there_are(tmp_path: Path) -> None:
    path = write(tmp_path, CUT + SECTION)
    with pytest.raises(ConfigError, match="do: name one, such as --partition 2013-01"):
        require_partition(path, load_pipeline(path).partitions, None)
