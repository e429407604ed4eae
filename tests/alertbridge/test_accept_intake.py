"""What the intake takes is in the store when it says so: each episode once, its notices with it."""

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import pytest
import structlog
from sqlalchemy import Table, select

from alertbridge.accept.config import AcceptSection
from alertbridge.accept.episodes import History, after, judge
from alertbridge.accept.intake import PIECE_ALERTS, Intake, Overloaded
from alertbridge.accept.payload import Fault, Rejected, read_notification
from alertbridge.accept.recording import KINDS
from alertbridge.alerts import Alert
from alertbridge.deliver.model import Kind
from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreUnavailable
from alertbridge.store.schema import episodes, flaps, notices, rejects
from tests.fakes.accepting import (
    Ear,
    FixedRoutes,
    Tally,
    alert_values,
    body_of,
    firing,
    group,
    resolved,
)
from tests.fakes.clock import FakeClock

ON_POSTGRESQL = pytest.mark.system("pg_ctlcluster")
START_S = 1_700_000_000.0
Row = dict[str, Any]


class Bridge:
    """An intake with what stands around it."""

    def __init__(self, database: Database, clock: FakeClock, section: AcceptSection | None = None) -> None:
        self.database = database
        self.clock = clock
        self.routes = FixedRoutes("noc")
        self.tally = Tally()
        self.ear = Ear()
        self.intake = Intake(database, self.routes, section or AcceptSection(), self.tally, clock, [self.ear])

    async def rows(self, table: Table = episodes) -> list[Row]:
        ordered = select(table).order_by(*table.primary_key)
        async with self.database.read() as connection:
            return [dict(row) for row in (await connection.execute(ordered)).mappings()]

    async def told(self) -> list[tuple[object, ...]]:
        """Every notice: kind, state, reason, recipient."""
        found = sorted(await self.rows(notices), key=lambda row: row["id"])
        return [(row["kind"], row["state"], row["reason"], row["recipient"]) for row in found]


@pytest.fixture
async def bridge(database: Database, clock: FakeClock) -> AsyncIterator[Bridge]:
    bridge = Bridge(database, clock)
    yield bridge
    await bridge.intake.close()


async def test_a_firing_opens_one_episode_with_its_notice(bridge: Bridge) -> None:
    """When take returns, episode and notice are rows, the recipient is woken, and the deadline is 45 s away."""
    taken = await bridge.intake.take(group(firing("f1", START_S - 3)))
    assert (taken.received, taken.opened, taken.closed) == (1, 1, 0)
    (episode,) = await bridge.rows()
    assert (episode["fingerprint"], episode["status"], episode["name"]) == ("f1", "open", "Down")
    assert (episode["starts_at"], episode["opened_at"]) == (START_S - 3, START_S)
    assert episode["labels"] == {"alertname": "Down", "severity": "critical", "instance": "f1"}
    assert (episode["receiver"], episode["external_url"]) == ("bridge", "http://am-1:9093")
    (notice,) = await bridge.rows(notices)
    assert (notice["episode_id"], notice["kind"], notice["state"]) == (episode["id"], "firing", "pending")
    assert (notice["recipient"], notice["language"], notice["severity"]) == ("noc", "en", "critical")
    assert notice["deadline_at"] == START_S + 45
    assert bridge.ear.woken == [{"noc"}]
    assert [(change.kind, change.episode_id) for change in bridge.ear.changes] == [
        (Kind.FIRING, episode["id"])
    ]
    assert bridge.tally.latencies_s == [3.0]
    assert bridge.tally.received == {"firing": 1}
    assert bridge.tally.made == {"firing": 1}


