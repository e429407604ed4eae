"""Where the messages of a bridge that is killed arrive: a file, or a simulated gateway in a process of its own."""

import json
import re
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmarks.bridge import RECIPIENT, phone

FILE = "file"
TAKES_OUR_ID = "wuzapi"
GATEWAYS = {
    TAKES_OUR_ID: {"token": "wuzapi-token"},
    "gowa": {"username": "noc", "password": "gowa-password"},
}
CHANNELS = (FILE, *GATEWAYS)
ANSWERS_AFTER_S = 0.15
"""So long a gateway takes for its answer, so that many a kill hits a request that is under way: it arrives."""

FAST = {"spacing_s": 0.0, "per_minute": 100_000, "slack_s": 0.0}
_REPEATED = re.compile(r"^\((?:ulang|repeat)[,)]")
_MARKS = re.compile(r"^\([^)]*\) ")


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came out in the end. `texts` hold the marks; `keys` say of each which message it is: its id, or, where the
    gateway gives ids of its own or hides a repeat, its text without marks. `requests` counts what was taken."""

    texts: tuple[str, ...]
    keys: tuple[str, ...]
    requests: int

    @property
    def messages(self) -> int:
        return len(set(self.keys))

    @property
    def duplicates(self) -> int:
        """What came out more than once."""
        return len(self.keys) - self.messages

    @property
    def unmarked(self) -> int:
        """Those of them that do not say what they are."""
        pairs = zip(self.keys, self.texts, strict=True)
        plain = Counter(key for key, text in pairs if not _REPEATED.match(text))
        return sum(count - 1 for count in plain.values())

    def has(self, message_id: str, text: str) -> bool:
        """Whether a message of the store came out."""
        return message_id in self.keys or _bare(text) in self.keys


def _bare(text: str) -> str:
    return _MARKS.sub("", text)


class Outlet(Protocol):
    """One way out."""

    @property
    def channel(self) -> dict[str, Any]:
        """Its entry in the configuration, named `out`."""
        ...

    @property
    def to(self) -> str: ...

    def arrived(self) -> Arrived: ...


class FileOutlet:
    """Lines of a file."""

    to = "noc"

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def channel(self) -> dict[str, Any]:
        return {"name": "out", "kind": FILE, "path": str(self._path), "limits": FAST}

    def arrived(self) -> Arrived:
        lines = [json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines()]
        return Arrived(tuple(line["text"] for line in lines), tuple(line["id"] for line in lines), len(lines))


class GatewayOutlet:
    """A gateway of the simulator, with its phone."""

    to = RECIPIENT

    def __init__(self, name: str, url: str) -> None:
        self._name = name
        self._url = url

    @property
    def channel(self) -> dict[str, Any]:
        return {
            "name": "out",
            "kind": self._name,
            "url": f"{self._url}/{self._name}",
            **GATEWAYS[self._name],
            "probe": {"enabled": False},
            "limits": FAST,
        }

    def answers_late(self) -> None:
        """Lets every answer take `ANSWERS_AFTER_S` from now on."""
        fault = {"provider": self._name, "fault": "slow", "seconds": ANSWERS_AFTER_S}
        body = json.dumps(fault).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self._url}/control/faults", body, headers)  # noqa: S310  this machine
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310
            pass

    def arrived(self) -> Arrived:
        shown = tuple(one["text"] for one in self._asked("/phone/messages") if one["direction"] == "out")
        requests = sum(1 for one in self._asked("/phone/arrivals") if one["taken"])
        return Arrived(shown, tuple(map(_bare, shown)), requests)

    def _asked(self, path: str) -> Sequence[Any]:
        with urllib.request.urlopen(f"{self._url}{path}", timeout=30) as answer:  # noqa: S310  this machine
            found: list[Any] = json.load(answer)
        return found


@contextmanager
def outlet(channel: str, folder: Path) -> Iterator[Outlet]:
    """One of `CHANNELS`, at work."""
    if channel == FILE:
        yield FileOutlet(folder / "arrived.jsonl")
        return
    with phone(folder, {}) as (_, url):
        gateway = GatewayOutlet(channel, url)
        gateway.answers_late()
        yield gateway
