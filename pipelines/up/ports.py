"""Ports, looked at before anything is started."""

from __future__ import annotations

from dataclasses import dataclass

from serving.transports.sockets import bound
from tasks.errors import ConfigError


@dataclass(frozen=True)
class Address:
    """Where a program is to listen.

    Attributes:
        what: The program, in words.
        host: An address of this machine, or a name for one.
        port: 0 for a free one.
        option: How the user names another port.
    """

    what: str
    host: str
    port: int
    option: str

    @property
    def url(self) -> str:
        """The address for a program on this machine: one that means all of its addresses cannot be asked."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - not listened on
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def local(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host in {"localhost", "::1"} or self.host.startswith("127.")


def settle(addresses: list[Address]) -> list[Address]:
    """Replace every port 0 by a free port that stays the program's own when it is started again.

    Raises:
        ConfigError: A port is taken, or an address is not of this machine.
    """
    held = []
    try:
        for each in addresses:
            try:
                held.append(bound(each.host, each.port))
            except OSError as error:
                raise ConfigError(
                    f"{each.what} cannot listen on {each.host}:{each.port}: {error.strerror or error}\n"
                    f"  do: name another port with {each.option}, 0 for any free one, or stop what listens there"
                ) from error
        return [
            Address(each.what, each.host, listening.getsockname()[1], each.option)
            for each, listening in zip(addresses, held, strict=True)
        ]
    finally:
        for listening in held:
            listening.close()
