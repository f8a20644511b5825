"""Python and the installed libraries, against what Headrace asks for and against the lock."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from pipelines.doctor.finding import Finding, note, problem

LOCK = Path(__file__).parents[2] / "constraints.txt"
_NAME = "headrace"
_RUNS, _SERVES = "pipelines", "serving"
_SHOWN = 5


def installed_versions() -> dict[str, str]:
    """Return the version of every installed distribution, by its canonical name."""
    found: dict[str, str] = {}
    for each in metadata.distributions():
        # The first on the path is the one that is imported.
        found.setdefault(canonicalize_name(each.metadata["Name"]), each.version)
    return found


def python_finding(version: str | None = None) -> Finding:
    """Return whether this Python can run Headrace.

    Args:
        version: By default the running one's.
    """
    version = version or platform.python_version()
    asked = metadata.metadata(_NAME)["Requires-Python"] or ""
    if SpecifierSet(asked).contains(version, prereleases=True):
        return Finding("python", f"{version} ({platform.system()} {platform.machine()})")
    return problem(
        "python", f"{version}, and Headrace needs {asked}", f"install a Python {asked} and make a new environment of it"
    )


def library_findings(
    installed: Mapping[str, str], asked: Iterable[str] | None = None, lock: Path = LOCK
) -> Iterator[Finding]:
    """Yield whether the libraries are those that Headrace asks for, and those of the lock.

    Args:
        installed: Versions by canonical name.
        asked: Requirements as a distribution's metadata has them; by default those of Headrace.
        lock: A file of `name==version` lines; one that is not there, as in an installed package, is not looked at.
    """
    wanted = [Requirement(each) for each in (metadata.requires(_NAME) or () if asked is None else asked)]
    running = [each for each in wanted if _of(each, _RUNS)]
    missing = [each for each in running if canonicalize_name(each.name) not in installed]
    if running and len(missing) == len(running):
        yield note("libraries", "those of the endpoint only", f"for runs: pip install '{_NAME}[{_RUNS}]'")
        missing, running = [], []
    needed = [*running, *(each for each in wanted if _of(each, "") or _of(each, _SERVES))]
    faults = list(dict.fromkeys(_faults(needed, installed)))
    if faults:
        yield problem(
            "libraries",
            "; ".join(said for said, _ in faults[:_SHOWN]) + _more(len(faults)),
            f"pip install {' '.join(asked for _, asked in faults[:_SHOWN])}",
        )
    else:
        yield Finding("libraries", f"all {len({each.name for each in needed})} that are asked for, in fitting versions")
    if lock.is_file():
        yield _against_lock(installed, lock)


def _of(requirement: Requirement, extra: str) -> bool:
    """Tell whether an extra (the empty text for none) brings a requirement on this machine."""
    if requirement.marker is None:
        return not extra
    always = requirement.marker.evaluate({"extra": ""})
    return always if not extra else not always and requirement.marker.evaluate({"extra": extra})


def _faults(needed: Iterable[Requirement], installed: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for each in needed:
        name = canonicalize_name(each.name)
        if name == _NAME:
            continue
        asked = f"'{each.name}{each.specifier}'"
        if name not in installed:
            yield f"{each.name} is missing", asked
        elif not each.specifier.contains(installed[name], prereleases=True):
            yield f"{each.name} {installed[name]}, expected {each.specifier}", asked


def _against_lock(installed: Mapping[str, str], lock: Path) -> Finding:
    locked = dict(_locked(lock))
    other = [
        f"{name} {installed[name]} (lock {version})"
        for name, version in sorted(locked.items())
        if name in installed and _public(installed[name]) != _public(version)
    ]
    if not other:
        return Finding("lock", f"every installed version is that of {lock.name}")
    return note(
        "lock",
        f"{len(other)} of {len(locked)} differ from {lock.name}: {', '.join(other[:_SHOWN])}{_more(len(other))}",
        f"to have what was tested: pip install --constraint {lock} '{_NAME}[{_RUNS}]'",
    )


def _locked(lock: Path) -> Iterator[tuple[str, str]]:
    for line in lock.read_text(encoding="utf-8").splitlines():
        name, equals, version = line.partition(";")[0].partition("==")
        if equals and not line.startswith("#"):
            yield canonicalize_name(name.strip()), version.strip()


def _public(version: str) -> str:
    """Return a version without its local part: `2.13.0` and `2.13.0+cpu` are one release."""
    return version.partition("+")[0]


def _more(count: int) -> str:
    return f" and {count - _SHOWN} more" if count > _SHOWN else ""
