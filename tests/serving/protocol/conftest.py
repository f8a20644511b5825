"""Fixtures of this room's tests."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.serving.bundles import promote, serving
from tests.serving.protocol.echo import promote_echo
from tests.serving.protocol.wire import Wire


@pytest.fixture(scope="session")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wire]:
    """A real server process with the small model, and with models that answer what they are given."""
    folder = tmp_path_factory.mktemp("protocol")
    promote(folder / "models")
    promote_echo(folder / "models")
    promote_echo(folder / "models", "pair", ("UINT32", "BOOL"))
    promote_echo(folder / "models", "scores", ("FP32",))
    with serving(folder / "models", folder / "log") as endpoint:
        yield Wire(urlsplit(endpoint.url).netloc)
        assert "Traceback" not in endpoint.log.read_text()
