"""What can be watched, and where its counters are: one row per kind."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from routeros import Record

NAME_LIMIT_CHARS = 200
Counted = tuple[int | None, int | None]
"""Bytes in and out of an interface; of a subscriber and of a queue, what it downloads and uploads."""


class Kind(StrEnum):
    """Kinds of things that are watched."""

    INTERFACE = "interface"
    QUEUE = "queue"
    TREE = "tree"
    PPP = "ppp"
    HOTSPOT = "hotspot"


@dataclass(frozen=True, slots=True)
class Place:
    """The menu that counts a kind, the field that tells its rows apart, and how a row is read.

    `label` is the field with what people call it, where that is not the key.
    """

    path: str
    key: str
    fields: tuple[str, ...]
    read: Callable[[Record], Counted]
    label: str = ""


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdecimal() else None


def _port(row: Record) -> Counted:
    return _number(row.get("rx-byte")), _number(row.get("tx-byte"))


def _session(row: Record) -> Counted:
    """What the router sends into a session's interface is what the subscriber downloads."""
    return _number(row.get("tx-byte")), _number(row.get("rx-byte"))


def _queue(row: Record) -> Counted:
    up, _, down = row.get("bytes", "").partition("/")
    return _number(down), _number(up)


def _tree(row: Record) -> Counted:
    return _number(row.get("bytes")), None


def _guest(row: Record) -> Counted:
    return _number(row.get("bytes-out")), _number(row.get("bytes-in"))


_INTERFACE_FIELDS = ("name", "rx-byte", "tx-byte")
PLACES: dict[Kind, Place] = {
    Kind.INTERFACE: Place("/interface", "name", _INTERFACE_FIELDS, _port),
    Kind.QUEUE: Place("/queue/simple", "name", ("name", "bytes"), _queue),
    Kind.TREE: Place("/queue/tree", "name", ("name", "bytes"), _tree),
    Kind.PPP: Place("/interface", "name", _INTERFACE_FIELDS, _session),
    Kind.HOTSPOT: Place(
        "/ip/hotspot/active", "mac-address", ("mac-address", "user", "bytes-in", "bytes-out"), _guest, "user"
    ),
}
"""A PPP session is known by its interface, which keeps its name when the client dials again; a guest by the MAC."""


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """One thing that is watched; `name` is the value of its place's key."""

    kind: Kind
    name: str

    @property
    def key(self) -> str:
        """How the page writes it."""
        return f"{self.kind}:{self.name}"

    @property
    def place(self) -> Place:
        return PLACES[self.kind]


def parse_subject(text: str) -> Subject:
    """The subject of a key such as ``interface:ether1``. Raises ValueError with what is wrong."""
    kind, _, name = text.partition(":")
    if kind not in [known.value for known in Kind] or not name:
        raise ValueError(f"{text[:NAME_LIMIT_CHARS]!r} is not KIND:NAME, with a kind of {', '.join(Kind)}")
    if len(name) > NAME_LIMIT_CHARS or not name.isprintable():
        raise ValueError(f"a name is up to {NAME_LIMIT_CHARS} printable characters")
    return Subject(Kind(kind), name)


def parse_subjects(texts: Iterable[str], *, limit: int) -> tuple[Subject, ...]:
    """Each subject once, in order. Raises ValueError for a bad one, and for more than `limit`."""
    found = tuple(dict.fromkeys(parse_subject(text) for text in texts))
    if len(found) > limit:
        raise ValueError(f"{len(found)} things are too many to watch; up to {limit} go")
    return found
