"""What stands around replies in tests: an ear for answers, a trail, recovery, and a desk that holds them all."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alertmanager import Alertmanager, AlertmanagerSection
from alertbridge.alerts import Group, Severity
from alertbridge.deliver.model import Body, Kind
from alertbridge.deliver.providers.base import MessageEvent
from alertbridge.prometheus import Prometheus, PrometheusSection
from alertbridge.reply.config import RepliesSection
from alertbridge.reply.ports import (
    CodeAnswer,
    Fact,
    NoSuchOffer,
    Offer,
    RecoveryState,
    Reports,
    RunRefused,
    UndoRefused,
    Waiting,
)
from alertbridge.reply.replies import Neighbours, Replies
from alertbridge.report.lines import Line, Unit
from alertbridge.store.database import Database
from alertbridge.store.schema import episodes, messages, notices
from tests.fakes.clock import FakeClock
from tests.fakes.monitoring import WrittenAlertmanager, WrittenPrometheus

JAKARTA = ZoneInfo("Asia/Jakarta")
VIEWER, OPERATOR, ADMIN = "62812000000011", "62812000000012", "62812000000013"
STRANGER = "62812000000099"
GROUP = "120363000000000001@g.us"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 16

SECTION: Mapping[str, Any] = {
    "operators": [
        {"name": "Sari", "role": "viewer", "numbers": VIEWER, "language": "en"},
        {"name": "Budi", "role": "operator", "numbers": OPERATOR, "language": "en"},
        {"name": "Ayu", "role": "admin", "numbers": ADMIN, "language": "id"},
    ],
    "groups": GROUP,
    "per_minute": 30,
    "answer_s": 0.5,
}


@dataclass
class Told:
    """One answer."""

    recipient: str
    body: Body
    language: str


@dataclass
class Ear:
    """Hears answers instead of sending them."""

    told: list[Told] = field(default_factory=list)

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
        assert kind is Kind.REPLY
        self.told.append(Told(recipient, body, language))
        return len(self.told)


@dataclass
class Trail:
    """Remembers what was audited; `fault` is raised instead."""

    entries: list[dict[str, Any]] = field(default_factory=list)
    fault: Exception | None = None

    async def append(
        self,
        *,
        who: str,
        what: str,
        why: str,
        before: Mapping[str, Fact] | None = None,
        after: Mapping[str, Fact] | None = None,
    ) -> None:
        if self.fault is not None:
            raise self.fault
        self.entries.append({"who": who, "what": what, "why": why, "before": before, "after": after})

    @property
    def deeds(self) -> list[str]:
        return [entry["what"] for entry in self.entries]


@dataclass
class SetRecovery:
    """Recovery with two actions; codes are counted up and good for one answer of who asked."""

    paused_by: str = ""
    requested: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    refusal: str = ""

    async def state(self) -> RecoveryState:
        return RecoveryState(self.paused_by, len(self.begun), len(self.codes))

    def offers(self) -> Sequence[Offer]:
        return [Offer("bounce-port", "interface_bounce"), Offer("reboot", "router_reboot", asks=True)]

    async def request(self, name: str, labels: Mapping[str, str], *, by: str) -> Waiting:
        if name not in ("bounce-port", "reboot"):
            raise NoSuchOffer(name)
        if self.refusal:
            raise RunRefused(self.refusal)
        self.requested.append((name, dict(labels), by))
        code = f"K7QX2{len(self.requested) + 1}"
        self.codes[code] = (name, by)
        return Waiting(str(len(self.requested)), code, 120.0)

    async def answer(self, code: str, *, by: str, yes: bool, is_admin: bool) -> CodeAnswer:
        name, who = self.codes.get(code.upper(), ("", ""))
        if who != by:
            return CodeAnswer.WRONG
        if code.upper() in self.used:
            return CodeAnswer.USED
        self.used.add(code.upper())
        if yes:
            self.begun.append(name)
        return CodeAnswer.TAKEN

    async def undo(self, number: int, *, by: str) -> Waiting:
        raise UndoRefused("no_such_run", number)

    async def pause(self, *, by: str) -> None:
        self.paused_by = by

    async def resume(self, *, by: str) -> None:
        self.paused_by = ""


@dataclass
class SetReports:
    """A report of one line."""

    async def now(self, language: str) -> Body:
        return Body("Laporan" if language == "id" else "Report")


@dataclass
class SetCharts:
    """Draws `png`; remembers what."""

    png: bytes | None = PNG
    drawn: list[tuple[str, Sequence[Line]]] = field(default_factory=list)

    async def lines(
        self, series: Sequence[Line], *, title: str, unit: Unit, zone: ZoneInfo, language: str
    ) -> bytes | None:
        assert unit is Unit.BITS_PER_SECOND
        self.drawn.append((title, series))
        return self.png


@dataclass
class Intake:
    """Remembers what was taken in."""

    groups: list[Group] = field(default_factory=list)

    async def take(self, group: Group) -> object:
        self.groups.append(group)
        return None


@dataclass
class Counts:
    """Counts as the bridge's metrics do."""

    replies: list[tuple[str, str]] = field(default_factory=list)

    def replied(self, command: str, outcome: str) -> None:
        self.replies.append((command, outcome))


