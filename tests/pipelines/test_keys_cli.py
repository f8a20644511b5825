"""`headrace keys` and the options of `headrace serve`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import headrace
from serving.config_file import ConfigError as ServeConfigError
from serving.guard.key_file import KeyFileError, read_keys
from serving.guard.keys import KeyRing
from tasks.errors import ConfigError


def run(*arguments: str) -> Result:
    return CliRunner().invoke(headrace, arguments, catch_exceptions=False)


def test_a_key_is_shown_once_and_counts(tmp_path: Path) -> None:
    file = str(tmp_path / "keys.json")
    done = run("keys", "add", "mobile", "--models", "flight-delay,churn", "--expires", "90d", "--file", file)
    key = done.stdout.strip()
    assert key.startswith("hr_mobile_")
    assert "keep it now" in done.stderr
    caller = KeyRing(Path(file)).check(f"Bearer {key}".encode(), "predict", "churn", 0)
    assert (caller.id, caller.may, caller.models) == (
        "mobile",
        frozenset({"predict", "describe"}),
        frozenset({"flight-delay", "churn"}),
    )
    run("keys", "add", "watch", "--may", "metrics", "--expires", "2999-01-31", "--file", file)
    watch = read_keys(Path(file))[1]
    assert (watch.may, watch.scopes) == (("metrics",), ("*",))
    assert str(watch.expires) == "2999-02-01 00:00:00+00:00"
    listed = run("keys", "list", "--file", file).stdout
    assert "mobile  models flight-delay, churn  may predict, describe  expires 20" in listed
    assert key.split("_", 2)[2] not in listed
    shown = json.loads(run("keys", "list", "--json", "--file", file).stdout)["keys"]
    assert [entry["id"] for entry in shown] == ["mobile", "watch"]
    assert "sha256" not in shown[0]
    assert run("keys", "revoke", "mobile", "--file", file).stdout == "revoked mobile\n"
    run("keys", "revoke", "watch", "--file", file)
    assert "nobody is let in" in run("keys", "list", "--file", file).stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--may", "predict,fly"], "--may predict,fly: expected some of predict, describe, metrics, got 'fly'"),
        (["--expires", "soon"], "--expires soon: expected a date"),
        (["--expires", "2020-01-31"], "expected a time to come"),
        (["--expires", "0h"], "expected a time to come"),
        (["--models", "Not A Name"], "do: give another name"),
        (["--models", ""], "do: give another name"),
    ],
)
def test_wrong_options_make_no_key(tmp_path: Path, options: list[str], said: str) -> None:
    file = tmp_path / "keys.json"
    with pytest.raises((ConfigError, KeyFileError), match=said):
        run("keys", "add", "a", *options, "--file", str(file))
    assert not file.exists()


def test_serve_says_what_is_wrong_before_it_starts(tmp_path: Path) -> None:
    config = tmp_path / "serve.yaml"
    config.write_text("store: models\nlimits:\n  rate: 5\n")
    with pytest.raises(ServeConfigError, match=r"serve.yaml:3: limits.rate: unknown key"):
        run("serve", "--config", str(config))
    with pytest.raises(ServeConfigError, match="--port: expected a value less"):
        run("serve", "--port", "70000")
    config.write_text("store: models\n")
    with pytest.raises(ConfigError, match="models: no model store there"):
        run("serve", "--config", str(config))
    (tmp_path / "models").mkdir()
    with pytest.raises(KeyFileError, match=r"absent\.json: no such file"):
        run("serve", "--config", str(config), "--port", "0", "--keys", str(tmp_path / "absent.json"))