async def test_a_resolved_closes_whatever_is_open(bridge: Bridge) -> None:
    """Its startsAt need not be the one that was told: Alertmanager changes it in between."""
    await bridge.intake.take(group(firing("f1", START_S - 3)))
    bridge.clock.advance(300)
    taken = await bridge.intake.take(group(resolved("f1", START_S + 100, START_S + 290)))
    assert taken.closed == 1
    (episode,) = await bridge.rows()
    assert (episode["status"], episode["ends_at"], episode["closed_at"]) == (
        "closed",
        START_S + 290,
        START_S + 300,
    )
    assert episode["annotations"] == {"summary": "it was down"}
    assert await bridge.told() == [
        ("firing", "pending", "", "noc"),
        ("resolved", "pending", "", "noc"),
    ]
    assert [row["group_key"] for row in await bridge.rows(notices)] == ['{}:{alertname="Down"}'] * 2


async def test_copies_of_a_pair_become_one_entry(bridge: Bridge) -> None:
    """The second Alertmanager's copy, later or at once, in another order, makes nothing new."""
    first = [firing("f1", START_S), firing("f2", START_S)]
    second = [firing("f2", START_S + 0.004), firing("f1", START_S - 0.002)]
    await asyncio.gather(
        bridge.intake.take(group(*first)),
        bridge.intake.take(group(*second, external_url="http://am-2:9093")),
    )
    bridge.clock.advance(10)
    taken = await bridge.intake.take(group(*second, external_url="http://am-2:9093"))
    assert (taken.opened, taken.copies) == (0, 2)
    assert len(await bridge.rows()) == 2
    assert len(await bridge.told()) == 2
    assert bridge.tally.deduplicated == {"copy": 4}


async def test_open_closed_and_open_again_within_one_transaction(bridge: Bridge) -> None:
    """What waits together is judged in order: two episodes, the first one over, told as they were."""
    takes = [
        bridge.intake.take(group(firing("f1", START_S - 90))),
        bridge.intake.take(group(resolved("f1", START_S - 90, START_S - 60))),
        bridge.intake.take(group(firing("f1", START_S - 30))),
    ]
    await asyncio.gather(*takes)
    found = sorted(await bridge.rows(), key=lambda row: row["id"])
    assert [(row["status"], row["starts_at"]) for row in found] == [
        ("closed", START_S - 90),
        ("open", START_S - 30),
    ]
    assert [(kind, recipient) for kind, _, _, recipient in await bridge.told()] == [
        ("firing", "noc"),
        ("resolved", "noc"),
        ("firing", "noc"),
    ]
    assert [change.alert.status.value for change in bridge.ear.changes] == ["firing", "resolved", "firing"]


async def test_an_end_and_a_new_beginning_within_one_transaction(bridge: Bridge) -> None:
    """The store never sees two open episodes of one fingerprint, in whatever order rows are written."""
    await bridge.intake.take(group(firing("f1", START_S - 90)))
    takes = [
        bridge.intake.take(group(firing("other", START_S))),
        bridge.intake.take(group(resolved("f1", START_S - 90, START_S - 60))),
        bridge.intake.take(group(firing("f1", START_S - 30))),
    ]
    with structlog.testing.capture_logs() as logs:
        await asyncio.gather(*takes)
    assert logs == [], "at the first try"
    assert [row["status"] for row in await bridge.rows() if row["fingerprint"] == "f1"] == ["closed", "open"]


async def test_the_end_goes_to_those_who_heard_of_the_beginning(bridge: Bridge) -> None:
    """A rota that moved on in between changes nothing; who left the configuration cannot be told any more."""
    bridge.routes.recipients = ["anton", "berta"]
    await bridge.intake.take(group(firing("f1", START_S)))
    bridge.routes.recipients = ["cesar"]
    bridge.routes.gone = {"anton"}
    bridge.clock.advance(600)
    await bridge.intake.take(group(resolved("f1", START_S, START_S + 590)))
    assert [row for row in await bridge.told() if row[0] == "resolved"] == [
        ("resolved", "pending", "", "berta")
    ]


async def test_what_nobody_wants_is_a_notice_that_says_so(bridge: Bridge) -> None:
    """The account closes: beginning and end each have a row with the reason."""
    bridge.routes.recipients = []
    await bridge.intake.take(group(firing("f1", START_S)))
    bridge.clock.advance(600)
    await bridge.intake.take(group(resolved("f1", START_S, START_S + 590)))
    assert await bridge.told() == [
        ("firing", "suppressed", "muted", ""),
        ("resolved", "suppressed", "untold", ""),
    ]
    assert bridge.tally.suppressed == {"muted": 1, "untold": 1}
    assert all(row["settled_at"] is not None for row in await bridge.rows(notices))
    assert bridge.ear.woken == []


