"""The bound that no client can beat: the same commands sent again, the replies read and thrown away."""

import json
import socket
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass

from librouteros.protocol import encode_sentence

from benchmarks.programs import HOST
from benchmarks.simulated import PASSWORD, USERNAME, Simulated

_CHUNK_BYTES = 256 * 1024
_DONE = b"\x05!done"


@dataclass(frozen=True, slots=True)
class Drained:
    """How long the replies took to arrive, and how large they were."""

    duration_s: float
    size_bytes: int


def commands_received(simulated: Simulated, router: str) -> list[list[str]]:
    """What the router was asked so far, without logins and tags."""
    url = f"{simulated.control_url}/routers/{router}/log?limit=2000"
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - our own child
        entries = json.loads(answer.read())
    sentences: list[list[str]] = [entry["words"] for entry in entries]
    return [
        [word for word in words if not word.startswith(".tag=")]
        for words in sentences
        if words[0] not in ("/login", "/cancel", "/quit")
    ]


def drain(port: int, commands: Sequence[Sequence[str]]) -> Drained:
    """Connect, log in, send all commands at once under tags, read until each has its end."""
    began_s = time.perf_counter()
    with socket.create_connection((HOST, port)) as router:
        router.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        router.sendall(
            encode_sentence("/login", f"=name={USERNAME}", f"=password={PASSWORD}", encoding="utf-8")
        )
        _read_ends(router, 1)
        sentences = [
            encode_sentence(*words, f".tag={tag}", encoding="utf-8") for tag, words in enumerate(commands)
        ]
        router.sendall(b"".join(sentences))
        size_bytes = _read_ends(router, len(commands))
    return Drained(time.perf_counter() - began_s, size_bytes)


def _read_ends(router: socket.socket, ends: int) -> int:
    """Read until that many `!done` have come; returns how many bytes they were in all."""
    size_bytes, before = 0, b""
    while ends > 0:
        data = router.recv(_CHUNK_BYTES)
        if not data:
            raise ConnectionError("the router hung up before all its replies were there")
        ends -= (before + data).count(_DONE)
        before = data[-len(_DONE) + 1 :]
        size_bytes += len(data)
    return size_bytes
