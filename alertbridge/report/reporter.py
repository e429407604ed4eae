"""Sends reports when they are due: each occurrence once, over replicas, restarts and crashes.

An occurrence is claimed in the transaction that makes its notices. Before that nothing has happened, and whoever
comes next finds it unclaimed; after it the outbox sees to the rest.
"""

import asyncio
from collections.abc import Sequence

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.deliver.model import Body, Kind
from alertbridge.deliver.ports import Recipients
from alertbridge.report.composing import Circumstances, Composer, in_messages
from alertbridge.report.config import ReportEntry
from alertbridge.report.model import Gathered
from alertbridge.report.ports import ReportCounts, Sending
from alertbridge.report.schedule import Due, Fate, Occurrence, Timetable, candidates, due
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreError
from alertbridge.store.leadership import Leadership
from alertbridge.store.schema_report import report_occurrences, report_schedules
from runtime.clock import Clock

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 15.0
PATIENCE_S = 600.0
"""How long a report waits for a Prometheus that does not answer, before it goes out without."""
TRY_AGAIN_S = 60.0


class Reporter:
    """Sends the reports of `entries`. Any number of replicas may; the one that leads does."""

    def __init__(
        self,
        entries: Sequence[ReportEntry],
        *,
        database: Database,
        clock: Clock,
        composer: Composer,
        sending: Sending,
        book: Recipients,
        counts: ReportCounts,
        leadership: Leadership | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._entries = {entry.name: entry for entry in entries}
        self._timetables = {entry.name: entry.timetable(composer.zone) for entry in entries}
        self._database = database
        self._clock = clock
        self._composer = composer
        self._sending = sending
        self._book = book
        self._counts = counts
        self._leadership = leadership or Leadership(database, "reports", clock)
        self._patience_s = patience_s
        self._waiting: dict[tuple[str, str], tuple[float, float]] = {}
        self._task: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<Reporter reports={len(self._entries)}>"

    async def start(self) -> None:
        """Begins to look for what is due."""
        if self._entries:
            self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Ends at once; a report that was not claimed is found by the next one."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self._leadership.release()

    async def _run(self) -> None:
        while True:
            try:
                if await self._leadership.held():
                    await self.look()
            except StoreError as error:
                log.warning("report.put_off", detail=str(error))
            except Exception:  # the edge of a task that must not end
                log.exception("report.look_failed")
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> int:
        """Sends, or gives up, what is due now; how many reports were sent. Raises StoreError."""
        sent = 0
        for name, entry in self._entries.items():
            found = await self._due(name, self._timetables[name])
            if found is not None:
                sent += await self._do(entry, found)
        return sent

    async def _due(self, name: str, timetable: Timetable) -> Due | None:
        now_s = self._clock.time()
        since_s = await self._since(name, timetable, now_s)
        occurrences = candidates(timetable, now_s, since_s)
        if not occurrences:
            return None
        keys = [occurrence.key for occurrence in occurrences]
        async with self._database.read() as connection:
            found = await connection.execute(
                select(report_occurrences.c.occurrence).where(
                    report_occurrences.c.report == name, report_occurrences.c.occurrence.in_(keys)
                )
            )
            claimed = frozenset(found.scalars())
        late_within_s = self._entries[name].late_within_h * 3600
        return due(occurrences, claimed, now_s, late_within_s=late_within_s)

    async def _since(self, name: str, timetable: Timetable, now_s: float) -> float:
        """Since when this report has these times; from now on when they are new. Nothing before is made up for."""
        async with self._database.read() as connection:
            found = (
                await connection.execute(
                    select(report_schedules.c.cron, report_schedules.c.since).where(
                        report_schedules.c.report == name
                    )
                )
            ).first()
        if found is not None and found.cron == timetable.signature and found.since <= now_s:
            return float(found.since)
        # A time in the future is of a clock that was wrong.
        row = {"cron": timetable.signature, "since": now_s}
        async with self._database.write() as connection:
            await connection.execute(
                self._database.insert(report_schedules)
                .values(report=name, **row)
                .on_conflict_do_update(index_elements=["report"], set_=row)
            )
        log.info("report.scheduled", report=name, next=timetable.next(now_s).key)
        return now_s

    async def _do(self, entry: ReportEntry, found: Due) -> int:
        if found.send is None:
            newest = found.skipped[0]
            late_s = self._clock.time() - newest.at_s
            bodies = {
                language: self._composer.given_up(entry, newest, late_s, language)
                for language in self._languages(entry)
            }
            await self._claim(entry, found, bodies)
            return 0
        gathered = await self._gathered(entry, found.send)
        if gathered is None:
            return 0
        circumstances = Circumstances(found.late_s, found.skipped)
        bodies = {
            language: await self._composer.body(entry, gathered, language, circumstances)
            for language in self._languages(entry)
        }
        return int(await self._claim(entry, found, bodies))

    async def _gathered(self, entry: ReportEntry, occurrence: Occurrence) -> Gathered | None:
        """What was found; None when it is worth waiting for a Prometheus that does not answer."""
        key, now_s = (entry.name, occurrence.key), self._clock.monotonic()
        first_s, again_s = self._waiting.get(key, (now_s, now_s))
        if now_s < again_s:
            return None
        gathered = await self._composer.gather(entry, occurrence.at_s)
        if gathered.is_unreachable and now_s - first_s < self._patience_s:
            self._waiting[key] = (first_s, now_s + TRY_AGAIN_S)
            log.warning("report.waits_for_prometheus", report=entry.name, occurrence=occurrence.key)
            return None
        self._waiting.pop(key, None)
        return gathered

    async def _claim(self, entry: ReportEntry, found: Due, bodies: dict[str, Body]) -> bool:
        """Makes the notices, unless somebody else has; whether it did."""
        fates = [(occurrence, Fate.SKIPPED) for occurrence in found.skipped]
        if found.send is not None:
            fates.insert(0, (found.send, found.fate))
        told = self._recipients(entry)
        async with self._database.write() as connection:
            if not await self._claimed(connection, entry.name, *fates[0]):
                return False
            for occurrence, fate in fates[1:]:
                await self._claimed(connection, entry.name, occurrence, fate)
            for recipient, language in told:
                for body in in_messages(bodies[language]):
                    await self._sending.enqueue(
                        Kind.REPORT, recipient, body, language=language, connection=connection
                    )
        self._sending.notices_made([recipient for recipient, _ in told])
        for occurrence, fate in fates:
            self._counts.reported(entry.kind, fate.value)
            log.info("report.done", report=entry.name, occurrence=occurrence.key, outcome=fate.value)
        return found.send is not None

    async def _claimed(
        self, connection: AsyncConnection, name: str, occurrence: Occurrence, fate: Fate
    ) -> bool:
        """Whether this transaction is the one that has it."""
        result = await connection.execute(
            self._database.insert(report_occurrences)
            .values(
                report=name,
                occurrence=occurrence.key,
                outcome=fate.value,
                claimed_at=self._clock.time(),
            )
            .on_conflict_do_nothing()
            .returning(report_occurrences.c.occurrence)
        )
        return result.first() is not None

    def _recipients(self, entry: ReportEntry) -> list[tuple[str, str]]:
        """Names with the language of each; one who has left the configuration gets nothing."""
        found = []
        for name in entry.recipients:
            recipient = self._book.get(name)
            if recipient is not None:
                found.append((name, entry.language or recipient.language))
        return found

    def _languages(self, entry: ReportEntry) -> frozenset[str]:
        return frozenset(language for _, language in self._recipients(entry))
