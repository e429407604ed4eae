"""Every statement of the intake, within one transaction. Long lists go in slices, so that the loop can breathe."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.accept.flapping import Flaps
from alertbridge.accept.records import EpisodeRecord
from alertbridge.alerts import AlertStatus
from alertbridge.deliver.model import Kind
from alertbridge.store.database import Database
from alertbridge.store.schema import episodes, flaps, notices, rejects
from alertbridge.store.slices import slices

CHANGING = (
    "status", "annotations", "ends_at", "closed_at", "last_seen_at", "last_noticed_at", "repeats", "flapping",
)  # fmt: skip
"""Columns of `episodes` that the intake changes after it made the row."""
_ALONE = text(
    "SELECT pg_advisory_xact_lock(hashtextextended('tikwatch alertbridge intake ' || current_schema(), 0)),"
    " set_config('idle_in_transaction_session_timeout', '10s', true)"
)
_KNOWN = (
    episodes.c.id,
    episodes.c.fingerprint,
    episodes.c.status,
    episodes.c.starts_at,
    episodes.c.ends_at,
    episodes.c.opened_at,
    episodes.c.closed_at,
    episodes.c.last_seen_at,
    episodes.c.last_noticed_at,
    episodes.c.repeats,
    episodes.c.flapping,
)
_OF_FLAPS = ("changes", "flapping_since", "told_status", "changed_at")
_LATEST_OF_EACH = (
    select(*_KNOWN, *(flaps.c[name] for name in _OF_FLAPS))
    .outerjoin_from(episodes, flaps, flaps.c.fingerprint == episodes.c.fingerprint)
    .where(
        episodes.c.id.in_(
            select(func.max(episodes.c.id))
            .where(episodes.c.fingerprint.in_(bindparam("fingerprints", expanding=True)))
            .group_by(episodes.c.fingerprint, episodes.c.status)
        )
    )
)
_LATEST_WITH_LABELS = select(episodes).where(
    episodes.c.id.in_(
        select(func.max(episodes.c.id))
        .where(episodes.c.fingerprint.in_(bindparam("fingerprints", expanding=True)))
        .group_by(episodes.c.fingerprint)
    )
)
_TOLD = (
    select(notices.c.episode_id, notices.c.recipient)
    .where(notices.c.episode_id.in_(bindparam("ids", expanding=True)), notices.c.recipient != "")
    .distinct()
)
_TOLD_OF_FLAPPING = (
    select(episodes.c.fingerprint, notices.c.recipient, notices.c.created_at)
    .join_from(episodes, notices, notices.c.episode_id == episodes.c.id)
    .where(
        episodes.c.fingerprint.in_(bindparam("fingerprints", expanding=True)),
        notices.c.kind == Kind.FLAPPING.value,
        notices.c.recipient != "",
    )
)
_ADD_NOTICES = insert(notices)
_ADD_REJECTS = insert(rejects)
_ADD_EPISODES = insert(episodes).returning(episodes.c.id, episodes.c.fingerprint)
_CHANGE = (
    update(episodes)
    .where(episodes.c.id == bindparam("of_id"))
    .values({name: bindparam(f"new_{name}", type_=episodes.c[name].type) for name in CHANGING})
)
_SEEN = (
    update(episodes)
    .where(episodes.c.id.in_(bindparam("ids", expanding=True)))
    .values(last_seen_at=bindparam("at"))
)
_UNMARK = (
    update(episodes)
    .where(episodes.c.id.in_(bindparam("ids", expanding=True)))
    .values(flapping=False, last_noticed_at=bindparam("at"))
)
_FORGET = delete(flaps).where(flaps.c.fingerprint.in_(bindparam("fingerprints", expanding=True)))

Values = dict[str, object]


class Ledger:
    """The intake's view of an open transaction."""

    def __init__(self, database: Database, connection: AsyncConnection) -> None:
        self._database = database
        self._connection = connection

    async def alone(self) -> None:
        """Wait until no other replica takes alerts in, and keep them out until the transaction ends.

        Under SQLite that is so from its beginning. A replica that stalls in here is thrown out by the server.
        """
        if self._database.dialect == "postgresql":
            await self._connection.execute(_ALONE)

    async def latest(self, fingerprints: Iterable[str]) -> Sequence[Row[Any]]:
        """The open episode and the last closed one of each fingerprint, without labels; beside each what `flaps`
        has of the fingerprint, or None for all of it."""
        return await self._select(_LATEST_OF_EACH, "fingerprints", fingerprints)

    async def latest_with_labels(self, fingerprints: Iterable[str]) -> Sequence[Row[Any]]:
        """The last episode of each fingerprint, whole."""
        return await self._select(_LATEST_WITH_LABELS, "fingerprints", fingerprints)

    async def all_flaps(self) -> dict[str, Flaps]:
        """What is kept of the latest changes of every fingerprint."""
        return {row.fingerprint: flaps_of(row) for row in await self._connection.execute(select(flaps))}

    async def told(self, ids: Iterable[int]) -> dict[int, set[str]]:
        """Who has had notices of these episodes."""
        told: dict[int, set[str]] = {}
        for row in await self._select(_TOLD, "ids", ids):
            told.setdefault(row.episode_id, set()).add(row.recipient)
        return told

    async def told_of_flapping(self, since_s: Mapping[str, float]) -> dict[str, set[str]]:
        """Who was told that a fingerprint flaps, since the time that stands beside it."""
        told: dict[str, set[str]] = {}
        for row in await self._select(_TOLD_OF_FLAPPING, "fingerprints", since_s):
            if row.created_at >= since_s[row.fingerprint]:
                told.setdefault(row.fingerprint, set()).add(row.recipient)
        return told

    async def add_episodes(self, records: Sequence[EpisodeRecord]) -> None:
        """Inserts them and gives each its id, a later one of the same fingerprint a greater one."""
        rest = list(records)
        while rest:
            some = {record.alert.fingerprint: record for record in reversed(rest)}  # the first of each
            rest = [record for record in rest if some[record.alert.fingerprint] is not record]
            async for part in slices(reversed(some.values())):
                rows = [_episode_values(record) for record in part]
                for row in await self._connection.execute(_ADD_EPISODES, rows):
                    some[row.fingerprint].id = row.id

    async def change_episodes(self, records: Iterable[EpisodeRecord]) -> None:
        """Writes what a transaction may have changed of episodes that were there before."""
        await self._many(_CHANGE, (_change_values(record) for record in records))

    async def seen(self, ids: Collection[int], now_s: float) -> None:
        """These were told of again at `now_s`."""
        async for some in slices(ids):
            await self._connection.execute(_SEEN, {"ids": some, "at": now_s})

    async def calm(self, ids: Collection[int], now_s: float) -> None:
        """These do not flap any more, and it is told at `now_s`."""
        async for some in slices(ids):
            await self._connection.execute(_UNMARK, {"ids": some, "at": now_s})

    async def put_flaps(self, known: Mapping[str, Flaps]) -> None:
        """Keeps the latest changes of these fingerprints."""
        if not known:
            return
        statement = self._database.insert(flaps)
        given = {name: statement.excluded[name] for name in _OF_FLAPS}
        upsert = statement.on_conflict_do_update(index_elements=["fingerprint"], set_=given)
        await self._many(upsert, (_flaps_values(name, found) for name, found in known.items()))

    async def forget_flaps(self, fingerprints: Collection[str]) -> None:
        """Nothing is kept of these any more."""
        async for some in slices(fingerprints):
            await self._connection.execute(_FORGET, {"fingerprints": some})

    async def add_notices(self, rows: Iterable[Values]) -> None:
        await self._many(_ADD_NOTICES, rows)

    async def add_rejects(self, rows: Iterable[Values]) -> None:
        await self._many(_ADD_REJECTS, rows)

    async def _many(self, statement: Any, rows: Iterable[Values]) -> None:
        async for some in slices(rows):
            await self._connection.execute(statement, some)

    async def _select(self, statement: Any, name: str, values: Iterable[object]) -> Sequence[Row[Any]]:
        found: list[Row[Any]] = []
        async for some in slices(values):
            found += await self._connection.execute(statement, {name: some})
        return found


