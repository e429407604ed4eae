"""A report is sent once: over replicas, over restarts at nine o'clock, and over crashes in the middle."""

import asyncio
from datetime import datetime

import pytest
from sqlalchemy import delete

from alertbridge.store.database import Database
from alertbridge.store.schema_report import report_schedules
from tests.fakes.clock import FakeClock
from tests.fakes.report_bench import JAKARTA, ReportBench, entry

NINE_S = datetime(2026, 11, 23, 9, tzinfo=JAKARTA).timestamp()
HOUR_S = 3600.0


@pytest.fixture
def clock() -> FakeClock:
    """An hour before the report."""
    return FakeClock(time_s=NINE_S - HOUR_S)


@pytest.fixture
async def bench(database: Database, clock: FakeClock) -> ReportBench:
    """A bridge that has known the report since eight o'clock."""
    made = ReportBench(database, clock)
    assert await made.replica().look() == 0
    return made


async def test_it_is_sent_when_it_is_due_and_not_again(bench: ReportBench) -> None:
    """At nine it is there, in the recipient's language; a second later, and after a restart, nothing more."""
    bench.clock.advance(HOUR_S - 1)
    running = bench.replica()
    assert await running.look() == 0
    bench.clock.advance(1)
    assert await running.look() == 1
    bench.clock.advance(1)
    assert await running.look() == 0
    assert await bench.replica().look() == 0
    ((recipient, text),) = await bench.told()
    assert recipient == "noc"
    assert text.startswith("\N{BAR CHART} *Laporan harian*\n22 Nov 09:00 s.d. 23 Nov 09:00 WIB\n")
    assert bench.sender.woken == ["noc"]
    assert bench.counted.reports == [("daily", "sent")]
    assert await bench.outcomes() == {"2026-11-23T09:00": "sent"}


async def test_replicas_that_look_at_once_send_one(bench: ReportBench) -> None:
    """Without any leader among them the claim alone decides."""
    bench.clock.advance(HOUR_S)
    assert sum(await asyncio.gather(*(bench.replica().look() for _ in range(4)))) == 1
    assert len(await bench.told()) == 1


async def test_a_crash_in_the_transaction_leaves_nothing(bench: ReportBench) -> None:
    """Neither claim nor notice: the next start sends it, once."""
    bench.clock.advance(HOUR_S)
    bench.sender.fails = True
    with pytest.raises(ConnectionAbortedError):
        await bench.replica().look()
    assert await bench.outcomes() == {}
    bench.sender.fails = False
    assert await bench.replica().look() == 1
    assert len(await bench.told()) == 1


async def test_a_bridge_that_was_down_sends_it_late_and_says_so(bench: ReportBench) -> None:
    """Two days and two hours later: today's is sent with how late it is, yesterday's is named as missed."""
    bench.clock.advance(HOUR_S + 48 * HOUR_S + 2 * HOUR_S)
    assert await bench.replica().look() == 1
    ((_, text),) = await bench.told()
    assert "_Terlambat 2 jam:" in text
    assert "_2 laporan sebelum ini tidak terkirim" in text
    assert list((await bench.outcomes()).values()).count("skipped") == 2
    assert bench.counted.reports == [("daily", "late"), ("daily", "skipped"), ("daily", "skipped")]


async def test_a_report_that_is_too_late_is_given_up_in_one_sentence(bench: ReportBench) -> None:
    """Seven hours later nobody wants it; that it is not coming is said once."""
    bench.clock.advance(8 * HOUR_S)
    running = bench.replica()
    assert await running.look() == 0
    assert await running.look() == 0
    assert await bench.told() == [
        ("noc", "Laporan harian 09:00 WIB tidak dikirim: bridge baru berjalan 7 jam sesudahnya.")
    ]


async def test_a_new_report_makes_up_for_nothing(bench: ReportBench) -> None:
    """One that is written down at ten is first sent the next morning; so is one whose hour was changed."""
    bench.clock.advance(2 * HOUR_S)
    assert await bench.replica().look() == 1
    bench.entries = (entry(name="baru"), entry(cron="30 9 * * *"))
    assert await bench.replica().look() == 0
    bench.clock.advance(23.5 * HOUR_S)
    assert await bench.replica().look() == 2


async def test_a_clock_that_was_in_the_future_does_not_silence_reports(bench: ReportBench) -> None:
    """`since` of a wrong clock is put right by the next look."""
    async with bench.database.write() as connection:
        await connection.execute(delete(report_schedules))
    ahead = FakeClock(time_s=NINE_S + 4 * 365 * 24 * HOUR_S)
    assert await ReportBench(bench.database, ahead).replica().look() == 0
    assert await bench.replica().look() == 0
    bench.clock.advance(HOUR_S)
    assert await bench.replica().look() == 1


async def test_a_clock_that_goes_back_over_nine_sends_no_second_one(bench: ReportBench) -> None:
    """What was claimed stays claimed."""
    bench.clock.advance(HOUR_S + 60)
    assert await bench.replica().look() == 1
    back = FakeClock(time_s=NINE_S - 120)
    again = ReportBench(bench.database, back)
    for _ in range(5):
        assert await again.replica().look() == 0
        back.advance(60)


async def test_each_recipient_gets_its_language(database: Database, clock: FakeClock) -> None:
    """Unless the report has one; who has left the address book is passed over."""
    bench = ReportBench(database, clock, entry(recipients=["noc", "boss", "gone"]))
    await bench.replica().look()
    clock.advance(HOUR_S)
    assert await bench.replica().look() == 1
    assert [(name, text.split("*")[1]) for name, text in await bench.told()] == [
        ("noc", "Laporan harian"),
        ("boss", "Daily report"),
    ]


async def test_prometheus_down_at_nine_is_waited_for_and_then_said(bench: ReportBench) -> None:
    """The report waits ten minutes for an answer, asking once a minute; then it goes out with what the store knows."""
    bench.prometheus.away = True
    bench.clock.advance(HOUR_S)
    running = bench.replica()
    for _ in range(40):
        assert await running.look() == 0
        bench.clock.advance(15)
    assert bench.prometheus.asked == 10
    assert await running.look() == 1
    ((_, text),) = await bench.told()
    assert "_Prometheus tidak menjawab." in text
    assert "*Ketersediaan router*\n- tidak ada data\n" in text
    assert "*Alert*\n- Tidak ada alert baru\n" in text


async def test_a_started_reporter_sends_by_itself_while_it_leads(bench: ReportBench) -> None:
    """Start and stop: the first look comes at once."""
    bench.clock.advance(HOUR_S)
    running = bench.replica()
    await running.start()
    async with asyncio.timeout(60):
        while not bench.sender.woken:  # noqa: ASYNC110  it tells nobody
            await asyncio.sleep(0.01)
    await running.stop()
    assert len(await bench.told()) == 1
