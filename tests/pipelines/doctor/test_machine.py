from __future__ import annotations

import errno
import os
import platform
import shutil
import stat
from pathlib import Path

import pytest

from pipelines.doctor.home import home_findings
from pipelines.doctor.machine import cores_finding, gpu_finding, memory_finding, system_findings
from pipelines.doctor.versions import installed_versions, library_findings, python_finding

CARD = "NVIDIA H100, 81559 MiB, 570.1"


def test_this_machine_can_run_it(tmp_path: Path) -> None:
    installed = installed_versions()
    found = [python_finding(), *library_findings(installed), cores_finding(), *home_findings(tmp_path / "new")]
    assert not [each for each in found if each.state == "problem"]
    assert list(tmp_path.iterdir()) == []


def test_another_python_is_a_problem() -> None:
    assert python_finding(platform.python_version()).state == "ok"
    found = python_finding("3.9.1")
    assert (found.state, "3.9.1, and Headrace needs" in found.said) == ("problem", True)
    assert found.remedy is not None
    assert "install a Python" in found.remedy


def test_libraries_are_held_against_what_is_asked_for_and_the_lock(tmp_path: Path) -> None:
    asked = ["click>=8", 'torch==2.13.0; extra == "pipelines"', 'dask>=2026; extra == "pipelines"', "x; extra == 'dev'"]
    lock = tmp_path / "constraints.txt"
    lock.write_text("# made by pip\nclick==8.2\ntorch==2.13.0\nother==1.0\n")
    whole = {"click": "8.2", "torch": "2.13.0+cpu", "dask": "2026.8"}
    assert [each.state for each in library_findings(whole, asked, lock)] == ["ok", "ok"]
    old, other = library_findings({"click": "8.3", "torch": "2.12.0"}, asked, lock)
    assert (old.state, other.state) == ("problem", "note")
    assert "torch 2.12.0, expected ==2.13.0; dask is missing" in old.said
    assert old.remedy == "pip install 'torch==2.13.0' 'dask>=2026'"
    assert "2 of 3 differ from constraints.txt: click 8.3 (lock 8.2), torch 2.12.0 (lock 2.13.0)" in other.said
    served, fitting = library_findings({"click": "8.2"}, asked, tmp_path / "none")
    assert (served.state, served.said, fitting.state) == ("note", "those of the endpoint only", "ok")


@pytest.mark.parametrize(("limit", "state"), [("1000000000", "problem"), ("3000000000", "note")])
def test_a_container_with_little_memory(tmp_path: Path, limit: str, state: str) -> None:
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    found = memory_finding(tmp_path / "memory.max")
    assert found.state == state
    assert found.remedy
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_finding(tmp_path / "memory.max").said == memory_finding(tmp_path / "none").said


def smi(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(exist_ok=True)
    program = folder / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


def test_gpus_and_whether_torch_sees_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    devices = tmp_path / "dev"
    devices.mkdir()
    if shutil.which("nvidia-smi") is None:
        assert gpu_finding({}, devices).said == "none; networks train on the CPU"
        (devices / "nvidia0").touch()
        assert gpu_finding({}, devices).state == "problem"
    smi(tmp_path / "bin", f"echo '{CARD}'", monkeypatch)
    built = gpu_finding({"torch": "2.13.0+cpu"}, devices)
    assert (built.state, built.said) == ("problem", f"{CARD}; torch 2.13.0+cpu is a build without CUDA")
    assert gpu_finding({}, devices).state == "note"
    smi(tmp_path / "bin", "echo 'no devices were found'; exit 6", monkeypatch)
    none = gpu_finding({"torch": "2.13.0+cpu"}, devices)
    assert (none.state, none.said) == ("note", "none that works; nvidia-smi says: no devices were found")


def test_a_home_that_is_a_file_or_cannot_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    writing, _ = home_findings(tmp_path / "file" / "home")
    assert (writing.state, writing.what) == ("problem", "home")
    assert writing.said.endswith("is a file")
    # Nobody may write there, not even root.
    writing, _ = home_findings(Path("/proc/headrace"))
    assert writing.state == "problem"
    assert "/proc: cannot write there" in writing.said
    assert os.strerror(errno.ENOENT) in writing.said or os.strerror(errno.EACCES) in writing.said
    assert "set HEADRACE_HOME" in (writing.remedy or "")


def test_text_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {each.state for each in system_findings()} == {"ok"}
    monkeypatch.setattr("locale.getpreferredencoding", lambda do_setlocale=True: "ISO-8859-1")
    encoding, _ = system_findings()
    assert (encoding.state, encoding.said) == ("problem", "files are ISO-8859-1, expected UTF-8")
