"""Rows of the outbox as plain data, and how the free part of a message is written down."""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from alertbridge.alerts import Severity
from alertbridge.deliver.lanes import Lane
from alertbridge.deliver.limit.limits import Room
from alertbridge.deliver.model import Kind, MessageKind, MessageState, NoticeState

T = TypeVar("T")
CHUNK = 500


class Moved(Exception):
    """A row is no longer as it was read: somebody else was faster. Read again."""


def chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """`items` in pieces that fit into one statement."""
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def new_id() -> str:
    """An id for a message: 32 characters, upper-case hex."""
    return uuid.uuid4().hex.upper()


def bundle_for(first_id: str, way: int) -> str:
    """The bundle that begins with the message `first_id`; its name tells the way."""
    return first_id if way == 0 else f"{first_id}-{way}"


def way_of(bundle: str) -> int:
    """The way that a bundle goes."""
    _, _, way = bundle.partition("-")
    return int(way) if way else 0


@dataclass(frozen=True, slots=True)
class Head:
    """A notice without what it says. Times are Unix seconds.

    `way` and `why`: see lanes. A COMPOSED one is in a message that has not left yet. `message_id` is the bundle
    that told it last, None when none has.
    """

    id: int
    kind: Kind
    severity: Severity
    state: NoticeState
    way: int
    why: str
    reason: str
    episode_id: int | None
    fingerprint: str
    group_key: str
    created_at_s: float
    deadline_at_s: float
    not_before_s: float | None = None
    message_id: str | None = None
    message_state: MessageState | None = None


@dataclass(frozen=True, slots=True)
class Extra:
    """What a message has besides its columns; the same for every part of a bundle.

    `notices` are those that it tells; `count` how many. `instead_of` are the bundles that tried before.
    `unknowns` counts attempts of which nobody knows what came of them. `starts_at_s` is when the oldest alert
    that it announces began. `why` is why it goes this way. `waited_s`: how old what it tells was when it was
    composed, where the text does not say so itself.
    """

    notices: tuple[int, ...] = ()
    instead_of: tuple[str, ...] = ()
    language: str = ""
    title: str = ""
    why: str = ""
    as_template: bool = False
    unknowns: int = 0
    starts_at_s: float | None = None
    waited_s: float = 0.0
    audit: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return len(self.notices)

    def to_json(self) -> dict[str, object]:
        """As it is stored: what is empty is left out."""
        found: dict[str, object] = {
            "notices": list(self.notices),
            "instead_of": list(self.instead_of),
            "language": self.language,
            "title": self.title,
            "why": self.why,
            "as_template": self.as_template,
            "unknowns": self.unknowns,
            "starts_at": self.starts_at_s,
            "waited": round(self.waited_s, 1),
            "audit": list(self.audit),
        }
        return {key: value for key, value in found.items() if value}

    @classmethod
    def of(cls, stored: Mapping[str, object] | None) -> "Extra":
        """The other way round. Trusts what this class wrote."""
        given = stored or {}
        starts_at = given.get("starts_at")
        return cls(
            notices=tuple(int(item) for item in _items(given, "notices")),
            instead_of=tuple(_items(given, "instead_of")),
            language=str(given.get("language", "")),
            title=str(given.get("title", "")),
            why=str(given.get("why", "")),
            as_template=bool(given.get("as_template", False)),
            unknowns=int(str(given.get("unknowns", 0))),
            starts_at_s=float(starts_at) if isinstance(starts_at, int | float) else None,
            waited_s=float(str(given.get("waited", 0.0))),
            audit=tuple(_items(given, "audit")),
        )


def _items(given: Mapping[str, object], key: str) -> Iterable[str]:
    found = given.get(key)
    return (str(item) for item in found) if isinstance(found, list | tuple) else ()


@dataclass(frozen=True, slots=True)
class Message:
    """A row of `messages`. Times are Unix seconds."""

    id: str
    bundle: str
    recipient: str
    channel: str
    address: str
    kind: MessageKind
    room: Room
    severity: Severity
    text: str
    state: MessageState
    created_at_s: float
    accepted_at_s: float
    deadline_at_s: float
    part: int = 1
    parts: int = 1
    reason: str = ""
    repeated: bool = False
    attempts: int = 0
    next_attempt_at_s: float | None = None
    sent_at_s: float | None = None
    acked_at_s: float | None = None
    delivered_at_s: float | None = None
    read_at_s: float | None = None
    provider_id: str = ""
    extra: Extra = Extra()

    @property
    def way(self) -> int:
        return way_of(self.bundle)

    @property
    def lane(self) -> Lane:
        return Lane(self.recipient, self.way)

    @property
    def may_be_out(self) -> bool:
        """Of an attempt before nobody knows what came of it."""
        return self.repeated or self.extra.unknowns > 0

    @property
    def surely_not_out(self) -> bool:
        """It waits for an attempt, and none before can have reached anybody."""
        return self.state in (MessageState.READY, MessageState.RETRY) and not self.may_be_out

    def with_extra(self, **changes: object) -> "Message":
        return replace(self, extra=replace(self.extra, **changes))  # type: ignore[arg-type] # fields of Extra


@dataclass(frozen=True, slots=True)
class Attempt:
    """A row of `attempts`."""

    message_id: str
    channel: str
    started_at_s: float
    ended_at_s: float | None
    outcome: str
    reason: str
    provider_id: str
