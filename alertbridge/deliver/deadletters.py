"""What nobody could be told, and what an operator does about it: try again, or drop it; with a reason, kept in the row.

A dead letter is a message, or a notice that never became one (its recipient is gone, it grew too old); the latter's
id is ``N`` and its number.
"""

from dataclasses import dataclass, replace

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.deliver.model import MessageState, NoticeState
from alertbridge.deliver.outbox import messages as message_rows
from alertbridge.deliver.outbox import notices as notice_rows
from alertbridge.deliver.outbox.rows import Message
from alertbridge.store.schema import episodes, messages, notices

log = structlog.get_logger(__name__)

RETRIED = "retried_by_operator"
DROPPED = "dropped_by_operator"
REASON_CHARACTERS = 200


class NoDeadLetter(LookupError):
    """There is no dead letter of that id (any more)."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """`text` is what was to be told, or the alert's name. Times are Unix seconds."""

    id: str
    recipient: str
    channel: str
    severity: str
    text: str
    reason: str
    created_at_s: float
    notices: int
    attempts: int


async def listed(connection: AsyncConnection, limit: int = 100) -> list[DeadLetter]:
    """The newest dead letters; a text in parts once."""
    rows = await connection.execute(
        select(messages.c.bundle)
        .where(messages.c.state == MessageState.DEAD.value)
        .group_by(messages.c.bundle, messages.c.created_at)
        .order_by(messages.c.created_at.desc())
        .limit(limit)
    )
    found = []
    for (bundle,) in rows.all():
        parts = await message_rows.parts(connection, bundle)
        found.append(_of_message(parts))
    return sorted(
        [*found, *await _unwritten(connection, limit)], key=lambda letter: letter.created_at_s, reverse=True
    )[:limit]


def _of_message(parts: list[Message]) -> DeadLetter:
    first = parts[0]
    return DeadLetter(
        id=first.id,
        recipient=first.recipient,
        channel=first.channel,
        severity=first.severity.value,
        text="\n".join(part.text for part in parts),
        reason=next((part.reason for part in parts if part.state is MessageState.DEAD), first.reason),
        created_at_s=first.created_at_s,
        notices=first.extra.count,
        attempts=sum(part.attempts for part in parts),
    )


async def _unwritten(connection: AsyncConnection, limit: int) -> list[DeadLetter]:
    """Dead notices that are in no dead message."""
    dead = select(messages.c.bundle).where(messages.c.state == MessageState.DEAD.value)
    rows = await connection.execute(
        select(notices, episodes.c.name)
        .select_from(notices.outerjoin(episodes, episodes.c.id == notices.c.episode_id))
        .where(
            notices.c.state == NoticeState.DEAD.value,
            notices.c.message_id.is_(None) | notices.c.message_id.not_in(dead),
        )
        .order_by(notices.c.id.desc())
        .limit(limit)
    )
    return [
        DeadLetter(
            id=f"N{row.id}",
            recipient=row.recipient,
            channel="",
            severity=row.severity,
            text=row.name or str((row.body or {}).get("text", "")),
            reason=row.reason,
            created_at_s=row.created_at,
            notices=1,
            attempts=0,
        )
        for row in rows
    ]


async def retry(connection: AsyncConnection, letter_id: str, *, by: str, reason: str, now_s: float) -> str:
    """What the letter was to tell waits again, on the recipient's first way; the recipient. Wake it after the commit.

    Raises NoDeadLetter.
    """
    ids, recipient = await _end(connection, letter_id, RETRIED, by=by, reason=reason, now_s=now_s)
    await notice_rows.settle(connection, ids, NoticeState.PENDING, "", now_s, only_from=(NoticeState.DEAD,))
    return recipient


async def drop(connection: AsyncConnection, letter_id: str, *, by: str, reason: str, now_s: float) -> None:
    """Nobody will be told. Raises NoDeadLetter."""
    ids, _ = await _end(connection, letter_id, DROPPED, by=by, reason=reason, now_s=now_s)
    await notice_rows.settle(
        connection, ids, NoticeState.EXPIRED, DROPPED, now_s, only_from=(NoticeState.DEAD,)
    )


async def _end(
    connection: AsyncConnection, letter_id: str, what: str, *, by: str, reason: str, now_s: float
) -> tuple[tuple[int, ...], str]:
    log.info("deadletters.ended", letter=letter_id, what=what, by=by, reason=reason[:REASON_CHARACTERS])
    if letter_id.startswith("N") and letter_id[1:].isdigit():
        row = (
            await connection.execute(
                select(notices.c.id, notices.c.recipient)
                .where(notices.c.id == int(letter_id[1:]), notices.c.state == NoticeState.DEAD.value)
                .with_for_update()
            )
        ).first()
        if row is None:
            raise NoDeadLetter(letter_id)
        return (row.id,), row.recipient
    first = await message_rows.get(connection, letter_id.upper(), lock=True)
    parts = [] if first is None else await message_rows.parts(connection, first.bundle, lock=True)
    dead = [part for part in parts if part.state is MessageState.DEAD]
    if not dead:
        raise NoDeadLetter(letter_id)
    entry = f"{now_s:.0f} {what} by {by}: {reason[:REASON_CHARACTERS]}"
    for part in dead:
        ended = replace(part, state=MessageState.DROPPED, reason=what)
        await message_rows.change(connection, part, ended.with_extra(audit=(*part.extra.audit, entry)))
    return dead[0].extra.notices, dead[0].recipient
