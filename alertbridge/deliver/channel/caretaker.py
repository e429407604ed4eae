"""Does what channels ask for: looks after their sessions, mends what dropped, tries what is silent, tells people.

`Channels` decides and never waits; here is the waiting. One task a channel's action, so that a gateway that hangs
holds up nobody else.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import structlog

from alertbridge.alerts import Severity
from alertbridge.deliver.asides import watched
from alertbridge.deliver.channel.actions import Action, ActionKind, Probe
from alertbridge.deliver.channel.announcements import Announcement
from alertbridge.deliver.channel.channels import Channels
from alertbridge.deliver.channel.store import ChannelStore
from alertbridge.deliver.channel.watched import MENDS
from alertbridge.deliver.limit.limits import Policy, Room
from alertbridge.deliver.limit.store import LimitStore
from alertbridge.deliver.model import Body, Kind
from alertbridge.deliver.ports import Providers
from alertbridge.deliver.providers.base import Outcome, OutcomeClass, Outgoing, Provider
from alertbridge.deliver.route.addressbook import AddressBook
from alertbridge.deliver.worker import Delivery
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreError
from runtime.clock import Clock

ROUND_S = 1.0
ASK_EVERY_S = 2.0
ASK_FOR_S = 60.0
"""How long a probe's fate is asked for, where the provider must be asked."""
STORE_AGAIN_S = 5.0
NOT_OURS_S = 300.0
FAILED_AGAIN_S = 30.0
_FAILED_HERE = Outcome(OutcomeClass.UNKNOWN, "program_error")

Buckets = Callable[[str, str], Mapping[str, Policy]]
"""Channel and address -> what holds for any message there."""

log = structlog.get_logger(__name__)


