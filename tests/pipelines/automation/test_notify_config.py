"""The section `notify`: where messages may go and what of, refused at check time where it cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.automation.config import NotifyConfig
from tests.end_to_end.customers import PIPELINE
from tests.pipelines.watch.test_watch_config import opened, refusal

WATCHED = PIPELINE + "watch: {samples: samples}\n"


@pytest.mark.parametrize(
    "webhook", ["https://chat.example/x?y=1", "http://127.0.0.1:9000/", "env:HOOK_1", "block:on-call"]
)
def test_the_forms_of_a_receiver(tmp_path: Path, webhook: str) -> None:
    config = opened(tmp_path, f"notify:\n  - {{webhook: '{webhook}', on: [promoted, drift]}}\n", WATCHED)
    assert [(each.webhook, each.on) for each in config.notify] == [(webhook, ("promoted", "drift"))]


@pytest.mark.parametrize(
    ("webhook", "said"),
    [
        ("ftp://chat.example/x", "expected https://HOST/PATH, env:VARIABLE, or block:NAME"),
        ("https://", "got 'https://'"),
        ("https://chat.example:99999/", "got 'https://chat'..."),
        ("https://chat example/", "expected https://HOST/PATH"),
        ("chat.example/T0/secret", "got 'chat.example'..."),
        ("env:", "which names no variable"),
        ("env:MY-HOOK", "which names no variable"),
        ("block:On_Call", "small letters, digits and single dashes"),
        ("https://me:secret@chat.example/", "put the URL into a variable and write env:VARIABLE"),
    ],
)
def test_what_is_no_receiver_is_refused_and_not_repeated(tmp_path: Path, webhook: str, said: str) -> None:
    found = refusal(tmp_path, f"notify:\n  - webhook: '{webhook}'\n    on: [failed]\n")
    assert found.startswith(f"{tmp_path / 'customers.yaml'}:{PIPELINE.count(chr(10)) + 2}: notify.0.webhook: ")
    assert said in found
    assert "secret" not in found


@pytest.mark.parametrize(
    ("on", "said"),
    [
        ("[]", "notify.0.on: expected at least one of promoted, refused"),
        ("[promotd]", "'crashed', 'cancelled' or 'drift', got 'promotd'"),
        ("[promoted, drift]", "notify.0.on: `drift` never happens, since there is no section `watch`"),
    ],
)
def test_what_never_happens_is_refused(tmp_path: Path, on: str, said: str) -> None:
    found = refusal(tmp_path, f"notify:\n  - webhook: env:HOOK\n    on: {on}\n")
    assert f"customers.yaml:{PIPELINE.count(chr(10)) + 3}: notify.0.on" in found
    assert said in found


@pytest.mark.parametrize(
    ("webhook", "kept"),
    [
        ("https://hooks.example.org:8443/services/T0/secret?key=1", "https://hooks.example.org:8443/..."),
        ("env:HOOK", "env:HOOK"),
        ("block:team-chat", "block:team-chat"),
    ],
)
def test_what_a_run_keeps_of_its_config_lets_nobody_post(webhook: str, kept: str) -> None:
    config = NotifyConfig(webhook=webhook, on=("failed",))
    assert config.model_dump(mode="json")["webhook"] == kept
    assert config.webhook == webhook
