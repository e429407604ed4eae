"""TLS towards a router: what is accepted, what is refused, and in which words."""

from __future__ import annotations

import hashlib
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from routeros import (
    PoolSettings,
    ProtocolViolation,
    RetrySettings,
    RouterUnreachable,
    TlsSettings,
    UnreachableReason,
)
from routeros.tls import tls_context, tls_error
from tests.fakes.scripted_router import Done, Row, ScriptedRouter
from tests.routeros.conftest import Connect

ONCE = RetrySettings(attempts=1)
QUICK = PoolSettings(connect_timeout_s=1.5)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def fingerprint(certificate: trustme.LeafCert) -> str:
    der = ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
    return hashlib.sha256(der).hexdigest()


def expired(authority: trustme.CA) -> trustme.LeafCert:
    """A certificate that was good until yesterday."""
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return authority.issue_cert("127.0.0.1", not_before=yesterday - timedelta(days=30), not_after=yesterday)


async def ask(connect: Connect, device: ScriptedRouter, tls: TlsSettings | None) -> list[dict[str, str]]:
    device.on("/x/print", Row({"n": "1"}), Done())
    return await connect(device, tls=tls, retry=ONCE, pool=QUICK).print("/x")


async def refusal(connect: Connect, device: ScriptedRouter, tls: TlsSettings) -> str:
    """The words in which this connection is refused; nothing was said to the router, no login above all."""
    with pytest.raises(RouterUnreachable) as refused:
        await ask(connect, device, tls)
    assert refused.value.reason is UnreachableReason.TLS
    assert refused.value.router == "core"
    assert device.log == []
    return str(refused.value)


async def test_known_authority(authority: trustme.CA, ca_file: str, connect: Connect) -> None:
    """A certificate of the given authority, for the dialled address, is accepted; the test tells the TLS time."""
    async with ScriptedRouter(tls=serving(authority.issue_cert("127.0.0.1"))) as device:
        tls = TlsSettings(ca_file=ca_file)
        assert await ask(connect, device, tls) == [{"n": "1"}]
        result = await connect(device, tls=tls).test(deadline_s=5.0)
        assert result.tls_s is not None
        assert result.tls_s > 0


async def test_unknown_authority(ca_file: str, connect: Connect) -> None:
    """A certificate of somebody else's authority is refused, with the remedies."""
    async with ScriptedRouter(tls=serving(trustme.CA().issue_cert("127.0.0.1"))) as device:
        words = await refusal(connect, device, TlsSettings(ca_file=ca_file))
        assert "signed by an unknown authority: give its CA file, or pin its fingerprint" in words


async def test_system_authorities_by_default(authority: trustme.CA, connect: Connect) -> None:
    """Without CA file and fingerprint the system's authorities decide, and a private one is unknown to them."""
    async with ScriptedRouter(tls=serving(authority.issue_cert("127.0.0.1"))) as device:
        assert "unknown authority" in await refusal(connect, device, TlsSettings())


async def test_expired_certificate(authority: trustme.CA, ca_file: str, connect: Connect) -> None:
    """A certificate that has expired is refused as that."""
    async with ScriptedRouter(tls=serving(expired(authority))) as device:
        words = await refusal(connect, device, TlsSettings(ca_file=ca_file))
        assert "the certificate has expired: renew it on the router" in words


async def test_certificate_for_another_name(authority: trustme.CA, ca_file: str, connect: Connect) -> None:
    """The name must fit: the address, the given server name, or any when that is empty."""
    async with ScriptedRouter(tls=serving(authority.issue_cert("core.example.net"))) as device:
        words = await refusal(connect, device, TlsSettings(ca_file=ca_file))
        assert "the certificate is not for 127.0.0.1" in words
        assert await ask(connect, device, TlsSettings(ca_file=ca_file, server_name="core.example.net"))
        assert await ask(connect, device, TlsSettings(ca_file=ca_file, server_name=""))


async def test_pinned_fingerprint(authority: trustme.CA, connect: Connect) -> None:
    """The pinned certificate is accepted whatever else is wrong with it, written with colons or without."""
    certificate = expired(authority)
    digits = fingerprint(certificate)
    colons = ":".join(digits[i : i + 2] for i in range(0, 64, 2)).upper()
    async with ScriptedRouter(tls=serving(certificate)) as device:
        for written in (digits, colons, f"sha256:{digits}"):
            assert await ask(connect, device, TlsSettings(fingerprint_sha256=written)) == [{"n": "1"}]


async def test_wrong_fingerprint(authority: trustme.CA, ca_file: str, connect: Connect) -> None:
    """Another certificate than the pinned one is refused before the login, with both fingerprints."""
    certificate = authority.issue_cert("127.0.0.1")
    async with ScriptedRouter(tls=serving(certificate)) as device:
        for settings in (
            TlsSettings(fingerprint_sha256="ab" * 32),
            TlsSettings(fingerprint_sha256="ab" * 32, ca_file=ca_file),
            TlsSettings(fingerprint_sha256="ab" * 32, verify=False),
        ):
            words = await refusal(connect, device, settings)
            assert fingerprint(certificate) in words
            assert "ab" * 32 in words


