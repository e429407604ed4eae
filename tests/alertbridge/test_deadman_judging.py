"""The dead man's switch: silence is told once, the return is told once, whatever clocks and restarts do."""

import asyncio
from collections.abc import AsyncIterator, Set
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from alertbridge.accept.config import AcceptSection
from alertbridge.accept.intake import Intake
from alertbridge.accept.ports import Change
from alertbridge.alerts import Alert
from alertbridge.deadman import STALLED_S, DeadMan, DeadManSection
from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from alertbridge.store.schema import notices
from tests.fakes.accepting import FixedRoutes, Tally, firing, group, resolved
from tests.fakes.delivery_bench import JumpingClock
from tests.fakes.report_bench import BOOK, JAKARTA, Counted, StoringSender, told

NOON_S = datetime(2026, 11, 23, 12, tzinfo=JAKARTA).timestamp()
LOST = "\N{POLICE CARS REVOLVING LIGHT} *Pemantauan mati*"
BACK = "\N{WHITE HEAVY CHECK MARK} *Pemantauan hidup lagi*"


@pytest.fixture
def clock() -> JumpingClock:
    """Noon in Jakarta."""
    return JumpingClock(time_s=NOON_S)


class Bench:
    """One bridge, which can be restarted, and a watchdog that arrives once a minute while it lives."""

    def __init__(
        self, database: Database, clock: JumpingClock, *, recipients: tuple[str, ...] = ("noc",)
    ) -> None:
        self.database = database
        self.clock = clock
        self.sender = StoringSender(clock)
        self.counted = Counted()
        self.section = DeadManSection(recipients=recipients)
        self.alive = True
        self.deadman = self.started()

    def started(self, boot: str = "this boot") -> DeadMan:
        """A bridge that has just started."""
        return DeadMan(
            self.section,
            database=self.database,
            clock=self.clock,
            sending=self.sender,
            book=BOOK,
            counts=self.counted,
            zone=JAKARTA,
            boot=boot,
        )

    async def restart(self, *, after_s: float = 1.0, boot: str = "this boot") -> None:
        """The bridge ends; nothing arrives until it is there again."""
        await self.deadman.stop()
        self.clock.advance(after_s)
        self.deadman = self.started(boot)

    async def minutes(self, count: float, every_s: int = 15) -> None:
        """Time passes, looked at every few seconds."""
        for second in range(0, int(count * 60), every_s):
            if self.alive and second % 60 == 0:
                self.deadman.arrived(self.clock.time())
            await self.deadman.look()
            self.clock.advance(every_s)

    async def said(self) -> list[str]:
        """The first line and, behind it, the second of what was told."""
        return [text for _, text in await told(self.database)]


@pytest.fixture
async def bench(database: Database, clock: JumpingClock) -> AsyncIterator[Bench]:
    """A bridge to which the watchdog comes."""
    made = Bench(database, clock)
    await made.minutes(3)
    yield made
    await made.deadman.stop()


async def test_while_it_comes_nothing_is_said(bench: Bench) -> None:
    """An hour of watchdogs, and the metric stays up."""
    await bench.minutes(30)
    assert await bench.said() == []
    assert bench.counted.up[-1]
    assert bench.deadman.fresh
    assert bench.deadman.leads


async def test_silence_is_said_once_and_the_return_once(bench: Bench) -> None:
    """After five minutes without it; with the time of the last arrival, and how long it was away."""
    bench.alive = False
    await bench.minutes(4)
    assert await bench.said() == []
    await bench.minutes(20)
    (lost,) = await bench.said()
    assert lost.startswith(f"{LOST}\nAlert Watchdog terakhir tiba 12:02 WIB. Prometheus atau Alertmanager")
    assert not bench.counted.up[-1]
    assert not bench.deadman.fresh
    bench.alive = True
    await bench.minutes(10)
    _, back = await bench.said()
    assert back.startswith(f"{BACK}\nAlert Watchdog tiba lagi 12:27 WIB setelah 25 menit.")
    assert bench.counted.up[-1]


