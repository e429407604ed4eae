"""Alerts in, committed when `take` returns: notifications that come together share one transaction and its fsync.

A big notification goes in pieces, the most urgent first, so that small ones need not wait for all of it. When
one of its pieces cannot be stored the whole is refused; sent again, what was stored already is a copy.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from sqlalchemy.exc import IntegrityError

from alertbridge.accept.calming import end_flapping
from alertbridge.accept.config import AcceptSection
from alertbridge.accept.counts import AcceptCounts
from alertbridge.accept.episodes import Ended, Verdict
from alertbridge.accept.ledger import Ledger
from alertbridge.accept.notices import Notices
from alertbridge.accept.payload import Rejected
from alertbridge.accept.ports import Deciding, IntakeListener
from alertbridge.accept.recording import Piece, Recording
from alertbridge.alerts import Alert, AlertStatus, Group
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreError
from runtime.clock import Clock

log = structlog.get_logger(__name__)

PIECE_ALERTS = 250
"""One transaction takes about so many: some 50 ms, after which others have their turn."""
GATHER_S = 0.005
"""A transaction begins no sooner after the one before it: what comes meanwhile joins it, and so hundreds of small
notifications a second cost half as much. Who comes alone does not wait."""
ENOUGH_ALERTS = 50
"""So many do not wait for company."""
BREATH_S = 0.005
REASONS = {
    Verdict.COPY: "copy",
    Verdict.LATE: "late",
    Verdict.REPEAT: "repeat",
    Verdict.UNOPENED: "unopened",
}
"""Words of the metric for what told nothing new."""


class Overloaded(Exception):
    """More alerts wait for being stored than may; the message is a sentence for their sender."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a notification: counts of its alerts. `received` is those that could be read."""

    received: int = 0
    rejected: int = 0
    watchdogs: int = 0
    verdicts: Counter[Verdict] = field(default_factory=Counter)

    @property
    def opened(self) -> int:
        return self.verdicts[Verdict.OPENS]

    @property
    def closed(self) -> int:
        return self.verdicts[Verdict.CLOSES]

    @property
    def repeats(self) -> int:
        return self.verdicts[Verdict.REPEAT]

    @property
    def copies(self) -> int:
        """Late ones as well."""
        return self.verdicts[Verdict.COPY] + self.verdicts[Verdict.LATE]


@dataclass(slots=True)
class _Waiting:
    piece: Piece
    done: "asyncio.Future[Counter[Verdict]]"


