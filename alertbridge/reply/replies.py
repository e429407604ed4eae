"""Replies as the bridge holds them: takes what people write, answers, and looks after acknowledgements.

replies = Replies(section, neighbours, clock)
await replies.start()
await replies.message("wa", event)          # of a provider's webhook, each event once
await replies.stop()
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

import structlog

from alertbridge.alerts import Severity
from alertbridge.deliver.model import Body, Kind
from alertbridge.deliver.providers.base import MessageEvent
from alertbridge.reply import contacts
from alertbridge.reply.acks import Acks
from alertbridge.reply.ackwatch import AckWatch
from alertbridge.reply.answerbook import answer_name
from alertbridge.reply.answering import Answering
from alertbridge.reply.commands.base import Means
from alertbridge.reply.config import RepliesSection
from alertbridge.reply.identity import TOLD, Refusal, Roster
from alertbridge.reply.model import Answer, Outcome, Person
from alertbridge.reply.parsing import Misunderstood
from alertbridge.reply.ports import (
    Asking,
    AuditTrail,
    ChannelWords,
    Recovery,
    ReplyCounts,
    Reports,
    Silencing,
    Taking,
    Teller,
)
from alertbridge.reply.quotas import Quotas, Room
from alertbridge.reply.sources import Metrics, Silences
from alertbridge.reply.texts import say
from alertbridge.report.lines import Charts, NoCharts
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreError
from alertbridge.store.leadership import Leadership
from runtime.clock import Clock

log = structlog.get_logger(__name__)

ANSWER_DEADLINE_S = 60.0
WATCH_S = 30.0
"""Nobody waits for the watch, and thousands of alerts take their time."""
REMEMBERED = 2_000
"""Messages that are known to have come already, besides what the store knows of webhooks."""
NOBODY = ""
"""The command of the metric for what was no command."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Whom replies speak to. What is None is said to be missing when somebody asks for it."""

    database: Database
    teller: Teller
    intake: Taking
    trail: AuditTrail
    counts: ReplyCounts
    zone: ZoneInfo
    language: str
    prometheus: Asking | None = None
    alertmanager: Silencing | None = None
    recovery: Recovery | None = None
    reports: Reports | None = None
    charts: Charts = NoCharts()  # noqa: RUF009  it holds nothing
    channels: ChannelWords = dict