@dataclass
class Desk:
    """Replies with everything around them."""

    database: Database
    clock: FakeClock
    session: aiohttp.ClientSession
    section: RepliesSection
    prometheus: WrittenPrometheus
    alertmanager: WrittenAlertmanager
    ear: Ear = field(default_factory=Ear)
    trail: Trail = field(default_factory=Trail)
    recovery: SetRecovery = field(default_factory=SetRecovery)
    charts: SetCharts = field(default_factory=SetCharts)
    intake: Intake = field(default_factory=Intake)
    counts: Counts = field(default_factory=Counts)
    reports: Reports = field(default_factory=SetReports)
    bare: bool = False
    _sent: int = 0

    def __post_init__(self) -> None:
        neighbours = Neighbours(self.database, self.ear, self.intake, self.trail, self.counts, JAKARTA, "id")
        if not self.bare:
            neighbours = Neighbours(
                self.database,
                self.ear,
                self.intake,
                self.trail,
                self.counts,
                JAKARTA,
                "id",
                prometheus=Prometheus(PrometheusSection(url=self.prometheus.url), self.session),
                alertmanager=Alertmanager(AlertmanagerSection(urls=(self.alertmanager.url,)), self.session),
                recovery=self.recovery,
                reports=self.reports,
                charts=self.charts,
                channels=lambda: {"wa": "ok"},
            )
        self.replies = Replies(self.section, neighbours, self.clock)

    def event(self, text: str, *, number: str = OPERATOR, **more: Any) -> MessageEvent:
        """A message as a provider tells it, a second old."""
        self._sent += 1
        known: dict[str, Any] = {
            "event_id": f"in-{self._sent}",
            "provider_id": f"in-{self._sent}",
            "chat": number,
            "number": number,
            "lid": "",
            "text": text,
            "at_s": self.clock.time() - 1,
        }
        return MessageEvent(**known | more)

    async def write(self, text: str, *, number: str = OPERATOR, **more: Any) -> str:
        """The answer's text; empty when there was none."""
        before = len(self.ear.told)
        await self.replies.message("wa", self.event(text, number=number, **more))
        assert len(self.ear.told) <= before + 1
        return self.ear.told[-1].body.text if len(self.ear.told) > before else ""

    async def firing(self, name: str = "BotDown", severity: str = "critical", **labels: str) -> int:
        """An open episode, told by a message with the provider's id ``out-ID``; its number."""
        named = {"alertname": name, "severity": severity, **labels}
        now_s = self.clock.time()
        async with self.database.write() as connection:
            made = await connection.execute(
                episodes.insert()
                .values(
                    fingerprint=hashlib.sha256(repr(sorted(named.items())).encode()).hexdigest()[:16],
                    status="open",
                    name=name,
                    severity=severity,
                    labels=named,
                    annotations={"summary": f"{name} it is"},
                    starts_at=now_s - 300,
                    opened_at=now_s - 295,
                    last_seen_at=now_s - 295,
                    receiver="whatsapp",
                    group_key=f"g:{name}",
                    external_url="http://am:9093",
                )
                .returning(episodes.c.id, episodes.c.fingerprint)
            )
            row = made.one()
        self.alertmanager.firing[row.fingerprint] = named
        await self.told_of(f"out-{row.id}", row.id)
        return int(row.id)

    async def told_of(self, provider_id: str, *episode_ids: int, channel: str = "wa") -> None:
        """A message that told of these episodes."""
        now_s = self.clock.time()
        key = f"M{provider_id}"[:40]
        async with self.database.write() as connection:
            await connection.execute(
                messages.insert().values(
                    id=key,
                    bundle=key,
                    recipient="noc",
                    channel=channel,
                    address=OPERATOR,
                    kind="single",
                    room="critical",
                    severity="critical",
                    text="...",
                    state="acked",
                    created_at=now_s,
                    accepted_at=now_s,
                    deadline_at=now_s,
                    provider_id=provider_id,
                )
            )
            for one in episode_ids:
                await connection.execute(
                    notices.insert().values(
                        episode_id=one,
                        kind="firing",
                        state="delivered",
                        recipient="noc",
                        severity="critical",
                        created_at=now_s,
                        deadline_at=now_s,
                        message_id=key,
                    )
                )

    async def row(self, episode_id: int) -> Any:
        """The episode as it is stored."""
        async with self.database.read() as connection:
            found = await connection.execute(episodes.select().where(episodes.c.id == episode_id))
            return found.one()

    async def close(self, episode_id: int) -> None:
        """It is over."""
        async with self.database.write() as connection:
            await connection.execute(
                episodes.update()
                .where(episodes.c.id == episode_id)
                .values(status="closed", ends_at=self.clock.time(), closed_at=self.clock.time())
            )


@asynccontextmanager
async def desk(
    database: Database,
    clock: FakeClock,
    *,
    bare: bool = False,
    reports: Reports | None = None,
    **section: Any,
) -> AsyncIterator[Desk]:
    """A desk; `bare`: nothing is configured that could be asked."""
    async with (
        aiohttp.ClientSession() as session,
        WrittenPrometheus().serving() as prometheus,
        WrittenAlertmanager().serving() as alertmanager,
    ):
        made = RepliesSection.model_validate({**SECTION, **section})
        yield Desk(
            database,
            clock,
            session,
            made,
            prometheus,
            alertmanager,
            reports=reports or SetReports(),
            bare=bare,
        )