def flaps_of(row: Row[Any]) -> Flaps:
    """What `row` has of the table `flaps`."""
    told = None if row.told_status is None else AlertStatus(row.told_status)
    return Flaps(tuple(row.changes), row.flapping_since, told)


def _flaps_values(fingerprint: str, found: Flaps) -> Values:
    return {
        "fingerprint": fingerprint,
        "changes": list(found.changes),
        "flapping_since": found.since_s,
        "told_status": None if found.told is None else found.told.value,
        "changed_at": found.changes[-1],
    }


def _episode_values(record: EpisodeRecord) -> Values:
    alert, group = record.alert, record.group
    return {
        "fingerprint": alert.fingerprint,
        "status": record.status.value,
        "name": alert.name,
        "severity": alert.severity.value,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "generator_url": alert.generator_url,
        "external_url": group.external_url,
        "receiver": group.receiver,
        "group_key": group.key,
        "starts_at": record.starts_at_s,
        "ends_at": record.ends_at_s,
        "opened_at": record.opened_at_s,
        "closed_at": record.closed_at_s,
        "last_seen_at": record.last_seen_at_s,
        "last_noticed_at": record.last_noticed_at_s,
        "repeats": record.repeats,
        "flapping": record.flapping,
    }


def _change_values(record: EpisodeRecord) -> Values:
    values = _episode_values(record)
    return {"of_id": record.id} | {f"new_{name}": values[name] for name in CHANGING}