class Caretaker:
    """Looks after every channel until it is stopped."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        channels: Channels,
        store: ChannelStore,
        providers: Providers,
        limits: LimitStore,
        buckets: Buckets,
        book: AddressBook,
        delivery: Delivery,
        told: Callable[[str, str], None],
        default_language: str,
        faulted: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`told` hears each channel's state, every round; `faulted` of what failed for a fault of ours."""
        self._database = database
        self._clock = clock
        self._channels = channels
        self._store = store
        self._providers = providers
        self._limits = limits
        self._buckets = buckets
        self._book = book
        self._delivery = delivery
        self._told = told
        self._faulted = faulted
        self._language = default_language
        self._loop: asyncio.Task[None] | None = None
        self._doing: set[asyncio.Task[None]] = set()
        self._does: Mapping[ActionKind, Callable[[Action, Provider], Awaitable[None]]] = {
            ActionKind.SESSION: self._ask,
            ActionKind.RECONNECT: self._mend,
            ActionKind.RESTART: self._mend,
            ActionKind.PROBE: self._probe,
            ActionKind.ANNOUNCE: self._announce,
        }

    def __repr__(self) -> str:
        return f"<Caretaker channels={len(self._channels.names)} doing={len(self._doing)}>"

    @property
    def is_busy(self) -> bool:
        """Whether an action is under way."""
        return bool(self._doing)

    def start(self) -> None:
        """Begins to look after the channels."""
        self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Ends what is under way; an interrupted mend is decided about anew after the next start."""
        tasks = [*self._doing, *([self._loop] if self._loop is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(StoreError):
            await self._store.sync()

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:  # the edge of a task that must not end
                log.exception("channels.round_failed")
                self._faulted("channel")
            await asyncio.sleep(ROUND_S)

    async def look(self) -> None:
        """One round: what is known is shared, what is due is begun."""
        try:
            await self._store.sync()
        except StoreError as error:
            log.warning("channels.not_stored", detail=str(error))
        for name in self._channels.names:
            self._told(name, self._channels.standing(name).state.value)
        for action in self._channels.due():
            task = watched(asyncio.create_task(self._do(action)), "channel", self._faulted)
            self._doing.add(task)
            task.add_done_callback(self._doing.discard)

    async def _do(self, action: Action) -> None:
        provider = self._providers.get(action.channel)
        if provider is None:
            return
        if action.kind is not ActionKind.SESSION and not self._book.on_channel(action.channel):
            # Nobody is reached through it: it is there for recovery, whose rules say what is done, and how often.
            self._channels.deferred(action, NOT_OURS_S)
            return
        try:
            await self._does[action.kind](action, provider)
        except StoreError as error:
            log.warning(
                "channel.put_off", channel=action.channel, action=action.kind.value, detail=str(error)
            )
            self._channels.deferred(action, STORE_AGAIN_S)
        except Exception:  # the edge of one action: it must neither hang as begun nor come again at once
            log.exception("channel.action_failed", channel=action.channel, action=action.kind.value)
            self._faulted("channel")
            if action.kind in MENDS:  # it may have reached the gateway: it counts as one, as all do
                self._channels.mended(action.channel, _FAILED_HERE)
            else:
                self._channels.deferred(action, FAILED_AGAIN_S)

    async def _ask(self, action: Action, provider: Provider) -> None:
        self._channels.report(action.channel, await provider.session())

    async def _mend(self, action: Action, provider: Provider) -> None:
        if not await self._granted(action, action.buckets, Room.REPLY):
            return
        mend = provider.reconnect if action.kind is ActionKind.RECONNECT else provider.restart
        outcome = await mend()
        log.info(
            "channel.mended",
            channel=action.channel,
            how=action.kind.value,
            outcome=outcome.kind.value,
            reason=outcome.reason,
        )
        self._channels.mended(action.channel, outcome)

    async def _granted(self, action: Action, buckets: Mapping[str, Policy], room: Room) -> bool:
        """Whether the limits let it; it is put off when they do not. Raises StoreError."""
        async with self._database.write() as connection:
            wait_s = await self._limits.reserve(connection, buckets, room)
        if wait_s > 0:
            self._channels.deferred(action, wait_s)
        return wait_s <= 0

    async def _probe(self, action: Action, provider: Provider) -> None:
        probe: Probe | None = action.probe
        if probe is None:
            return
        buckets = {**action.buckets, **self._buckets(action.channel, probe.address)}
        if not await self._granted(action, buckets, probe.room):
            return
        message = Outgoing(secrets.token_hex(16).upper(), probe.address, probe.text)
        outcome = await provider.send(message)
        log.info("channel.probed", channel=action.channel, outcome=outcome.kind.value, reason=outcome.reason)
        self._channels.probed(action.channel, outcome)
        if outcome.kind in {OutcomeClass.ACCEPTED, OutcomeClass.QUEUED_REMOTE} and outcome.provider_id:
            await self._await_proof(action.channel, provider, outcome.provider_id)

    async def _await_proof(self, channel: str, provider: Provider, provider_id: str) -> None:
        """Asks for the fate of a probe, for providers that can be asked; the others' webhooks tell."""
        end_s = self._clock.monotonic() + ASK_FOR_S
        while self._clock.monotonic() < end_s:
            await asyncio.sleep(ASK_EVERY_S)
            if await provider.status_of(provider_id) is not None:
                self._channels.record_ack(channel)
                return

    async def _announce(self, action: Action, provider: Provider) -> None:
        announcement: Announcement | None = action.announcement
        if announcement is None:
            return
        recipients = self._book.on_channel(action.channel)
        await self._store.sync()
        async with self._database.write() as connection:
            claimed = await self._store.claim(connection, announcement)
            if claimed:
                for recipient in recipients:
                    await self._delivery.enqueue(
                        Kind.SYSTEM,
                        recipient.name,
                        Body(announcement.text(recipient.language or self._language)),
                        severity=Severity.CRITICAL,
                        connection=connection,
                    )
        if claimed:
            self._delivery.notices_made([recipient.name for recipient in recipients])
            log.error(
                "channel.announced",
                channel=action.channel,
                state=announcement.state.value,
                reason=announcement.reason,
                recipients=[recipient.name for recipient in recipients],
                without_another_way=[one.name for one in recipients if len(one.ways) < 2],
            )
        await self._store.sync()
        self._channels.deferred(action, ROUND_S)
