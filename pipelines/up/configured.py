"""Which Prefect server the user has chosen, found without importing Prefect, in the order in which Prefect looks."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasks.errors import ConfigError

_NAME = "PREFECT_API_URL"
_PROFILES = "PREFECT_PROFILES_PATH"


def chosen_server() -> tuple[str, str] | None:
    """Return the URL of the API that Prefect would use, and where it is set; None where nothing is.

    These are the places that Prefect documents: the environment, `.env`, `prefect.toml`, `pyproject.toml`, and the
    active profile (https://docs.prefect.io/v3/concepts/settings-and-profiles).

    Raises:
        ConfigError: One of the files is no TOML; Prefect does not start with it either.
    """
    places: tuple[tuple[Callable[[], Any], str], ...] = (
        (lambda: os.environ.get(_NAME), f"the variable {_NAME}"),
        (lambda: _dotenv(_NAME), ".env"),
        (lambda: _inside(_toml(Path("prefect.toml")), "api", "url"), "prefect.toml"),
        (lambda: _inside(_toml(Path("pyproject.toml")), "tool", "prefect", "api", "url"), "pyproject.toml"),
        (_of_profile, "Prefect's active profile"),
    )
    return next(((str(url), place) for look, place in places if (url := look())), None)


def profiles_file() -> Path | None:
    """Return the file with the user's profiles, or None where there is none."""
    named = (
        os.environ.get(_PROFILES)
        or _dotenv(_PROFILES)
        or _inside(_toml(Path("prefect.toml")), "profiles_path")
        or _inside(_toml(Path("pyproject.toml")), "tool", "prefect", "profiles_path")
    )
    home = os.environ.get("PREFECT_HOME")
    path = Path(named or (Path(home) if home else Path.home() / ".prefect") / "profiles.toml")
    return path if path.is_file() else None


def _of_profile() -> Any:
    path = profiles_file()
    if path is None:
        return None
    found = _toml(path)
    active = os.environ.get("PREFECT_PROFILE") or found.get("active")
    return _inside(found, "profiles", str(active), _NAME)


def _dotenv(name: str) -> str | None:
    path = Path(".env")
    if not path.is_file():
        return None
    from dotenv import dotenv_values  # noqa: PLC0415 - most folders have no such file

    return dotenv_values(path).get(name)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: Prefect keeps settings there, and it is no TOML: {error}\n  do: mend it") from error


def _inside(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
