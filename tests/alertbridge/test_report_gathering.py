"""What a report asks is asked of a real Prometheus, with holes in its data; what it does not know is said."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import insert

from alertbridge.prometheus import BadQuery, Prometheus, PrometheusSection, Series, Value
from alertbridge.recover.model import GAVE_UP, RunState
from alertbridge.report.gathering import Asked, Gathering
from alertbridge.report.ledger import CURED
from alertbridge.report.model import Gathered, Missing, Part
from alertbridge.report.questions import ATTENTIONS, CURVES, PRESENT, QUESTIONS, STEPS
from alertbridge.report.schedule import Kind, Period, period
from alertbridge.report.sections import SECTIONS, Writer
from alertbridge.store.database import Database
from alertbridge.store.schema import episodes, messages
from alertbridge.store.schema_recovery import recovery_runs
from tests.fakes.clock import FakeClock
from tests.fakes.prometheus_process import Samples, fill, prometheus
from tests.fakes.report_bench import JAKARTA
from tests.fakes.scripted_http import Reply, ScriptedHttp, Trick

END = datetime(2025, 11, 23, 9, tzinfo=JAKARTA)
END_S = END.timestamp()
DAY = period(Kind.DAILY, END_S, JAKARTA)
STEP_S = 60
HOUR_S = 3600

pytestmark = pytest.mark.timeout(300)


def moments(*, hole: tuple[float, float] | None = None, hours: int = 25) -> Iterator[float]:
    """Once a minute until the end of the day; nothing within `hole`, in hours before the end."""
    for minute in range(hours * 60 + 1):
        at_s = END_S - hours * HOUR_S + minute * STEP_S
        before_h = (END_S - at_s) / HOUR_S
        if hole is None or not hole[1] <= before_h < hole[0]:
            yield at_s


def steady(name: str, value: float, hole: tuple[float, float] | None = None, **labels: str) -> Samples:
    """A series that never changes."""
    return Samples(name, labels, [(at_s, value) for at_s in moments(hole=hole)])


def network() -> Iterator[Samples]:
    """A day: core-1 was down for half an hour, core-2 was not measured for six hours, edge-1 is well."""
    down = {END_S - 12 * HOUR_S + minute * STEP_S for minute in range(30)}
    yield Samples("router:up:min", {"router": "core-1"}, [(at, float(at not in down)) for at in moments()])
    yield steady("router:up:min", 1, (10, 4), router="core-2")
    yield steady("router:up:min", 1, router="edge-1")
    busy = {END_S - 12 * HOUR_S + minute * STEP_S for minute in range(11)}
    yield Samples(
        "router:receive_bits:sum",
        {"router": "core-1"},
        [(at, 300e6 if at in busy else 100e6) for at in moments(hole=(10, 4))],
    )
    yield steady("router:receive_bits:sum", 8e6, (10, 4), router="core-2")
    users = [(at, 900.0 if at in busy else 400.0) for at in moments()]
    yield Samples("router:subscribers:current", {"router": "core-1"}, users)
    for user, bits in (("budi", 4e6), ("siti", 2e6), ("*joko*_", 1e6)):
        yield steady("router_user:receive_bits:rate5m", bits, router="core-1", user=user)
        yield steady("router_user:transmit_bits:rate5m", bits, router="core-1", user=user)
    grows = [(at, (at - END_S + 25 * HOUR_S) / 60) for at in moments()]
    yield Samples("whatsapp_bot_messages_sent_total", {"bot": "noc", "instance": "a"}, grows)
    yield steady("whatsapp_bot_messages_failed_total", 7, bot="noc", instance="a")
    yield steady("whatsapp_bot_connected", 1, bot="noc", instance="a")
    for database in ("billing", "cadangan-lupa"):
        yield steady("tikwatch_database_up", 1, database=database)
        yield steady("tikwatch_database_size_bytes", 3 << 30, database=database)
    yield steady("tikwatch_database_last_backup_timestamp_seconds", END_S - 5 * HOUR_S, database="billing")
    yield steady("database:backup_age_seconds:max", 5 * HOUR_S, database="billing")
    yield steady("router_pool:used:ratio", 0.93, router="core-1", pool="pool-pppoe")
    yield steady(
        "router_pool:used:ratio", 0.93, router="core-2", pool="besar"
    )  # which has a threshold of its own
    yield steady("router:threshold:pool_warning", 0.95, router="core-2")
    yield steady("router:disk_free:ratio", 0.04, router="edge-1")
    yield steady("router:disk_free:ratio", 0.6, router="core-1")
    yield steady("host_mount:disk_available:ratio", 0.5, mount="/", instance="nms")
    yield steady("tikwatch:threshold:host_disk_free_warning", 0.6)
    yield steady("router_certificate:left_seconds:min", 5 * 86_400 + 60, router="core-1", certificate="www")
    yield steady("router_certificate:left_seconds:min", -86_400, router="core-2", certificate="vpn")
    yield steady("mikrotik_health_temperature_celsius", 71, router="core-1", sensor="cpu")
    yield steady("mikrotik_system_firmware_upgrade_pending", 1, router="edge-1")
    yield steady("mikrotik_system_firmware_upgrade_pending", 0, router="core-1")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the samples of that day."""
    folder = tmp_path_factory.mktemp("prometheus")
    fill(folder, network())
    return folder


