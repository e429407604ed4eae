"""`outbox`: list, show, retry, drop, where and account, beside a bridge that is at work."""

import asyncio
import json
import re
import sqlite3
import time
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from alertbridge.__main__ import main
from alertbridge.cli.exitcodes import ExitCode
from alertbridge.cli.opening import who
from alertbridge.cli.outboxaccount import line
from alertbridge.deliver import account
from alertbridge.deliver.account import DayAccount
from alertbridge.deliver.model import MessageState, NoticeState
from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from alertbridge.store.schema import messages, notices
from runtime.clock import SystemClock
from tests.fakes.bridge_scene import add_episode, add_notice, bad_day, tell

CONFIG = """\
store: {path: bridge.db}
channels: [{name: wa, kind: console}]
recipients: [{name: noc, channel: wa, to: "0812000000012"}]
"""


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Database]:
    """A store after a bad day, held open and locked as a running bridge holds it."""
    (tmp_path / "alertbridge.yml").write_text(CONFIG, encoding="utf-8")
    database = await Database.open(StoreSection(path=tmp_path / "bridge.db"), SystemClock())
    async with database.write() as connection:
        await bad_day(connection, time.time())
    yield database
    await database.close()


async def outbox(tmp_path: Path, *words: str) -> int:
    """Runs the command in a thread: it has a loop of its own."""
    return await asyncio.to_thread(main, ["outbox", *words, "--config", str(tmp_path / "alertbridge.yml")])


async def dead(database: Database) -> list[str]:
    async with database.read() as connection:
        found = await connection.execute(
            select(messages.c.id).where(messages.c.state == "dead").order_by(messages.c.created_at)
        )
        return list(found.scalars())


