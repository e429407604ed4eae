"""One attempt: reserved and written down before its request leaves, and what came of it afterwards.

Whoever sends holds the lane's claim. A worker that lost it does not send, and what it then finds out of its attempt
changes nothing of a message that another one has taken over.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import random

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.deliver import sending
from alertbridge.deliver.asides import watched
from alertbridge.deliver.deliveryconfig import SendingSection
from alertbridge.deliver.fates import Fates
from alertbridge.deliver.lanes import Lane
from alertbridge.deliver.limit.limits import Room
from alertbridge.deliver.model import Body, MessageKind, MessageState
from alertbridge.deliver.outbox import claims, contents, messages
from alertbridge.deliver.outbox.rows import Message, Moved
from alertbridge.deliver.ports import ActiveAlerts, Buckets, Limits, Providers, Texts
from alertbridge.deliver.providers.base import Outcome, OutcomeClass, Traits
from alertbridge.deliver.sightings import Sightings
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreError, StoreUnavailable
from runtime.clock import Clock

log = structlog.get_logger(__name__)

NO_CHANNEL = Outcome(OutcomeClass.CONFIG, "no_channel", "this channel is not in the configuration")
NO_TRAITS = Traits(text_limit=4096)


class NoRoom(Exception):
    """A limit says to wait; everything of the transaction is undone."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(wait_s)
        self.wait_s = wait_s


class NotOurs(Exception):
    """Another replica has the lane."""


@dataclass(slots=True)
class LaneMemory:
    """What this process remembers of a lane; losing it costs nothing but a little patience. Monotonic seconds."""

    waited: bool = False
    full_until_s: dict[Room, float] = field(default_factory=dict)
    failures: int = 0


@dataclass(frozen=True, slots=True)
class Tools:
    """What a turn works with."""

    database: Database
    clock: Clock
    providers: Providers
    limits: Limits
    buckets: Buckets
    texts: Texts
    active: ActiveAlerts
    fates: Fates
    section: SendingSection
    owner: str
    sightings: Sightings
    woken: Callable[[Lane], None]
    dice: Callable[[], float] = random


