"""What a job is told of the machine that it runs on, which need not be the one that deploys."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipelines import environment
from pipelines.scheduling.planned import Target, job_variables
from tasks.errors import ConfigError

_RESULTS = "PREFECT_RESULTS_LOCAL_STORAGE_PATH"
_THERE = Path("/srv/project")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder, in which nothing has been set."""
    monkeypatch.chdir(tmp_path)
    # `prepare` sets variables for good; these are taken back.
    for name in (*environment._NO_TELEMETRY, *environment._DEFAULTS, _RESULTS, "HEADRACE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return tmp_path


def told(target: Target) -> tuple[str, str]:
    """Return the home of a target's jobs, and the folder of Prefect's records."""
    environment.prepare()
    found = job_variables(target)["env"]
    return found["HEADRACE_HOME"], found[_RESULTS]


def test_by_default_jobs_run_as_the_deploying_process_does(here: Path) -> None:
    assert told(Target()) == (str(here / ".headrace"), str(here / ".headrace" / "results"))
    found = job_variables(Target())
    assert found["command"] == f"{sys.executable} -m prefect.engine"
    assert found["working_dir"] == str(here)
    assert Target().path_of(Path("a.yaml")) == here / "a.yaml"
    assert Target().path_of(Path("/elsewhere/a.yaml")) == Path("/elsewhere/a.yaml")


def test_elsewhere_everything_relative_is_below_their_folder(here: Path) -> None:
    target = Target(folder=_THERE, python="/opt/a b/python")
    assert told(target) == ("/srv/project/.headrace", "/srv/project/.headrace/results")
    assert job_variables(target)["command"] == "'/opt/a b/python' -m prefect.engine"
    assert target.path_of(Path("configs/a.yaml")) == _THERE / "configs" / "a.yaml"
    assert target.path_of(here / "a.yaml") == _THERE / "a.yaml"


def test_an_absolute_home_is_the_same_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADRACE_HOME", str(tmp_path / "shared"))
    assert told(Target(folder=_THERE)) == (str(tmp_path / "shared"), str(tmp_path / "shared" / "results"))


def test_the_records_of_a_bucket_are_in_the_workers_own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEADRACE_HOME", "s3://bucket/home")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    home, records = told(Target())
    assert home == "s3://bucket/home"
    assert records.startswith("~/.cache/headrace/")
    # A job looks where Prefect does, whatever its user's cache folder is.
    monkeypatch.setenv(_RESULTS, records)
    assert environment.results_folder() == Path(records).expanduser()


def test_a_place_that_somebody_chose_for_the_records_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_HOME", "s3://bucket/home")
    monkeypatch.setenv(_RESULTS, "/var/records")
    assert told(Target(folder=_THERE)) == ("s3://bucket/home", "/var/records")


@pytest.mark.parametrize(
    ("folder", "file", "said"),
    [
        ("srv/project", "a.yaml", "--work-dir: expected the absolute path of a folder on the workers' machines"),
        (
            "/srv/project",
            "/elsewhere/a.yaml",
            "/elsewhere/a.yaml is not below .*\n  do: run this command in",
        ),
    ],
)
def test_a_file_that_has_no_place_there_is_refused(folder: str, file: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Target(folder=Path(folder)).path_of(Path(file))
