"""A delivery on a bench: a real store and real limits, scripted providers, and a clock that is driven."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from alertbridge.alerts import Severity
from alertbridge.deliver.deliveryconfig import SendingSection
from alertbridge.deliver.limit.limits import Policy, Room
from alertbridge.deliver.limit.store import LimitStore
from alertbridge.deliver.model import Kind, MessageState, Notice, NoticeState
from alertbridge.deliver.outbox import messages as message_rows
from alertbridge.deliver.outbox.rows import Message
from alertbridge.deliver.ports import NoCounters
from alertbridge.deliver.providers.base import Outcome, Receipt, StatusEvent, Traits
from alertbridge.deliver.render.rendering import AwaySummary
from alertbridge.deliver.route.addressbook import AddressBook, Recipient, Way
from alertbridge.deliver.worker import Delivery
from alertbridge.store.database import Database
from alertbridge.store.schema import episodes, lanes, messages, notices
from tests.fakes.clock import FakeClock
from tests.fakes.scripted_provider import ScriptedProvider

OPEN_LIMITS = {"channel": Policy(spacing_s=3.0)}


class JumpingClock(FakeClock):
    """A clock whose wall time can be set without any time passing."""

    def jump(self, seconds: float) -> None:
        self._time_s += seconds


class PlainTexts:
    """Texts that tests can read: one line for each notice."""

    def line(self, notice: Notice) -> str:
        if notice.subject is None:
            return notice.body.text if notice.body else "-"
        return f"{notice.kind.value} {notice.subject.name}"

    def alert(self, notice: Notice, **_: object) -> str:
        return self.line(notice)

    def group(self, notices: Sequence[Notice], **_: object) -> str:
        return "\n".join(["GROUP", *map(self.line, notices)])

    def digest(self, notices: Sequence[Notice], **_: object) -> str:
        worst = sorted(notices, key=lambda notice: (notice.severity.rank, notice.id))
        shown = [self.line(notice) for notice in worst[:10]]
        return "\n".join([f"DIGEST of {len(notices)}", *shown])

    def away(self, summary: AwaySummary, **_: object) -> str:
        firing = ", ".join(subject.name for subject in summary.still_firing[:5])
        return (
            f"AWAY {summary.total} alerts, {len(summary.still_firing)} firing: {firing}"
            f" unknown={summary.unknown} elsewhere={summary.told_elsewhere}"
        )

    def title(self, notice: Notice, language: str) -> str:
        return self.line(notice)


@dataclass
class SetChannels:
    """Channels whose state the test sets: a reason in `off` or `hold` and it is so."""

    off: dict[str, str] = field(default_factory=dict)
    hold: dict[str, str] = field(default_factory=dict)
    outcomes: list[tuple[str, Outcome]] = field(default_factory=list)
    acks: list[str] = field(default_factory=list)

    def allows(self, channel: str, room: Room) -> tuple[bool, str]:
        why = self.off.get(channel) or self.hold.get(channel)
        return (False, why) if why else (True, "")

    def hold_over(self, channel: str, room: Room) -> bool:
        return channel in self.off

    def begun(self, channel: str) -> None:
        """Nothing depends on it."""

    def record(self, channel: str, outcome: Outcome) -> None:
        self.outcomes.append((channel, outcome))

    def record_ack(self, channel: str, at_s: float | None = None) -> None:
        self.acks.append(channel)


@dataclass
class SetAlertmanager:
    """Says that `fingerprints` fire; None: does not answer."""

    fingerprints: frozenset[str] | None = None

    async def firing(self) -> frozenset[str] | None:
        return self.fingerprints


@dataclass
class Counted(NoCounters):
    """Counts what the tests ask for."""

    dead_notices: int = 0
    fallen_back: int = 0
    acked: int = 0
    faults: list[str] = field(default_factory=list)

    def dead(self, reason: str, count: int) -> None:
        self.dead_notices += count

    def fell_back(self, channel: str) -> None:
        self.fallen_back += 1

    def acknowledged(self, channel: str) -> None:
        self.acked += 1

    def task_fault(self, task: str) -> None:
        self.faults.append(task)


class Bench:
    """`wa` is the channel of `noc`, `sms` its fallback; `boss` has no fallback."""

    def __init__(
        self,
        database: Database,
        clock: JumpingClock,
        *,
        section: SendingSection | None = None,
        wa: Traits | None = None,
        owner: str = "one",
        policies: Mapping[str, Policy] | None = None,
    ) -> None:
        self.database = database
        self.clock = clock
        self.section = section or SendingSection()
        self.wa = ScriptedProvider(clock, wa or Traits(text_limit=4096, tells_acks=True))
        self.sms = ScriptedProvider(clock, Traits(text_limit=1600, formats_whatsapp=False))
        self.channels = SetChannels()
        self.alertmanager = SetAlertmanager()
        self.counted = Counted()
        self.texts = PlainTexts()
        self.policies = OPEN_LIMITS if policies is None else policies
        self.book = AddressBook(
            [
                Recipient("noc", "wa", "62812000000001", "en", (Way("sms", "62812000000002"),)),
                Recipient("boss", "wa", "62812000000003", "id"),
            ]
        )
        self.delivery = self.new_delivery(owner)
        self.acking = True
        self._acks: list[StatusEvent] = []
        self.wa.on_accepted = lambda provider_id, _: self._acks.append(
            StatusEvent(event_id=provider_id, provider_id=provider_id, receipt=Receipt.ACKED)
        )
        self._fingerprints = 0

    def new_delivery(self, owner: str = "two") -> Delivery:
        """Another process on the same store, with the same providers."""
        return Delivery(
            database=self.database,
            clock=self.clock,
            book=self.book,
            providers={"wa": self.wa, "sms": self.sms},
            channels=self.channels,
            limits=LimitStore(self.database, self.clock, boot="bench"),
            buckets=self._buckets,
            texts=self.texts,
            active=self.alertmanager,
            section=self.section,
            counters=self.counted,
            owner=owner,
            dice=lambda: 0.5,
        )

    def _buckets(
        self, *, channel: str, address: str, lane: str, severity: Severity, room: Room
    ) -> Mapping[str, Policy]:
        return {f"{name}:{channel}": policy for name, policy in self.policies.items()}

    # -- alerts

    async def firing(
        self,
        name: str,
        *,
        severity: Severity = Severity.WARNING,
        recipient: str = "noc",
        group: str = "",
        deadline_s: float | None = None,
        not_before_in_s: float | None = None,
    ) -> int:
        """An alert begins and `recipient` is to be told; the episode's id."""
        self._fingerprints += 1
        now_s = self.clock.time()
        async with self.database.write() as connection:
            made = await connection.execute(
                episodes.insert()
                .values(
                    fingerprint=f"{self._fingerprints:016x}",
                    status="open",
                    name=name,
                    severity=severity.value,
                    labels={"alertname": name, "severity": severity.value},
                    annotations={},
                    starts_at=now_s - 5,
                    opened_at=now_s,
                    last_seen_at=now_s,
                    group_key=group,
                )
                .returning(episodes.c.id)
            )
            episode = int(made.scalar_one())
        await self.notice(
            Kind.FIRING,
            episode,
            severity=severity,
            recipient=recipient,
            group=group,
            deadline_s=deadline_s,
            not_before_in_s=not_before_in_s,
        )
        return episode

    async def resolve(self, episode: int, *, recipient: str = "noc", notify: bool = True) -> None:
        """The alert ends."""
        now_s = self.clock.time()
        async with self.database.write() as connection:
            await connection.execute(
                episodes.update()
                .where(episodes.c.id == episode)
                .values(status="closed", closed_at=now_s, ends_at=now_s)
            )
            row = (await connection.execute(select(episodes).where(episodes.c.id == episode))).one()
        if notify:
            await self.notice(
                Kind.RESOLVED,
                episode,
                severity=Severity(row.severity),
                recipient=recipient,
                group=row.group_key,
            )

    async def notice(
        self,
        kind: Kind,
        episode: int,
        *,
        severity: Severity,
        recipient: str = "noc",
        group: str = "",
        deadline_s: float | None = None,
        not_before_in_s: float | None = None,
    ) -> None:
        """One more notice of an episode."""
        now_s = self.clock.time()
        wait_s = deadline_s or (45.0 if severity is Severity.CRITICAL else 600.0)
        async with self.database.write() as connection:
            await connection.execute(
                notices.insert().values(
                    episode_id=episode,
                    kind=kind.value,
                    state=NoticeState.PENDING.value,
                    recipient=recipient,
                    severity=severity.value,
                    group_key=group,
                    created_at=now_s,
                    deadline_at=now_s + wait_s,
                    not_before_at=None if not_before_in_s is None else now_s + not_before_in_s,
                )
            )

    # -- time

    async def run(
        self,
        seconds: float,
        *,
        stride_s: float = 1.0,
        least_s: float = 0.001,
        delivery: Delivery | None = None,
    ) -> None:
        """Lets `seconds` pass, working off what is due; time moves by `least_s` at least and `stride_s` at most."""
        worker = delivery or self.delivery
        until_s = self.clock.monotonic() + seconds
        while True:
            rests_s = [await self._work_off(worker)]
            await worker.look()
            rests_s.append(await self._work_off(worker))
            left_s = until_s - self.clock.monotonic()
            if left_s <= 0:
                return
            self.clock.advance(max(least_s, min(left_s, stride_s, *rests_s)))

    async def _work_off(self, worker: Delivery) -> float:
        rest_s = 1e9
        for _ in range(200):
            await self._acknowledge(worker)
            busy = False
            rest_s = 1e9
            for lane in sorted(await worker.lanes()):
                rest = await worker.turn(lane)
                await self._acknowledge(worker)
                if rest == 0.0:
                    busy = True
                elif rest is not None:
                    rest_s = min(rest_s, rest)
            if not busy:
                return rest_s
        raise AssertionError("the lanes do not come to rest")

    async def _acknowledge(self, worker: Delivery) -> None:
        if not self.acking:
            return
        acks, self._acks = self._acks, []
        for event in acks:
            await worker.apply_receipt("wa", event)

    # -- what is there

    async def all_messages(self) -> list[Message]:
        """Every message, oldest first."""
        async with self.database.read() as connection:
            return await message_rows.in_states(connection, list(MessageState))

    async def notice_states(self) -> dict[str, int]:
        """How many notices there are of each `state` or `state:reason`."""
        async with self.database.read() as connection:
            rows = await connection.execute(select(notices.c.state, notices.c.reason))
            found: dict[str, int] = {}
            for state, reason in rows:
                key = f"{state}:{reason}" if reason else state
                found[key] = found.get(key, 0) + 1
            return found

    async def expire_leases(self) -> None:
        """What dead workers held is free: PostgreSQL measures leases by its own clock, which no test moves."""
        async with self.database.write() as connection:
            await connection.execute(lanes.update().values(owner="", lease_until=0.0))

    async def bundles_of(self, state: MessageState) -> int:
        """How many messages are in a state."""
        async with self.database.read() as connection:
            rows = await connection.execute(select(messages.c.id).where(messages.c.state == state.value))
            return len(rows.all())