async def test_quiet_hours_move_the_deadline(bridge: Bridge) -> None:
    """A notice that must wait has its deadline counted from the end of the wait."""
    bridge.routes.not_before_s = START_S + 3600
    await bridge.intake.take(group(firing("f1", START_S, severity="warning")))
    (notice,) = await bridge.rows(notices)
    assert (notice["not_before_at"], notice["deadline_at"]) == (START_S + 3600, START_S + 3600 + 600)


async def test_repeats_are_told_and_counted(bridge: Bridge) -> None:
    """After the repeat interval people hear of it again; the pair's second copy of the repeat is a copy."""
    await bridge.intake.take(group(firing("f1", START_S)))
    bridge.clock.advance(1800)
    repeat = group(firing("f1", START_S), reason="repeat interval elapsed")
    assert (await bridge.intake.take(repeat)).repeats == 1
    bridge.clock.advance(15)
    assert (await bridge.intake.take(repeat)).copies == 1
    (episode,) = await bridge.rows()
    assert (episode["repeats"], episode["last_noticed_at"]) == (1, START_S + 1800)
    assert [row[0] for row in await bridge.told()] == ["firing", "repeat"]
    assert bridge.tally.deduplicated == {"repeat": 1, "copy": 1}


async def test_copies_cost_no_writing_but_once_a_minute(bridge: Bridge) -> None:
    """`last_seen_at` follows what Alertmanager tells, to the minute."""
    await bridge.intake.take(group(firing("f1", START_S)))
    seen = []
    for _ in range(3):
        bridge.clock.advance(40)
        await bridge.intake.take(group(firing("f1", START_S)))
        seen += [row["last_seen_at"] for row in await bridge.rows()]
    assert seen == [START_S, START_S + 80, START_S + 80]


async def test_the_store_changes_no_verdict(database: Database, clock: FakeClock) -> None:
    """A random course of words, in transactions of random size: what is told is what the rules alone say."""
    section = AcceptSection.model_validate({"flapping": {"changes": 100}, "repeat_after_s": 300})
    bridge, chance = Bridge(database, clock, section), random.Random(7)  # noqa: S311  a course, not a secret
    histories: dict[str, History] = {}
    expected: list[tuple[str, Kind]] = []
    for _ in range(60):
        clock.advance(chance.choice([0.5, 10, 50, 100, 400]))
        now_s, takes = clock.time(), []
        for _ in range(chance.randint(1, 6)):
            name, begins_s = f"f{chance.randrange(4)}", now_s - chance.choice([0, 5, 30, 200, 900])
            ends_s = begins_s + chance.random() * (now_s - begins_s)
            alert = firing(name, begins_s) if chance.random() < 0.6 else resolved(name, begins_s, ends_s)
            takes.append(bridge.intake.take(group(alert)))
            known = histories.get(name, History())
            verdict = judge(alert, known, reason="", now_s=now_s, rules=section.rules)
            histories[name] = after(known, alert, verdict, now_s)
            if verdict in KINDS:
                expected.append((name, KINDS[verdict]))
        await asyncio.gather(*takes)
    assert [(change.alert.fingerprint, change.kind) for change in bridge.ear.changes] == expected
    assert len(expected) > 60
    stored = {(row["fingerprint"], row["status"]) for row in await bridge.rows()}
    assert {name for name, status in stored if status == "open"} == {
        name for name, known in histories.items() if known.open is not None
    }


