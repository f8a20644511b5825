"""TLS: the real process with a certificate of its own making, and its renewal."""

from __future__ import annotations

import datetime as dt
import logging
import ssl
import subprocess
import sys
import time
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from serving.transports.tls import CertificateError, Certificates, TlsConfig
from tests.serving.bundles import promote, serving
from tests.serving.transports.raw import LIVE, Raw, infer


def write_certificate(folder: Path, serial: int) -> TlsConfig:
    """Write a self-signed certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "endpoint")])
    start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    config = TlsConfig(certificate=folder / "certificate.pem", key=folder / "key.pem", poll_seconds=0.05)
    config.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    config.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return config


def served_serial(url: str, trusted: Path) -> int:
    """Return the serial number of the certificate that a new connection sees."""
    with Raw(url, ssl.create_default_context(cafile=trusted)) as raw:
        assert isinstance(raw.socket, ssl.SSLSocket)
        shown = raw.socket.getpeercert(binary_form=True)
        raw.send(infer("secret") + LIVE)
        assert raw.answer().json["id"] == "secret"
        assert raw.answer().status == 200
    assert shown is not None
    return x509.load_der_x509_certificate(shown).serial_number


def test_connections_are_encrypted_and_a_renewed_certificate_is_taken(tmp_path: Path) -> None:
    promote(tmp_path / "models")
    config = write_certificate(tmp_path, 1)
    more = [f"tls.certificate={config.certificate}", f"tls.key={config.key}", "tls.poll_seconds=0.05"]
    arguments = [word for setting in more for word in ("--set", setting)]
    with serving(tmp_path / "models", tmp_path / "log", *arguments) as endpoint:
        assert endpoint.url.startswith("https://")
        assert served_serial(endpoint.url, config.certificate) == 1
        with Raw(endpoint.url) as plain:
            plain.send(LIVE)
            assert plain.closed()
        old = ssl.create_default_context(cafile=config.certificate)
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(ssl.SSLError):
            Raw(endpoint.url, old)
        write_certificate(tmp_path, 2)
        deadline = time.monotonic() + 20
        while "the certificate was renewed" not in endpoint.log.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert served_serial(endpoint.url, config.certificate) == 2
        assert endpoint.stop() == 0
        assert "Traceback" not in endpoint.log.read_text()


def test_a_broken_renewal_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = write_certificate(tmp_path, 1)
    certificates = Certificates(config)
    before = certificates.context
    config.key.write_text("half of a key")
    with caplog.at_level(logging.ERROR):
        certificates.refresh()
        certificates.refresh()
    (said,) = caplog.messages
    assert "the one before serves on" in said
    config.certificate.unlink()
    certificates.refresh()
    assert certificates.context is before


def test_files_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    one, other = write_certificate(tmp_path, 1), write_certificate(tmp_path / "other", 2)
    with pytest.raises(CertificateError, match="PEM key that belongs to it"):
        Certificates(one.model_copy(update={"key": other.key}))
    (tmp_path / "models").mkdir()
    command = [sys.executable, "-m", "serving", "--store", str(tmp_path / "models"), "--port", "0"]
    settings = [f"--set=tls.certificate={one.certificate}", f"--set=tls.key={other.key}"]
    done = subprocess.run([*command, *settings], capture_output=True, text=True, check=False)
    assert (done.returncode, "cannot be used" in done.stderr, "Traceback" in done.stderr) == (2, True, False)
