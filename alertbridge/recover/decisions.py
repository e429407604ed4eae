"""Decisions as rows: each rule, episode and reason once, with when it was first and last so."""

from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.recover.model import Decision
from alertbridge.store.database import Database
from alertbridge.store.schema_recovery import recovery_decisions as decisions

KEEP_S = 30 * 86_400.0


@dataclass(frozen=True, slots=True)
class Decided:
    """One row. Times are Unix seconds."""

    rule: str
    episode_id: int
    reason: str
    detail: str
    first_at_s: float
    last_at_s: float
    times: int


async def note(
    database: Database,
    connection: AsyncConnection,
    rule: str,
    episode_id: int,
    decision: Decision,
    now_s: float,
) -> None:
    """Stores a decision that differs from the last one of this rule on this episode."""
    row = {"detail": decision.detail[:500], "last_at": now_s}
    await connection.execute(
        database.insert(decisions)
        .values(rule=rule, episode_id=episode_id, reason=decision.reason.value, first_at=now_s, **row)
        .on_conflict_do_update(
            index_elements=["rule", "episode_id", "reason"], set_={**row, "times": decisions.c.times + 1}
        )
    )


async def tell_once(
    connection: AsyncConnection, rule: str, episode_id: int, decision: Decision, now_s: float
) -> bool:
    """Whether nobody was told of it yet; from now on somebody was."""
    result = await connection.execute(
        update(decisions)
        .where(
            decisions.c.rule == rule,
            decisions.c.episode_id == episode_id,
            decisions.c.reason == decision.reason.value,
            decisions.c.told_at.is_(None),
        )
        .values(told_at=now_s)
        .returning(decisions.c.rule)
    )
    return result.first() is not None


async def latest(connection: AsyncConnection, limit: int) -> list[Decided]:
    """The newest first."""
    found = await connection.execute(select(decisions).order_by(decisions.c.last_at.desc()).limit(limit))
    return [
        Decided(row.rule, row.episode_id, row.reason, row.detail, row.first_at, row.last_at, row.times)
        for row in found
    ]


async def forget(connection: AsyncConnection, now_s: float) -> None:
    """Deletes what is older than KEEP_S."""
    await connection.execute(delete(decisions).where(decisions.c.last_at < now_s - KEEP_S))
