"""Nobody is flooded: storms, outages, clocks that jump; on SQLite, since it is the policy that counts here."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from alertbridge.alerts import Severity
from alertbridge.deliver.limit.config import (
    ChannelLimitsSection,
    RecipientLimitsSection,
    SeverityLimitsSection,
    channel_buckets,
    recipient_buckets,
)
from alertbridge.deliver.limit.limits import Policy, Room
from alertbridge.deliver.model import Kind, NoticeState
from alertbridge.deliver.providers.base import OutcomeClass, Traits
from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from alertbridge.store.schema import episodes, notices
from tests.fakes.delivery_bench import Bench, JumpingClock

CRITICAL = Severity.CRITICAL


class DefaultLimits(Bench):
    """A bench with the limits that a bot and a recipient have by default."""

    def _buckets(
        self, *, channel: str, address: str, lane: str, severity: Severity, room: Room
    ) -> dict[str, Policy]:
        return channel_buckets(channel, address, ChannelLimitsSection()) | recipient_buckets(
            lane, severity, room, RecipientLimitsSection(), SeverityLimitsSection()
        )


@pytest.fixture
def clock() -> JumpingClock:
    """A clock that the bench drives."""
    return JumpingClock()


@pytest.fixture
async def sqlite(tmp_path: Path, clock: JumpingClock) -> AsyncIterator[Database]:
    """A SQLite store."""
    opened = await Database.open(StoreSection(path=tmp_path / "bridge.db"), clock)
    yield opened
    await opened.close()


@pytest.fixture
def bench(sqlite: Database, clock: JumpingClock) -> DefaultLimits:
    """A delivery on a bench, with the default limits."""
    return DefaultLimits(sqlite, clock)


async def pour(bench: Bench, count: int, start: int, *, critical_every: int = 0) -> None:
    """`count` alerts begin at once, each in a group of its own."""
    now_s = bench.clock.time()
    numbers = range(start, start + count)
    severities = [
        CRITICAL if critical_every and number % critical_every == 0 else Severity.WARNING
        for number in numbers
    ]
    async with bench.database.write() as connection:
        await connection.execute(
            insert(episodes),
            [
                {
                    "id": number + 1, "fingerprint": f"{number:016x}", "status": "open",
                    "name": f"Alert{number}", "severity": severity.value,
                    "labels": {"alertname": f"Alert{number}"}, "annotations": {}, "starts_at": now_s - 1,
                    "opened_at": now_s, "last_seen_at": now_s, "group_key": f"g{number}",
                }
                for number, severity in zip(numbers, severities, strict=True)
            ],
        )  # fmt: skip
        await connection.execute(
            insert(notices),
            [
                {
                    "episode_id": number + 1, "kind": Kind.FIRING.value, "state": NoticeState.PENDING.value,
                    "recipient": "noc", "severity": severity.value, "group_key": f"g{number}",
                    "created_at": now_s, "deadline_at": now_s + (45 if severity is CRITICAL else 600),
                }
                for number, severity in zip(numbers, severities, strict=True)
            ],
        )  # fmt: skip


@pytest.mark.parametrize("critical_every", [0, 10], ids=["warnings", "with critical"])
async def test_a_storm_is_told_in_ten_messages(bench: DefaultLimits, critical_every: int) -> None:
    """3,000 alerts in 5 min: the first message within 10 s names the worst, there are at most 10, none is lost."""
    began_s = bench.clock.time()
    for second in range(0, 300, 2):
        await pour(bench, 20, second * 10, critical_every=critical_every)
        await bench.run(2, stride_s=2, least_s=0.5)
    await bench.run(320, stride_s=5)
    assert bench.wa.sent[0].at_s - began_s < 10
    if critical_every:
        assert "firing Alert0" in bench.wa.texts[0]
    assert len(bench.wa.sent) <= 10
    assert bench.sms.sent == []
    states = await bench.notice_states()
    assert states.get("merged", 0) + states.get("delivered", 0) == 3000


async def test_twelve_hours_without_internet_end_in_a_summary(bench: DefaultLimits) -> None:
    """Everything is down for 12 h and 240 alerts: at most 3 messages on return, true at that moment."""
    bench.wa.default = bench.sms.default = OutcomeClass.RETRY
    for hour in range(12):
        await pour(bench, 20, hour * 20, critical_every=8)
        await bench.run(3600, stride_s=300, least_s=120)
    assert bench.wa.texts == bench.sms.texts == []
    bench.alertmanager.fingerprints = frozenset({f"{5:016x}", f"{77:016x}"})
    bench.wa.default = bench.sms.default = OutcomeClass.ACCEPTED
    await bench.run(1800, stride_s=10)
    texts = bench.wa.texts + bench.sms.texts
    assert len(texts) <= 3
    summaries = [text for text in texts if "AWAY" in text]
    assert sum(int(text.split("AWAY ")[1].split()[0]) for text in summaries) == 12 * 20
    assert sum(text.count("Alert5,") + text.count("Alert77 ") for text in summaries) == 2
    states = await bench.notice_states()
    assert sum(count for state, count in states.items() if state.startswith("merged")) == 12 * 20


async def test_what_came_and_went_meanwhile_counts(bench: DefaultLimits) -> None:
    """41 alerts while nothing could be sent, 38 of them over before they were told: the summary says 41."""
    await bench.firing("Before", group="before", recipient="boss")
    await bench.run(60, stride_s=2)
    assert bench.wa.texts == ["firing Before"]
    bench.wa.default = OutcomeClass.RETRY
    made = [await bench.firing(f"A{number}", group=f"g{number}", recipient="boss") for number in range(41)]
    await bench.run(300, stride_s=20)
    for episode in made[3:]:
        await bench.resolve(episode, recipient="boss")
    await bench.run(500, stride_s=20)
    bench.wa.default = OutcomeClass.ACCEPTED
    bench.alertmanager.fingerprints = frozenset(f"{number:016x}" for number in (2, 3))
    await bench.run(400, stride_s=5)
    assert bench.wa.texts[1:] == ["AWAY 41 alerts, 2 firing: A0, A1 unknown=False elsewhere=0"]


async def test_criticals_that_come_during_a_storm_are_in_time(bench: DefaultLimits) -> None:
    """One by one they would wait for each other's room: each is told within 45 s, by whichever way."""
    await pour(bench, 200, 1000, critical_every=50)
    await bench.run(6, stride_s=1)
    late: list[float] = []
    for number in range(12):
        began_s = bench.clock.time()
        for one in "ab":
            await bench.firing(f"X{number}{one}", severity=CRITICAL, group=f"x{number}{one}")
        await bench.run(8, stride_s=1)
        late.append(began_s)
    await bench.run(60, stride_s=1)
    sent = [*bench.wa.sent, *bench.sms.sent]
    for number, began_s in enumerate(late):
        for one in "ab":
            told = [leaving.at_s for leaving in sent if f"X{number}{one}" in leaving.text]
            assert min(told, default=began_s + 3600) - began_s <= 45, f"X{number}{one}"


