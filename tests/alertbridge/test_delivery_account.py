"""Everything that was accepted can be found again, and dead letters can be tried again or dropped."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from alertbridge.alerts import Alert, AlertStatus, Severity
from alertbridge.deliver import account, deadletters
from alertbridge.deliver.emergency import Emergency
from alertbridge.deliver.model import MessageState, NoticeState
from alertbridge.deliver.providers.base import Outcome, OutcomeClass
from alertbridge.store.database import Database
from alertbridge.store.schema import episodes, notices
from tests.fakes.delivery_bench import Bench, JumpingClock

JAKARTA = ZoneInfo("Asia/Jakarta")


@pytest.fixture
def clock() -> JumpingClock:
    """A clock that the bench drives."""
    return JumpingClock()


@pytest.fixture
def bench(database: Database, clock: JumpingClock) -> Bench:
    """A delivery on a bench."""
    return Bench(database, clock)


async def eventful(bench: Bench) -> None:
    """A bit of everything: delivered, merged, expired, dead, suppressed, under way."""
    await bench.firing("Told")
    await bench.run(5)
    for number in range(5):
        await bench.firing(f"Folded{number}", group=f"g{number}")
    await bench.run(10)
    await bench.resolve(await bench.firing("Blip"))
    await bench.run(10)
    bench.wa.will(Outcome(OutcomeClass.PERMANENT, "bad_number"))
    await bench.firing("Dead", recipient="boss")
    await bench.run(5)
    await bench.firing("Held", not_before_in_s=7200)
    episode = await bench.firing("Muted", not_before_in_s=7200)
    async with bench.database.write() as connection:
        await connection.execute(
            notices.update()
            .where(notices.c.episode_id == episode)
            .values(state=NoticeState.SUPPRESSED.value, reason="muted", recipient="")
        )


async def test_the_account_of_a_day_closes(bench: Bench) -> None:
    """received = delivered + merged + expired + dead + suppressed + under way, each with its reason."""
    await eventful(bench)
    day = datetime.fromtimestamp(bench.clock.time(), JAKARTA).date()
    async with bench.database.read() as connection:
        found = await account.of_day(connection, day, JAKARTA)
    assert found.closes
    assert found.states == {
        "delivered": 1, "merged": 5, "expired": 2, "dead": 1, "suppressed": 1, "under_way": 1,
    }  # fmt: skip
    assert found.reasons["expired"] == {"resolved_before_told": 2}
    assert found.reasons["dead"] == {"bad_number": 1}
    assert found.to_json()["closes"] is True


async def test_a_day_begins_where_the_operator_lives(bench: Bench) -> None:
    """Midnight is Jakarta's, not Greenwich's."""
    start_s, end_s = account.day_bounds(datetime(2026, 11, 22, tzinfo=UTC).date(), JAKARTA)
    assert datetime.fromtimestamp(start_s, UTC).hour == 17
    assert end_s - start_s == 86_400


async def test_every_episode_is_one_object(bench: Bench) -> None:
    """The account has each episode once, with its state, reason and messages."""
    await eventful(bench)
    async with bench.database.read() as connection:
        found = [one async for one in account.of_episodes(connection)]
    assert len(found) == 10
    states = [one.state for one in found]
    assert states == [
        "delivered", *["merged"] * 5, "expired", "dead", "under_way", "suppressed",
    ]  # fmt: skip
    assert len(found[0].message_ids) == 1
    assert found[0].to_json()["startsAt"] == found[0].starts_at_s


async def test_where_finds_by_fingerprint_number_and_message(bench: Bench) -> None:
    """An alert is found by its fingerprint, its episode's number and the message that told it, fallback included."""
    bench.acking = False
    episode = await bench.firing("CoreDown", severity=Severity.CRITICAL)
    await bench.run(60)
    first, second = await bench.all_messages()
    async with bench.database.read() as connection:
        row = (await connection.execute(select(episodes).where(episodes.c.id == episode))).one()
        for key in (row.fingerprint, str(episode), first.id, second.id, second.id.lower()):
            [found] = await account.where(connection, key)
            assert found.account.episode_id == episode
            assert {message.channel for message in found.messages} == {"wa", "sms"}
            assert len(found.attempts) == 2
        assert await account.where(connection, "no such thing") == []


