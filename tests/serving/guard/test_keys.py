"""API keys."""

from __future__ import annotations

import json
import logging
import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.guard.key_file import Action, KeyFileError, add_key, hash_of, read_keys, revoke_key
from serving.guard.keys import KeyRing
from serving.guard.refusals import ForbiddenError, UnauthorizedError


class Asking:
    """A ring over a file, asked at moments of its own clock."""

    def __init__(self, path: Path) -> None:
        self.ring = KeyRing(path, 1.0)
        self.now = 100.0

    def status(self, presented: str | None, action: Action = "predict", model: str = "flight-delay") -> int:
        self.now += 0.001
        try:
            self.ring.check(None if presented is None else presented.encode("latin-1"), action, model, self.now)
        except (UnauthorizedError, ForbiddenError) as refused:
            return refused.status
        return 200

    def later(self) -> None:
        self.now += 1.5


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def added(path: Path, name: str = "mobile", *scopes: str, may: tuple[Action, ...] = ("predict",)) -> str:
    return add_key(path, name, scopes or ("*",), may)


def test_a_key_in_all_its_spellings(path: Path) -> None:
    key = added(path)
    asking = Asking(path)
    for _ in range(2):
        for presented in (f"Bearer {key}", f"bearer {key}", f"BEARER   {key} ", key):
            assert asking.status(presented) == 200, presented


def test_what_is_no_key_is_told_to_bring_one(path: Path) -> None:
    key = added(path)
    other = added(path, "other")
    secret = key.split("_", 2)[2]
    asking = Asking(path)
    assert asking.status(f"Bearer {key}") == 200
    wrong = [
        *(
            "",
            "Bearer",
            "Bearer ",
            "Basic dXNlcjpwYXNz",
            "hr_",
            "hr__",
            "hr_mobile",
            "hr_mobile_",
            secret,
            "\xff\xfe" * 9,
        ),
        *(
            key[:-1],
            key + "x",
            key.upper(),
            f"hr_other_{secret}",
            f"hr_nobody_{secret}",
            f"hr_mobile_{hash_of(secret)}",
        ),
        *("Bearer " + "x" * 100_000, f"Bearer {key} {other}", f"xx_mobile_{secret}"),
    ]
    for presented in wrong:
        assert asking.status(presented) == 401, presented[:80]
    assert asking.status(None) == 401
    with pytest.raises(UnauthorizedError) as refused:
        asking.ring.check(None, "predict", "m", asking.now)
    assert refused.value.headers == ((b"www-authenticate", b'Bearer realm="headrace"'),)
    with pytest.raises(UnauthorizedError) as refused:
        asking.ring.check(b"hr_mobile_x", "predict", "m", asking.now)
    assert b"invalid_token" in refused.value.headers[0][1]


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    path = tmp_path_factory.mktemp("ring") / "keys.json"
    added(path)
    return KeyRing(path, 1e9)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(), st.binary().map(lambda rest: b"Bearer hr_mobile_" + rest)))
def test_whatever_bytes_come_the_answer_is_401(ring: KeyRing, presented: bytes) -> None:
    with pytest.raises(UnauthorizedError):
        ring.check(presented, "predict", "m", 0.0)


def test_a_key_counts_for_its_models_and_actions_alone(path: Path) -> None:
    predict = added(path, "predict", "flight-delay", "churn")
    watch = added(path, "watch", may=("metrics",))
    asking = Asking(path)
    assert asking.status(predict) == 200
    assert asking.status(predict, model="churn") == 200
    assert asking.status(predict, model="secret-model") == 403
    assert asking.status(predict, "describe") == 403
    assert asking.status(predict, "metrics", "") == 403
    assert asking.status(watch, "metrics", "") == 200
    assert asking.status(watch) == 403


def test_an_expired_key_counts_no_longer(path: Path) -> None:
    past = add_key(path, "past", ["*"], ["predict"], datetime.now(UTC) - timedelta(seconds=1))
    coming = add_key(path, "coming", ["*"], ["predict"], datetime.now(UTC) + timedelta(hours=1))
    asking = Asking(path)
    assert [asking.status(past), asking.status(coming), asking.status(past)] == [401, 200, 401]


