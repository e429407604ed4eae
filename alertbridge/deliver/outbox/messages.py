"""SQL of messages and their attempts."""

from collections.abc import Collection, Sequence
from typing import Any, cast

from sqlalchemy import CursorResult, Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Severity
from alertbridge.deliver.lanes import Lane
from alertbridge.deliver.limit.limits import Room
from alertbridge.deliver.model import MessageKind, MessageState
from alertbridge.deliver.outbox.rows import Attempt, Extra, Message, Moved, way_of
from alertbridge.store.schema import attempts, messages

_TO_SEND = (MessageState.READY.value, MessageState.SENDING.value, MessageState.RETRY.value)
_UNFINISHED = or_(
    messages.c.state.in_(_TO_SEND),
    and_(messages.c.state == MessageState.UNKNOWN.value, messages.c.reason == ""),
)


def _message(row: Row[Any]) -> Message:
    return Message(
        id=row.id,
        bundle=row.bundle,
        part=row.part,
        parts=row.parts,
        recipient=row.recipient,
        channel=row.channel,
        address=row.address,
        kind=MessageKind(row.kind),
        room=Room(row.room),
        severity=Severity(row.severity),
        text=row.text,
        state=MessageState(row.state),
        reason=row.reason,
        repeated=row.repeated,
        attempts=row.attempts,
        created_at_s=row.created_at,
        accepted_at_s=row.accepted_at,
        deadline_at_s=row.deadline_at,
        next_attempt_at_s=row.next_attempt_at,
        sent_at_s=row.sent_at,
        acked_at_s=row.acked_at,
        delivered_at_s=row.delivered_at,
        read_at_s=row.read_at,
        provider_id=row.provider_id or "",
        extra=Extra.of(row.extra),
    )


def _values(message: Message) -> dict[str, object]:
    return {
        "id": message.id,
        "bundle": message.bundle,
        "part": message.part,
        "parts": message.parts,
        "recipient": message.recipient,
        "channel": message.channel,
        "address": message.address,
        "kind": message.kind.value,
        "room": message.room.value,
        "severity": message.severity.value,
        "text": message.text,
        "state": message.state.value,
        "reason": message.reason[:60],
        "is_fallback": message.way > 0,
        "repeated": message.repeated,
        "attempts": message.attempts,
        "created_at": message.created_at_s,
        "accepted_at": message.accepted_at_s,
        "deadline_at": message.deadline_at_s,
        "next_attempt_at": message.next_attempt_at_s,
        "sent_at": message.sent_at_s,
        "acked_at": message.acked_at_s,
        "delivered_at": message.delivered_at_s,
        "read_at": message.read_at_s,
        "provider_id": message.provider_id or None,
        "extra": message.extra.to_json(),
    }


async def unfinished(connection: AsyncConnection, lane: Lane) -> list[Message]:
    """What `lane` has still to send or to find out, in the order in which it does."""
    found = await connection.execute(
        select(messages)
        .where(messages.c.recipient == lane.recipient, _UNFINISHED)
        .order_by(messages.c.created_at, messages.c.bundle, messages.c.part)
    )
    return [message for message in map(_message, found) if message.way == lane.way]


async def lanes_with_unfinished(connection: AsyncConnection) -> set[Lane]:
    """Lanes that have messages to send or to find out about."""
    found = await connection.execute(
        select(messages.c.recipient, messages.c.bundle).where(_UNFINISHED).distinct()
    )
    return {Lane(row.recipient, way_of(row.bundle)) for row in found}


async def insert(connection: AsyncConnection, made: Sequence[Message]) -> None:
    """New messages."""
    for message in made:
        await connection.execute(messages.insert().values(**_values(message)))


async def change(connection: AsyncConnection, before: Message, after: Message) -> None:
    """Writes `after`. Raises Moved unless the row is still in the state and attempt of `before`."""
    values = {key: value for key, value in _values(after).items() if value != _values(before)[key]}
    if not values:
        return
    result = await connection.execute(
        messages.update()
        .where(
            messages.c.id == before.id,
            messages.c.state == before.state.value,
            messages.c.attempts == before.attempts,
        )
        .values(**values)
    )
    if cast("CursorResult[tuple[object, ...]]", result).rowcount != 1:
        raise Moved


