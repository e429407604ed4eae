"""What became of a message, as people read it; and of whole texts, by bundle."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.deliver.model import MessageState
from alertbridge.deliver.sending import BELIEVED
from alertbridge.store.schema import messages


class Fate(Enum):
    """What became of a message, least first: a text in parts has the fate of its last part."""

    DEAD = "dead"  # nobody was told; an operator must act
    FAILED = "failed"  # this way refused it; another was asked
    DROPPED = "dropped"  # a later message, another way or an operator ended it
    HELD = "held"  # waits for the end of quiet hours
    WAITING = "waiting"
    UNPROVEN = "unproven"  # it left, and nothing proves that it arrived
    SENT = "sent"  # the provider took it
    BELIEVED = "believed"  # the same, on a channel that never tells more
    ACKED = "acked"  # WhatsApp's server has it
    DELIVERED = "delivered"  # the phone has it
    READ = "read"
    SUPPRESSED = "suppressed"  # nobody wants to be told


_ORDER = {fate: place for place, fate in enumerate(Fate)}
_WAITING = (MessageState.READY, MessageState.SENDING, MessageState.RETRY)
_PLAIN = {
    MessageState.DEAD: Fate.DEAD,
    MessageState.FAILED: Fate.FAILED,
    MessageState.DROPPED: Fate.DROPPED,
    MessageState.UNKNOWN: Fate.UNPROVEN,
    **dict.fromkeys(_WAITING, Fate.WAITING),
}
FILTERS: Mapping[Fate, ColumnElement[bool]] = {
    Fate.DEAD: messages.c.state == MessageState.DEAD.value,
    Fate.FAILED: messages.c.state == MessageState.FAILED.value,
    Fate.DROPPED: messages.c.state == MessageState.DROPPED.value,
    Fate.WAITING: messages.c.state.in_([state.value for state in _WAITING]),
    Fate.UNPROVEN: or_(
        messages.c.state == MessageState.UNKNOWN.value,
        and_(messages.c.state == MessageState.SENT.value, messages.c.reason != ""),
    ),
    Fate.SENT: and_(messages.c.state == MessageState.SENT.value, messages.c.reason == ""),
    Fate.BELIEVED: and_(
        messages.c.state == MessageState.ACKED.value,
        messages.c.reason == BELIEVED,
        messages.c.delivered_at.is_(None),
        messages.c.read_at.is_(None),
    ),
    Fate.ACKED: and_(
        messages.c.state == MessageState.ACKED.value,
        messages.c.reason != BELIEVED,
        messages.c.delivered_at.is_(None),
        messages.c.read_at.is_(None),
    ),
    Fate.DELIVERED: and_(
        messages.c.state == MessageState.ACKED.value,
        messages.c.delivered_at.is_not(None),
        messages.c.read_at.is_(None),
    ),
    Fate.READ: and_(messages.c.state == MessageState.ACKED.value, messages.c.read_at.is_not(None)),
}
"""The fates that messages can be asked for by; of a text in parts the first one is looked at."""


def fate_of(state: str, reason: str, delivered_at: float | None, read_at: float | None) -> Fate:
    """The fate of a row of `messages`."""
    found = MessageState(state)
    if found is MessageState.SENT:
        return Fate.UNPROVEN if reason else Fate.SENT
    if found is not MessageState.ACKED:
        return _PLAIN[found]
    if read_at is not None:
        return Fate.READ
    if delivered_at is not None:
        return Fate.DELIVERED
    return Fate.BELIEVED if reason == BELIEVED else Fate.ACKED


@dataclass(frozen=True, slots=True)
class Bundle:
    """What became of a whole text. `at_s`: when it got so far, Unix seconds."""

    fate: Fate
    reason: str
    is_fallback: bool
    at_s: float | None


async def bundles(connection: AsyncConnection, names: set[str]) -> dict[str, Bundle]:
    """What became of whole texts, by bundle."""
    found = await connection.execute(
        select(
            messages.c.bundle,
            messages.c.state,
            messages.c.reason,
            messages.c.is_fallback,
            messages.c.acked_at,
            messages.c.sent_at,
            messages.c.delivered_at,
            messages.c.read_at,
        ).where(messages.c.bundle.in_(sorted(names)))
    )
    by_name: dict[str, Bundle] = {}
    for row in found:
        fate = fate_of(row.state, row.reason, row.delivered_at, row.read_at)
        at_s = row.read_at or row.delivered_at or row.acked_at or row.sent_at
        before = by_name.get(row.bundle)
        if before is None or _ORDER[fate] < _ORDER[before.fate]:
            by_name[row.bundle] = Bundle(fate, row.reason, row.is_fallback, at_s)
    return by_name