def test_rotation_without_a_restart(path: Path) -> None:
    first = added(path)
    asking = Asking(path)
    assert asking.status(first) == 200
    second = added(path, "mobile-2")
    asking.later()
    assert [asking.status(first), asking.status(second)] == [200, 200]
    revoke_key(path, "mobile")
    asking.later()
    assert [asking.status(first), asking.status(second)] == [401, 200]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"keys": [{"id": "a"}]}', b"\xff\x00", None])
def test_a_broken_file_changes_nothing_and_is_logged_once(
    path: Path, content: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    key = added(path)
    whole = path.read_bytes()
    asking = Asking(path)
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            asking.later()
            assert asking.status(key) == 200
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "the API keys stay as they were" in caplog.text
    assert key not in caplog.text
    path.write_bytes(whole.replace(b"mobile", b"tablet"))
    asking.later()
    assert asking.status(key) == 401
    assert asking.status(key.replace("mobile", "tablet")) == 200


def test_a_file_that_is_wrong_at_the_start_lets_nobody_in_until_it_is_mended(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asking = Asking(path)
    assert "the API keys stay as they were, none, so nobody is let in: " in caplog.text
    assert asking.status("hr_mobile_x") == 401
    key = added(path)
    asking.later()
    assert asking.status(key) == 200


def test_a_file_that_is_wrong_says_what_and_where(path: Path) -> None:
    with pytest.raises(KeyFileError, match="no such file\n  do: make it with `headrace keys add"):
        read_keys(path)
    path.write_text('{"keys": [{"id": "a", "sha256": "00"}]}')
    with pytest.raises(KeyFileError, match=r"keys.json: keys\.0\.sha256: "):
        read_keys(path)
    added(path.with_name("other.json"))
    entry = json.loads(path.with_name("other.json").read_text())["keys"][0]
    path.write_text(json.dumps({"keys": [entry, entry]}))
    with pytest.raises(KeyFileError, match="'mobile' stands there twice"):
        read_keys(path)
    with pytest.raises(KeyFileError, match="cannot be read"):
        read_keys(path.parent)


def test_the_file_keeps_no_secret_and_is_private(path: Path) -> None:
    old = os.umask(0)
    try:
        key = added(path)
        added(path, "second", "flight-delay")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    prefix, name, secret = key.split("_", 2)
    assert (prefix, name) == ("hr", "mobile")
    assert len(secret) == 43
    assert secret not in path.read_text()
    assert [entry.id for entry in read_keys(path)] == ["mobile", "second"]
    assert read_keys(path)[0].sha256 == hash_of(secret)
    assert [each.name for each in path.parent.iterdir()] == ["keys.json"]


def test_names_that_cannot_be(path: Path) -> None:
    added(path)
    with pytest.raises(KeyFileError, match="there is a key 'mobile' already\n  do: to rotate it, add"):
        added(path)
    for name in ("", "a_b", "A", "../x", "a" * 64, "a b"):
        with pytest.raises(KeyFileError, match="do: give another name"):
            added(path, name)
    with pytest.raises(KeyFileError, match="scopes"):
        added(path, "b", "No Model")
    with pytest.raises(KeyFileError, match="did you mean 'mobile'"):
        revoke_key(path, "mobil")
    assert len(read_keys(path)) == 1


def test_writers_do_not_lose_each_others_keys(path: Path) -> None:
    writers = [threading.Thread(target=added, args=(path, f"key-{number}")) for number in range(12)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert {entry.id for entry in read_keys(path)} == {f"key-{number}" for number in range(12)}


def test_spellings_of_a_key_are_not_hoarded(path: Path) -> None:
    key = added(path)
    asking = Asking(path)
    for number in range(5000):
        assert asking.status("bearer" + " " * (number % 150) + key + " " * (number // 150)) in {200, 401}
    assert len(asking.ring._proven) <= 4096
