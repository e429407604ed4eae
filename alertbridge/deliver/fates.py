"""How messages end, and what their end means for the notices in them. Runs inside the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.deliver import fallback
from alertbridge.deliver.deliveryconfig import SendingSection
from alertbridge.deliver.lanes import Lane
from alertbridge.deliver.limit.limits import Room
from alertbridge.deliver.model import MessageKind, MessageState, NoticeState
from alertbridge.deliver.outbox import messages, notices
from alertbridge.deliver.outbox.rows import Message, way_of
from alertbridge.deliver.ports import ChannelStates, Counters, Recipients

log = structlog.get_logger(__name__)

_MAY_STILL_END = (NoticeState.PENDING, NoticeState.COMPOSED, NoticeState.DEAD)
_WAITING = (MessageState.READY, MessageState.RETRY)


@dataclass(frozen=True, slots=True)
class Fates:
    """Ends messages. Every method returns the lanes that have something to do because of it."""

    book: Recipients
    channels: ChannelStates
    section: SendingSection
    counters: Counters

    def usable(self, channel: str, room: Room) -> bool:
        """Whether it makes sense to send something of `room` through `channel` soon."""
        return self.channels.allows(channel, room)[0] or not self.channels.hold_over(channel, room)

    def other_way(self, lane: Lane, room: Room, *, refused: Sequence[int] = ()) -> int | None:
        """The way to take instead of `lane`; None when there is none."""
        recipient = self.book.get(lane.recipient)
        if recipient is None or room is Room.REPLY:
            return None
        return fallback.next_way(
            recipient, lane.way, lambda channel: self.usable(channel, room), refused=refused
        )

    def deadline_at_s(self, way: int, message: Message, now_s: float) -> float:
        """By when a notice that takes `way` now must be told there."""
        wait_s = self.section.cycle_s if way == 0 else self.section.proof_s(message.severity)
        return now_s + wait_s + self.section.lead_s

    async def settle(self, connection: AsyncConnection, bundle: str, now_s: float) -> None:
        """If every part of `bundle` is proven, what it told is told."""
        parts = await messages.parts(connection, bundle)
        if not parts or any(part.state is not MessageState.ACKED for part in parts):
            return
        folded = parts[0].kind in (MessageKind.DIGEST, MessageKind.SUMMARY)
        await notices.settle(
            connection,
            parts[0].extra.notices,
            NoticeState.MERGED if folded else NoticeState.DELIVERED,
            "fallback" if parts[0].way else "",
            now_s,
            bundle=bundle,
            only_from=_MAY_STILL_END,
        )

    async def take_other_way(
        self,
        connection: AsyncConnection,
        parts: Sequence[Message],
        way: int,
        why: str,
        now_s: float,
        *,
        also_told: bool = False,
    ) -> Lane:
        """What a bundle was to tell goes `way` instead; what of it has not left stays."""
        await self._stop(connection, parts, why)
        first = parts[0]
        await notices.reopen(
            connection,
            first.extra.notices,
            first.bundle,
            way,
            why,
            self.deadline_at_s(way, first, now_s),
            also_told=also_told,
        )
        log.info("delivery.other_way", recipient=first.recipient, channel=first.channel, way=way, why=why)
        return Lane(first.recipient, way)

    async def withdraw(self, connection: AsyncConnection, parts: Sequence[Message], why: str) -> None:
        """What a bundle that surely never left was to tell waits again, on the same way."""
        await self._stop(connection, parts, why)
        first = parts[0]
        await notices.reopen(connection, first.extra.notices, first.bundle, first.way, first.extra.why)

    async def fail(
        self, connection: AsyncConnection, message: Message, now_s: float, *, also_told: bool = False
    ) -> Lane | None:
        """A part was refused for good: another way, or the dead letters when every way has refused."""
        parts = await messages.parts(connection, message.bundle, lock=True)
        refused = [message.way]
        for bundle in message.extra.instead_of:
            earlier = await messages.parts(connection, bundle)
            if any(part.state is MessageState.FAILED for part in earlier):
                refused.append(way_of(bundle))
        way = self.other_way(message.lane, message.room, refused=refused)
        if way is not None:
            return await self.take_other_way(
                connection, parts, way, message.reason, now_s, also_told=also_told
            )
        await self.bury(connection, parts, message.reason, now_s, also_told=also_told)
        return None

    async def bury(
        self,
        connection: AsyncConnection,
        parts: Sequence[Message],
        reason: str,
        now_s: float,
        *,
        also_told: bool = False,
    ) -> None:
        """Nobody will tell it: it goes to the dead letters."""
        for part in parts:
            if part.state is not MessageState.ACKED:
                await messages.change(
                    connection,
                    part,
                    replace(part, state=MessageState.DEAD, reason=reason[:60], next_attempt_at_s=None),
                )
        first = parts[0]
        states = [NoticeState.PENDING, NoticeState.COMPOSED]
        if also_told:
            states += [NoticeState.DELIVERED, NoticeState.MERGED]
        count = await notices.settle(
            connection,
            first.extra.notices,
            NoticeState.DEAD,
            reason,
            now_s,
            only_from=states,
            only_of=first.bundle,
        )
        self.counters.dead(reason, count)
        log.error("delivery.dead", recipient=first.recipient, message=first.id, reason=reason, notices=count)

    async def _stop(self, connection: AsyncConnection, parts: Sequence[Message], why: str) -> None:
        """What has not left will not; what may have arrived is noted as not proven."""
        for part in parts:
            if part.surely_not_out:
                after = replace(part, state=MessageState.DROPPED, reason=why[:60], next_attempt_at_s=None)
            elif part.state in _WAITING:
                after = replace(part, state=MessageState.UNKNOWN, reason=why[:60], next_attempt_at_s=None)
            elif part.state in (MessageState.SENT, MessageState.UNKNOWN):
                after = replace(part, reason=why[:60] or fallback.NO_ACK, next_attempt_at_s=None)
            else:
                continue
            await messages.change(connection, part, after)