async def test_flapping_is_told_once_until_it_is_calm(bridge: Bridge) -> None:
    """Four changes are told, the fifth as flapping, the rest are merged into it; then one notice says how it is."""
    for turn in range(4):
        at_s = bridge.clock.time()
        await bridge.intake.take(group(firing("f1", at_s)))
        bridge.clock.advance(30)
        await bridge.intake.take(group(resolved("f1", at_s, at_s + 20)))
        bridge.clock.advance(30)
        assert len(await bridge.rows()) == turn + 1
    kinds = [(kind, state) for kind, state, _, _ in await bridge.told()]
    assert kinds == [
        ("firing", "pending"),
        ("resolved", "pending"),
        ("firing", "pending"),
        ("resolved", "pending"),
        ("flapping", "pending"),
        ("resolved", "merged"),
        ("firing", "merged"),
        ("resolved", "merged"),
    ]
    assert await bridge.intake.calm() == 0
    bridge.clock.advance(600)
    assert await bridge.intake.calm() == 1
    assert await bridge.intake.calm() == 0
    assert (await bridge.told())[-1] == ("calm", "pending", "", "noc")
    assert await bridge.rows(flaps) == []
    assert [row["flapping"] for row in await bridge.rows() if row["id"] == 4] == [False]
    await bridge.intake.take(group(firing("f1", bridge.clock.time())))
    assert (await bridge.told())[-1][:2] == ("firing", "pending")


async def test_calm_and_still_firing_is_no_end(bridge: Bridge) -> None:
    """Routes are asked as for something that goes on; who heard of the flapping hears of the calm."""
    for turn in range(3):
        at_s = bridge.clock.time()
        await bridge.intake.take(group(firing("f1", at_s)))
        if turn < 2:
            bridge.clock.advance(30)
            await bridge.intake.take(group(resolved("f1", at_s, at_s + 20)))
            bridge.clock.advance(30)
    assert (await bridge.told())[-1] == ("flapping", "pending", "", "noc")
    bridge.routes.recipients = ["night"]
    bridge.clock.advance(600)
    bridge.routes.asked.clear()
    assert await bridge.intake.calm() == 2
    assert {row[3] for row in await bridge.told() if row[0] == "calm"} == {"noc", "night"}
    assert set(bridge.routes.asked) == {Kind.REPEAT}
    assert [row["flapping"] for row in await bridge.rows() if row["status"] == "open"] == [False]


async def test_old_changes_are_forgotten(bridge: Bridge) -> None:
    """A row of `flaps` exists only while it can still matter."""
    for _ in range(2):
        at_s = bridge.clock.time()
        await bridge.intake.take(group(firing("f1", at_s)))
        bridge.clock.advance(30)
        await bridge.intake.take(group(resolved("f1", at_s, at_s + 20)))
        bridge.clock.advance(30)
    assert len(await bridge.rows(flaps)) == 1
    bridge.clock.advance(601)
    assert await bridge.intake.calm() == 0
    assert await bridge.rows(flaps) == []


async def test_the_watchdog_is_heard_and_not_stored(bridge: Bridge) -> None:
    """It refreshes the dead man's switch while it fires, makes no episode, and does not silence its neighbour."""
    beat = firing("w", START_S, alertname="Watchdog", severity="none")
    taken = await bridge.intake.take(group(beat, firing("f1", START_S)))
    assert (taken.received, taken.watchdogs, taken.opened) == (2, 1, 1)
    assert [row["fingerprint"] for row in await bridge.rows()] == ["f1"]
    assert bridge.tally.watchdog_at_s == START_S
    assert bridge.ear.watchdogs == [beat]
    bridge.clock.advance(60)
    await bridge.intake.take(group(resolved("w", START_S, START_S + 50, alertname="Watchdog")))
    assert bridge.tally.watchdog_at_s == START_S


async def test_rejects_are_rows_also_without_any_alert(bridge: Bridge) -> None:
    """What could not be read can be named later."""
    await bridge.intake.take(group(), [Rejected("alerts[17].startsAt", "is missing", Fault.MISSING)])
    (row,) = await bridge.rows(rejects)
    assert (row["path"], row["reason"], row["at"]) == ("alerts[17].startsAt", "is missing", START_S)
    assert bridge.tally.rejected == {"missing": 1}


