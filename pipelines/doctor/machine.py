"""Cores, memory, GPUs, and the settings of the system that change what text and time mean."""

from __future__ import annotations

import locale
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psutil  # type: ignore[import-untyped]

from pipelines.doctor.finding import Finding, note, problem

_GIB = 1 << 30
# What the libraries of a run take before any data does (`docs/check-and-doctor.md`), with some room.
_LEAST_MEMORY = 1.5 * _GIB
_LITTLE_MEMORY = 4 * _GIB
_DEVICES = Path("/dev")
_CGROUP = Path("/sys/fs/cgroup/memory.max")
_ASKING_SECONDS = 10
_ZONE = "Europe/Vienna"


def cores_finding() -> Finding:
    """Return how many cores this process may use."""
    there = os.cpu_count() or 1
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else there
    if mine == there:
        return Finding("cores", str(there))
    return note("cores", f"{mine} of the machine's {there}", "see `taskset` or the container's settings for more")


def memory_finding(limit: Path = _CGROUP) -> Finding:
    """Return how much memory there is.

    Args:
        limit: Where the system says how much this container may have; there is none outside of one.
    """
    memory = psutil.virtual_memory()
    total, free = memory.total, memory.available
    said = limit.read_text(encoding="ascii").strip() if limit.is_file() else "max"
    if said.isdecimal() and int(said) < total:
        total, free = int(said), min(free, int(said))
    amount = f"{total / _GIB:.1f} GiB, {free / _GIB:.1f} GiB of it free"
    remedy = "end other programs, give the container more, or run on another machine"
    if free < _LEAST_MEMORY:
        return problem("memory", f"{amount}; a run needs {_LEAST_MEMORY / _GIB:.1f} GiB and more", remedy)
    return note("memory", f"{amount}; enough for small data", remedy) if free < _LITTLE_MEMORY else Finding(
        "memory", amount
    )  # fmt: skip


def gpu_finding(installed: Mapping[str, str], devices: Path = _DEVICES) -> Finding:
    """Return which GPUs there are, and whether torch can use them; torch is only imported where there is one.

    Args:
        installed: Versions of libraries by canonical name.
        devices: The folder of the system's devices.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        if any(devices.glob("nvidia[0-9]*")):
            return problem(
                "gpu",
                f"{devices} has one, and nvidia-smi is not found, so its driver cannot be asked",
                "install the driver's programs, or start the container with the GPU's (`--gpus all`)",
            )
        return Finding("gpu", "none; networks train on the CPU")
    query = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        asked = subprocess.run(query, capture_output=True, text=True, timeout=_ASKING_SECONDS, check=False)  # noqa: S603
    except (subprocess.TimeoutExpired, OSError) as error:
        return problem("gpu", f"nvidia-smi does not answer ({error})", "restart the driver, or the machine")
    cards = [line.strip() for line in asked.stdout.splitlines() if line.strip()]
    if asked.returncode or not cards:
        words = (asked.stderr or asked.stdout).strip().partition("\n")[0]
        return note("gpu", f"none that works; nvidia-smi says: {words or 'nothing'}", "see that the driver is loaded")
    return _seen_by_torch("; ".join(cards), installed.get("torch"))


def _seen_by_torch(cards: str, version: str | None) -> Finding:
    install = "install the build of torch for the driver's CUDA (https://pytorch.org/get-started/locally)"
    if version is None:
        return note("gpu", f"{cards}; torch is not installed", "pip install 'headrace[pipelines]'")
    if version.endswith("+cpu"):
        return problem("gpu", f"{cards}; torch {version} is a build without CUDA", install)
    import torch  # noqa: PLC0415 - seconds, and only where there is a GPU

    if torch.cuda.is_available():
        return Finding("gpu", f"{cards}; torch {version} sees {torch.cuda.device_count()}")
    return problem("gpu", f"{cards}; torch {version} sees none", f"{install}, and see CUDA_VISIBLE_DEVICES")


def system_findings() -> Iterator[Finding]:
    """Yield whether text is UTF-8 and time zones are known."""
    spoken = {"files": locale.getpreferredencoding(do_setlocale=False), "names": sys.getfilesystemencoding()}
    other = {what: name for what, name in spoken.items() if name.replace("-", "").lower() != "utf8"}
    if other:
        said = ", ".join(f"{what} are {name}" for what, name in other.items())
        yield problem("encoding", f"{said}, expected UTF-8", "set LANG=C.UTF-8 or PYTHONUTF8=1")
    else:
        yield Finding("encoding", "UTF-8")
    try:
        ZoneInfo(_ZONE)
    except ZoneInfoNotFoundError:
        yield problem("time zones", f"{_ZONE} is not known, so no schedule can be in it", "pip install tzdata")
    else:
        yield Finding("time zones", "known")
