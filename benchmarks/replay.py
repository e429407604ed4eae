"""A router that only says what it was given, as fast as a socket takes it. `python -m benchmarks.replay` is it.

Its rows are encoded ahead with librouteros; what is left to do per command is to put the tag in, so that it costs
next to nothing and never keeps a client waiting.
"""

import json
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from librouteros.protocol import encode_sentence, encode_word

from benchmarks.programs import HOST, Program, end_with_parent
from simulator.wire import SentenceReader

COMMAND = "/ip/hotspot/active/print"
_CHUNK_BYTES = 64 * 1024


def hotspot_rows(count: int) -> list[dict[str, str]]:
    """`count` sessions of 16 fields as RouterOS tells them."""
    return [
        {
            ".id": f"*{0xC0A80000 + n:X}",
            "server": f"hotspot{n % 8}",
            "user": f"guest-{n:05}",
            "address": f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}",
            "mac-address": f"02:00:5E:{n >> 16 & 255:02X}:{n >> 8 & 255:02X}:{n & 255:02X}",
            "login-by": ("http-chap", "cookie", "mac", "https")[n % 4],
            "uptime": f"{n % 24}h{n % 60}m{n * 7 % 60}s",
            "idle-time": f"{n % 50}s",
            "session-time-left": f"{23 - n % 24}h{59 - n % 60}m",
            "keepalive-timeout": "2m",
            "bytes-in": str(n * 7919),
            "bytes-out": str(n * 104_729),
            "packets-in": str(n * 17),
            "packets-out": str(n * 31),
            "radius": "true" if n % 3 else "false",
            "limit-bytes-total": str(5_000_000_000 + n),
        }
        for n in range(count)
    ]


class Replay:
    """The encoded answer."""

    def __init__(self, rows: Sequence[dict[str, str]]) -> None:
        self._bodies = [
            b"".join([encode_word(f"={key}={value}", "utf-8") for key, value in row.items()]) for row in rows
        ]

    def answer(self, words: Sequence[str]) -> bytes:
        """All that is said to one command."""
        tag = next((word for word in words if word.startswith(".tag=")), None)
        tags = () if tag is None else (tag,)
        done: bytes = encode_sentence("!done", *tags, encoding="utf-8")
        if words[0] != COMMAND:
            return done
        head: bytes = encode_sentence("!re", *tags, encoding="utf-8")[:-1]
        return head + (b"\x00" + head).join(self._bodies) + b"\x00" + done

    def serve(self, client: socket.socket) -> None:
        """Answer one client until it hangs up."""
        reader = SentenceReader()
        with client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while data := client.recv(_CHUNK_BYTES):
                for words in reader.feed(data):
                    client.sendall(self.answer(words))


@contextmanager
def replaying(rows: int, folder: Path) -> Iterator[int]:
    """The port where `rows` rows are replayed while the context is open."""
    ready = folder / "replay.json"
    command = [sys.executable, "-m", "benchmarks.replay", str(rows), str(ready)]
    with Program("the replay", command, folder / "replay.log") as program:
        program.wait_until(ready.is_file, "listening")
        yield int(json.loads(ready.read_text(encoding="utf-8")))


def _main(rows: int, ready: Path) -> None:
    replay = Replay(hotspot_rows(rows))
    with socket.create_server((HOST, 0)) as server:
        unfinished = ready.with_suffix(".new")
        unfinished.write_text(json.dumps(server.getsockname()[1]), encoding="utf-8")
        unfinished.rename(ready)
        while True:
            client, _ = server.accept()
            threading.Thread(target=replay.serve, args=(client,), daemon=True).start()


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    _main(int(sys.argv[1]), Path(sys.argv[2]))
