"""The heartbeat pings only while the whole chain is fine, and its address is told to nobody."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import update
from structlog.testing import capture_logs

from alertbridge.alerts import Severity
from alertbridge.deadman import DeadManSection
from alertbridge.deliver.model import Body, Kind, NoticeState
from alertbridge.deliver.outbox import notices as notice_rows
from alertbridge.heartbeat import Fault, Heartbeat, HeartbeatSection
from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from alertbridge.store.schema import notices
from runtime.sections import Surroundings
from tests.fakes.clock import FakeClock
from tests.fakes.scripted_http import Reply, ScriptedHttp, Trick

SECRET = "3f8a-secret-id"


@dataclass
class Watchdog:
    """Says what the test sets."""

    leads: bool = True
    fresh: bool = True


@dataclass
class Bench:
    """Everything is fine until the test says otherwise."""

    server: ScriptedHttp
    watchdog: Watchdog
    heartbeat: Heartbeat
    database: Database
    clock: FakeClock
    works: list[bool]

    @property
    def asked(self) -> list[str]:
        return [f"{one.method} {one.path}" for one in self.server.asked]


@pytest.fixture
async def bench(database: Database, clock: FakeClock, request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """A heartbeat to a scripted server; parametrised indirectly with keys of its section."""
    server, watchdog, works = ScriptedHttp(), Watchdog(), [True]
    server.usual = Reply(200, b"OK")
    async with server.serving(), aiohttp.ClientSession() as session:
        section = HeartbeatSection(
            url=SecretStr(f"{server.url}/ping/{SECRET}?create=1"),
            timeout_s=3.0,
            **getattr(request, "param", {}),
        )
        heartbeat = Heartbeat(
            section,
            watchdog=watchdog,
            database=database,
            clock=clock,
            session=session,
            any_channel_ok=lambda: works[0],
        )
        yield Bench(server, watchdog, heartbeat, database, clock, works)
        await heartbeat.stop()


async def waiting(bench: Bench, *, created_s: float, not_before_s: float | None = None) -> int:
    """A notice that waits to be told."""
    async with bench.database.write() as connection:
        made = await notice_rows.add(
            connection,
            kind=Kind.SYSTEM,
            recipient="noc",
            severity=Severity.INFO,
            body=Body("x"),
            created_at_s=created_s,
            deadline_at_s=created_s + 45,
        )
        held = update(notices).where(notices.c.id == made)
        await connection.execute(held.values(not_before_at=not_before_s))
    return made


async def test_it_pings_with_get_while_all_is_well(bench: Bench) -> None:
    """The address as it was given, its query included."""
    assert await bench.heartbeat.beat()
    assert bench.asked == [f"GET /ping/{SECRET}?create=1"]


async def test_only_the_one_that_leads_pings(bench: Bench) -> None:
    """Else a replica that is fine would hide that the others are not."""
    bench.watchdog.leads = False
    assert not await bench.heartbeat.beat()
    assert bench.asked == []


async def test_nothing_is_pinged_while_something_is_wrong(bench: Bench) -> None:
    """A watchdog that stays away, no channel that works, a notice that waits too long, a store that is closed."""
    bench.watchdog.fresh = False
    assert (await bench.heartbeat.beat(), await bench.heartbeat.fault()) == (False, Fault.WATCHDOG)
    bench.watchdog.fresh = True
    bench.works[0] = False
    assert (await bench.heartbeat.beat(), await bench.heartbeat.fault()) == (False, Fault.CHANNELS)
    bench.works[0] = True
    number = await waiting(bench, created_s=bench.clock.time() - 1_000)
    assert (await bench.heartbeat.beat(), await bench.heartbeat.fault()) == (False, Fault.OUTBOX)
    async with bench.database.write() as connection:
        await notice_rows.settle(connection, [number], NoticeState.DELIVERED, "", bench.clock.time())
    assert await bench.heartbeat.fault() is None
    assert bench.asked == []


async def test_what_is_held_until_the_morning_does_not_wait_too_long(bench: Bench) -> None:
    """Quiet hours are no fault; what has not left long after them is."""
    await waiting(bench, created_s=bench.clock.time() - 9_000, not_before_s=bench.clock.time() + 60)
    assert await bench.heartbeat.fault() is None
    bench.clock.advance(60 + 901)
    assert await bench.heartbeat.fault() is Fault.OUTBOX


async def test_a_store_that_is_away_stops_the_pings(tmp_path: Path, clock: FakeClock) -> None:
    """Nothing could be taken in then: another program holds the file here."""
    path = tmp_path / "store.db"
    database = await Database.open(StoreSection(path=path, busy_timeout_s=0.2), clock)
    async with aiohttp.ClientSession() as session:
        heartbeat = Heartbeat(
            HeartbeatSection(url=SecretStr("http://127.0.0.1:9/")),
            watchdog=Watchdog(),
            database=database,
            clock=clock,
            session=session,
            any_channel_ok=lambda: True,
        )
        assert await heartbeat.fault() is None
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert await heartbeat.fault() is Fault.STORE
    await database.close()


@pytest.mark.parametrize("bench", [{"tell_failures": True}], indirect=True)
async def test_failures_are_told_where_that_is_wanted(bench: Bench) -> None:
    """With /fail behind the path, before the query, as healthchecks.io takes it."""
    bench.watchdog.fresh = False
    assert not await bench.heartbeat.beat()
    assert bench.asked == [f"GET /ping/{SECRET}/fail?create=1"]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(500),
        Reply(404),
        Reply(302, headers={"Location": "/elsewhere"}),
        Reply(trick=Trick.STALL),
        Reply(trick=Trick.HALF),
        Reply(trick=Trick.NONSENSE),
    ],
)
async def test_an_answer_that_is_none_is_no_ping_and_the_log_keeps_the_secret(
    bench: Bench, reply: Reply
) -> None:
    """Neither the address nor its id is in any event; the next beat tries again."""
    bench.server.queue.append(reply)
    with capture_logs() as events:
        assert not await bench.heartbeat.beat()
        assert await bench.heartbeat.beat()
    assert [event["event"].split(".")[0] for event in events] == ["heartbeat"]
    assert SECRET not in str(events)
    assert SECRET not in repr(bench.heartbeat)


async def test_started_it_pings_by_itself(bench: Bench) -> None:
    """The first ping comes at once."""
    await bench.heartbeat.start()
    async with asyncio.timeout(60):
        await bench.server.reached.wait()
    await bench.heartbeat.stop()


@pytest.mark.parametrize("url", ["hc-ping.com/x", "ftp://a/b", "http://", "https://[x/"])
def test_an_address_that_cannot_be_asked_is_refused_without_telling_it(url: str) -> None:
    """The sentence does not repeat the secret."""
    with pytest.raises(
        ValidationError, match=r"must be an address that begins with http:// or https://"
    ) as told:
        HeartbeatSection(url=SecretStr(url))
    assert url not in str(told.value).replace("http:// or https://", "")


def test_the_address_may_stand_in_a_file_or_in_the_environment(tmp_path: Path) -> None:
    """As every secret; it is in no repr, and a wrong one in a file is refused like one that was written down."""
    (tmp_path / "address").write_text(f"https://hc.example.net/{SECRET}\n", encoding="utf-8")
    around = Surroundings(
        folder=tmp_path, environment={"PING": f"https://hc.example.net/{SECRET}", "BAD": "x"}
    )
    for given in ({"url_file": "address"}, {"url_env": "PING"}):
        section = DeadManSection.model_validate({"recipients": "noc", "heartbeat": given}, context=around)
        assert section.heartbeat is not None
        assert section.heartbeat.url is not None
        assert section.heartbeat.url.get_secret_value() == f"https://hc.example.net/{SECRET}"
        assert SECRET not in repr(section)
    for wrong in ({"url_env": "BAD"}, {}):
        with pytest.raises(ValidationError):
            DeadManSection.model_validate({"recipients": "noc", "heartbeat": wrong}, context=around)