async def test_late_words_of_a_pair_change_nothing(bridge: Bridge) -> None:
    """An end, and a moment later the beginning that the other Alertmanager still had on its way."""
    await bridge.intake.take(group(resolved("f1", START_S - 60, START_S - 1)))
    assert bridge.tally.deduplicated == {"unopened": 1}
    bridge.clock.advance(20)
    taken = await bridge.intake.take(group(firing("f1", START_S - 60)))
    assert (taken.opened, taken.copies) == (0, 1)
    assert await bridge.rows() == []
    bridge.clock.advance(60)
    taken = await bridge.intake.take(group(firing("f1", START_S - 60)))
    assert taken.opened == 1


@pytest.mark.timeout(600)
async def test_5000_alerts_go_in_pieces_with_the_worst_first(bridge: Bridge) -> None:
    """All of them are stored, and small notifications that come meanwhile need not wait for the end."""
    many = [firing(f"f{n}", START_S) for n in range(5000)]
    big = asyncio.create_task(bridge.intake.take(group(*many)))
    await asyncio.sleep(0)
    small = await bridge.intake.take(group(firing("small", START_S)))
    assert small.opened == 1
    assert not big.done()
    assert (await big).opened == 5000
    assert len(await bridge.rows()) == 5001
    assert len(await bridge.told()) == 5001
    assert len(bridge.ear.changes) == 5001


async def test_a_fault_with_one_notification_costs_no_other_one(bridge: Bridge) -> None:
    """They wait together and fail together; then each is stored by itself."""
    bridge.routes.fault, bridge.routes.faulty = ZeroDivisionError("in a rule"), "f3"
    first = asyncio.create_task(bridge.intake.take(group(firing("f0", START_S))))
    await asyncio.sleep(0)
    rest = await asyncio.gather(
        *(bridge.intake.take(group(firing(f"f{number}", START_S))) for number in range(1, 6)),
        return_exceptions=True,
    )
    assert (await first).opened == 1
    assert [type(answer).__name__ for answer in rest] == ["Taken"] * 2 + ["ZeroDivisionError"] + ["Taken"] * 2
    assert {row["fingerprint"] for row in await bridge.rows()} == {"f0", "f1", "f2", "f4", "f5"}
    assert len(await bridge.told()) == 5


async def test_whatever_a_label_holds_can_be_stored(bridge: Bridge) -> None:
    """Markup, control characters, other scripts, halves of pairs, NUL: read, stored, and read again on both stores."""
    value = "*b* `c` <i>\x1b[31m\r\n\t\u202eabc\u202c مرحبا 😀 \ud800 \0 \ufeff"
    odd = alert_values("f1", labels={"alertname": value, value: value}, annotations={value: value})
    odd["generatorURL"] = value
    body = body_of(odd, {"startsAt": "x", value: 1}, groupKey=value, receiver=value, externalURL=value)
    received = read_notification(body)
    await bridge.intake.take(received.group, received.rejected)
    (episode,) = await bridge.rows()
    kept = value.replace("\0", "").replace("\ud800", "\ufffd")
    assert episode["labels"] == {"alertname": kept, kept: kept}
    assert episode["annotations"] == {kept: kept}
    assert episode["name"] == episode["generator_url"] == episode["group_key"] == kept
    assert len(await bridge.rows(rejects)) == 1


async def test_too_much_at_once_is_refused(database: Database, clock: FakeClock) -> None:
    """Beyond the limit the sender is told to come again; what waits already is stored."""
    section = AcceptSection.model_validate({"limits": {"waiting_alerts": 10}})
    bridge = Bridge(database, clock, section)
    first = asyncio.create_task(bridge.intake.take(group(*[firing(f"a{n}", START_S) for n in range(8)])))
    await asyncio.sleep(0)
    with pytest.raises(Overloaded, match="8 alerts wait"):
        await bridge.intake.take(group(*[firing(f"b{n}", START_S) for n in range(8)]))
    assert (await first).opened == 8
    assert bridge.intake.waiting == 0