class Intake:
    """Takes alerts in. Belongs to one event loop."""

    def __init__(
        self,
        database: Database,
        routes: Deciding,
        section: AcceptSection,
        counts: AcceptCounts,
        clock: Clock,
        listeners: Sequence[IntakeListener] = (),
    ) -> None:
        self._database = database
        self._routes = routes
        self._section = section
        self._watchdog = section.watchdog.parsed()
        self._counts = counts
        self._clock = clock
        self._listeners = tuple(listeners)
        self._queue: deque[_Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._held = 0
        self._unopened: dict[str, Ended] = {}
        self._breathed_at_s = clock.monotonic()
        self._settled_at_s = clock.monotonic() - GATHER_S

    def __repr__(self) -> str:
        return f"<Intake waiting={self._held}>"

    @property
    def waiting(self) -> int:
        """Alerts that are not committed yet."""
        return self._held

    def listen(self, listener: IntakeListener) -> None:
        """Lets `listener` hear of what is committed from now on."""
        self._listeners = (*self._listeners, listener)

    def replace(self, section: AcceptSection, routes: Deciding) -> None:
        """Takes alerts in by these from the next transaction on."""
        self._section, self._routes = section, routes
        self._watchdog = section.watchdog.parsed()

    async def take(self, group: Group, rejected: Sequence[Rejected] = ()) -> Taken:
        """Returns when all of it is committed.

        Raises Overloaded, and StoreError when it could not be stored: send it again then. When the caller gives
        up waiting, what is not begun is not stored.
        """
        now_s = self._clock.time()
        watchdogs = [alert for alert in group.alerts if self._is_watchdog(alert)]
        for alert in watchdogs:
            self._hear(alert, now_s)
        alerts = group.alerts
        if watchdogs:
            alerts = tuple(alert for alert in alerts if not self._is_watchdog(alert))
        verdicts: Counter[Verdict] = Counter()
        async with self._room(len(alerts)):
            for piece in _pieces(group, alerts, tuple(rejected)):
                verdicts += await self._stored(piece)
        self._count(group, rejected, verdicts)
        return Taken(len(group.alerts), sum(found.count for found in rejected), len(watchdogs), verdicts)

    async def calm(self) -> int:
        """Ends the flapping of what has calmed down; returns how many notices that made. To be called every
        minute or so, in any number of replicas. Raises StoreError."""
        async with self._database.write() as connection:
            ledger = Ledger(self._database, connection)
            await ledger.alone()
            notices = await end_flapping(ledger, self._routes, self._section, self._clock.time())
        self._announce(notices)
        return sum(notices.made.values())

    async def close(self) -> None:
        """Returns when everything that was taken is stored, or refused."""
        while self._writer is not None:
            await asyncio.wait({self._writer})

    def _is_watchdog(self, alert: Alert) -> bool:
        return bool(self._watchdog) and all(matcher.holds(alert.labels) for matcher in self._watchdog)

    def _hear(self, alert: Alert, now_s: float) -> None:
        """Its end says that the rule stopped, or that Prometheus did: nothing that proves anything alive."""
        if alert.status is AlertStatus.FIRING:
            self._counts.watchdog_arrived(now_s)
            for listener in self._listeners:
                listener.watchdog_arrived(alert, now_s)

    @asynccontextmanager
    async def _room(self, count: int) -> AsyncIterator[None]:
        if self._held and self._held + count > self._section.limits.waiting_alerts:
            raise Overloaded(f"{self._held} alerts wait for being stored; send these again in a moment")
        self._held += count
        try:
            yield
        finally:
            self._held -= count

    async def _stored(self, piece: Piece) -> Counter[Verdict]:
        waiting = _Waiting(piece, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_all(), name="intake")
        return await waiting.done

    async def _write_all(self) -> None:
        """Transaction by transaction, until nothing waits."""
        try:
            while self._queue:
                await self._gather()
                if batch := self._next_batch():
                    await self._settle(batch)
                self._settled_at_s = self._clock.monotonic()
        finally:
            self._writer = None
            for waiting in self._queue:  # only when the loop is ended in the middle
                waiting.done.cancel()
            self._queue.clear()

    async def _gather(self) -> None:
        early_s = self._settled_at_s + GATHER_S - self._clock.monotonic()
        if early_s > 0 and sum(len(waiting.piece.alerts) for waiting in self._queue) < ENOUGH_ALERTS:
            await asyncio.sleep(min(early_s, GATHER_S))

    def _next_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        count = 0
        while self._queue and (not batch or count + len(self._queue[0].piece.alerts) <= PIECE_ALERTS):
            waiting = self._queue.popleft()
            if not waiting.done.done():  # its sender has not given up
                batch.append(waiting)
                count += len(waiting.piece.alerts)
        return batch

    async def _settle(self, batch: Sequence[_Waiting]) -> None:
        try:
            verdicts = await self._commit([waiting.piece for waiting in batch])
        except StoreError as error:
            _fail(batch, error)
        except Exception as error:  # noqa: BLE001  the edge of one notification: it must not cost another one
            if len(batch) == 1:
                _fail(batch, error)
                return
            log.warning("intake.batch_failed", notifications=len(batch), error=repr(error))
            for waiting in batch:
                await self._settle([waiting])
        else:
            for waiting, found in zip(batch, verdicts, strict=True):
                if not waiting.done.done():
                    waiting.done.set_result(found)

    async def _commit(self, pieces: Sequence[Piece]) -> list[Counter[Verdict]]:
        """One transaction. Another replica of an older version may open an episode in its middle: the second
        try then finds it open."""
        try:
            recording = await self._record(pieces)
        except IntegrityError:
            log.info("intake.again", notifications=len(pieces))
            recording = await self._record(pieces)
        self._remember(recording.unopened)
        for latency_s in recording.latencies_s:
            self._counts.alert_accepted(latency_s)
        self._announce(recording.notices)
        for change in recording.changes:
            for listener in self._listeners:
                listener.episode_changed(change)
        return recording.verdicts

    async def _record(self, pieces: Sequence[Piece]) -> Recording:
        async with self._database.write() as connection:
            ledger = Ledger(self._database, connection)
            await ledger.alone()
            recording = Recording(
                ledger,
                self._routes,
                self._section,
                now_s=self._clock.time(),
                unopened=self._unopened,
                breath=self._breath,
            )
            await recording.run(pieces)
        return recording

    async def _breath(self) -> None:
        if self._clock.monotonic() - self._breathed_at_s >= BREATH_S:
            await asyncio.sleep(0)
            self._breathed_at_s = self._clock.monotonic()

    def _remember(self, unopened: dict[str, Ended]) -> None:
        """Ends without a beginning are kept in memory only: what they guard against comes within a minute."""
        now_s, window_s = self._clock.time(), self._section.late_copy_s
        recent = {
            name: end for name, end in self._unopened.items() if abs(now_s - end.closed_at_s) <= window_s
        }
        self._unopened = recent | unopened

    def _announce(self, notices: Notices) -> None:
        for kind, count in notices.made.items():
            self._counts.notices_made(kind, count)
        for reason, count in notices.suppressed.items():
            self._counts.notices_suppressed(reason, count)
        if notices.recipients:
            for listener in self._listeners:
                listener.notices_made(frozenset(notices.recipients))

    def _count(self, group: Group, rejected: Sequence[Rejected], verdicts: Counter[Verdict]) -> None:
        for status, count in Counter(alert.status for alert in group.alerts).items():
            self._counts.alerts_received(status, count)
        for found in rejected:
            self._counts.alerts_rejected(found.fault.value, found.count)
        for verdict, word in REASONS.items():
            if verdicts[verdict]:
                self._counts.alerts_deduplicated(word, verdicts[verdict])


def _pieces(group: Group, alerts: tuple[Alert, ...], rejected: tuple[Rejected, ...]) -> list[Piece]:
    """The first has what was rejected; none at all when there is nothing to store."""
    starts = range(0, len(alerts), PIECE_ALERTS) or range(1 if rejected else 0)
    return [Piece(group, alerts[start : start + PIECE_ALERTS], () if start else rejected) for start in starts]


def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.done.done():
            waiting.done.set_exception(error)
