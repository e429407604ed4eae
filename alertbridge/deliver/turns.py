"""A lane's turn: one step of its work, each written down before it is done.

What is read decides what to do; the transaction that then writes claims the lane and checks that nothing moved on
meanwhile. A message is SENDING in the store before its request leaves, and only who holds the claim sends.
"""

from dataclasses import replace

import structlog

from alertbridge.alerts import Severity
from alertbridge.deliver import composing, fallback, sending, writing
from alertbridge.deliver.attempts import NO_TRAITS, Attempts, LaneMemory, NoRoom, NotOurs, Tools
from alertbridge.deliver.composing import Draft, Plan, Sent, Situation
from alertbridge.deliver.lanes import Lane
from alertbridge.deliver.limit.limits import Room
from alertbridge.deliver.model import MessageKind, MessageState, NoticeState
from alertbridge.deliver.outbox import claims, contents, messages, notices, outages
from alertbridge.deliver.outbox.outages import Beside
from alertbridge.deliver.outbox.rows import Head, Message, Moved
from alertbridge.deliver.providers.base import Provider
from alertbridge.deliver.route.addressbook import Recipient
from alertbridge.store.slices import slices

log = structlog.get_logger(__name__)

SOON_S = 1.0
"""A lane that waits for something that tells no time looks again after this."""

LONGEST_RETRY_AFTER_S = 3600.0
"""A provider that asks for more patience than this is tried sooner."""

MOST_REPEATS = 1
"""So often is a message sent again whose outcome is unknown, besides what crashes cost."""