async def test_storage_trouble_reaches_every_sender_and_is_over_when_it_is_over(
    sqlite_section: StoreSection, clock: FakeClock
) -> None:
    """While the file is locked nobody is told that an alert is safe; sent again it is taken once."""
    section = sqlite_section.model_copy(update={"busy_timeout_s": 0.2})
    database = await Database.open(section, clock)
    bridge = Bridge(database, clock)
    try:
        with closing(sqlite3.connect(section.path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            answers = await asyncio.gather(
                bridge.intake.take(group(firing("f1", START_S))),
                bridge.intake.take(group(firing("f2", START_S))),
                return_exceptions=True,
            )
        assert [type(answer) for answer in answers] == [StoreUnavailable, StoreUnavailable]
        assert bridge.tally.received == {}
        taken = await bridge.intake.take(group(firing("f1", START_S), firing("f2", START_S)))
        assert taken.opened == 2
        assert bridge.ear.woken == [{"noc"}]
    finally:
        await database.close()


@ON_POSTGRESQL
async def test_replicas_open_an_episode_once(postgresql_section: StoreSection, clock: FakeClock) -> None:
    """Copies that reach two replicas in the same moment make one episode, one notice, one end."""
    databases = [await Database.open(postgresql_section, clock) for _ in range(2)]
    bridges = [Bridge(database, clock) for database in databases]
    try:
        for number in range(20):
            await asyncio.gather(
                *(bridge.intake.take(group(firing(f"f{number}", START_S))) for bridge in bridges)
            )
        assert len(await bridges[0].rows()) == 20
        assert len(await bridges[0].told()) == 20
        assert sum(bridge.tally.deduplicated["copy"] for bridge in bridges) == 20
        clock.advance(300)
        ends = [resolved(f"f{number}", START_S, START_S + 290) for number in range(20)]
        takes = await asyncio.gather(*(bridge.intake.take(group(*ends)) for bridge in bridges))
        assert sorted(taken.closed for taken in takes) == [0, 20]
        assert len(await bridges[0].told()) == 40
    finally:
        for database in databases:
            await database.close()


@ON_POSTGRESQL
async def test_an_episode_that_another_program_opened_in_between_is_a_copy(
    postgresql_section: StoreSection, clock: FakeClock
) -> None:
    """The store allows one open episode for each fingerprint; who comes second finds it open."""
    database = await Database.open(postgresql_section, clock)
    bridge = Bridge(database, clock)
    other = Bridge(database, clock)
    try:
        await other.intake.take(group(firing("seed", START_S)))
        (seed,) = await bridge.rows()
        async with database.write() as connection:
            stolen = {key: value for key, value in seed.items() if key != "id"} | {"fingerprint": "f1"}
            await connection.execute(database.insert(episodes).values(stolen))
            taking = asyncio.create_task(bridge.intake.take(group(firing("f1", START_S))))
            async with asyncio.timeout(60):
                while not await _somebody_waits(database):  # noqa: ASYNC110  the server tells nobody
                    await asyncio.sleep(0.02)
        taken = await taking
        assert (taken.opened, taken.copies) == (0, 1)
        assert len(await bridge.rows()) == 2
    finally:
        await database.close()


async def _somebody_waits(database: Database) -> bool:
    async with database.read() as connection:
        found = await connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(found.scalar_one())


async def test_who_gives_up_waiting_is_not_stored_later(
    sqlite_section: StoreSection, clock: FakeClock
) -> None:
    """A request that timed out will come again; its first copy must not come after the second."""
    database = await Database.open(sqlite_section, clock)
    bridge = Bridge(database, clock)
    many: list[Alert] = [firing(f"f{n}", START_S) for n in range(PIECE_ALERTS)]
    first = asyncio.create_task(bridge.intake.take(group(*many)))
    second = asyncio.create_task(bridge.intake.take(group(firing("late", START_S))))
    await asyncio.sleep(0)
    second.cancel()
    await first
    await bridge.intake.close()
    assert "late" not in {row["fingerprint"] for row in await bridge.rows()}
    assert len(await bridge.rows()) == PIECE_ALERTS
    await database.close()
