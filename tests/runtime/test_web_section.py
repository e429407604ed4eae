"""The `web:` section: where to listen, whom to let in, and certificates that are looked at when they are loaded."""

import ssl
from pathlib import Path

import pytest
import trustme
from aiohttp import ClientConnectorError, ClientSession, TCPConnector, web
from aiohttp.test_utils import TestServer
from cryptography.hazmat.primitives import serialization

from runtime.loading import ConfigError, load, parse
from runtime.tls import CertificateUnusable, check_authorities
from runtime.web import ListenAddress, WebSection, parse_listen


@pytest.mark.parametrize(
    ("text", "host", "port", "loopback"),
    [
        ("127.0.0.1:9436", "127.0.0.1", 9436, True),
        ("127.8.0.1:0", "127.8.0.1", 0, True),
        ("[::1]:9436", "::1", 9436, True),
        ("[::]:80", "::", 80, False),
        (":9436", None, 9436, False),
        ("0.0.0.0:65535", "0.0.0.0", 65535, False),  # noqa: S104  what an operator may write
        ("localhost:80", "localhost", 80, True),
        ("exporter.example.net:80", "exporter.example.net", 80, False),
    ],
)
def test_listen_addresses(text: str, host: str | None, port: int, loopback: bool) -> None:
    """Address and port come apart, and it is known whether others than this machine can connect."""
    address = parse_listen(text)
    assert address == ListenAddress(host, port)
    assert address.is_loopback is loopback
    assert str(address) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9436",
        "127.0.0.1",
        "127.0.0.1:",
        "::1:9436",
        "[::1]",
        "[x]:1",
        "a b:1",
        "x:65536",
        "x:-1",
        "x:٣",
        "http://x:1",
    ],
)
def test_listen_addresses_that_are_none(text: str) -> None:
    """Everything else is refused with an example of what is right."""
    with pytest.raises(ValueError, match=r'such as "'):
        parse_listen(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "listen: 9436",
            'web listen must be HOST:PORT with a port up to 65535, such as "127.0.0.1:9436" or ":9436"',
        ),
        ("allow: [10.0.0.1/8]", "must be a network without host bits, such as 10.0.0.0/8"),
        ("allow: [here]", "must be an address or a network, such as 10.0.0.0/8 or fd00::/8"),
        (
            "basic_auth: [{username: 'a:b', password: x}]",
            "basic_auth[0] > username: a colon or control character cannot",
        ),
        ("basic_auth: [{username: a, password: ''}]", "password: must have at least 1 character"),
        (
            "basic_auth: [{username: a, password: x}, {username: a, password: y}]",
            "basic_auth[0] has this username already",
        ),
        ("bearer: [{name: a, token: short}]", "token: must have at least 8 characters"),
        ("bearer: [{name: a, token: 'with some spaces'}]", "token: must hold only letters, digits"),
        (
            "bearer: [{name: a, token: 12345678}, {name: a, token: 123456789}]",
            "bearer[0] has this name already",
        ),
        ("rate_limit: {requests_per_s: 0}", "requests_per_s: must be greater than 0, got 0"),
        ("rate_limit: {burst: 0.5}", "burst: must be a whole number, got 0.5"),
        ("max_body_bytes: 5", "max_body_bytes: must be at least 1024, got 5"),
        ("tls: {cert_file: nix.pem, key_file: .}", "tls > cert_file: no such file: nix.pem"),
        ("tls: {cert_file: nix.pem, key_file: .}", "tls > key_file: is a folder, not a file: ."),
        ("tls: {cert_file: 'a\\0b'}", "tls > key_file: is required"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    """Each mistake is told where it is, without the secret beside it."""
    with pytest.raises(ConfigError) as caught:
        parse(text, WebSection)
    assert message.removeprefix("web listen ") in str(caught.value)
    assert "with some spaces" not in str(caught.value)


class Files:
    """An authority and what it issued, as files."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        issued = self.authority.issue_cert("127.0.0.1", "localhost")
        self.cert, self.key, self.ca = folder / "cert.pem", folder / "key.pem", folder / "ca.pem"
        self.other_key, self.locked_key, self.junk = (
            folder / "other.pem",
            folder / "locked.pem",
            folder / "junk.pem",
        )
        issued.cert_chain_pems[0].write_to_path(self.cert)
        issued.private_key_pem.write_to_path(self.key)
        self.authority.cert_pem.write_to_path(self.ca)
        self.authority.issue_cert("other").private_key_pem.write_to_path(self.other_key)
        self.junk.write_text("junk")
        private = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
        self.locked_key.write_bytes(
            private.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"phrase"),
            )
        )
        self.config = folder / "config.yml"

    def section(self, text: str) -> WebSection:
        self.config.write_text(text)
        return load(self.config, WebSection)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.mark.parametrize(
    ("tls", "message"),
    [
        ("cert_file: cert.pem, key_file: other.pem", "is not that of the certificate in"),
        ("cert_file: junk.pem, key_file: key.pem", "do not hold a certificate and its key as PEM"),
        (
            "cert_file: cert.pem, key_file: locked.pem",
            "locked.pem has a passphrase; store the key without one",
        ),
        (
            "cert_file: cert.pem, key_file: key.pem, client_ca_file: junk.pem",
            "junk.pem holds no certificate of an authority",
        ),
    ],
)
def test_certificates_are_tried_when_they_are_loaded(files: Files, tls: str, message: str) -> None:
    """Files that cannot serve are refused with the configuration, not at the first connection."""
    with pytest.raises(ConfigError) as caught:
        files.section(f"tls: {{{tls}}}")
    assert str(caught.value.problems[0]).startswith("line 1: tls: ")
    assert message in str(caught.value)


def test_authorities_are_tried_when_they_are_loaded(files: Files) -> None:
    """A file with an authority is let through; another is refused, and so is one that is not there."""
    assert check_authorities(files.ca) == files.ca
    for path in (files.junk, files.ca.with_name("no.pem")):
        with pytest.raises(CertificateUnusable, match=path.name):
            check_authorities(path)


async def _get(server: TestServer, client: ssl.SSLContext) -> int:
    async with (
        ClientSession(connector=TCPConnector(ssl=client)) as session,
        session.get(server.make_url("/")) as response,
    ):
        return response.status


async def test_the_context_serves_https(files: Files) -> None:
    """A client that knows the authority is served over TLS 1.2 or newer."""
    tls = files.section("tls: {cert_file: cert.pem, key_file: key.pem}").tls
    assert tls is not None
    assert tls.context().minimum_version >= ssl.TLSVersion.TLSv1_2
    server = TestServer(web.Application(), scheme="https")
    await server.start_server(ssl=tls.context())
    trusting = ssl.create_default_context(cafile=files.ca)
    assert await _get(server, trusting) == 404
    with pytest.raises(ClientConnectorError, match="certificate verify failed"):
        await _get(server, ssl.create_default_context())
    await server.close()


async def test_clients_may_have_to_show_a_certificate(files: Files) -> None:
    """With `client_ca_file`, a client of the authority is served and one without certificate is not."""
    tls = files.section("tls: {cert_file: cert.pem, key_file: key.pem, client_ca_file: ca.pem}").tls
    assert tls is not None
    server = TestServer(web.Application(), scheme="https")
    await server.start_server(ssl=tls.context())
    client = ssl.create_default_context(cafile=files.ca)
    client.maximum_version = ssl.TLSVersion.TLSv1_2  # so that the refusal comes within the handshake
    with pytest.raises((ClientConnectorError, ConnectionError)):
        await _get(server, client)
    client.load_cert_chain(files.cert, files.key)
    assert await _get(server, client) == 404
    await server.close()