class Attempts:
    """Makes attempts with the tools of a lane's turn."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    async def claim(self, connection: AsyncConnection, lane: Lane) -> None:
        """Takes the lane for this transaction and the lease after it. Raises NotOurs."""
        tools = self._tools
        if not await claims.claim(connection, tools.database, lane, tools.owner, tools.section.lease_s):
            raise NotOurs

    async def reserve(self, connection: AsyncConnection, message: Message) -> None:
        """Counts `message` in every limit. Raises NoRoom."""
        buckets = self._tools.buckets(
            channel=message.channel,
            address=message.address,
            lane=str(message.lane),
            severity=message.severity,
            room=message.room,
        )
        wait_s = await self._tools.limits.reserve(connection, buckets, message.room)
        if wait_s > 0:
            raise NoRoom(wait_s)

    async def send(
        self, lane: Lane, memory: LaneMemory, message: Message, attempt_id: int, lease_ends_s: float
    ) -> float:
        """Sends what the store says is SENDING, and writes down what came of it."""
        tools = self._tools
        provider = tools.providers.get(message.channel)
        body = await self._body(message)
        if tools.clock.monotonic() >= lease_ends_s:
            outcome = Outcome(OutcomeClass.RETRY, "lease_lost", "the lane was lost before the request left")
        elif provider is None:
            outcome = NO_CHANNEL
        else:
            age_s = tools.sightings.age_s(("message", message.id), message.created_at_s)
            late_after_s = tools.section.folding.late_after_s
            request = sending.outgoing(message, provider.traits, age_s, late_after_s, body)
            tools.fates.channels.begun(message.channel)
            renewing = watched(
                asyncio.create_task(self._renew(lane)), "lease", tools.fates.counters.task_fault
            )
            try:
                outcome = await provider.send(request)
            finally:
                renewing.cancel()
                await asyncio.wait({renewing})  # what it met is no business of the attempt
            tools.fates.channels.record(message.channel, outcome)
        await self._until_stored(lane, memory, message, attempt_id, outcome)
        return 0.0

    async def _body(self, message: Message) -> Body | None:
        """The picture and the quoted message of a finished text."""
        if message.kind is not MessageKind.PLAIN:
            return None
        async with self._tools.database.read() as connection:
            found = await contents.load(connection, message.extra.notices)
        return found[0].body if found else None

    async def _renew(self, lane: Lane) -> None:
        tools = self._tools
        while True:
            await asyncio.sleep(tools.section.lease_s / 3)
            try:
                async with tools.database.write() as connection:
                    if not await claims.renew(
                        connection, tools.database, lane, tools.owner, tools.section.lease_s
                    ):
                        log.warning("delivery.lease_lost", lane=str(lane))
            except StoreError as error:
                log.warning("delivery.lease_not_renewed", lane=str(lane), error=str(error))

    async def _until_stored(
        self, lane: Lane, memory: LaneMemory, message: Message, attempt_id: int, outcome: Outcome
    ) -> None:
        """Writes down what came of an attempt; a store that cannot be written is tried until it can."""
        pause_s = 0.1
        while True:
            try:
                await self._finish(lane, memory, message, attempt_id, outcome)
            except (StoreUnavailable, Moved) as error:
                log.warning("delivery.outcome_not_stored", message=message.id, error=str(error))
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, 5.0)
            else:
                return

    async def _finish(
        self, lane: Lane, memory: LaneMemory, message: Message, attempt_id: int, outcome: Outcome
    ) -> None:
        tools, now_s = self._tools, self._tools.clock.time()
        provider = tools.providers.get(message.channel)
        traits = NO_TRAITS if provider is None else provider.traits
        took = outcome.kind in (OutcomeClass.ACCEPTED, OutcomeClass.QUEUED_REMOTE)
        patience = sending.Patience(
            retry_s=sending.backoff_s(
                memory.failures,
                tools.section.retry_first_s,
                tools.section.retry_longest_s,
                tools.dice(),
            ),
            proof_s=tools.section.proof_s(message.severity),
        )
        woken: Lane | None = None
        async with tools.database.write() as connection:
            await messages.end_attempt(
                connection, attempt_id, now_s, outcome.kind.value, outcome.reason, outcome.provider_id
            )
            current = await messages.get(connection, message.id, lock=True)
            if current is None or current.attempts != message.attempts:
                after = None
            elif current.state is MessageState.SENDING:
                after = sending.after(current, outcome, traits, now_s, patience)
            elif took:  # the ack was here before the answer
                after = replace(
                    current, sent_at_s=now_s, provider_id=outcome.provider_id or current.provider_id
                )
            else:
                after = None
            if after is not None and current is not None:
                await messages.change(connection, current, after)
                if after.state is MessageState.ACKED:
                    await tools.fates.settle(connection, after.bundle, now_s)
                elif after.state is MessageState.FAILED:
                    woken = await tools.fates.fail(connection, after, now_s)
            await claims.release(connection, tools.database, lane, tools.owner)
        memory.failures = 0 if took or outcome.kind is OutcomeClass.PERMANENT else memory.failures + 1
        self._tell(message, outcome, took=took, now_s=now_s)
        if woken is not None:
            tools.woken(woken)

    def _tell(self, message: Message, outcome: Outcome, *, took: bool, now_s: float) -> None:
        counters = self._tools.fates.counters
        if took:
            starts_at_s = message.extra.starts_at_s
            latency_s = None if starts_at_s is None else max(0.0, now_s - starts_at_s)
            counters.sent(message.channel, message.severity, latency_s)
        else:
            counters.failed(message.channel, outcome.reason or outcome.kind.value)
        log.info(
            "delivery.attempted",
            message=message.id,
            recipient=message.recipient,
            channel=message.channel,
            attempt=message.attempts,
            outcome=outcome.kind.value,
            reason=outcome.reason,
            repeated=message.repeated,
        )
