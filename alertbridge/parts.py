"""Everything that delivers, put together from one configuration; a new configuration gets new ones.

Nothing here must survive: what is under way stands in the store, so old parts are stopped and new ones go on.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Self

import aiohttp
import structlog

from alertbridge.alertmanager import Alertmanager
from alertbridge.alerts import Alert, Severity
from alertbridge.config import Config
from alertbridge.deliver.backlog import AskedAlertmanager, NobodyToAsk
from alertbridge.deliver.channel.actions import ChannelRules
from alertbridge.deliver.channel.caretaker import Caretaker
from alertbridge.deliver.channel.channels import Channels
from alertbridge.deliver.channel.liveness import LivenessRules
from alertbridge.deliver.channel.store import ChannelStore
from alertbridge.deliver.limit.config import channel_bucket, channel_buckets, recipient_buckets
from alertbridge.deliver.limit.limits import Policy, Room
from alertbridge.deliver.limit.store import LimitStore
from alertbridge.deliver.model import Kind
from alertbridge.deliver.providers.base import Provider
from alertbridge.deliver.providers.registry import make_provider
from alertbridge.deliver.providers.section import ChannelBase
from alertbridge.deliver.render.rendering import Renderer
from alertbridge.deliver.route.addressbook import AddressBook, Recipient, Way
from alertbridge.deliver.route.routing import Routes
from alertbridge.deliver.worker import Delivery
from alertbridge.reply.answerbook import AnswerBook
from alertbridge.selfmetrics import SelfMetrics
from alertbridge.store.database import Database
from runtime.clock import Clock

log = structlog.get_logger(__name__)


class Parts:
    """The objects that deliver."""

    def __init__(
        self,
        config: Config,
        *,
        database: Database,
        session: aiohttp.ClientSession,
        metrics: SelfMetrics,
        limits: LimitStore,
        clock: Clock,
        owner: str,
    ) -> None:
        self.config = config
        self.routes = Routes(config)
        self.book = _normalised(AddressBook.of(config), {one.name: one for one in config.channels})
        self.texts = Renderer.of(config.delivery.timezone, config.delivery.templates)
        self.providers: Mapping[str, Provider] = {
            section.name: make_provider(section, session, clock) for section in config.channels
        }
        self.channels = Channels([_rules(section, self.providers) for section in config.channels], clock)
        self.alertmanager = (
            Alertmanager(config.alertmanager, session) if config.alertmanager is not None else None
        )
        self._sections = {section.name: section for section in config.channels}
        self.limits = limits
        self.delivery = Delivery(
            database=database,
            clock=clock,
            book=AnswerBook(self.book, config.delivery.language),
            providers=self.providers,
            channels=self.channels,
            limits=limits,
            buckets=self.buckets,
            texts=self.texts,
            active=AskedAlertmanager(self.alertmanager) if self.alertmanager is not None else NobodyToAsk(),
            section=config.sending,
            counters=metrics,
            recipients_of=self._recipients_of(clock),
            owner=owner,
        )
        self.caretaker = Caretaker(
            database=database,
            clock=clock,
            channels=self.channels,
            store=ChannelStore(database, self.channels, clock),
            providers=self.providers,
            limits=limits,
            buckets=lambda channel, address: channel_buckets(
                channel, address, self._sections[channel].limits
            ),
            book=self.book,
            delivery=self.delivery,
            told=metrics.channel,
            default_language=config.delivery.language,
            faulted=metrics.task_fault,
        )

    def __repr__(self) -> str:
        return f"<Parts channels={len(self.providers)} recipients={len(self.book)}>"

    def buckets(
        self, *, channel: str, address: str, lane: str, severity: Severity, room: Room
    ) -> Mapping[str, Policy]:
        """See `deliver.ports.Buckets`."""
        limits = self.config.limits
        found = recipient_buckets(lane, severity, room, limits.recipient, limits.severity)
        section = self._sections.get(channel)
        return found if section is None else {**found, **channel_buckets(channel, address, section.limits)}

    def channel_policies(self) -> Mapping[str, Policy]:
        """The bucket of each channel, for who shows what is left."""
        return {channel_bucket(name): section.limits.policy for name, section in self._sections.items()}

    def _recipients_of(self, clock: Clock) -> Callable[[Alert], Iterable[str]]:
        def recipients(alert: Alert) -> Sequence[str]:
            decision = self.routes.decide(alert, Kind.FIRING, clock.time())
            return [target.recipient for target in decision.targets]

        return recipients

    async def start(self) -> Self:
        """Begins to deliver."""
        self.caretaker.start()
        await self.delivery.start()
        return self

    async def stop(self) -> None:
        """Ends what is under way, as far as it ends in a few seconds."""
        await self.delivery.stop()
        await self.caretaker.stop()
        await asyncio.gather(*(provider.close() for provider in self.providers.values()))


def _rules(section: ChannelBase, providers: Mapping[str, Provider]) -> ChannelRules:
    provider = providers[section.name]
    traits = provider.traits
    return ChannelRules(
        section.name,
        acks_on_accept=traits.acks_on_accept,
        own_address=section.own_number,
        pairing_url=section.pairing_url,
        liveness=LivenessRules(
            proves=traits.tells_acks or traits.acks_on_accept,
            probes=section.probe.enabled
            and not traits.has_templates  # Meta does not let a number write to itself
            and (traits.tells_acks or traits.acks_on_accept),
            idle_s=section.probe.after_s,
        ),
        probe_every_s=section.probe.every_s,
        mends_tell=traits.mends_tell,
    )


def _normalised(book: AddressBook, sections: Mapping[str, ChannelBase]) -> AddressBook:
    """The book with every address as its channel stores it; the configuration was checked for that."""

    def way(found: Way) -> Way:
        return replace(found, address=sections[found.channel].address(found.address))

    def recipient(found: Recipient) -> Recipient:
        address = sections[found.channel].address(found.address)
        return replace(found, address=address, fallbacks=tuple(map(way, found.fallbacks)))

    return AddressBook(map(recipient, book))