class Turns:
    """Takes turns for lanes. One turn of a lane at a time; different lanes side by side."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._attempts = Attempts(tools)
        self._memory: dict[Lane, LaneMemory] = {}

    async def take(self, lane: Lane) -> float | None:
        """Does the lane's next step. Seconds until it is worth taking another turn; None when nothing waits.

        Raises StoreUnavailable.
        """
        memory = self._memory.setdefault(lane, LaneMemory())
        async with self._tools.database.read() as connection:
            unfinished = await messages.unfinished(connection, lane)
            heads = [] if unfinished else await notices.heads(connection, lane.recipient)
        try:
            recipient = self._tools.fates.book.get(lane.recipient)
            if unfinished:
                return await self._go_on(lane, memory, unfinished)
            if recipient is None or lane.way >= len(recipient.ways):
                return await self._nowhere(lane, recipient, heads)
            if not any(head.way == lane.way and head.state is NoticeState.PENDING for head in heads):
                self._memory.pop(lane, None)
                return None
            return await self._begin(lane, memory, recipient, heads)
        except Moved:
            return 0.0
        except NotOurs:
            return SOON_S

    # -- what waits becomes a message

    async def _begin(
        self, lane: Lane, memory: LaneMemory, recipient: Recipient, heads: list[Head]
    ) -> float | None:
        tools = self._tools
        situation = await self._situation(lane, memory, heads)
        here = composing.waiting_here(heads, lane.way)
        for _ in Room:
            plan = composing.plan(here, situation, tools.section.folding)
            if plan.expired or plan.following:
                await self._tidy(lane, plan)
                return 0.0
            if plan.draft is None:
                return self._rest_s(memory, plan.wait_s)
            if (diverted := await self._gate(lane, recipient, plan.draft, here)) is not None:
                return diverted
            try:
                made = await self._write_down(lane, recipient, plan.draft, memory)
            except NoRoom as full:
                self._note_full(memory, plan.draft.room, full.wait_s)
                situation = replace(situation, waited=True, full=self._full(memory))
            else:
                memory.waited = False
                return await self._attempts.send(lane, memory, *made)
        return self._rest_s(memory, SOON_S)

    async def _situation(self, lane: Lane, memory: LaneMemory, heads: list[Head]) -> Situation:
        tools, now_s = self._tools, self._tools.clock.time()
        async with tools.database.read() as connection:
            told = await notices.beginnings_told(connection, lane.recipient)
            recent = await messages.recent(connection, lane, now_s - composing.STORM_LASTS_S * 2, now_s)
            ages_s = {
                head.id: tools.sightings.age_s(("notice", head.id), head.created_at_s)
                async for some in slices(heads)
                for head in some
            }
            over = 0
            if max(ages_s.values(), default=0.0) > tools.section.folding.stale_after_s:
                over = (await outages.beside(connection, lane.recipient, now_s)).over
        return Situation(
            now_s=now_s,
            ages_s=ages_s,
            told=told,
            elsewhere=composing.open_elsewhere(heads, lane.way),
            recent=[
                Sent(now_s - message.created_at_s, message.extra.count, message.severity is Severity.CRITICAL)
                for message in recent
            ],
            waited=memory.waited,
            full=self._full(memory),
            over=over,
        )

    async def _tidy(self, lane: Lane, plan: Plan) -> None:
        """Writes down what expired, and what follows to another way."""
        tools, now_s = self._tools, self._tools.clock.time()
        async with tools.database.write() as connection:
            await self._attempts.claim(connection, lane)
            by_reason: dict[str, list[int]] = {}
            for head, reason in plan.expired:
                by_reason.setdefault(reason, []).append(head.id)
            for reason, ids in by_reason.items():
                await notices.settle(
                    connection, ids, NoticeState.EXPIRED, reason, now_s, only_from=(NoticeState.PENDING,)
                )
            by_way: dict[int, list[Head]] = {}
            for head, way in plan.following:
                by_way.setdefault(way, []).append(head)
            for way, following in by_way.items():
                await notices.redirect(connection, following, way, "follows")
            await claims.release(connection, tools.database, lane, tools.owner)
        for way in by_way:
            tools.woken(Lane(lane.recipient, way))

    async def _gate(self, lane: Lane, recipient: Recipient, draft: Draft, here: list[Head]) -> float | None:
        """None when the lane's channel may be used; otherwise what waits is sent another way, or waits on."""
        tools = self._tools
        channel = recipient.ways[lane.way].channel
        allowed, why = tools.fates.channels.allows(channel, draft.room)
        if allowed:
            return None
        way = tools.fates.other_way(lane, draft.room)
        if (
            way is None
            or not tools.fates.channels.hold_over(channel, draft.room)
            or not tools.fates.usable(recipient.ways[way].channel, draft.room)
        ):
            return SOON_S
        moving = [head for head in here if head.kind not in composing.FINISHED_TEXTS] or list(draft.heads)
        if draft.kind is MessageKind.PLAIN:
            moving = list(draft.heads)
        deadline_at_s = tools.clock.time() + tools.section.proof_s(draft.severity) + tools.section.lead_s
        async with tools.database.write() as connection:
            await notices.redirect(connection, moving, way, f"channel_{why}", deadline_at_s)
        log.info("delivery.diverted", recipient=lane.recipient, channel=channel, why=why, notices=len(moving))
        tools.woken(Lane(lane.recipient, way))
        return 0.0

    async def _write_down(
        self, lane: Lane, recipient: Recipient, draft: Draft, memory: LaneMemory
    ) -> tuple[Message, int, float]:
        """The draft as messages, the first of them SENDING: with its attempt and the end of the lease."""
        tools = self._tools
        now_s = tools.clock.time()
        is_summary = draft.kind is MessageKind.SUMMARY
        firing = await tools.active.firing() if is_summary else None
        async with tools.database.read() as connection:
            shown = [head.id for head in draft.heads]
            if is_summary:
                shown = await notices.worth_showing(connection, draft.heads, firing)
            told = await contents.load(connection, shown)
            before: dict[str, None] = {}
            for bundle in {head.message_id: None for head in draft.heads if head.message_id}:
                for part in (await messages.parts(connection, bundle))[:1]:
                    before |= dict.fromkeys((*part.extra.instead_of, bundle))
            beside: Beside | None = None
            if is_summary:
                since_s = min(head.created_at_s for head in draft.heads)
                beside = await outages.beside(connection, lane.recipient, since_s)
        if len(told) != len(shown):
            raise Moved
        away = None if beside is None else writing.away_of(draft, told, firing, beside)
        provider = tools.providers.get(recipient.ways[lane.way].channel)
        age_s = max(tools.sightings.age_s(("notice", head.id), head.created_at_s) for head in draft.heads)
        occasion = writing.Occasion(
            lane=lane,
            recipient=recipient,
            traits=NO_TRAITS if provider is None else provider.traits,
            now_s=now_s,
            waited_s=age_s,
            instead_of=tuple(before),
            away=away,
        )
        made = writing.write(draft, told, occasion, tools.texts)
        first = replace(made[0], state=MessageState.SENDING, attempts=1)
        lease_ends_s = tools.clock.monotonic() + tools.section.lease_s
        async with tools.database.write() as connection:
            await self._attempts.claim(connection, lane)
            await notices.compose(connection, draft.heads, first.bundle)
            await self._attempts.reserve(connection, first)
            await messages.insert(connection, [first, *made[1:]])
            attempt_id = await messages.begin_attempt(connection, first, now_s)
        if lane.way:
            tools.fates.counters.fell_back(recipient.channel)
        log.info(
            "delivery.composed",
            recipient=lane.recipient,
            channel=first.channel,
            kind=first.kind.value,
            notices=len(draft.heads),
            parts=len(made),
            message=first.id,
        )
        return first, attempt_id, lease_ends_s

    # -- a message that is there goes on

    async def _go_on(self, lane: Lane, memory: LaneMemory, unfinished: list[Message]) -> float | None:
        tools, head = self._tools, unfinished[0]
        now_s = tools.clock.time()
        if head.state is MessageState.SENDING:
            return await self._recover(lane, head)
        async with tools.database.read() as connection:
            untold = await notices.untold(connection, head.bundle)
            parts = await messages.parts(connection, head.bundle)
        if not untold:
            async with tools.database.write() as connection:
                await self._attempts.claim(connection, lane)
                await tools.fates.withdraw(connection, parts, "told_elsewhere")
                await claims.release(connection, tools.database, lane, tools.owner)
            return 0.0
        if head.next_attempt_at_s is not None:
            key = ("again", head.id, head.attempts, head.state)
            longest_s = max(tools.section.retry_longest_s, tools.section.ack_s, tools.section.critical_ack_s)
            if head.state is MessageState.RETRY:
                longest_s = max(longest_s, LONGEST_RETRY_AFTER_S)
            wait_s = tools.sightings.remaining_s(key, head.next_attempt_at_s, longest_s=longest_s)
            if wait_s > 0:
                return wait_s
        provider = tools.providers.get(head.channel)
        takes_our_id = provider is not None and provider.traits.takes_our_id
        if head.state is MessageState.UNKNOWN and not takes_our_id:
            return await self._decide(lane, head, parts, provider, now_s)
        if (rest_s := await self._hold(lane, head, parts, now_s)) is not None:
            return rest_s
        return await self._try_again(lane, memory, head, now_s)

    async def _recover(self, lane: Lane, message: Message) -> float:
        """Somebody died while sending it. The claim says that nobody still does."""
        tools, now_s = self._tools, self._tools.clock.time()
        provider = tools.providers.get(message.channel)
        traits = NO_TRAITS if provider is None else provider.traits
        async with tools.database.write() as connection:
            await self._attempts.claim(connection, lane)
            await messages.end_open_attempts(connection, message.id, now_s, "sender_died")
            await messages.change(connection, message, sending.left_behind(message, traits, now_s))
            await claims.release(connection, tools.database, lane, tools.owner)
        log.warning("delivery.outcome_unknown", message=message.id, recipient=message.recipient)
        return 0.0

    async def _decide(
        self, lane: Lane, message: Message, parts: list[Message], provider: Provider | None, now_s: float
    ) -> float:
        """Nobody knows whether it is out, and the time for an ack is over."""
        tools = self._tools
        way = tools.fates.other_way(lane, message.room)
        async with tools.database.write() as connection:
            await self._attempts.claim(connection, lane)
            if way is not None and way != 0:
                await tools.fates.take_other_way(connection, parts, way, fallback.UNKNOWN_OUTCOME, now_s)
            elif message.extra.unknowns <= MOST_REPEATS:
                again = replace(message, state=MessageState.RETRY, repeated=True, next_attempt_at_s=now_s)
                await messages.change(connection, message, again)
            else:
                await tools.fates.bury(connection, parts, fallback.UNKNOWN_OUTCOME, now_s)
            await claims.release(connection, tools.database, lane, tools.owner)
        if way:
            tools.woken(Lane(lane.recipient, way))
        return 0.0

    async def _hold(self, lane: Lane, message: Message, parts: list[Message], now_s: float) -> float | None:
        """None when `message` may be tried. Otherwise it waits, goes another way, or is withdrawn to be folded."""
        tools = self._tools
        untouched = all(part.surely_not_out for part in parts)
        age_s = tools.sightings.age_s(("message", message.id), message.created_at_s)
        stale = age_s > tools.section.folding.stale_after_s or (
            message.kind is MessageKind.SUMMARY and message.attempts > 0
        )
        allowed, why = tools.fates.channels.allows(message.channel, message.room)
        if allowed and not (stale and untouched):
            return None
        way: int | None = None
        if not allowed:
            if not tools.fates.channels.hold_over(message.channel, message.room):
                return SOON_S
            way = tools.fates.other_way(lane, message.room)
            recipient = tools.fates.book.get(lane.recipient)
            usable = (
                way is not None
                and recipient is not None
                and tools.fates.usable(recipient.ways[way].channel, message.room)
            )
            if not usable and not (stale and untouched):
                return SOON_S
            way = way if usable else None
        async with tools.database.write() as connection:
            await self._attempts.claim(connection, lane)
            if way is not None:
                may_be_out = any(part.may_be_out for part in parts)
                reason = fallback.UNKNOWN_OUTCOME if may_be_out else f"channel_{why}"
                await tools.fates.take_other_way(connection, parts, way, reason, now_s)
            else:
                await tools.fates.withdraw(connection, parts, "folded")
            await claims.release(connection, tools.database, lane, tools.owner)
        if way is not None:
            tools.woken(Lane(lane.recipient, way))
        return 0.0

    async def _try_again(self, lane: Lane, memory: LaneMemory, message: Message, now_s: float) -> float:
        tools = self._tools
        going = replace(
            message, state=MessageState.SENDING, attempts=message.attempts + 1, next_attempt_at_s=None
        )
        lease_ends_s = tools.clock.monotonic() + tools.section.lease_s
        try:
            async with tools.database.write() as connection:
                await self._attempts.claim(connection, lane)
                await self._attempts.reserve(connection, going)
                await messages.change(connection, message, going)
                attempt_id = await messages.begin_attempt(connection, going, now_s)
        except NoRoom as full:
            self._note_full(memory, message.room, full.wait_s)
            return full.wait_s
        if message.attempts:
            tools.fates.counters.retried(message.channel)
        return await self._attempts.send(lane, memory, going, attempt_id, lease_ends_s)

    def _note_full(self, memory: LaneMemory, room: Room, wait_s: float) -> None:
        memory.waited = True
        memory.full_until_s[room] = self._tools.clock.monotonic() + wait_s

    def _full(self, memory: LaneMemory) -> frozenset[Room]:
        now_s = self._tools.clock.monotonic()
        return frozenset(room for room, until_s in memory.full_until_s.items() if until_s > now_s)

    def _rest_s(self, memory: LaneMemory, wait_s: float | None) -> float:
        """The shortest of `wait_s` and the waits for room."""
        now_s = self._tools.clock.monotonic()
        waits = [until_s - now_s for until_s in memory.full_until_s.values() if until_s > now_s]
        return min([*waits, *([] if wait_s is None else [wait_s])], default=SOON_S)

    async def _nowhere(self, lane: Lane, recipient: Recipient | None, heads: list[Head]) -> float | None:
        """The configuration has this way, or this recipient, no more."""
        tools, now_s = self._tools, self._tools.clock.time()
        here = composing.waiting_here(heads, lane.way)
        if not here:
            return None
        async with tools.database.write() as connection:
            if recipient is not None:
                await notices.redirect(connection, here, 0, "")
            else:
                count = await notices.settle(
                    connection,
                    [head.id for head in here],
                    NoticeState.DEAD,
                    "recipient_gone",
                    now_s,
                    only_from=(NoticeState.PENDING,),
                )
                tools.fates.counters.dead("recipient_gone", count)
                log.error("delivery.recipient_gone", recipient=lane.recipient, notices=count)
        if recipient is not None:
            tools.woken(Lane(lane.recipient))
        return None