async def test_ten_minutes_without_the_provider(bench: DefaultLimits) -> None:
    """Critical ones are told by the fallback within 45 s; on return the rest comes in order and without a flood."""
    bench.wa.default = OutcomeClass.RETRY
    late: list[float] = []
    first = await bench.firing("W0", group="w0")
    for minute in range(10):
        began_s = bench.clock.time()
        await bench.firing(f"C{minute}", severity=CRITICAL, group=f"c{minute}")
        if minute == 5:
            await bench.resolve(first)
        await bench.run(60, stride_s=2)
        told = [leaving for leaving in bench.sms.sent if f"firing C{minute}" in leaving.text]
        late.append(min(leaving.at_s for leaving in told) - began_s)
    assert max(late) <= 45
    before = len(bench.wa.sent)
    bench.wa.default = OutcomeClass.ACCEPTED
    await bench.run(900, stride_s=5)
    assert len(bench.wa.sent) - before <= 3
    assert not any("firing C" in text for text in bench.wa.texts)
    states = await bench.notice_states()
    assert not any(state.startswith(("pending", "composed", "dead")) for state in states)


async def test_summary_says_when_alertmanager_was_not_asked(bench: DefaultLimits) -> None:
    """Without an answer the bridge tells what it heard last, and says so."""
    bench.wa.default = bench.sms.default = OutcomeClass.RETRY
    for number in range(6):
        episode = await bench.firing(f"A{number}", group=f"g{number}", recipient="boss")
    await bench.run(800, stride_s=20)
    bench.wa.default = bench.sms.default = OutcomeClass.ACCEPTED
    async with bench.database.write() as connection:
        await connection.execute(
            episodes.update().where(episodes.c.id == episode).values(status="closed", ends_at=1.0)
        )
    await bench.run(120, stride_s=2)
    assert bench.wa.texts == ["AWAY 6 alerts, 5 firing: A0, A1, A2, A3, A4 unknown=True elsewhere=0"]


@pytest.mark.parametrize("jump_s", [-3600.0, 86_400.0])
async def test_a_clock_that_jumps_stalls_nothing_and_floods_nobody(
    bench: DefaultLimits, clock: JumpingClock, jump_s: float
) -> None:
    """Retries, deadlines and proof keep their time while the wall clock jumps an hour back or a day forward."""
    bench.wa.will(OutcomeClass.RETRY)
    await bench.firing("Before", recipient="boss")
    await bench.firing("Crit", severity=CRITICAL)
    await bench.run(3)
    clock.jump(jump_s)
    bench.acking = False
    mono_s = clock.monotonic()
    await bench.firing("After", severity=CRITICAL, group="after")
    while not any("After" in text for text in bench.sms.texts):
        await bench.run(1)
        assert clock.monotonic() - mono_s <= 46
    bench.acking = True
    await bench.run(120)
    whole = "\n".join(bench.wa.texts)
    assert [whole.count(f"firing {name}") for name in ("Before", "Crit", "After")] == [1, 1, 1]
    assert len(bench.sms.sent) <= 2


async def test_retries_become_rare_and_return_is_prompt(sqlite: Database, clock: JumpingClock) -> None:
    """An hour of failures costs about one attempt a minute, and the return is noticed within a minute."""
    bench = Bench(sqlite, clock, wa=Traits(text_limit=4096, acks_on_accept=True))
    bench.wa.default = OutcomeClass.RETRY
    await bench.firing("Warn", recipient="boss")
    await bench.run(3600, stride_s=20)
    assert 30 < len(bench.wa.sent) < 130
    bench.wa.default = OutcomeClass.ACCEPTED
    await bench.run(70)
    assert len(bench.wa.texts) == 1