@pytest.fixture
async def server(filled: Path) -> AsyncIterator[str]:
    """A Prometheus that knows that day."""
    async with prometheus(filled) as url:
        yield url


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


async def gathered(
    asked: Asked | None, kind: Kind = Kind.DAILY, about: Period = DAY, *, deadline_s: float = 50
) -> Gathered:
    """A report's facts, without a store."""
    gathering = Gathering(asked, None, FakeClock(time_s=END_S), kept_s=0, deadline_s=deadline_s)
    return await gathering.gather(kind, about, state_at_s=END_S, parts=frozenset(Part), top=5)


def lines(found: Gathered, part: Part, language: str = "en") -> list[str]:
    """What a section says."""
    return SECTIONS[part](Writer(found, language, JAKARTA))


@pytest.mark.system("prometheus", "promtool")
async def test_a_day_is_told_as_it_was(server: str, session: aiohttp.ClientSession) -> None:
    """Numbers of a real Prometheus, worked out by hand here; holes are told and add nothing."""
    found = await gathered(Prometheus(PrometheusSection(url=server), session))
    assert lines(found, Part.AVAILABILITY) == [
        "1 of 3 routers 100%",
        "core-1 97.91%, down 30 minutes",
        "core-2 100%, data 75%",
    ]
    traffic = lines(found, Part.TRAFFIC)
    assert traffic[0].startswith("Total received ")
    assert traffic[0].endswith("peak 308 Mbps at 22 Nov 21:05, data 75%")
    assert [line.split()[0] for line in traffic[1:]] == ["core-1", "core-2"]
    total = sum(found.answer("traffic").by("router").values())
    expected = (108e6 * 18 * HOUR_S + 200e6 * 660) / 8
    assert total == pytest.approx(expected, rel=0.01)
    assert lines(found, Part.SUBSCRIBERS) == [
        "Most active at once: 900 at 22 Nov 21:00",
        "Most traffic:",
        "budi (core-1) 80.5 GiB",
        "siti (core-1) 40.2 GiB",
        "*joko*_ (core-1) 20.1 GiB",
    ]
    assert lines(found, Part.MESSAGES)[1:] == ["noc: 1,440 sent, 0 failed, connected 100%"]
    assert lines(found, Part.DATABASES) == [
        "billing: reachable 100%, 3 GiB, backup 5 hours ago",
        "cadangan-lupa: reachable 100%, 3 GiB, backup: no data",
    ]
    assert lines(found, Part.ATTENTION) == [
        "Pool core-1 pool-pppoe is 93% used",
        "Disk of edge-1 has 4% left",
        "Disk nms / has 50% left",
        "Certificate core-2 vpn: ran out 1 day ago",
        "Certificate core-1 www: runs out in 5 days",
        "Temperature of core-1: 71 °C",
        "Firmware of edge-1 is not upgraded yet",
        "No data on: database disks, licences, session limits, RouterOS versions",
    ]
    points = found.track("traffic").series[0].points
    assert len(points) == pytest.approx(18 * 12, abs=2)
    assert {one.labels["router"] for one in found.track("traffic_by_router").series} == {"core-1", "core-2"}


