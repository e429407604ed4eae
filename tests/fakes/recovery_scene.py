"""What stands around the recovery engine in tests: a store with episodes, people who are told, a tally."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.accept.ports import Change
from alertbridge.alerts import Alert, AlertStatus, Severity
from alertbridge.deliver.model import Body, Kind
from alertbridge.deliver.route.schedule import Schedule
from alertbridge.recover.config import RecoverySection
from alertbridge.recover.engine import Engine, Settings
from alertbridge.recover.journal import run_of
from alertbridge.recover.model import Run
from alertbridge.recover.ports import Asking, Person
from alertbridge.store.database import Database
from alertbridge.store.schema import episodes
from alertbridge.store.schema_recovery import recovery_runs
from runtime.clock import Clock
from runtime.loading import parse
from tests.fakes.scripted_action import ScriptedMaker

BOOT = "the boot of this test"


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody was told."""

    recipient: str
    text: str
    severity: Severity


class Ear:
    """A teller that remembers."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.woken: list[str] = []

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
        self.messages.append(Message(recipient, body.text, severity))
        return len(self.messages)

    def notices_made(self, recipients: Iterable[str]) -> None:
        self.woken.extend(recipients)

    def texts(self, start: str = "") -> list[str]:
        """The texts that begin so."""
        return [message.text for message in self.messages if message.text.startswith(start)]


class Everybody:
    """Each name is a person who reads English."""

    def of(self, names: Iterable[str], now_s: float) -> Sequence[Person]:
        return tuple(Person(name, "en") for name in dict.fromkeys(names))


@dataclass
class Tally:
    """Counts as the bridge's metrics do."""

    decisions: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    verified_s: list[float] = field(default_factory=list)
    gave_up: dict[str, bool] = field(default_factory=dict)
    paused: bool = False

    def decided(self, rule: str, reason: str) -> None:
        self.decisions[reason] += 1

    def attempted(self, rule: str, action: str) -> None:
        self.attempts += 1

    def run_ended(
        self, rule: str, outcome: str, duration_s: float, fault_to_verified_s: float | None
    ) -> None:
        self.outcomes[outcome] += 1
        if fault_to_verified_s is not None:
            self.verified_s.append(fault_to_verified_s)

    def exhausted(self, rule: str, *, is_exhausted: bool) -> None:
        self.gave_up[rule] = is_exhausted

    def recovering(self, running: int, *, paused: bool) -> None:
        self.paused = paused


def section_of(text: str) -> RecoverySection:
    """The section in `text`, as YAML."""
    return parse(text, RecoverySection, source="recovery.yml")


@dataclass
class Scene:
    """A store with episodes, engines on it, and things that break."""

    database: Database
    clock: Clock
    maker: ScriptedMaker
    section: RecoverySection
    ear: Ear = field(default_factory=Ear)
    tally: Tally = field(default_factory=Tally)
    prometheus: Asking | None = None
    schedules: Mapping[str, Schedule] = field(default_factory=dict)

    def settings(self) -> Settings:
        return Settings(self.section, self.maker, self.ear, Everybody(), self.schedules, self.prometheus)

    def engine(self, database: Database | None = None) -> Engine:
        """A new engine, not started."""
        return Engine(database or self.database, self.clock, self.tally, self.settings(), boot=BOOT)

    async def fires(self, name: str = "Broken", severity: str = "critical", **labels: str) -> Change:
        """An episode that begins now, and what the intake tells of it."""
        named = {"alertname": name, "severity": severity, **labels}
        fingerprint = "-".join([name, *labels.values()])
        now_s = self.clock.time()
        async with self.database.write() as connection:
            added = await connection.execute(
                insert(episodes).values(
                    fingerprint=fingerprint,
                    status="open",
                    name=name,
                    severity=severity,
                    labels=named,
                    annotations={},
                    starts_at=now_s,
                    opened_at=now_s,
                    last_seen_at=now_s,
                )
            )
            (number,) = added.inserted_primary_key or (0,)
        alert = Alert(fingerprint, AlertStatus.FIRING, named, {}, now_s)
        return Change(Kind.FIRING, number, alert, now_s, "", "", "", flapping=False)

    async def ends(self, change: Change, ended_s: float | None = None) -> Change:
        """The episode is over; what the intake tells of it."""
        now_s = self.clock.time()
        ends_s = now_s if ended_s is None else ended_s
        async with self.database.write() as connection:
            await connection.execute(
                update(episodes)
                .where(episodes.c.id == change.episode_id)
                .values(status="closed", ends_at=ends_s, closed_at=now_s)
            )
        was = change.alert
        alert = Alert(was.fingerprint, AlertStatus.RESOLVED, was.labels, {}, was.starts_at_s, ends_s)
        return Change(Kind.RESOLVED, change.episode_id, alert, now_s, "", "", "", flapping=False)

    async def runs(self) -> list[Run]:
        """Every run, oldest first."""
        async with self.database.read() as connection:
            found = await connection.execute(select(recovery_runs).order_by(recovery_runs.c.id))
            return [run_of(row) for row in found]