async def get(connection: AsyncConnection, message_id: str, *, lock: bool = False) -> Message | None:
    """One message; None when there is none of that id."""
    wanted = select(messages).where(messages.c.id == message_id)
    row = (await connection.execute(wanted.with_for_update() if lock else wanted)).first()
    return None if row is None else _message(row)


async def by_provider_id(connection: AsyncConnection, channel: str, provider_id: str) -> Message | None:
    """The message that the provider calls so; None when none is known by that name yet."""
    row = (
        await connection.execute(
            select(messages)
            .where(messages.c.provider_id == provider_id, messages.c.channel == channel)
            .order_by(messages.c.created_at.desc())
            .limit(1)
        )
    ).first()
    return None if row is None else _message(row)


async def parts(connection: AsyncConnection, bundle: str, *, lock: bool = False) -> list[Message]:
    """Every part of a bundle, in order."""
    wanted = select(messages).where(messages.c.bundle == bundle).order_by(messages.c.part)
    return [_message(row) for row in await connection.execute(wanted.with_for_update() if lock else wanted)]


async def in_states(
    connection: AsyncConnection, states: Collection[MessageState], *, reason: str | None = None
) -> list[Message]:
    """Every message in one of `states`, oldest first; with `reason`, only those that have it."""
    wanted = select(messages).where(messages.c.state.in_([one.value for one in states]))
    if reason is not None:
        wanted = wanted.where(messages.c.reason == reason)
    return [_message(row) for row in await connection.execute(wanted.order_by(messages.c.created_at))]


async def recent(connection: AsyncConnection, lane: Lane, since_s: float, now_s: float) -> list[Message]:
    """What `lane` made between `since_s` and `now_s`, newest first."""
    found = await connection.execute(
        select(messages)
        .where(
            messages.c.created_at > since_s,
            messages.c.created_at <= now_s,
            messages.c.recipient == lane.recipient,
            messages.c.part == 1,
            messages.c.state != MessageState.DROPPED.value,
        )
        .order_by(messages.c.created_at.desc())
        .limit(50)
    )
    return [message for message in map(_message, found) if message.way == lane.way]


async def begin_attempt(connection: AsyncConnection, message: Message, now_s: float) -> int:
    """Notes that `message` is about to leave; the attempt's id."""
    made = await connection.execute(
        attempts.insert()
        .values(message_id=message.id, channel=message.channel, started_at=now_s)
        .returning(attempts.c.id)
    )
    return int(made.scalar_one())


async def end_attempt(
    connection: AsyncConnection, attempt_id: int, now_s: float, outcome: str, reason: str, provider_id: str
) -> None:
    """Notes what came of it."""
    await connection.execute(
        attempts.update()
        .where(attempts.c.id == attempt_id)
        .values(ended_at=now_s, outcome=outcome, reason=reason, provider_id=provider_id or None)
    )


async def end_open_attempts(connection: AsyncConnection, message_id: str, now_s: float, reason: str) -> None:
    """Attempts of which nobody told the end: their outcome is unknown."""
    await connection.execute(
        attempts.update()
        .where(attempts.c.message_id == message_id, attempts.c.ended_at.is_(None))
        .values(ended_at=now_s, outcome="unknown", reason=reason)
    )


async def attempts_of(connection: AsyncConnection, message_ids: Sequence[str]) -> list[Attempt]:
    """The delivery record, oldest first."""
    found = await connection.execute(
        select(attempts).where(attempts.c.message_id.in_(message_ids)).order_by(attempts.c.id)
    )
    return [
        Attempt(
            row.message_id,
            row.channel,
            row.started_at,
            row.ended_at,
            row.outcome,
            row.reason,
            row.provider_id or "",
        )
        for row in found
    ]
