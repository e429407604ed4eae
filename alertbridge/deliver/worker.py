"""Delivering as a whole: the lanes' tasks, the sentinel, and what others may ask of it.

delivery = Delivery(...)
await delivery.start()
delivery.notices_made({"noc"})          # after the commit that made notices
await delivery.apply_receipt("wa", event)
await delivery.stop()
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from random import random

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Alert, Severity
from alertbridge.deliver import deadletters
from alertbridge.deliver.attempts import Tools
from alertbridge.deliver.deliveryconfig import SendingSection
from alertbridge.deliver.emergency import Emergency
from alertbridge.deliver.fates import Fates
from alertbridge.deliver.lanes import Lane
from alertbridge.deliver.model import Body, Kind, NoticeState
from alertbridge.deliver.outbox import messages, notices
from alertbridge.deliver.ports import (
    ActiveAlerts,
    Buckets,
    ChannelStates,
    Counters,
    Limits,
    Providers,
    Recipients,
    Texts,
)
from alertbridge.deliver.proof import Sentinel
from alertbridge.deliver.providers.base import StatusEvent
from alertbridge.deliver.receipts import Receipts
from alertbridge.deliver.sightings import Sightings
from alertbridge.deliver.turns import Turns
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreUnavailable
from runtime.clock import Clock

log = structlog.get_logger(__name__)

ROUND_S = 1.0
"""How often the sentinel looks."""

LONGEST_REST_S = 30.0
AFTER_ERROR_S = 1.0
STOP_WITHIN_S = 5.0

REST_OF_LOOKING = 4.0
LONGEST_LOOK_REST_S = 1.0
"""A lane that found nothing to send yet rests for so many times what looking took, at most so long, whatever arrives
meanwhile: in a storm something always does, and each look reads all that waits."""

DEADLINES_S = {Severity.CRITICAL: 45.0, Severity.WARNING: 600.0, Severity.INFO: 3600.0, Severity.NONE: 3600.0}


class Delivery:
    """Tells everybody what waits for them, until it is stopped or killed."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        book: Recipients,
        providers: Providers,
        channels: ChannelStates,
        limits: Limits,
        buckets: Buckets,
        texts: Texts,
        active: ActiveAlerts,
        section: SendingSection,
        counters: Counters,
        recipients_of: Callable[[Alert], Iterable[str]] = lambda _: (),
        owner: str | None = None,
        dice: Callable[[], float] = random,
    ) -> None:
        """`owner` tells this process from other replicas; `recipients_of` is asked in an emergency."""
        self._database = database
        self._clock = clock
        self._section = section
        self._counters = counters
        self._sightings = Sightings(clock)
        self._fates = Fates(book, channels, section, counters)
        self._receipts = Receipts(database, clock, self._fates, providers, self._wake_lane)
        self._sentinel = Sentinel(
            database, clock, self._fates, providers, self._receipts, section, self._sightings, self._wake_lane
        )
        self._turns = Turns(
            Tools(
                database=database,
                clock=clock,
                providers=providers,
                limits=limits,
                buckets=buckets,
                texts=texts,
                active=active,
                fates=self._fates,
                section=section,
                owner=owner or secrets.token_hex(8),
                sightings=self._sightings,
                woken=self._wake_lane,
                dice=dice,
            )
        )
        self._emergency = Emergency(clock, book, providers, texts, section, recipients_of)
        self._rounds = 0
        self._work = asyncio.Event()
        self._woken: dict[Lane, asyncio.Event] = {}
        self._lanes: dict[Lane, asyncio.Task[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    # -- life

    async def start(self) -> None:
        """Begins to work off what waits."""
        self._stopping = False
        self._tasks = [
            asyncio.create_task(self._guarded("dispatch", self._dispatch, self._section.poll_s)),
            asyncio.create_task(self._guarded("sentinel", self.look, ROUND_S)),
        ]

    async def stop(self) -> None:
        """Lets requests that are under way come to an end, for a few seconds, and begins nothing new."""
        self._stopping = True
        self._work.set()
        for event in self._woken.values():
            event.set()
        for task in self._tasks:
            task.cancel()
        lanes = list(self._lanes.values())
        if lanes:
            _, late = await asyncio.wait(lanes, timeout=STOP_WITHIN_S)
            for task in late:
                task.cancel()
        await asyncio.gather(*self._tasks, *lanes, return_exceptions=True)
        self._tasks = []

    def notices_made(self, recipients: Iterable[str]) -> None:
        """There are new notices for these; call it after their commit."""
        for recipient in recipients:
            self._wake_lane(Lane(recipient))

    def _wake_lane(self, lane: Lane) -> None:
        (self._woken.get(lane) or self._work).set()  # who has no event has no task: the dispatcher makes one

    # -- what others ask

    async def enqueue(
        self,
        kind: Kind,
        recipient: str,
        body: Body,
        *,
        severity: Severity = Severity.INFO,
        deadline_s: float | None = None,
        language: str = "",
        episode_id: int | None = None,
        connection: AsyncConnection | None = None,
    ) -> int:
        """Puts a finished text, perhaps with a picture, before `recipient`; the notice's id.

        With `connection` it becomes part of that transaction; call `notices_made` after its commit. A REPLY has a
        room of its own in the limits, goes first, takes no fallback and expires when it is late.
        Raises StoreUnavailable.
        """
        now_s = self._clock.time()
        wait_s = DEADLINES_S[severity] if deadline_s is None else deadline_s

        async def add(into: AsyncConnection) -> int:
            return await notices.add(
                into,
                kind=kind,
                recipient=recipient,
                severity=severity,
                body=body,
                created_at_s=now_s,
                deadline_at_s=now_s + wait_s,
                language=language,
                episode_id=episode_id,
            )

        if connection is not None:
            return await add(connection)
        async with self._database.write() as own:
            made = await add(own)
        self.notices_made([recipient])
        return made

    async def apply_receipt(self, channel: str, event: StatusEvent) -> bool:
        """Takes in what a provider's webhook tells; False when the message is not known (yet).

        Raises StoreUnavailable: let the provider send it again.
        """
        return await self._receipts.apply(channel, event)

    async def emergency(self, alerts: Sequence[Alert]) -> int:
        """Tells what is critical of `alerts` directly, since they could not be stored; how many messages left.

        Bounded: each alert once in `emergency_pause_s`, a recipient one message in 10 s. Answer 503 all the same.
        """
        return await self._emergency.tell(alerts)

    async def retry_dead(self, letter_id: str, *, by: str, reason: str) -> None:
        """A dead letter is tried again. Raises NoDeadLetter, StoreUnavailable."""
        async with self._database.write() as connection:
            recipient = await deadletters.retry(
                connection, letter_id, by=by, reason=reason, now_s=self._clock.time()
            )
        self.notices_made([recipient])

    async def drop_dead(self, letter_id: str, *, by: str, reason: str) -> None:
        """A dead letter is given up. Raises NoDeadLetter, StoreUnavailable."""
        async with self._database.write() as connection:
            await deadletters.drop(connection, letter_id, by=by, reason=reason, now_s=self._clock.time())

    # -- work

    async def turn(self, lane: Lane) -> float | None:
        """One step of a lane; see Turns.take."""
        await self._record_emergency()
        return await self._turns.take(lane)

    async def lanes(self) -> set[Lane]:
        """Lanes that have something to do, now or later."""
        async with self._database.read() as connection:
            return await notices.lanes_with_pending(connection) | await messages.lanes_with_unfinished(
                connection
            )

    async def look(self) -> None:
        """One round of the sentinel. Raises StoreUnavailable, once what is critical was told all the same."""
        try:
            await self._record_emergency()
            await self._sentinel.look(self._rounds)
        except StoreUnavailable:
            await self._emergency.tell_notices(await self._sentinel.stranded())
            raise
        if self._rounds % 5 == 0:
            async with self._database.read() as connection:
                by_state, oldest_s = await notices.depth(connection)
            age_s = 0.0 if oldest_s is None else max(0.0, self._clock.time() - oldest_s)
            self._counters.outbox(by_state, age_s)
        self._rounds += 1

    async def _record_emergency(self) -> None:
        """What was told while nothing could be written is written down."""
        if told := self._emergency.unrecorded:
            async with self._database.write() as connection:
                await notices.settle(connection, told, NoticeState.DELIVERED, "emergency", self._clock.time())
            self._emergency.recorded(told)

    async def _dispatch(self) -> None:
        """Sees to it that every lane with work has a task."""
        self._work.clear()
        for lane in await self.lanes():
            if lane not in self._lanes and not self._stopping:
                self._lanes[lane] = asyncio.create_task(self._run(lane))

    async def _run(self, lane: Lane) -> None:
        """Takes turns for a lane until it has nothing to do."""
        event = self._woken.setdefault(lane, asyncio.Event())
        try:
            while not self._stopping:
                event.clear()
                began_s = self._clock.monotonic()
                try:
                    rest_s = await self.turn(lane)
                except StoreUnavailable as error:
                    log.warning("delivery.store_unavailable", lane=str(lane), reason=error.reason.value)
                    rest_s = AFTER_ERROR_S
                except Exception:  # the edge of one lane: the others must go on, and this one is tried again
                    log.exception("delivery.turn_failed", lane=str(lane))
                    self._counters.task_fault("lane")
                    rest_s = LONGEST_REST_S
                if rest_s is None:
                    return
                least_s = min(
                    rest_s, LONGEST_LOOK_REST_S, REST_OF_LOOKING * (self._clock.monotonic() - began_s)
                )
                await asyncio.sleep(least_s)
                await _pause(event, min(rest_s, LONGEST_REST_S) - least_s)
        finally:
            self._woken.pop(lane, None)
            self._lanes.pop(lane, None)
            self._work.set()

    async def _guarded(
        self, name: str, step: Callable[[], Coroutine[None, None, None]], every_s: float
    ) -> None:
        """Repeats `step`; a store that is away is no reason to end."""
        while not self._stopping:
            try:
                await step()
            except StoreUnavailable as error:
                log.warning("delivery.put_off", task=name, reason=error.reason.value)
            except Exception:  # the edge of a task that must not end
                log.exception("delivery.task_failed", task=name)
                self._counters.task_fault(name)
            if step == self._dispatch:
                await _pause(self._work, every_s)
            else:
                await asyncio.sleep(every_s)


async def _pause(event: asyncio.Event, seconds: float) -> None:
    """Waits until `event`, at most `seconds`."""
    if seconds <= 0:
        await asyncio.sleep(0)
        return
    with suppress(
        TimeoutError
    ):  # not wait_for: it can swallow a cancellation that comes together with the event
        async with asyncio.timeout(seconds):
            await event.wait()