async def test_messages_are_listed(
    tmp_path: Path, running: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """With fate and first line; narrowed by recipient and fate; as JSON lines."""
    assert await outbox(tmp_path, "list") == ExitCode.OK
    shown = capsys.readouterr().out
    assert re.search(r"boss +sms \(other way\) +believed", shown)
    assert re.search(r"noc +wa +read", shown)
    assert (
        await outbox(tmp_path, "list", "--recipient", "noc", "--fate", "delivered", "--json") == ExitCode.OK
    )
    found = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert {(one["recipient"], one["fate"]) for one in found} == {("noc", "delivered")}
    assert await outbox(tmp_path, "list", "--dead") == ExitCode.OK
    assert capsys.readouterr().out.count("timeout") == 2


async def test_a_message_is_shown_with_every_attempt(
    tmp_path: Path, running: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """Text, times, outcome; what is not there is one line and status 1."""
    (first, _) = await dead(running)
    assert await outbox(tmp_path, "show", first.lower()) == ExitCode.OK
    shown = capsys.readouterr().out
    assert "to field-team" in shown
    assert "part 1 of 1: dead (timeout)" in shown
    assert "LinkDown" in shown
    assert "ATTEMPT" in shown
    for wrong in ("FFFF", "N99"):
        assert await outbox(tmp_path, "show", wrong) == ExitCode.SOME_FAILED
        assert capsys.readouterr().err.count("\n") == 1


async def test_dead_letters_are_ended_under_the_users_name(
    tmp_path: Path, running: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside a running bridge, each on its own; what is not there does not hinder the others."""
    first, second = await dead(running)
    assert await outbox(tmp_path, "retry", first, "--reason", "gateway is back") == ExitCode.OK
    assert await outbox(tmp_path, "drop", "GONE", second, "--reason", "told") == ExitCode.SOME_FAILED
    shown = capsys.readouterr()
    assert f"{first} waits to be sent again" in shown.out
    assert f"{second} is dropped" in shown.out
    assert shown.err == "tikwatch-alertbridge outbox drop: there is no dead letter GONE\n"
    async with running.read() as connection:
        rows = {row.id: row for row in await connection.execute(select(messages))}
        found = await connection.execute(select(notices.c.message_id, notices.c.state))
        states = {row.message_id: row.state for row in found}
    assert re.fullmatch(
        rf"\d+ retried_by_operator by {re.escape(who())}: gateway is back", rows[first].extra["audit"][0]
    )
    assert re.fullmatch(
        rf"\d+ dropped_by_operator by {re.escape(who())}: told", rows[second].extra["audit"][0]
    )
    assert (states[first], states[second]) == ("pending", "expired")
    assert await outbox(tmp_path, "show", first) == ExitCode.OK
    assert "retried_by_operator" in capsys.readouterr().out


async def test_a_notice_that_never_became_a_message_is_shown_and_dropped(
    tmp_path: Path, running: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """By N and its number."""
    async with running.write() as connection:
        episode = await add_episode(connection, "Orphan", now_s=time.time())
        number = await add_notice(
            connection, episode, "gone", NoticeState.DEAD, at_s=time.time(), reason="recipient_gone"
        )
    assert await outbox(tmp_path, "show", f"N{number}") == ExitCode.OK
    assert "dead: recipient_gone" in capsys.readouterr().out
    assert await outbox(tmp_path, "drop", f"n{number}", "--reason", "left us") == ExitCode.OK
    assert await outbox(tmp_path, "show", f"N{number}") == ExitCode.SOME_FAILED


@pytest.mark.parametrize("reason", ["", " ", "x" * 201])
async def test_a_reason_is_wanted(tmp_path: Path, running: Database, reason: str) -> None:
    """Otherwise nothing is done."""
    first, _ = await dead(running)
    with pytest.raises(SystemExit) as ended:
        main(["outbox", "drop", first, "--reason", reason, "--config", str(tmp_path / "alertbridge.yml")])
    assert ended.value.code == ExitCode.CONFIGURATION
    assert first in await dead(running)


async def test_where_tells_everything_of_an_alert(
    tmp_path: Path, running: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """By number, fingerprint or message; one line where nothing is known."""
    assert await outbox(tmp_path, "where", "1") == ExitCode.OK
    shown = capsys.readouterr().out
    assert shown.startswith("#1 ")
    assert "delivered" in shown
    assert re.search(r"boss +sms +believed", shown)
    fingerprint = shown.split()[1].rstrip(",")
    assert await outbox(tmp_path, "where", fingerprint, "--json") == ExitCode.OK
    (found,) = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert found["fingerprint"] == fingerprint
    assert len(found["attempts"]) == 2
    assert await outbox(tmp_path, "where", "nothing") == ExitCode.SOME_FAILED
    assert capsys.readouterr().err == "tikwatch-alertbridge outbox where: nothing is known of nothing\n"


async def test_the_account_has_an_object_for_each_episode(
    tmp_path: Path, running: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its state, reason and messages; a line for each day in text."""
    assert await outbox(tmp_path, "account", "--json") == ExitCode.OK
    found = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert len(found) == 12
    assert found[0].keys() == {"episode", "fingerprint", "startsAt", "state", "reason", "message_ids"}
    assert {one["state"] for one in found} == {"delivered", "merged", "dead", "suppressed", "under_way"}
    assert await outbox(tmp_path, "account") == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert sum(int(re.findall(r"received (\d+)", text)[0]) for text in lines) == 13
    assert any("dead 2 (timeout 2)" in text for text in lines)
    assert await outbox(tmp_path, "account", "--day", "2001-01-01") == ExitCode.OK
    assert capsys.readouterr().out == "2001-01-01: received 0 = delivered 0\n"


def test_an_account_that_does_not_close_says_so() -> None:
    """With how many are missing."""
    found = DayAccount(
        date(2026, 1, 31), 10, {"delivered": 7, "merged": 0, "dead": 1}, {"dead": {"timeout": 1}}, 2
    )
    assert line(found) == (
        "2026-01-31: received 10 = delivered 7 + dead 1 (timeout 1); 2 alerts could not be read; "
        "DOES NOT CLOSE: 2 are missing"
    )


async def test_control_characters_do_not_reach_the_terminal(
    tmp_path: Path, running: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an alert's label says is shown as its escape."""
    async with running.write() as connection:
        episode = await add_episode(connection, "Evil", now_s=time.time())
        name = await tell(
            connection,
            episode,
            "noc\x1b[2J",
            "wa",
            "\x1b]0;x\x07text\u202e",
            MessageState.ACKED,
            at_s=time.time(),
        )
    for words in (["list"], ["show", name], ["where", str(episode)]):
        assert await outbox(tmp_path, *words) == ExitCode.OK
        shown = capsys.readouterr().out
        assert "\x1b" not in shown
        assert "\u202e" not in shown


@pytest.mark.timeout(600)
async def test_where_is_quick_among_a_million(tmp_path: Path) -> None:
    """Found within 100 ms among 1,000,000 rows; where nothing is as quick, about as quickly as among 1,000."""
    small_s = await quickest(tmp_path / "small.db", 250, 123)
    large_s = await quickest(tmp_path / "large.db", 250_000, 123_456)
    for kind, took_s in large_s.items():
        assert took_s < max(0.1, 10 * small_s[kind]), (kind, took_s, small_s[kind])


async def quickest(path: Path, count: int, number: int) -> dict[str, float]:
    """The least seconds that finding `number` takes, by what is given of it, in a store of `count` alerts."""
    section = StoreSection(path=path)
    await (await Database.open(section, SystemClock())).close()
    fill(path, count)
    database = await Database.visit(section)
    took_s: dict[str, float] = {}
    try:
        for kind, key in {
            "fingerprint": f"{number:016x}", "number": str(number), "message": f"{number:032X}"
        }.items():  # fmt: skip
            for _ in range(5):
                began_s = time.perf_counter()
                async with database.read() as connection:
                    found = await account.where(connection, key)
                took_s[kind] = min(took_s.get(kind, 60.0), time.perf_counter() - began_s)
                assert [one.account.episode_id for one in found] == [number]
    finally:
        await database.close()
    return took_s


def fill(path: Path, count: int) -> None:
    """An episode, a notice, a message and an attempt for each number: four rows."""
    numbers = range(1, count + 1)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.executemany(
            "INSERT INTO episodes (id, fingerprint, status, name, severity, labels, annotations, starts_at, opened_at,"
            " last_seen_at, repeats, flapping) VALUES (?, ?, 'closed', 'A', 'warning', '{}', '{}', ?, ?, ?, 0, 0)",
            ((n, f"{n:016x}", n, n, n) for n in numbers),
        )
        connection.executemany(
            "INSERT INTO notices (id, episode_id, kind, state, recipient, severity, created_at, deadline_at,"
            " message_id) VALUES (?, ?, 'firing', 'delivered', 'noc', 'warning', ?, ?, ?)",
            ((n, n, n, n, f"{n:032X}") for n in numbers),
        )
        connection.executemany(
            "INSERT INTO messages (id, bundle, part, parts, recipient, channel, address, kind, room, severity, text,"
            " extra, state, created_at, accepted_at, deadline_at) VALUES (?, ?, 1, 1, 'noc', 'wa', '62812000000001',"
            " 'single', 'normal', 'warning', 'text', ?, 'acked', ?, ?, ?)",
            ((f"{n:032X}", f"{n:032X}", f'{{"notices": [{n}]}}', n, n, n) for n in numbers),
        )
        connection.executemany(
            "INSERT INTO attempts (message_id, channel, started_at, ended_at, outcome)"
            " VALUES (?, 'wa', ?, ?, 'accepted')",
            ((f"{n:032X}", n, n) for n in numbers),
        )
    connection.close()