async def test_it_is_told_as_a_critical_matter_with_a_fallback(
    database: Database, clock: JumpingClock
) -> None:
    """Every recipient in its language; not proven after the section's time, another way is taken."""
    bench = Bench(database, clock, recipients=("noc", "boss", "gone"))
    bench.alive = False
    await bench.minutes(6)
    async with database.read() as connection:
        rows = (await connection.execute(select(notices).order_by(notices.c.id))).all()
    assert [(row.recipient, row.kind, row.severity, row.deadline_at - row.created_at) for row in rows] == [
        ("noc", "system", "critical", 45.0),
        ("boss", "system", "critical", 45.0),
    ]
    assert (
        rows[1]
        .body["text"]
        .startswith("\N{POLICE CARS REVOLVING LIGHT} *The monitoring is down*\nThe Watchdog")
    )
    assert "has never arrived" in rows[1].body["text"]
    assert bench.sender.woken == ["noc", "boss"]
    await bench.deadman.stop()


async def test_a_restart_gives_it_its_whole_time_again(bench: Bench) -> None:
    """A bridge that was away for an hour accuses nobody; it says so five minutes later when nothing comes."""
    bench.alive = False
    await bench.restart(after_s=3600)
    await bench.minutes(4.75)
    assert await bench.said() == []
    assert not bench.deadman.fresh, "the time of grace is no proof for the heartbeat"
    await bench.minutes(1)
    assert len(await bench.said()) == 1


async def test_a_restart_while_it_is_down_says_nothing_twice(bench: Bench) -> None:
    """Neither that it is down again, nor that it is back before it came."""
    bench.alive = False
    await bench.minutes(6)
    for _ in range(3):
        await bench.restart()
        await bench.minutes(7)
    assert len(await bench.said()) == 1
    assert not bench.counted.up[-1]
    bench.alive = True
    await bench.minutes(1)
    assert [text.split("\n")[0] for text in await bench.said()] == [LOST, BACK]


@pytest.mark.parametrize("jump_s", [-7 * 86_400.0, -400.0, 400.0, 7 * 86_400.0])
async def test_jumps_of_the_wall_clock_raise_no_alarm_and_hold_none_back(bench: Bench, jump_s: float) -> None:
    """What counts is the monotonic clock; also for how long it was away."""
    bench.clock.jump(jump_s)
    await bench.minutes(6)
    assert await bench.said() == []
    bench.alive = False
    await bench.minutes(3)
    bench.clock.jump(-jump_s)
    await bench.minutes(3)
    assert len(await bench.said()) == 1
    bench.clock.jump(jump_s)
    bench.alive = True
    await bench.minutes(1)
    assert " setelah 7 menit." in (await bench.said())[1]


async def test_after_a_boot_the_wall_clock_tells_how_long_unless_it_contradicts_itself(bench: Bench) -> None:
    """The monotonic clock of another boot means nothing; a time away below nothing is not told."""
    bench.alive = False
    await bench.minutes(6)
    await bench.restart(boot="another boot", after_s=600)
    bench.alive = True
    await bench.minutes(1)
    assert " setelah 17 menit." in (await bench.said())[1]
    bench.alive = False
    await bench.minutes(6)
    await bench.restart(boot="a third boot")
    bench.clock.jump(-86_400)
    bench.alive = True
    await bench.minutes(1)
    assert "tiba lagi 12:26 WIB. Gangguan" in (await bench.said())[3]


async def test_a_process_that_stood_still_accuses_nobody(bench: Bench) -> None:
    """Frozen for ten minutes, its first look comes before what waits in the socket is read."""
    bench.clock.advance(600)
    await bench.deadman.look()
    await bench.minutes(1)
    assert await bench.said() == []
    assert STALLED_S < 600


async def test_an_arrival_at_any_replica_counts(
    postgresql_section: StoreSection, clock: JumpingClock
) -> None:
    """The one that leads never hears it itself; the other one writes it down."""
    first, second = (
        await Database.open(postgresql_section, clock),
        await Database.open(postgresql_section, clock),
    )
    leader, other = Bench(first, clock), Bench(second, clock)
    leader.alive = False
    for half_minute in range(30):
        await leader.minutes(0.25)
        await other.minutes(0.25)
        other.alive = half_minute < 10
    assert (leader.deadman.leads, other.deadman.leads) == (True, False)
    assert [text.split("\n")[0] for text in await other.said()] == [LOST]
    assert not other.counted.up[-1], "the one that does not lead knows it, too"
    await leader.deadman.stop()
    other.alive = True
    await other.minutes(1)
    assert [text.split("\n")[0] for text in await other.said()] == [LOST, BACK]
    for one in (other, leader):
        await one.deadman.stop()
        await one.database.close()


