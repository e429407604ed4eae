"""SQL of the silences that operators asked for: written before Alertmanager is told, so that none is forgotten."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.reply.model import Episode
from alertbridge.store.database import Database
from alertbridge.store.schema_reply import reply_silences as table


class Sort(Enum):
    """What a silence is."""

    ACK = "ack"  # made longer while the alert fires
    SILENCE = "silence"  # as long as it was asked for


class Standing(Enum):
    """How far a silence is. The first two are watched."""

    WANTED = "wanted"  # Alertmanager may or may not have heard of it
    STANDING = "standing"
    ENDED = "ended"


WATCHED = (Standing.WANTED.value, Standing.STANDING.value)


@dataclass(frozen=True, slots=True)
class Entry:
    """A silence as it is kept. Times are Unix seconds."""

    id: int
    episode_id: int
    fingerprint: str
    sort: Sort
    standing: Standing
    person: str
    matchers: Mapping[str, str]
    token: str
    silence_id: str
    made_at_s: float
    ends_at_s: float

    @property
    def comment(self) -> str:
        """What Alertmanager shows; by its token the silence is found again."""
        return f"{self.sort.value} {self.episode_id} via WhatsApp [{self.token}]"


async def add(
    database: Database,
    connection: AsyncConnection,
    episode: Episode,
    sort: Sort,
    person: str,
    *,
    now_s: float,
    ends_at_s: float,
) -> Entry:
    """Writes down one that is about to be asked for."""
    token = secrets.token_hex(6)
    matchers = {name: value for name, value in episode.labels.items() if value}
    made = await connection.execute(
        database.insert(table)
        .values(
            episode_id=episode.id,
            fingerprint=episode.fingerprint,
            kind=sort.value,
            state=Standing.WANTED.value,
            person=person,
            matchers=matchers,
            token=token,
            made_at=now_s,
            ends_at=ends_at_s,
        )
        .returning(table.c.id)
    )
    return Entry(
        int(made.scalar_one()),
        episode.id,
        episode.fingerprint,
        sort,
        Standing.WANTED,
        person,
        matchers,
        token,
        "",
        now_s,
        ends_at_s,
    )


async def watched(
    connection: AsyncConnection, episode_ids: Sequence[int] | None = None, sort: Sort | None = None
) -> list[Entry]:
    """Those that stand or may stand, oldest first; of some episodes, of one sort."""
    statement = select(table).where(table.c.state.in_(WATCHED)).order_by(table.c.id)
    if episode_ids is not None:
        statement = statement.where(table.c.episode_id.in_(episode_ids))
    if sort is not None:
        statement = statement.where(table.c.kind == sort.value)
    return [_entry(row) for row in await connection.execute(statement)]


async def stands(connection: AsyncConnection, entry: Entry, silence_id: str, ends_at_s: float) -> None:
    """Alertmanager has it, until `ends_at_s`."""
    await connection.execute(
        update(table)
        .where(table.c.id == entry.id)
        .values(state=Standing.STANDING.value, silence_id=silence_id, ends_at=ends_at_s)
    )


async def end(connection: AsyncConnection, entry: Entry, reason: str, now_s: float) -> None:
    """Nobody looks after it any more."""
    await connection.execute(
        update(table)
        .where(table.c.id == entry.id)
        .values(state=Standing.ENDED.value, reason=reason, ended_at=now_s)
    )


async def forget(connection: AsyncConnection, before_s: float) -> None:
    """Those that ended before go."""
    await connection.execute(delete(table).where(table.c.ended_at < before_s))


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        id=row.id,
        episode_id=row.episode_id,
        fingerprint=row.fingerprint,
        sort=Sort(row.kind),
        standing=Standing(row.state),
        person=row.person,
        matchers=row.matchers,
        token=row.token,
        silence_id=row.silence_id,
        made_at_s=row.made_at,
        ends_at_s=row.ends_at,
    )