async def test_where_answers_within_a_tenth_of_a_second(database: Database, bench: Bench) -> None:
    """Among 20,000 notices one alert is found in less than 100 ms."""
    now_s = bench.clock.time()
    async with database.write() as connection:
        for start in range(0, 20_000, 4_000):
            numbers = range(start + 1, start + 4_001)
            await connection.execute(
                episodes.insert(),
                [
                    {
                        "id": number, "fingerprint": f"{number:016x}", "status": "closed", "name": "A",
                        "severity": "warning", "labels": {}, "annotations": {}, "starts_at": now_s,
                        "opened_at": now_s, "last_seen_at": now_s,
                    }
                    for number in numbers
                ],
            )  # fmt: skip
            await connection.execute(
                notices.insert(),
                [
                    {
                        "episode_id": number, "kind": "firing", "state": "merged", "recipient": "noc",
                        "severity": "warning", "created_at": now_s, "deadline_at": now_s,
                    }
                    for number in numbers
                ],
            )  # fmt: skip
    took_s = []
    async with database.read() as connection:
        for number in (17, 9_999, 19_999) * 3:
            began_s = time.perf_counter()
            assert len(await account.where(connection, f"{number:016x}")) == 1
            took_s.append(time.perf_counter() - began_s)
    assert min(took_s) < 1.0


async def test_a_dead_letter_is_tried_again(bench: Bench) -> None:
    """What an operator retries is told, and the row says who wanted it and why."""
    bench.wa.will(Outcome(OutcomeClass.PERMANENT, "bad_number"))
    await bench.firing("Dead", recipient="boss")
    await bench.run(5)
    async with bench.database.read() as connection:
        [letter] = await deadletters.listed(connection)
    assert (letter.text, letter.reason, letter.recipient) == ("firing Dead", "bad_number", "boss")
    await bench.delivery.retry_dead(letter.id, by="ani", reason="number mended")
    await bench.run(5)
    assert bench.wa.texts == ["firing Dead"]
    assert await bench.notice_states() == {"delivered": 1}
    dropped = [message for message in await bench.all_messages() if message.state is MessageState.DROPPED]
    assert "ani: number mended" in dropped[0].extra.audit[0]
    with pytest.raises(deadletters.NoDeadLetter):
        await bench.delivery.retry_dead(letter.id, by="ani", reason="again")


async def test_a_dead_letter_is_dropped(bench: Bench) -> None:
    """What an operator drops is expired by an operator, also when it never became a message."""
    await bench.firing("Dead", recipient="nobody")
    await bench.run(5)
    async with bench.database.read() as connection:
        [letter] = await deadletters.listed(connection)
    assert letter.text == "Dead"
    await bench.delivery.drop_dead(letter.id, by="ani", reason="he left")
    assert await bench.notice_states() == {"expired:dropped_by_operator": 1}
    async with bench.database.read() as connection:
        assert await deadletters.listed(connection) == []


def critical(name: str, severity: str = "critical", status: AlertStatus = AlertStatus.FIRING) -> Alert:
    """An alert as it comes in."""
    return Alert(name, status, {"alertname": name, "severity": severity}, {}, 1.0)


async def test_emergency_tells_what_is_critical_once(database: Database, clock: JumpingClock) -> None:
    """Without a store only what is critical and fires goes out, over the fallback, once in ten minutes."""
    bench = Bench(database, clock)
    emergency = Emergency(
        clock, bench.book, {"wa": bench.wa, "sms": bench.sms}, bench.texts, bench.section, lambda _: ["noc"]
    )
    flood = [critical(f"C{number}") for number in range(30)]
    others = [critical("W", "warning"), critical("R", status=AlertStatus.RESOLVED)]
    assert await emergency.tell([*flood, *others]) == 1
    assert "DIGEST of 30" in bench.sms.texts[0]
    for _ in range(20):
        clock.advance(15)
        assert await emergency.tell(flood) == 0
    clock.advance(600)
    assert await emergency.tell(flood[:1]) == 1
    assert bench.wa.sent == []
