"""Every page of the documentation can be walked through, and its commands end as it says.

By default what takes no time runs, with stand-ins for trained models; `make integration` and `make test-all` walk
through the pages whole.
"""

from __future__ import annotations

import pytest

from tests.docs.blocks import Block, every_block
from tests.docs.page_shell import PageShell
from tests.docs.scene import Shared
from tests.docs.walking import by_page, has_commands, takes_time, walk, walk_briefly
from tests.pipelines.command_line import called

_PAGES = {name: page for name, page in by_page(every_block()).items() if has_commands(page)}


def _whole() -> list[object]:
    whole = []
    for name, page in _PAGES.items():
        if not takes_time(page):
            continue
        slow = [pytest.mark.slow] if any("slow" in block.said for block in page) else []
        whole.append(pytest.param(page, id=name, marks=[pytest.mark.integration, *slow]))
    return whole


@pytest.mark.parametrize("page", _whole())
@pytest.mark.timeout(1200)
def test_a_page_can_be_walked_through(page: list[Block], page_shell: PageShell, shared: Shared) -> None:
    with page_shell:
        assert walk(page, page_shell, shared) > 0


@pytest.mark.parametrize("page", _PAGES.values(), ids=_PAGES)
def test_what_takes_no_time_ends_as_the_page_says(
    page: list[Block],
    page_shell: PageShell,
    shared: Shared,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(page_shell.folder)
    monkeypatch.delenv("HEADRACE_HOME", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)
    walk_briefly(page, page_shell, shared, lambda words: called(words, capsys, monkeypatch))