async def test_verification_off(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """Without verification anything is accepted, and the log says what that means."""
    async with ScriptedRouter(tls=serving(trustme.CA().issue_cert("whoever"))) as device:
        assert await ask(connect, device, TlsSettings(verify=False, server_name="a.b")) == [{"n": "1"}]
    assert "anyone on the way can read the password" in caplog.text


async def test_router_without_certificate(authority: trustme.CA, ca_file: str, connect: Connect) -> None:
    """api-ssl without a certificate can be used unverified only; else the remedy is told."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")
    async with ScriptedRouter(tls=context) as device:
        assert "api-ssl may have no certificate" in await refusal(
            connect, device, TlsSettings(ca_file=ca_file)
        )
        assert await ask(connect, device, TlsSettings(verify=False)) == [{"n": "1"}]


def test_no_common_cipher(authority: trustme.CA) -> None:
    """When the router's alert does arrive, a missing certificate is told as that."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AECDH-AES256-SHA:@SECLEVEL=0")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = tls_context(TlsSettings(fingerprint_sha256="ab" * 32)).wrap_bio(to_client, to_server)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    with pytest.raises(ssl.SSLError):
        server.do_handshake()
    with pytest.raises(ssl.SSLError) as alert:
        client.do_handshake()
    assert "assign a certificate to api-ssl" in str(tls_error(alert.value, "127.0.0.1"))


async def test_tls_spoken_to_the_plain_port(ca_file: str, connect: Connect) -> None:
    """A plain port does not answer the handshake: told at the timeout, with a hint."""
    async with ScriptedRouter(is_mute=True) as device:
        with pytest.raises(RouterUnreachable, match=r"does the port speak TLS\? api-ssl is 8729") as refused:
            await ask(connect, device, TlsSettings(ca_file=ca_file))
        assert refused.value.reason is UnreachableReason.TLS


async def test_tls_spoken_to_a_port_that_answers_in_the_clear(ca_file: str, connect: Connect) -> None:
    """A port that answers, but not in TLS, is told at once."""
    async with ScriptedRouter(greeting=b"HTTP/1.1 400 Bad Request\r\n\r\n", is_mute=True) as device:
        assert "the port does not speak TLS" in await refusal(connect, device, TlsSettings(ca_file=ca_file))


async def test_plain_spoken_to_the_tls_port(authority: trustme.CA, connect: Connect) -> None:
    """A TLS port answers a plain login with an alert or by hanging up: either way the hint is there."""
    async with ScriptedRouter(tls=serving(authority.issue_cert("127.0.0.1"))) as device:
        with pytest.raises((RouterUnreachable, ProtocolViolation), match="TLS"):
            await ask(connect, device, None)
        assert device.log == []


async def test_tls_alert_read_as_a_reply(connect: Connect) -> None:
    """The bytes of a TLS alert are recognised for what they are."""
    async with ScriptedRouter(greeting=b"\x15\x03\x01\x00\x02\x02\x46", is_mute=True) as device:
        with pytest.raises(RouterUnreachable, match="it is api-ssl, so turn TLS on") as refused:
            await ask(connect, device, None)
        assert refused.value.reason is UnreachableReason.TLS


async def test_ca_file_that_cannot_be_read(connect: Connect, tmp_path: Path) -> None:
    """A missing or broken CA file is named; nothing is dialled."""
    broken = tmp_path / "broken.pem"
    broken.write_text("not a certificate")
    async with ScriptedRouter() as device:
        for path in (tmp_path / "missing.pem", broken):
            words = await refusal(connect, device, TlsSettings(ca_file=str(path)))
            assert f"the CA file {path} cannot be used" in words
        assert device.connects_total == 0


async def test_renewed_ca_file_is_read_again(authority: trustme.CA, connect: Connect, tmp_path: Path) -> None:
    """Routers share a context; a CA file that was replaced is noticed at the next connection."""
    path = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(path)
    tls = TlsSettings(ca_file=str(path))
    assert tls_context(tls) is tls_context(TlsSettings(ca_file=str(path)))
    async with ScriptedRouter(tls=serving(authority.issue_cert("127.0.0.1"))) as device:
        assert "unknown authority" in await refusal(connect, device, tls)
        authority.cert_pem.write_to_path(path)
        os.utime(path, ns=(0, 1))
        assert await ask(connect, device, tls) == [{"n": "1"}]


@pytest.mark.parametrize("written", ["", "ab", "zz" * 32, "ab" * 33])
def test_fingerprint_that_is_none(written: str) -> None:
    """What is not 64 hexadecimal digits is refused when it is written down, not when it is used."""
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        TlsSettings(fingerprint_sha256=written)