@pytest.mark.system("prometheus", "promtool")
@pytest.mark.parametrize("kind", list(Kind))
async def test_every_question_can_be_asked(server: str, session: aiohttp.ClientSession, kind: Kind) -> None:
    """None is refused, for no kind of report; what is not there has no value at all."""
    about = period(kind, END_S, JAKARTA)
    found = await gathered(Prometheus(PrometheusSection(url=server), session), kind, about)
    reasons = {name: one.missing for name, one in found.answers.items()}
    reasons |= {f"curve {name}": one.missing for name, one in found.tracks.items()}
    assert set(reasons.values()) <= {None, Missing.NO_DATA}
    assert set(found.answers) == {one.name for one in (*QUESTIONS, *ATTENTIONS)}
    assert set(found.tracks) == {one.name for one in CURVES}


@pytest.mark.system("prometheus", "promtool")
async def test_a_question_that_is_too_large_is_refused_and_the_others_are_answered(
    filled: Path, session: aiohttp.ClientSession
) -> None:
    """A server that lets a query load few samples answers the small questions; the section says why it is empty."""
    async with prometheus(filled, "--query.max-samples=1000") as url:
        found = await gathered(Prometheus(PrometheusSection(url=url), session))
    assert found.answer("busiest").missing is Missing.REFUSED
    assert found.answer("database_size").missing is None
    assert lines(found, Part.AVAILABILITY) == ["no data: Prometheus refuses this question"]
    assert not found.is_unreachable


async def test_a_server_that_is_down_costs_one_question(session: aiohttp.ClientSession) -> None:
    """Everything is unknown, nothing is zero, and it is known at once."""
    found = await gathered(Prometheus(PrometheusSection(url="http://127.0.0.1:9"), session))
    assert found.is_unreachable
    assert {one.missing for one in found.answers.values()} == {Missing.UNREACHABLE}
    for part in Part:
        assert all("0" not in line for line in lines(found, part))
    assert lines(found, Part.TRAFFIC, "id") == ["tidak ada data"]


@pytest.mark.parametrize(
    "reply", [Reply(trick=Trick.STALL), Reply(trick=Trick.HANG_UP), Reply(200, b"{}"), Reply(401)]
)
async def test_a_server_that_does_not_answer_properly_is_unreachable(
    reply: Reply, session: aiohttp.ClientSession
) -> None:
    """Slow, broken off, no answer of Prometheus, or a refused token."""
    server = ScriptedHttp()
    server.usual = reply
    async with server.serving():
        found = await gathered(Prometheus(PrometheusSection(url=server.url, timeout_s=1.0), session))
    assert found.is_unreachable
    assert len(server.asked) <= 2


class Slow:
    """Answers the first question only."""

    def __init__(self) -> None:
        self.under_way = 0
        self.most = 0
        self.asked = 0

    async def query(self, expression: str, *, at_s: float | None = None) -> list[Value]:
        self.asked += 1
        if self.asked == 1:
            return [Value({}, 1.0)]
        if self.asked == 2:
            raise BadQuery("unknown function")
        return await self._never()

    async def query_range(
        self, expression: str, *, start_s: float, end_s: float, step_s: float
    ) -> list[Series]:
        await self._never()
        return []

    async def _never(self) -> list[Value]:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await asyncio.Event().wait()
        finally:
            self.under_way -= 1
        return []


async def test_the_deadline_ends_what_is_under_way_and_few_are_asked_at_once() -> None:
    """What was answered by then is kept, also a refusal; the others are late. Never more than four at a time."""
    slow = Slow()
    found = await gathered(slow, deadline_s=0.2)
    missing = [one.missing for one in found.answers.values()]
    assert missing.count(Missing.REFUSED) == 1
    assert missing.count(Missing.LATE) == len(missing) - 1
    assert (slow.under_way, slow.most) == (0, 4)


async def test_without_prometheus_it_is_said_that_there_is_none() -> None:
    """The CLI may be asked for a report where none is configured."""
    found = await gathered(None)
    assert lines(found, Part.AVAILABILITY, "id") == ["tidak ada data: Prometheus tidak dikonfigurasi"]


