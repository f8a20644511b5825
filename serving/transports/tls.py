"""TLS: the certificate, and its renewal while the endpoint runs."""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from serving.config_file import ConfigError

logger = logging.getLogger(__name__)

_Stamps = tuple[tuple[int, int, int], ...]


class TlsConfig(BaseModel):
    """Encrypts connections.

    Attributes:
        certificate: PEM file: the certificate, then those between it and its root.
        key: PEM file: its private key, not encrypted.
        poll_seconds: How often the files are looked at; a renewed certificate serves new connections.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    certificate: Path
    key: Path
    poll_seconds: float = Field(default=10, gt=0)


class CertificateError(ConfigError):
    """The certificate or its key cannot be used."""


class Certificates:
    """Keeps the context of new connections in step with the certificate's files.

    Args:
        config: Where they are.

    Attributes:
        context: For TLS 1.2 and newer.

    Raises:
        CertificateError: The files cannot be read, or do not belong together.
    """

    def __init__(self, config: TlsConfig) -> None:
        self._config = config
        self._stamps = _stamps(config)
        self.context = _new_context()
        _load(self.context, config)

    def refresh(self) -> None:
        """Take renewed files; those that cannot be used are logged, and the certificate before serves on."""
        stamps = _stamps(self._config)
        if stamps == self._stamps:
            return
        self._stamps = stamps
        try:
            # Tried apart: half of a renewal must not spoil the context that serves.
            _load(_new_context(), self._config)
            _load(self.context, self._config)
        except CertificateError as error:
            logger.error("the renewed certificate is not used, the one before serves on: %s", error)  # noqa: TRY400
        else:
            logger.info("the certificate was renewed: %s", self._config.certificate)

    async def follow(self) -> None:
        """Look for renewed files for ever."""
        while True:
            await asyncio.sleep(self._config.poll_seconds)
            self.refresh()


def _new_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _load(context: ssl.SSLContext, config: TlsConfig) -> None:
    try:
        # Asked for a password, OpenSSL would wait at the terminal.
        context.load_cert_chain(config.certificate, config.key, password=lambda: b"")
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(
            f"tls: certificate {config.certificate}, key {config.key}: cannot be used: {error}\n"
            "  do: name a PEM certificate and the PEM key that belongs to it, without a password"
        ) from error


def _stamps(config: TlsConfig) -> _Stamps:
    """Return what changes whenever a file is written again."""
    stamps = []
    for path in (config.certificate, config.key):
        try:
            status = path.stat()
            stamps.append((status.st_mtime_ns, status.st_ino, status.st_size))
        except OSError:
            stamps.append((0, 0, 0))
    return tuple(stamps)
