"""Sees to it that everything is told in time, whatever holds it up: taken is not delivered.

The sentinel looks at what waits, at what is being sent and at what was sent without proof, whichever replica has it,
and gives it to another way when its time is over. It holds no lane: rows that move on meanwhile are left alone.
"""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import groupby

import structlog

from alertbridge.alerts import Severity
from alertbridge.deliver import fallback
from alertbridge.deliver.composing import FINISHED_TEXTS
from alertbridge.deliver.deliveryconfig import SendingSection
from alertbridge.deliver.fates import Fates
from alertbridge.deliver.lanes import Lane
from alertbridge.deliver.limit.limits import Room
from alertbridge.deliver.model import Kind, MessageState, Notice, NoticeState
from alertbridge.deliver.outbox import contents, messages, notices
from alertbridge.deliver.outbox.rows import Head, Message, Moved
from alertbridge.deliver.ports import Providers
from alertbridge.deliver.providers.base import StatusEvent
from alertbridge.deliver.receipts import Receipts
from alertbridge.deliver.sightings import Sightings
from alertbridge.store.database import Database
from alertbridge.store.slices import slices
from runtime.clock import Clock

log = structlog.get_logger(__name__)

ASK_WITHIN_S = 2.0
LEAST_PROOF_S = 2.0
"""What was sent just before its deadline has so long for its ack."""

TURN_LEAD_S = 4.0
"""What only waits for its turn, on a channel that is well, takes another way so late: the pause of a storm may be on,
which is shorter than a deadline, and the channel can be trusted to tell it after that."""

TRIED_FOR_S = 5.0
"""A message that is made has so long at least for its attempt."""

EVERYTHING_EVERY = 5
"""What is critical is looked at in each round, the rest in every so many."""

_IN_TRANSIT = (
    MessageState.READY,
    MessageState.RETRY,
    MessageState.SENDING,
    MessageState.UNKNOWN,
    MessageState.SENT,
)


