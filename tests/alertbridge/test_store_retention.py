"""What is old goes, what is under way stays, and nobody waits for it."""

import asyncio
import statistics
import time

import pytest
from sqlalchemy import Table, insert, select

from alertbridge.deliver.model import MessageState, NoticeState
from alertbridge.store.config import RetentionSection
from alertbridge.store.database import Database
from alertbridge.store.retention import MESSAGES_UNDER_WAY, NOTICES_UNDER_WAY, Retention
from alertbridge.store.schema import attempts, episodes, flaps, inbound_events, messages, notices, rejects
from runtime.clock import SystemClock
from tests.fakes.clock import FakeClock

DAY_S = 86_400.0
NOW_S = FakeClock().time()


def episode(number: int, closed_d: float | None = None, opened_d: float = 90) -> dict[str, object]:
    """An episode that was opened and closed so many days ago."""
    return {
        "id": number, "fingerprint": f"f{number}", "status": "open" if closed_d is None else "closed",
        "name": "RouterDown", "severity": "critical", "labels": {"router": "core-1"}, "annotations": {},
        "starts_at": NOW_S - opened_d * DAY_S, "opened_at": NOW_S - opened_d * DAY_S,
        "last_seen_at": NOW_S - opened_d * DAY_S,
        "closed_at": None if closed_d is None else NOW_S - closed_d * DAY_S,
    }  # fmt: skip


def notice(
    number: int, episode_id: int | None, state: str, age_d: float, bundle: str = ""
) -> dict[str, object]:
    """A notice that was made, and settled if it is, so many days ago."""
    at = NOW_S - age_d * DAY_S
    return {
        "id": number, "episode_id": episode_id, "kind": "firing", "state": state, "recipient": "oncall",
        "severity": "critical", "created_at": at, "deadline_at": at + 45,
        "settled_at": None if state in NOTICES_UNDER_WAY else at, "message_id": bundle or None,
    }  # fmt: skip


def message(name: str, state: str, age_d: float) -> dict[str, object]:
    """A message that was made so many days ago."""
    at = NOW_S - age_d * DAY_S
    return {
        "id": name, "bundle": name, "recipient": "oncall", "channel": "waha", "address": "6281200000001",
        "kind": "single", "room": "critical", "severity": "critical", "text": "x", "state": state,
        "created_at": at, "accepted_at": at, "deadline_at": at + 45,
    }  # fmt: skip


async def keys(database: Database, table: Table) -> list[object]:
    """The keys that are left, in order."""
    async with database.read() as connection:
        key = list(table.primary_key.columns)[-1]
        return list((await connection.execute(select(key).order_by(key))).scalars())


async def fill(database: Database, table: Table, *rows: dict[str, object]) -> None:
    """Adds rows."""
    async with database.write() as connection:
        await connection.execute(insert(table), list(rows))


async def test_old_rows_go_and_what_is_under_way_stays(database: Database, clock: FakeClock) -> None:
    """Thirty days for what is over; however old for what is open, pending or in doubt."""
    await fill(
        database, episodes,
        episode(1, closed_d=31), episode(2, closed_d=29), episode(3), episode(4, closed_d=31),
        episode(5, closed_d=31),
    )  # fmt: skip
    await fill(
        database, notices,
        notice(1, 1, "delivered", 31), notice(2, 2, "delivered", 31), notice(3, 3, "merged", 31),
        notice(4, 4, "pending", 31), notice(5, 5, "dead", 29), notice(6, None, "composed", 31, "M6"),
    )  # fmt: skip
    await fill(
        database, messages,
        message("M1", "acked", 31), message("M2", "acked", 29), message("M3", "sent", 31),
        message("M4", "ready", 31), message("M5", "dead", 31), message("M6", "failed", 31),
    )  # fmt: skip
    await fill(database, attempts, {"message_id": "M1", "channel": "waha", "started_at": NOW_S - 31 * DAY_S})
    await fill(
        database, inbound_events,
        {"channel": "cloud", "event_id": "new", "at": NOW_S - 8.5 * DAY_S},
        {"channel": "cloud", "event_id": "old", "at": NOW_S - 9.5 * DAY_S},
    )  # fmt: skip
    await fill(
        database, flaps,
        {"fingerprint": "new", "changes": [], "changed_at": NOW_S - DAY_S},
        {"fingerprint": "old", "changes": [], "changed_at": NOW_S - 31 * DAY_S},
    )  # fmt: skip
    await fill(database, rejects, {"id": 1, "at": NOW_S - 31 * DAY_S, "path": "", "reason": ""})

    gone = await Retention(database, RetentionSection(), clock).sweep()
    assert dict(gone) == {
        "messages": 2, "notices": 3, "episodes": 1, "flaps": 1, "rejects": 1, "inbound_events": 1,
    }  # fmt: skip
    assert await keys(database, episodes) == [2, 3, 4, 5]
    assert await keys(database, notices) == [4, 5, 6]
    assert await keys(database, messages) == ["M2", "M3", "M4", "M6"]
    assert await keys(database, attempts) == []
    assert await keys(database, inbound_events) == ["new"]
    assert await keys(database, flaps) == ["new"]


@pytest.mark.parametrize("state", NoticeState)
async def test_each_state_of_a_notice_is_judged(
    database: Database, clock: FakeClock, state: NoticeState
) -> None:
    """A notice goes when it is settled, and in no other state."""
    await fill(database, notices, notice(1, None, state.value, 31))
    await Retention(database, RetentionSection(), clock).sweep()
    under_way = state in (NoticeState.PENDING, NoticeState.COMPOSED)
    assert await keys(database, notices) == ([1] if under_way else [])


def test_the_words_for_under_way_are_states() -> None:
    """Retention's words are those of the model, and the rest of the model's are ends."""
    assert {state.value for state in NoticeState} - set(NOTICES_UNDER_WAY) == {
        "delivered", "merged", "expired", "dead", "suppressed",
    }  # fmt: skip
    assert {state.value for state in MessageState} - set(MESSAGES_UNDER_WAY) == {
        "acked", "failed", "dead", "dropped",
    }  # fmt: skip


async def test_a_long_sweep_lets_writers_through(database: Database) -> None:
    """While thousands of rows go, somebody who writes waits for a small part of that time."""
    async with database.write() as connection:
        rows = [message(f"M{number}", "acked", 40_000) for number in range(3000)]
        await connection.execute(insert(messages), rows)
    sweeping = asyncio.create_task(Retention(database, RetentionSection(), SystemClock()).sweep())
    waits_s = []
    sweep_began_s = time.monotonic()
    while not sweeping.done():
        began_s = time.monotonic()
        async with database.write():
            waits_s.append(time.monotonic() - began_s)
        await asyncio.sleep(0.002)
    assert (await sweeping)["messages"] == 3000
    assert len(waits_s) > 10
    assert statistics.median(waits_s) < (time.monotonic() - sweep_began_s) / 10
