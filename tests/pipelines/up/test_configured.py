from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.up.configured import chosen_server, profiles_file
from tasks.errors import ConfigError

_PROFILES = """\
active = "mine"
[profiles.mine]
PREFECT_API_URL = "http://mine/api"
[profiles.other]
PREFECT_API_URL = "http://other/api"
[profiles.none]
PREFECT_LOGGING_LEVEL = "INFO"
"""


@pytest.fixture(autouse=True)
def _nothing_is_set_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PREFECT_API_URL", "PREFECT_PROFILE", "PREFECT_PROFILES_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "prefect"))
    monkeypatch.chdir(tmp_path)


def test_nothing_is_chosen_where_nothing_is_set_up(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.other]\napi = "x"\n')
    assert chosen_server() is None
    assert profiles_file() is None


def test_the_places_count_in_prefects_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "prefect").mkdir()
    (tmp_path / "prefect" / "profiles.toml").write_text(_PROFILES)
    assert chosen_server() == ("http://mine/api", "Prefect's active profile")
    (tmp_path / "pyproject.toml").write_text('[tool.prefect.api]\nurl = "http://project/api"\n')
    assert chosen_server() == ("http://project/api", "pyproject.toml")
    (tmp_path / "prefect.toml").write_text('[api]\nurl = "http://file/api"\n')
    assert chosen_server() == ("http://file/api", "prefect.toml")
    (tmp_path / ".env").write_text("PREFECT_API_URL=http://dotenv/api\n")
    assert chosen_server() == ("http://dotenv/api", ".env")
    monkeypatch.setenv("PREFECT_API_URL", "http://variable/api")
    assert chosen_server() == ("http://variable/api", "the variable PREFECT_API_URL")


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "prefect.toml").write_text("api.url: http://file/api\n")
    with pytest.raises(ConfigError, match=r"prefect\.toml: .* no TOML"):
        chosen_server()


@pytest.mark.parametrize(("profile", "url"), [("other", "http://other/api"), ("none", None), ("unknown", None)])
def test_the_profile_that_is_named_is_meant(
    profile: str, url: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "profiles").write_text(_PROFILES)
    monkeypatch.setenv("PREFECT_PROFILES_PATH", str(tmp_path / "profiles"))
    monkeypatch.setenv("PREFECT_PROFILE", profile)
    found = chosen_server()
    assert (None if found is None else found[0]) == url