@dataclass(frozen=True, slots=True)
class Sentinel:
    """One round at a time; see `look`."""

    database: Database
    clock: Clock
    fates: Fates
    providers: Providers
    receipts: Receipts
    section: SendingSection
    sightings: Sightings
    woken: Callable[[Lane], None]

    async def look(self, round_number: int) -> None:
        """One round. Raises StoreUnavailable."""
        everything = round_number % EVERYTHING_EVERY == 0
        severities = list(Severity) if everything else [Severity.CRITICAL]
        async with self.database.read() as connection:
            waiting = await notices.pending(connection, severities)
            transit = await messages.in_states(connection, _IN_TRANSIT, reason=None)
        transit = [message for message in transit if _is_open(message)]
        await self._of_waiting(waiting)
        await self._of_messages(transit)
        await self.receipts.try_kept()
        self._count(transit)
        if everything:
            keys: set[Hashable] = set()
            async for some in slices(waiting):
                keys.update(("notice", head.id) for _, head in some)
                keys.update(("deadline", head.id, head.reason) for _, head in some)
            for message in transit:
                keys |= {("message", message.id), ("late", message.id), ("proof", message.id)}
                keys |= {("unproven", message.id), ("again", message.id, message.attempts, message.state)}
            self.sightings.keep(keys)

    # -- what waits

    async def stranded(self) -> list[Notice]:
        """What is critical, overdue, and cannot be given to another way since nothing can be written."""
        async with self.database.read() as connection:
            waiting = await notices.pending(connection, [Severity.CRITICAL])
            overdue = [
                head.id for name, head in waiting if head.kind is Kind.FIRING and self._is_overdue(name, head)
            ]
            return await contents.load(connection, overdue)

    async def _of_waiting(self, waiting: Sequence[tuple[str, Head]]) -> None:
        overdue = [pair async for some in slices(waiting) for pair in some if self._is_overdue(*pair)]
        overdue.sort(key=lambda pair: (pair[0], pair[1].way, pair[1].id))
        for (recipient, way), found in groupby(overdue, key=lambda pair: (pair[0], pair[1].way)):
            due = [head for _, head in found]
            old = {head.id: head for head in due if self._age_s(head) > self.section.dead_after_s}
            if old:
                await self._give_up(recipient, list(old.values()))
            await self._redirect(Lane(recipient, way), [head for head in due if head.id not in old], waiting)

    def _is_overdue(self, recipient: str, head: Head) -> bool:
        if head.kind in (Kind.REPLY, Kind.PROBE):
            return False
        if head.not_before_s is not None and head.not_before_s > self.clock.time():
            return False
        longest_s = (
            max(self.section.cycle_s, self.section.ack_s) + self.section.lead_s
            if head.reason
            else head.deadline_at_s - head.created_at_s
        )
        at_s = head.deadline_at_s
        if not head.reason and head.not_before_s is not None:
            at_s = max(at_s, head.not_before_s + (head.deadline_at_s - head.created_at_s))
        key = ("deadline", head.id, head.reason)
        remaining_s = self.sightings.remaining_s(key, at_s, longest_s=longest_s)
        if head.reason or remaining_s > self.section.lead_s or remaining_s <= TURN_LEAD_S:
            return remaining_s <= self.section.lead_s
        return not self._waits_for_its_turn(recipient, head)

    def _waits_for_its_turn(self, name: str, head: Head) -> bool:
        """Nothing holds it up but limits and pauses: its channel is well."""
        recipient = self.fates.book.get(name)
        if recipient is None or head.way >= len(recipient.ways):
            return False
        room = Room.CRITICAL if head.severity is Severity.CRITICAL else Room.NORMAL
        return self.fates.channels.allows(recipient.ways[head.way].channel, room)[0]

    def _age_s(self, head: Head) -> float:
        return self.sightings.age_s(("notice", head.id), head.created_at_s)

    async def _give_up(self, recipient: str, old: Sequence[Head]) -> None:
        async with self.database.write() as connection:
            count = await notices.settle(
                connection,
                [head.id for head in old],
                NoticeState.DEAD,
                "too_old",
                self.clock.time(),
                only_from=(NoticeState.PENDING,),
            )
        self.fates.counters.dead("too_old", count)
        log.error("delivery.given_up", recipient=recipient, notices=count)

    async def _redirect(self, lane: Lane, due: Sequence[Head], waiting: Sequence[tuple[str, Head]]) -> None:
        """To another way, together with what came before of the same alerts."""
        if not due:
            return
        critical = any(head.severity is Severity.CRITICAL for head in due)
        way = self.fates.other_way(lane, Room.CRITICAL if critical else Room.NORMAL)
        if way is None:
            return
        last = {head.fingerprint: head.id for head in due if head.fingerprint}
        before = [
            head
            for recipient, head in waiting
            if recipient == lane.recipient
            and head.way == lane.way
            and head.id < last.get(head.fingerprint, 0)
            and head.kind not in FINISHED_TEXTS
        ]
        moving = list({head.id: head for head in (*due, *before)}.values())
        wait_s = self.section.cycle_s if way == 0 else self.section.ack_s
        if critical and way:
            wait_s = self.section.critical_ack_s
        why = fallback.AGAIN if way == 0 else fallback.DEADLINE
        async with self.database.write() as connection:
            deadline_at_s = self.clock.time() + wait_s + self.section.lead_s
            await notices.redirect(connection, moving, way, why, deadline_at_s)
        log.warning(
            "delivery.deadline_over",
            recipient=lane.recipient,
            from_way=lane.way,
            way=way,
            notices=len(moving),
        )
        self.woken(Lane(lane.recipient, way))

    # -- what is being sent, or was

    async def _of_messages(self, transit: Sequence[Message]) -> None:
        overdue = [message for message in transit if self._is_late(message)]
        asked = await asyncio.gather(*(self._ask(message) for message in overdue))
        bundles: set[str] = set()
        for message, settled in zip(overdue, asked, strict=True):
            if not settled and message.bundle not in bundles:
                bundles.add(message.bundle)
                try:
                    await self._move(message)
                except Moved:
                    log.debug("delivery.moved_meanwhile", message=message.id)

    def _is_late(self, message: Message) -> bool:
        if message.room is Room.REPLY:
            return False
        if message.state is not MessageState.SENT:
            remaining_s = self.sightings.remaining_s(
                ("late", message.id),
                message.deadline_at_s,
                longest_s=max(message.deadline_at_s - message.accepted_at_s, self.section.ack_s),
            )
            return remaining_s <= self._lead_s(message)
        sent_at_s = message.sent_at_s or message.created_at_s
        proof_s = self.section.proof_s(message.severity)
        due_s = sent_at_s + proof_s
        last_s = message.deadline_at_s - self._lead_s(message)
        if message.severity is Severity.CRITICAL and last_s > sent_at_s:
            due_s = min(due_s, max(last_s, sent_at_s + LEAST_PROOF_S))
        return self.sightings.remaining_s(("proof", message.id), due_s, longest_s=proof_s) <= 0

    def _lead_s(self, message: Message) -> float:
        """What had waited for its turn until little was left is tried all the same before another way is taken."""
        left_s = message.deadline_at_s - message.created_at_s
        return self.section.lead_s if left_s >= self.section.lead_s + TRIED_FOR_S else TURN_LEAD_S

    async def _ask(self, message: Message) -> bool:
        """Whether the provider, asked, says that it is proven after all."""
        provider = self.providers.get(message.channel)
        if provider is None or not message.provider_id or not provider.traits.tells_acks:
            return False
        if message.state not in (MessageState.SENT, MessageState.UNKNOWN):
            return False
        try:
            async with asyncio.timeout(ASK_WITHIN_S):
                receipt = await provider.status_of(message.provider_id)
        except TimeoutError:
            return False
        if receipt is None:
            return False
        event = StatusEvent(event_id="", provider_id=message.provider_id, receipt=receipt, our_id=message.id)
        await self.receipts.apply(message.channel, event)
        return True

    async def _move(self, message: Message) -> None:
        now_s = self.clock.time()
        way = self.fates.other_way(message.lane, message.room)
        if message.state is MessageState.SENT and way == 0:
            way = None  # it went the last way, and may have arrived
        if way is None:
            await self._unproven(message, now_s)
            return
        if message.state is MessageState.SENT:
            why = fallback.NO_ACK
        elif message.state is MessageState.UNKNOWN or message.may_be_out:
            why = fallback.UNKNOWN_OUTCOME
        else:
            why = fallback.AGAIN if way == 0 else fallback.DEADLINE
        async with self.database.write() as connection:
            parts = await messages.parts(connection, message.bundle, lock=True)
            current = next((part for part in parts if part.id == message.id), None)
            if current is None or current.state is not message.state or current.reason != message.reason:
                return
            if not await notices.untold(connection, message.bundle):
                return
            lane = await self.fates.take_other_way(connection, parts, way, why, now_s)
        self.woken(lane)

    async def _unproven(self, message: Message, now_s: float) -> None:
        """There is no other way: after a while a message without proof is a dead letter."""
        if message.state is not MessageState.SENT:
            return
        at_s = (message.sent_at_s or now_s) + self.section.unproven_after_s
        key = ("unproven", message.id)
        if self.sightings.remaining_s(key, at_s, longest_s=self.section.unproven_after_s) > 0:
            return
        async with self.database.write() as connection:
            parts = await messages.parts(connection, message.bundle, lock=True)
            if any(
                part.state is not MessageState.SENT and part.state is not MessageState.ACKED for part in parts
            ):
                return
            await self.fates.bury(connection, parts, fallback.NO_ACK, now_s)

    def _count(self, transit: Sequence[Message]) -> None:
        ages_s: dict[str, float] = {}
        for message in transit:
            ages_s.setdefault(message.channel, 0.0)
            if message.state is MessageState.SENT:
                age_s = self.sightings.age_s(
                    ("message", message.id), message.sent_at_s or message.created_at_s
                )
                ages_s[message.channel] = max(ages_s[message.channel], age_s)
        self.fates.counters.unacknowledged(ages_s)


def _is_open(message: Message) -> bool:
    """Not given to another way already."""
    return message.state not in (MessageState.SENT, MessageState.UNKNOWN) or not message.reason