async def test_a_crash_while_telling_tells_it_later(bench: Bench) -> None:
    """The transaction holds both what was told and that it was."""
    bench.alive = False
    bench.sender.fails = True
    with pytest.raises(ConnectionAbortedError):
        await bench.minutes(6)
    assert await bench.said() == []
    bench.sender.fails = False
    await bench.minutes(1)
    assert len(await bench.said()) == 1


async def test_arrivals_are_written_once_in_a_look(bench: Bench) -> None:
    """A storm of watchdogs costs one write."""
    before = bench.deadman._beats
    assert before is not None
    for _ in range(1_000):
        bench.deadman.arrived(bench.clock.time())
    await bench.deadman.look()
    assert bench.deadman._beats == before + 1


class Wired:
    """What the bridge does: an intake listener that hands watchdogs on."""

    def __init__(self, deadman: DeadMan) -> None:
        self.deadman = deadman

    def notices_made(self, recipients: Set[str]) -> None:
        """Nobody is woken here."""

    def episode_changed(self, change: Change) -> None:
        """Not about the watchdog."""

    def watchdog_arrived(self, alert: Alert, at_s: float) -> None:
        self.deadman.arrived(at_s)


async def test_it_hears_of_watchdogs_from_the_intake(database: Database, clock: JumpingClock) -> None:
    """A listener of the intake hands the arrival on; the watchdog's end proves nothing."""
    bench = Bench(database, clock)
    intake = Intake(database, FixedRoutes(), AcceptSection(), Tally(), clock, (Wired(bench.deadman),))
    await intake.take(group(resolved("w", NOON_S - 60, NOON_S, alertname="Watchdog")))
    await bench.deadman.look()
    assert not bench.deadman.fresh
    await intake.take(group(firing("w", NOON_S - 60, alertname="Watchdog")))
    await bench.deadman.look()
    assert bench.deadman.fresh
    await intake.close()
    await bench.deadman.stop()


async def test_started_it_looks_by_itself(bench: Bench) -> None:
    """Start and stop; the lead is given away."""
    bench.counted.up.clear()
    await bench.deadman.start()
    async with asyncio.timeout(60):
        while not bench.counted.up:  # noqa: ASYNC110  it tells nobody
            await asyncio.sleep(0.01)
    assert bench.deadman.leads
    await bench.deadman.stop()
    assert not bench.deadman.leads


@pytest.mark.timeout(600)
@given(
    moves=st.lists(
        st.tuples(
            st.sampled_from(["arrive", "silence", "restart", "boot", "jump", "freeze"]), st.integers(1, 8)
        ),
        max_size=8,
    )
)
@settings(max_examples=15)
async def test_down_and_back_take_turns(
    moves: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever happens: first down, then back, then down. Down is never said within five minutes of an arrival or
    of a start; while a bridge runs on, silence of longer is always said."""
    clock = JumpingClock(time_s=NOON_S)
    database = await Database.open(StoreSection(path=tmp_path_factory.mktemp("deadman") / "a.db"), clock)
    bench = Bench(database, clock)
    quiet_since_s, count = clock.monotonic(), 0
    for event, number in moves:
        bench.alive = event == "arrive"
        match event:
            case "restart" | "boot":
                await bench.restart(
                    boot=f"boot {number}" if event == "boot" else "this boot", after_s=number * 60
                )
                quiet_since_s = clock.monotonic()
            case "jump":
                clock.jump((number - 6) * 3600)
            case "freeze":
                clock.advance(number * 60)
                if number * 60 > STALLED_S:
                    quiet_since_s = clock.monotonic()
        for _ in range(number):
            if bench.alive:
                quiet_since_s = clock.monotonic()
            await bench.minutes(1, every_s=20)
            said = [text.split("\n")[0] for text in await bench.said()]
            assert said == ([LOST, BACK] * len(said))[: len(said)]
            silent_s = clock.monotonic() - quiet_since_s
            if len(said) > count and said[-1] == LOST:
                assert silent_s >= 300
            count = len(said)
            if silent_s > 325:
                assert said
                assert said[-1] == LOST
    await bench.deadman.stop()
    await database.close()
