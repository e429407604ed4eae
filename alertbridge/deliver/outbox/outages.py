"""SQL of an outage: what came and went while nothing could be told, and what went another way meanwhile."""

from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.deliver.composing import RESOLVED_BEFORE_TOLD
from alertbridge.deliver.model import NoticeState
from alertbridge.store.schema import notices

_TOLD = (NoticeState.DELIVERED.value, NoticeState.MERGED.value)
_FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class Beside:
    """What a summary adds to the alerts that still wait. `since_s`: Unix seconds, when the first of all began to wait.

    `over`: alerts that ended before they could be told. `told_elsewhere`: others that a fallback told.
    """

    since_s: float
    over: int
    told_elsewhere: int


async def beside(connection: AsyncConnection, recipient: str, since_s: float) -> Beside:
    """What happened besides what waits for `recipient` since `since_s`, or since the first way told anything last."""
    told = select(func.coalesce(func.max(notices.c.settled_at), 0.0)).where(
        notices.c.recipient == recipient, notices.c.state.in_(_TOLD), notices.c.reason != _FALLBACK
    )
    cancelled = and_(
        notices.c.recipient == recipient,
        notices.c.state == NoticeState.EXPIRED.value,
        notices.c.reason == RESOLVED_BEFORE_TOLD,
        notices.c.created_at > told.scalar_subquery(),
    )
    row = (
        await connection.execute(
            select(func.count(notices.c.episode_id.distinct()), func.min(notices.c.created_at)).where(
                cancelled
            )
        )
    ).one()
    over, first_s = int(row[0]), since_s if row[1] is None else min(since_s, float(row[1]))
    waiting = notices.alias("waiting")
    elsewhere = await connection.execute(
        select(func.count(notices.c.episode_id.distinct())).where(
            notices.c.recipient == recipient,
            notices.c.state.in_(_TOLD),
            notices.c.reason == _FALLBACK,
            notices.c.created_at >= first_s,
            ~select(waiting.c.id)
            .where(
                waiting.c.recipient == recipient,
                waiting.c.episode_id == notices.c.episode_id,
                or_(
                    waiting.c.state == NoticeState.PENDING.value,
                    waiting.c.state == NoticeState.COMPOSED.value,
                ),
            )
            .exists(),
        )
    )
    return Beside(first_s, over, int(elsewhere.scalar_one()))
