"""The endpoint's config."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from serving.bundle.places import RemotePath
from serving.config import ServeConfig
from serving.config_file import ConfigError, load_config, models_in

DOCS = Path(__file__).parents[2] / "docs" / "serving-config.md"


def written(folder: Path, text: str) -> Path:
    path = folder / "serve.yaml"
    path.write_text(text)
    return path


def refusal(path: Path | None, *settings: str, **options: object) -> str:
    with pytest.raises(ConfigError) as refused:
        load_config(ServeConfig, path, {key: (f"--{key}", value) for key, value in options.items()}, settings)
    return str(refused.value)


def test_a_config_is_read_without_the_libraries_that_run_models() -> None:
    # A supervisor of worker processes keeps what it has loaded for as long as they run.
    heavy = "{'numpy', 'onnxruntime', 'simdjson', 'uvloop', 'grpc'} & set(sys.modules)"
    code = f"import sys, serving.server, serving.config; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_options_come_before_settings_before_the_file(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "store: models\nport: 1\nhost: a\nlimits:\n  max_batch: 5\n  rate_per_second: 2.5\nkeys: {file: k.json}\n",
    )
    config = load_config(ServeConfig, path, {"port": ("--port", 3)}, ["port=2", "host=b", "limits.max_batch=6"])
    assert (config.port, config.host, config.limits.max_batch, config.limits.rate_per_second) == (3, "b", 6, 2.5)
    assert (config.max_batch, config.max_body_bytes) == (6, 16 * 1024 * 1024)
    assert (config.store, config.keys.file) == (tmp_path / "models", tmp_path / "k.json")


def test_paths_of_the_command_line_are_as_they_stand(tmp_path: Path) -> None:
    path = written(tmp_path, "store: s3://bucket/models\nkeys:\n  file: /etc/keys.json\n")
    config = load_config(ServeConfig, path, {})
    assert isinstance(config.store, RemotePath)
    assert str(config.store) == "s3://bucket/models"
    assert config.keys.file == Path("/etc/keys.json")
    config = load_config(ServeConfig, path, {"store": ("--store", "here")}, ["keys.file=k.json"])
    assert (config.store, config.keys.file) == (Path("here"), Path("k.json"))


def test_standard_output_is_no_path(tmp_path: Path) -> None:
    path = written(tmp_path, "store: m\nlog: {access: '-'}\ntls: {certificate: a.pem, key: /b.pem}\n")
    config = load_config(ServeConfig, path, {})
    assert config.log.access == Path("-")
    assert config.tls is not None
    assert (config.tls.certificate, config.tls.key) == (tmp_path / "a.pem", Path("/b.pem"))


def test_defaults_are_for_what_is_given_nowhere(tmp_path: Path) -> None:
    defaults = {"store": "usual"}
    assert load_config(ServeConfig, None, {}, defaults=defaults).store == Path("usual")
    empty = written(tmp_path, "# nothing\n")
    assert load_config(ServeConfig, empty, {}, defaults=defaults).store == Path("usual")
    assert load_config(ServeConfig, written(tmp_path, "store: /mine\n"), {}, defaults=defaults).store == Path("/mine")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("store: m\nprot: 1\n", r":2: prot: unknown key.*did you mean `port`?"),
        ("store: m\n\nlimits:\n  max_bach: 1\n", r":4: limits.max_bach: unknown key.*did you mean `max_batch`?"),
        ("store: m\nkeys: {fil: a}\n", r":2: keys.fil: unknown key.*did you mean `file`?"),
        ("store: m\nkeys: {zzz: a}\n", r":2.*known keys: file, poll_seconds"),
        ("store: m\nport: 70000\n", r":2: port: expected a value less.*, got 70000"),
        ("store: m\nlimits: 5\n", r":2: limits: expected a valid dictionary"),
        ("store: m\nlimits:\n  max_batch: lots\n", r":3: limits.max_batch: expected a valid integer.*"),
        ("store: m\nlimits:\n  target_wait_ms: .inf\n", r":3: limits.target_wait_ms: expected a finite number"),
        ("store: m\nlimits:\n  burst: 5\n", r":2: limits.burst: counts only beside limits.rate_per_second"),
        ("host: a\n", r": store: this key is required and missing"),
        ("- a\n", r":1: expected keys and values"),
        ("store: m\nport: [1\n", r":\d: not valid YAML"),
        ("store: a\nstore: b\n", r":\d: not valid YAML"),
        ("store: [a]\n", r":1: store: "),
        ("5: a\nstore: m\n", r":1: 5: "),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert re.search(f"serve.yaml{said}", refusal(written(tmp_path, text)), re.DOTALL)


def test_every_problem_is_said_at_once(tmp_path: Path) -> None:
    said = refusal(written(tmp_path, "prot: 1\nhost: [1]\nlimits: {max_batch: 0}\n"))
    assert said.count("serve.yaml") == 4


def test_what_is_wrong_on_the_command_line_is_said_with_its_option(tmp_path: Path) -> None:
    assert refusal(None, store="m", port=70000).startswith("--port: expected a value less than or equal to 65535, got")
    assert "--set limits.max_batch=x: expected a valid integer" in refusal(None, "limits.max_batch=x", store="m")
    assert "--set limit.x=1: unknown key\n  do: did you mean `limits`?" in refusal(None, "limit.x=1", store="m")
    assert "expected KEY=VALUE" in refusal(None, "limits.max_batch", store="m")
    assert "holds a single value" in refusal(None, "host=a", "host.b=1", store="m")
    assert "not valid YAML" in refusal(None, "host=[1", store="m")
    assert "expected a finite number" in refusal(None, "poll_seconds=.nan", store="m")
    assert "cannot be read" in refusal(tmp_path / "absent.yaml")
    assert "cannot be read" in refusal(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert "cannot be read" in refusal(tmp_path / "binary")


def keys_of(model: type[BaseModel], prefix: str = "") -> list[str]:
    found: list[str] = []
    for name, field in model.model_fields.items():
        sections = list(models_in(field.annotation))
        found.extend([f"{prefix}{name}"] if not sections else keys_of(sections[0], f"{prefix}{name}."))
    return found


def test_every_key_is_documented() -> None:
    text = DOCS.read_text()
    assert [key for key in keys_of(ServeConfig) if f"`{key}`" not in text] == []
