"""What providers tell later of a message: acknowledged, delivered, read, or failed after all."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.deliver import sending
from alertbridge.deliver.fates import Fates
from alertbridge.deliver.lanes import Lane
from alertbridge.deliver.model import MessageState
from alertbridge.deliver.outbox import messages
from alertbridge.deliver.outbox.rows import Message, Moved
from alertbridge.deliver.ports import Providers
from alertbridge.deliver.providers.base import Outcome, OutcomeClass, Receipt, StatusEvent
from alertbridge.store.database import Database
from runtime.clock import Clock

log = structlog.get_logger(__name__)

KEPT_S = 120.0
"""A receipt can be here before the answer to the request, or reach another replica: so long it is tried again."""

MOST_KEPT = 5_000

_RANKS = {Receipt.ACKED: 1, Receipt.DELIVERED: 2, Receipt.READ: 3}
_REFUSED = Outcome(OutcomeClass.PERMANENT, "failed_later")


@dataclass(slots=True)
class _Kept:
    channel: str
    event: StatusEvent
    since_s: float


class Receipts:
    """Applies receipts as a maximum: each implies those before it, and none takes anything back but FAILED."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        fates: Fates,
        providers: Providers,
        woken: Callable[[Lane], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._fates = fates
        self._providers = providers
        self._woken = woken
        self._kept: list[_Kept] = []

    async def apply(self, channel: str, event: StatusEvent) -> bool:
        """Writes down what `event` says. False when no such message is known yet: it is kept for a while.

        Raises StoreUnavailable.
        """
        if await self._applied(channel, event):
            return True
        if len(self._kept) < MOST_KEPT:
            self._kept.append(_Kept(channel, event, self._clock.monotonic()))
        return False

    async def try_kept(self) -> None:
        """Tries again what found no message."""
        kept, self._kept = self._kept, []
        now_s = self._clock.monotonic()
        for one in kept:
            if not await self._applied(one.channel, one.event) and now_s - one.since_s < KEPT_S:
                self._kept.append(one)

    async def _applied(self, channel: str, event: StatusEvent) -> bool:
        while True:
            try:
                async with self._database.write() as connection:
                    message = await self._find(connection, channel, event)
                    if message is None:
                        return False
                    if event.receipt is Receipt.FAILED:
                        woken = await self._failed(connection, message, event.outcome or _REFUSED)
                    else:
                        woken = await self._proven(connection, message, event)
            except Moved:
                continue
            break
        if event.receipt is not Receipt.FAILED:
            self._fates.channels.record_ack(channel, event.at_s)
            if message.acked_at_s is None:
                self._fates.counters.acknowledged(channel)
        elif event.outcome is not None:
            self._fates.channels.record(channel, event.outcome)
        if woken is not None:
            self._woken(woken)
        return True

    async def _find(self, connection: AsyncConnection, channel: str, event: StatusEvent) -> Message | None:
        if event.our_id and (found := await messages.get(connection, event.our_id, lock=True)) is not None:
            return found
        if not event.provider_id:
            return None
        found = await messages.by_provider_id(connection, channel, event.provider_id)
        return None if found is None else await messages.get(connection, found.id, lock=True)

    async def _proven(self, connection: AsyncConnection, message: Message, event: StatusEvent) -> Lane | None:
        now_s = self._clock.time()
        at_s = now_s if event.at_s is None else min(event.at_s, now_s)
        rank = _RANKS[event.receipt]
        after = replace(
            message,
            state=MessageState.ACKED,
            reason="",
            next_attempt_at_s=None,
            sent_at_s=message.sent_at_s or at_s,
            acked_at_s=message.acked_at_s or at_s,
            delivered_at_s=message.delivered_at_s or (at_s if rank >= 2 else None),
            read_at_s=message.read_at_s or (at_s if rank >= 3 else None),
            provider_id=message.provider_id or event.provider_id,
        )
        await messages.change(connection, message, after)
        await self._fates.settle(connection, message.bundle, now_s)
        return message.lane

    async def _failed(self, connection: AsyncConnection, message: Message, outcome: Outcome) -> Lane | None:
        """The provider took it and could not deliver it. What was delivered stays delivered."""
        failing = (MessageState.SENDING, MessageState.SENT, MessageState.UNKNOWN, MessageState.ACKED)
        if message.delivered_at_s is not None or message.state not in failing:
            return None
        self._fates.counters.failed(message.channel, outcome.reason or outcome.kind.value)
        log.info("delivery.failed_later", message=message.id, channel=message.channel, reason=outcome.reason)
        provider = self._providers.get(message.channel)
        if (
            outcome.kind is OutcomeClass.SWITCH
            and provider is not None
            and sending.may_switch(message, provider.traits)
            and not message.reason
        ):
            await messages.change(connection, message, sending.as_template(message, outcome))
            return message.lane
        after = replace(
            message, state=MessageState.FAILED, reason=outcome.reason[:60] or "failed_later", acked_at_s=None
        )
        told_elsewhere = bool(message.reason) and message.state is not MessageState.ACKED
        await messages.change(connection, message, after)
        if told_elsewhere:
            return None
        return await self._fates.fail(connection, after, self._clock.time(), also_told=True)
