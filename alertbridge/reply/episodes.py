"""What the store knows of episodes and of messages that told them: read, and marked as acknowledged."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Severity
from alertbridge.reply.model import Episode
from alertbridge.store.schema import attempts, episodes, messages, notices

OPEN = "open"
OPEN_READ = 2_000
"""More open alerts than these are counted, not read."""


async def by_ids(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, Episode]:
    """Those of `ids` that there are."""
    wanted = [one for one in ids if one < 2**63]
    rows = await connection.execute(select(episodes).where(episodes.c.id.in_(wanted)))
    return {row.id: _episode(row) for row in rows}


async def open_now(connection: AsyncConnection) -> list[Episode]:
    """What fires, the most urgent first and then the oldest; at most OPEN_READ."""
    rows = await connection.execute(
        select(episodes).where(episodes.c.status == OPEN).order_by(episodes.c.id).limit(OPEN_READ)
    )
    return sorted(map(_episode, rows), key=lambda one: (one.severity.rank, one.starts_at_s, one.id))


async def counts(connection: AsyncConnection) -> Mapping[Severity, int]:
    """How many fire, by severity."""
    rows = await connection.execute(
        select(episodes.c.severity, func.count())
        .where(episodes.c.status == OPEN)
        .group_by(episodes.c.severity)
    )
    return {Severity(word): int(count) for word, count in rows}


async def told_by(connection: AsyncConnection, channel: str, provider_id: str) -> tuple[int, ...]:
    """The episodes that a message told of, by the id that its provider gave it."""
    by_message = select(messages.c.bundle).where(
        messages.c.channel == channel, messages.c.provider_id == provider_id
    )
    by_attempt = select(messages.c.bundle).where(
        messages.c.id.in_(
            select(attempts.c.message_id).where(
                attempts.c.provider_id == provider_id, attempts.c.channel == channel
            )
        )
    )
    rows = await connection.execute(
        select(notices.c.episode_id)
        .where(
            notices.c.message_id.in_(by_message.union(by_attempt)),
            notices.c.episode_id.is_not(None),
        )
        .distinct()
        .order_by(notices.c.episode_id)
    )
    return tuple(row.episode_id for row in rows)


async def acknowledge(connection: AsyncConnection, episode_id: int, by: str, at_s: float) -> None:
    """Messages name `by` from now on."""
    await connection.execute(
        update(episodes).where(episodes.c.id == episode_id).values(acknowledged_by=by, acknowledged_at=at_s)
    )


async def unacknowledge(connection: AsyncConnection, episode_id: int) -> None:
    """Nobody has it in hand any more."""
    await connection.execute(
        update(episodes).where(episodes.c.id == episode_id).values(acknowledged_by=None, acknowledged_at=None)
    )


def _episode(row: Row[Any]) -> Episode:
    return Episode(
        id=row.id,
        fingerprint=row.fingerprint,
        is_open=row.status == OPEN,
        name=row.name,
        severity=Severity(row.severity),
        labels=row.labels,
        annotations=row.annotations,
        starts_at_s=row.starts_at,
        receiver=row.receiver,
        group_key=row.group_key,
        external_url=row.external_url,
        generator_url=row.generator_url,
        acknowledged_by=row.acknowledged_by or "",
    )
