"""Posts of the load generator go out when they are due, and count from then."""

import socket
import threading
from collections.abc import Iterator

import pytest

from benchmarks import openloop

ANSWERS = {
    b"first": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    b"second": b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
    b"third": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
}


@pytest.fixture
def server() -> Iterator[int]:
    """Answers the first post only when it has the second one; its port."""
    both = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def talk(connection: socket.socket) -> None:
            with connection:
                while request := connection.recv(65536):
                    name = request.rpartition(b"\r\n\r\n")[2]
                    if name == b"second":
                        both.set()
                    elif name == b"first":
                        both.wait(30)
                    connection.sendall(ANSWERS[name])
                    if name == b"second":
                        return

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def test_a_slow_answer_holds_up_nobody(server: int) -> None:
    """The second post leaves while the first one waits for its answer; both count from when they were due, and a
    connection that the other side closes is not used again."""
    plan = [(0.0, b"first"), (0.2, b"second"), (0.4, b"third")]
    found = openloop.run(f"http://127.0.0.1:{server}/", {"X-Who": "test"}, plan)
    assert [post.status for post in found.posts] == [200, 503, 200]
    first, *_ = found.posts
    assert first.answered_after_s >= 0.2
    assert all(post.answered_after_s >= post.sent_after_s >= 0 for post in found.posts)