class Replies:
    """Who writes is known by the provider's word alone; everybody else gets no answer, and is counted."""

    def __init__(self, section: RepliesSection, neighbours: Neighbours, clock: Clock) -> None:
        self._near = neighbours
        self._clock = clock
        self._section = section
        self._roster = Roster(section, neighbours.language)
        self._quotas = Quotas(section.per_minute)
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()
        silences = Silences(neighbours.alertmanager, section.answer_s)
        patient = Silences(neighbours.alertmanager, WATCH_S)
        self.watch = AckWatch(neighbours.database, patient, neighbours.intake, clock, section)
        self._answering = Answering(
            Means(
                section=section,
                database=neighbours.database,
                clock=clock,
                zone=neighbours.zone,
                metrics=Metrics(neighbours.prometheus, section.answer_s),
                acks=Acks(neighbours.database, silences, clock, section.ack_s),
                recovery=neighbours.recovery,
                charts=neighbours.charts,
                reports=neighbours.reports,
                channels=neighbours.channels,
            ),
            neighbours.trail,
        )
        self._watching: asyncio.Task[None] | None = None
        self._leadership = Leadership(neighbours.database, "acks", clock)

    def __repr__(self) -> str:
        return f"<Replies {self._roster!r}>"

    async def start(self) -> None:
        """Begins to look after what is acknowledged, where there is an Alertmanager to ask."""
        if self._near.alertmanager is not None and self._watching is None:
            self._watching = asyncio.create_task(self.watch.run(self._leadership), name="acks")

    async def stop(self) -> None:
        """Ends that; what stands goes on from the store."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
            self._watching = None
        await self._leadership.release()

    async def message(self, channel: str, event: MessageEvent) -> None:
        """Answers, if the message is a command of somebody known. Raises StoreError: let it be sent again.

        What one person writes is answered in its order.
        """
        sender = f"{channel}:{event.number or event.lid}"
        turn = self._turns.setdefault(sender, asyncio.Lock())
        async with turn:
            await self._take(channel, event)

    async def _take(self, channel: str, event: MessageEvent) -> None:
        who = await self._who(channel, event)
        if isinstance(who, Refusal):
            self._refused(channel, event, who)
            return
        if not self._is_new(channel, event):
            self._refused(channel, event, Refusal.DUPLICATE, who)
            return
        try:
            await self._known(channel, event, who)
        except StoreError:
            self._seen.pop((channel, event.provider_id), None)
            raise

    async def _who(self, channel: str, event: MessageEvent) -> Person | Refusal:
        async with self._near.database.read() as connection:
            learned = await contacts.pairs_of(connection, channel, event)
        who = self._roster.who(event, learned)
        if isinstance(who, Person) and (pair := self._roster.learns(event, learned)) is not None:
            async with self._near.database.write() as connection:
                await contacts.learn(self._near.database, connection, channel, pair, self._clock.time())
            log.info("reply.lid_learned", channel=channel, person=who.name)
        return who

    async def _known(self, channel: str, event: MessageEvent, person: Person) -> None:
        refusal = self._roster.fresh(channel, event, self._clock.time())
        if refusal is not None and refusal not in TOLD:
            self._refused(channel, event, refusal, person)
            return
        order = self._answering.understood(event)
        if isinstance(order, Misunderstood) and event.is_group:
            self._near.counts.replied(NOBODY, "talk")  # people talk in groups
            return
        if refusal is not None:
            self._refused(channel, event, refusal, person)
            if isinstance(order, Misunderstood):
                return
        room = self._quotas.take(person.name, self._clock.monotonic())
        if room is Room.FULL:
            self._near.counts.replied(NOBODY, Outcome.TOO_MANY.value)
            return
        command = NOBODY if isinstance(order, Misunderstood) else order.command
        began_s = self._clock.monotonic()
        if room is Room.JUST_FULL:
            answer = Answer(say(person.language, "too_many"), Outcome.TOO_MANY)
        elif refusal is not None:
            answer = Answer(say(person.language, refusal.value), Outcome.REFUSED)
        elif isinstance(order, Misunderstood):
            answer = self._answering.misunderstood(order, person.language)
        else:
            answer = await self._answering.answer(person, channel, event, order)
        await self._send(channel, event, person, answer)
        if refusal is None:
            self._near.counts.replied(command, answer.outcome.value)
        log.info(
            "reply.answered",
            channel=channel,
            person=person.name,
            command=command,
            outcome=answer.outcome.value,
            duration_s=round(self._clock.monotonic() - began_s, 3),
        )

    async def _send(self, channel: str, event: MessageEvent, person: Person, answer: Answer) -> None:
        """An answer that cannot be stored is lost: what it tells of is done, and must not be done again."""
        try:
            await self._near.teller.enqueue(
                Kind.REPLY,
                answer_name(channel, event.chat),
                Body(answer.text, answer.image_png, event.provider_id),
                severity=Severity.INFO,
                deadline_s=ANSWER_DEADLINE_S,
                language=person.language,
            )
        except StoreError as error:
            log.warning("reply.answer_lost", person=person.name, detail=str(error))

    def _is_new(self, channel: str, event: MessageEvent) -> bool:
        """The store knows webhooks by their own ids; the same message can come in another."""
        key = (channel, event.provider_id)
        if not event.provider_id or event.edited:
            return True
        if key in self._seen:
            return False
        self._seen[key] = None
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True

    def _refused(self, channel: str, event: MessageEvent, why: Refusal, person: Person | None = None) -> None:
        """Counted, and told in the log without what was written."""
        self._near.counts.replied(NOBODY, why.value)
        log.info(
            "reply.refused",
            channel=channel,
            why=why.value,
            person="" if person is None else person.name,
            is_group=event.is_group,
        )
