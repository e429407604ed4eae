"""One GET is bounded in time and bytes by real sockets, and a failure tells a reason and no secret."""

import socket
import ssl
import threading
import time
import traceback
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from exporter.probes.fetch import Failure, Fetcher, FetchFailed

SECRET = "walnut-orchard"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
TIMEOUT_S = 0.5
PATIENCE_S = 30.0


class Server:
    """A port of this machine where a function speaks to each who connects, until it is closed."""

    def __init__(self, speak: Callable[[socket.socket], None]) -> None:
        self._speak = speak
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/health?token={SECRET}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection:
                try:
                    self._speak(connection)
                except OSError:
                    continue  # the client hung up, as some tests want it to

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(60)


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], None]], Server]]:
    servers: list[Server] = []

    def serve(speak: Callable[[socket.socket], None]) -> Server:
        servers.append(Server(speak))
        return servers[-1]

    yield serve
    for server in servers:
        server.close()


Serve = Callable[[Callable[[socket.socket], None]], Server]


def failure_of(url: str, fetcher: Fetcher | None = None) -> Failure:
    """Why nothing came; the error, its cause and its traceback hold no secret."""
    fetcher = fetcher or Fetcher(timeout_s=TIMEOUT_S)
    with pytest.raises(FetchFailed) as caught:
        fetcher.get(
            url,
            {"Authorization": f"Bearer {SECRET}"},
            accepts=frozenset({200}),
            deadline_s=fetcher.deadline_s(),
        )
    assert SECRET not in f"{caught.value!r} {caught.value}"
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    return caught.value.failure


def test_a_whole_answer_comes_with_the_servers_time(serve: Serve) -> None:
    """Chunks are joined and the Date header is read."""

    def speak(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(
            HEAD + b"Date: Sun, 22 Nov 2026 20:00:00 GMT\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for piece in (b'{"a"', b": [1, ", b"2]}"):
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.sendall(b"0\r\n\r\n")

    fetcher = Fetcher(timeout_s=5)
    document = fetcher.get(serve(speak).url, {}, accepts=frozenset({200}), deadline_s=fetcher.deadline_s())
    assert document.content == {"a": [1, 2]}
    assert document.date_s == 1_795_377_600


def test_nobody_there_and_no_such_name() -> None:
    """A closed port is unreachable, a name that nobody knows is a name."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        assert failure_of(f"http://127.0.0.1:{reserved.getsockname()[1]}/") is Failure.UNREACHABLE
    patient = Fetcher(timeout_s=10)
    assert failure_of("http://no-such-host.invalid/", patient) in (Failure.NAME, Failure.TIMEOUT)


@pytest.mark.parametrize(
    "said",
    [b"", HEAD, HEAD + b"Content-Length: 20\r\n\r\n", HEAD + b'Content-Length: 20\r\n\r\n{"a":'],
    ids=["nothing", "half a head", "no body", "half a body"],
)
def test_an_answer_that_never_ends_is_given_up(serve: Serve, said: bytes) -> None:
    """Wherever it stops, the whole takes no longer than the limit."""
    released = threading.Event()

    def speak(connection: socket.socket) -> None:
        connection.sendall(said)
        released.wait(2 * PATIENCE_S)

    began_s = time.monotonic()
    assert failure_of(serve(speak).url) is Failure.TIMEOUT
    assert time.monotonic() - began_s < PATIENCE_S
    released.set()


def test_an_answer_that_drips_is_given_up(serve: Serve) -> None:
    """A byte now and then is not progress: the limit is for the whole."""
    stop = threading.Event()

    def speak(connection: socket.socket) -> None:
        connection.sendall(HEAD + b"Content-Length: 100000\r\n\r\n")
        while not stop.wait(TIMEOUT_S / 10):
            connection.sendall(b" ")

    began_s = time.monotonic()
    assert failure_of(serve(speak).url) is Failure.TIMEOUT
    assert time.monotonic() - began_s < PATIENCE_S
    stop.set()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"", Failure.CLOSED),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Failure.CLOSED),
        (HEAD + b'Content-Length: 20\r\n\r\n{"a":', Failure.CLOSED),
        (HEAD + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n', Failure.CLOSED),
        (HEAD + b'Transfer-Encoding: chunked\r\n\r\nzz\r\n{"a":\r\n', Failure.CLOSED),
        (HEAD + b"Content-Length: 10485760\r\n\r\n[", Failure.TOO_LARGE),
        (HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08", Failure.NOT_JSON),
    ],
)
def test_an_answer_that_breaks_off(serve: Serve, said: bytes, reason: Failure) -> None:
    """What was promised and did not come is told as such; what is announced as too large is not read."""

    def speak(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(said)

    assert failure_of(serve(speak).url) is reason


def test_ten_megabytes_are_refused_while_they_are_read(serve: Serve) -> None:
    """An answer without a length is counted as it comes, and never held beyond the limit."""
    sent = [0]

    def speak(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(HEAD + b"\r\n[")
        for _ in range(160):
            connection.sendall(b"1," * 32768)
            sent[0] += 65536

    tracemalloc.start()
    try:
        assert failure_of(serve(speak).url, Fetcher(timeout_s=20)) is Failure.TOO_LARGE
        assert tracemalloc.get_traced_memory()[1] < 6 * 1024 * 1024
    finally:
        tracemalloc.stop()
    assert sent[0] < 9 * 1024 * 1024


def test_a_certificate_that_nobody_vouches_for(serve: Serve, tmp_path: Path) -> None:
    """It is refused as `tls`, and taken with the right authority or when nobody shall check."""
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    def speak(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(65536)
            secure.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")

    url = serve(speak).url.replace("http:", "https:")
    patient = Fetcher(timeout_s=10)
    assert failure_of(url, patient) is Failure.TLS
    authorities = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(authorities))
    for fetcher in (
        Fetcher(timeout_s=10, authorities=str(authorities)),
        Fetcher(timeout_s=10, verify=False),
    ):
        document = fetcher.get(url, {}, accepts=frozenset({200}), deadline_s=fetcher.deadline_s())
        assert document.content == {}


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
    """A bot on the loopback is asked directly, and no proxy sees its key."""
    asked = []

    def speak(connection: socket.socket) -> None:
        asked.append(connection.recv(65536))
        connection.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    fetcher = Fetcher(timeout_s=5)
    fetcher.get(serve(speak).url, {}, accepts=frozenset({200}), deadline_s=fetcher.deadline_s())
    assert asked[0].startswith(b"GET /health?token=")
    assert b"Accept-Encoding: identity" in asked[0]
