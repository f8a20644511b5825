"""The section `watch`: defaults, paths beside the config, and refusals with their lines."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.check import open_pipeline
from pipelines.config import PipelineConfig
from pipelines.watch.durations import read_duration
from tasks.errors import ConfigError
from tests.end_to_end.customers import CONTRACT, PIPELINE
from tests.pipelines.test_image_config import GOOD as IMAGES


def opened(folder: Path, section: str, base: str = PIPELINE) -> PipelineConfig:
    (folder / "customers.odcs.yaml").write_text(CONTRACT)
    (folder / "customers.yaml").write_text(base + section)
    config, _ = open_pipeline(folder / "customers.yaml")
    assert isinstance(config, PipelineConfig)
    return config


def refusal(folder: Path, section: str, base: str = PIPELINE) -> str:
    with pytest.raises(ConfigError) as caught:
        opened(folder, section, base)
    return str(caught.value)


def test_the_defaults_close_the_loop(tmp_path: Path) -> None:
    watch = opened(tmp_path, "watch: {samples: served/samples, labels: labels.csv}\n").watch
    assert watch is not None
    assert watch.samples == str(tmp_path / "served" / "samples")
    assert watch.labels == str(tmp_path / "labels.csv")
    assert (watch.window, watch.pause, watch.retrain, watch.alarm_rate) == (
        timedelta(days=7),
        timedelta(days=1),
        True,
        0.0005,
    )
    assert watch.schedule == ()


def test_everything_can_be_said(tmp_path: Path) -> None:
    section = (
        "watch:\n  samples: /var/samples\n  since: 90m\n  cooldown: 0h\n  retrain: false\n  alarm_rate: 0.01\n"
        "  schedule: {cron: '0 * * * *'}\n"
    )
    watch = opened(tmp_path, section).watch
    assert watch is not None
    assert (watch.samples, watch.window, watch.pause) == ("/var/samples", timedelta(minutes=90), timedelta())
    assert [each.cron for each in watch.schedule] == ["0 * * * *"]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("watch: {}", "watch.samples: this key is required and missing"),
        ("watch: {samples: s, sinse: 7d}", "watch.sinse: unknown key; did you mean `since`?"),
        ("watch: {samples: s, since: 0h}", "watch.since: expected a number of minutes, hours or days, such as"),
        ("watch: {samples: s, since: week}", "and more than none, got 'week'"),
        ("watch: {samples: s, cooldown: 1y}", "watch.cooldown: expected a number of minutes, hours or days"),
        ("watch: {samples: s, alarm_rate: 1}", "watch.alarm_rate: input should be less than 0.5"),
        ("watch: {samples: s, schedule: {cron: '61 * * * *'}}", "watch.schedule.cron: expected five fields"),
        ("watch: {samples: '{partition}'}", "{partition}"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(tmp_path: Path, section: str, said: str) -> None:
    found = refusal(tmp_path, section)
    assert found.startswith(f"{tmp_path / 'customers.yaml'}:{PIPELINE.count(chr(10)) + 1}: watch")
    assert said in found


def test_a_model_of_images_is_not_watched(tmp_path: Path) -> None:
    found = refusal(tmp_path, "watch: {samples: s}\n", IMAGES)
    assert f"customers.yaml:{IMAGES.count(chr(10)) + 1}: watch: a model of images cannot be watched" in found


def test_durations_are_whole_numbers_with_a_unit() -> None:
    assert read_duration("90m") == timedelta(minutes=90)
    assert read_duration("7d") == read_duration("168h") == timedelta(days=7)
    assert [read_duration(text) for text in ("", "7", "d", "-1d", "1.5h", "7 d", "1234567m")] == [None] * 7
