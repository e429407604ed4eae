"""Old rows go, a few at a time, so that nobody who writes waits for it; what is under way stays, however old."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy import Column, ColumnElement, Delete, Table, delete, exists, select, tuple_

from alertbridge.store.config import RetentionSection
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreUnavailable
from alertbridge.store.leadership import Leadership
from alertbridge.store.schema import episodes, flaps, inbound_events, messages, notices, rejects
from runtime.clock import Clock

log = structlog.get_logger(__name__)

NOTICES_UNDER_WAY = ("pending", "composed")
MESSAGES_UNDER_WAY = ("ready", "sending", "retry", "unknown", "sent")

_DAY_S = 86_400
_BATCH_S = 0.003
"""What a batch may take: whoever writes meanwhile waits as long."""
_SMALLEST, _LARGEST = 5, 500


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows of `table` whose `time` is past may go, unless one of `stays` holds."""

    table: Table
    time: Column[float]
    stays: tuple[ColumnElement[bool], ...] = ()

    def batch(self, before_s: float, rows: int) -> Delete:
        """Deletes the oldest `rows` that may go; rows that another transaction holds are left to the next time."""
        key = tuple_(*self.table.primary_key.columns)
        oldest = (
            select(*self.table.primary_key.columns)
            .where(self.time < before_s, *(~condition for condition in self.stays))
            .order_by(self.time)
            .limit(rows)
            .with_for_update(skip_locked=True)
        )
        return delete(self.table).where(key.in_(oldest))


def rules(section: RetentionSection) -> Iterator[tuple[Rule, float]]:
    """Each rule with its age in seconds, children before parents."""
    told_meanwhile = exists().where(
        notices.c.message_id == messages.c.bundle, notices.c.state.in_(NOTICES_UNDER_WAY)
    )
    spoken_of = exists().where(notices.c.episode_id == episodes.c.id)
    alerts_s = section.alerts_d * _DAY_S
    yield (
        Rule(messages, messages.c.created_at, (messages.c.state.in_(MESSAGES_UNDER_WAY), told_meanwhile)),
        section.messages_d * _DAY_S,
    )
    yield Rule(notices, notices.c.settled_at, (notices.c.state.in_(NOTICES_UNDER_WAY),)), alerts_s
    yield Rule(episodes, episodes.c.closed_at, (episodes.c.status == "open", spoken_of)), alerts_s
    yield Rule(flaps, flaps.c.changed_at), alerts_s
    yield Rule(rejects, rejects.c.at), alerts_s
    yield Rule(inbound_events, inbound_events.c.at), section.inbound_d * _DAY_S


class Retention:
    """Deletes what is older than the configuration wants to keep."""

    def __init__(self, database: Database, section: RetentionSection, clock: Clock) -> None:
        self._database = database
        self._section = section
        self._clock = clock
        self._rows = 50

    async def run(self, leadership: Leadership, *, every_s: float = 3600.0) -> None:
        """Sweeps again and again while this replica leads; ends only by being cancelled."""
        while True:
            try:
                if await leadership.held():
                    await self.sweep()
            except StoreUnavailable as error:
                log.warning("store.retention_put_off", reason=error.reason.value, detail=error.detail)
            except Exception:  # the edge of a task that must not end
                log.exception("store.retention_failed")
            await asyncio.sleep(every_s)

    async def sweep(self) -> Mapping[str, int]:
        """Deletes all that may go; returns how many rows of each table went, without those that went along.

        Raises StoreUnavailable; what was deleted until then stays deleted.
        """
        now_s = self._clock.time()
        gone: dict[str, int] = {}
        for rule, age_s in rules(self._section):
            gone[rule.table.name] = await self._clear(rule, now_s - age_s)
        if any(gone.values()):
            log.info("store.old_rows_deleted", **gone)
        return gone

    async def _clear(self, rule: Rule, before_s: float) -> int:
        total = 0
        while True:
            began_s, wanted = self._clock.monotonic(), self._rows
            async with self._database.write() as connection:
                waited_s = self._clock.monotonic() - began_s
                found = (await connection.execute(rule.batch(before_s, wanted))).rowcount
            took_s = self._clock.monotonic() - began_s - waited_s
            total += found
            if found < wanted:
                return total
            self._rows = self._adapted(took_s)
            await asyncio.sleep(took_s)  # as much time for the others

    def _adapted(self, took_s: float) -> int:
        if took_s > _BATCH_S:
            return max(self._rows // 2, _SMALLEST)
        return min(self._rows * 2, _LARGEST) if took_s < _BATCH_S / 2 else self._rows