async def test_the_ledger_is_of_the_period_alone(database: Database) -> None:
    """Alerts by when they opened, recoveries by when they ended, messages by when they were made.

    A run that a person asked for answers no alert: it counts, but has no time to recover.
    """
    inside, outside = DAY.since_s + 60, DAY.since_s - 60
    alert = {
        "fingerprint": "f", "labels": {}, "annotations": {}, "last_seen_at": inside, "starts_at": inside,
    }  # fmt: skip
    run = {
        "rule": "r", "alert": "a", "severity": "warning", "labels": {}, "starts_at": inside, "plan": [],
        "evidence": {}, "owner": "", "fence": 1, "lease_until": 0.0, "proposed_at": inside,
    }  # fmt: skip
    sent = {
        "bundle": "b", "recipient": "noc", "channel": "wa", "address": "1", "kind": "single", "room": "normal",
        "severity": "warning", "text": "", "accepted_at": 0.0, "deadline_at": 0.0,
    }  # fmt: skip
    async with database.write() as connection:
        for number, (name, severity, status, opened_at) in enumerate(
            [
                ("RouterDown", "critical", "closed", inside),
                ("RouterDown", "critical", "open", inside),
                ("CpuHigh", "warning", "closed", inside),
                ("CpuHigh", "warning", "closed", outside),
            ]
        ):
            row = {"fingerprint": str(number), "name": name, "severity": severity, "status": status}
            await connection.execute(insert(episodes).values(alert | row | {"opened_at": opened_at}))
        for state, ended_at in [
            ("cured", inside + 40), ("cured", inside + 80), ("exhausted", inside), ("cancelled", inside),
            ("cured", outside), ("acting", None),
        ]:  # fmt: skip
            await connection.execute(
                insert(recovery_runs).values(run | {"state": state, "ended_at": ended_at})
            )
        asked_for = run | {"state": "cured", "ended_at": inside + 5, "starts_at": 0.0}
        await connection.execute(insert(recovery_runs).values(asked_for))
        for number, (state, made_at) in enumerate(
            [("acked", inside), ("sent", inside), ("dead", inside), ("acked", outside)]
        ):
            row = {"id": str(number), "state": state, "created_at": made_at}
            await connection.execute(insert(messages).values(sent | row))
    gathering = Gathering(None, database, FakeClock(time_s=END_S), kept_s=20 * HOUR_S)
    found = await gathering.gather(Kind.DAILY, DAY, state_at_s=END_S, parts=frozenset(Part), top=5)
    assert lines(found, Part.ALERTS) == [
        "Only since 22 Nov 2025; what was before is deleted already",
        "2 critical alerts, 1 warning",
        "Most often: RouterDown 2×, CpuHigh 1×",  # noqa: RUF001  a times sign
        "Still firing now: 1 critical alert",
    ]
    assert lines(found, Part.RECOVERY) == [
        "4 runs, 3 cured (75%)",
        "Time to recover: median 1 minute, longest 1 minute",
        "Not cured: 1",
    ]
    assert lines(found, Part.MESSAGES)[0] == "Bridge: 2 sent, 1 failed"


def test_words_of_recovery_are_those_of_its_model() -> None:
    """They are spelled out here, since reports do not import recovery."""
    from alertbridge.report.sections import _GAVE_UP

    assert RunState.CURED.value == CURED
    assert set(_GAVE_UP) == {state.value for state in GAVE_UP}


def test_steps_fit_into_their_periods() -> None:
    """A day, a week and a month are whole numbers of steps, so that no slot is counted twice."""
    for kind, days in ((Kind.DAILY, 1), (Kind.WEEKLY, 7), (Kind.MONTHLY, 30)):
        steps = STEPS[kind]
        for step_s in (steps.slots, steps.users, steps.chart):
            assert timedelta(days=days).total_seconds() % step_s == 0


def test_an_attention_tells_what_it_was_looked_for_in() -> None:
    """One question for both; with the thresholds of the alerts where they are loaded, by router where they may be."""
    pools = ATTENTIONS[0]
    assert pools.text == (
        f'label_replace(count(router_pool:used:ratio), "{PRESENT}", "yes", "", "") or (router_pool:used:ratio) > '
        "on (router) group_left () (router:threshold:pool_warning or on (router) "
        "0 * group by (router) (router_pool:used:ratio) + 0.85)"
    )
    assert replace(pools, threshold="").text.endswith("(router_pool:used:ratio) > 0.85")
