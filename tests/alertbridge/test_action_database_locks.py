"""Checkpoints and stuck locks of SQLite, against processes that really hold them."""

import asyncio
import getpass
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from alertbridge.recover.actions.base import Stage, Verdict
from alertbridge.recover.actions.registry import ACTIONS
from alertbridge.recover.actions.sqlite_locks import Lock, blocking, parsed
from tests.fakes.recovering import failing, recovering
from tests.fakes.sqlite_users import made, rows, using

NAME = psutil.Process().name()
ALLOWED = [{"process": NAME, "user": getpass.getuser()}]


def entry(path: Path, **given: Any) -> dict[str, Any]:
    """A listed file whose lock holders may be ended when they run as we do."""
    base = {"name": "bot", "kind": "sqlite", "path": str(path), "busy_timeout_s": 0.3}
    return {**base, "lock_holders": ALLOWED, **given}


@pytest.mark.parametrize(
    ("journal", "how"), [("wal", "IMMEDIATE"), ("delete", "IMMEDIATE"), ("delete", "READ")]
)
async def test_a_stuck_holder_is_found_and_ended(tmp_path: Path, journal: str, how: str) -> None:
    """Whoever keeps others from writing: a writer, and without a write-ahead log a reader, too."""
    path = made(tmp_path / "bot.db", journal=journal)
    with using(path, "hold", how) as holder:
        async with recovering(databases=[entry(path)]) as make:
            action = make("sqlite_end_lock_holder", database="bot", stuck_s=0.4)
            assert action.target == f"sqlite:{path}"
            assert await action.verify() is Verdict.FAILS
            facts = (await action.before()).facts
            assert facts["holders"] == f"{NAME} ({holder.pid}) of {getpass.getuser()}"
            done = await action.run()
            assert (done.changed, done.evidence.facts["killed"]) == (True, 0)
            assert holder.wait(60) == -signal.SIGTERM
            assert await action.verify() is Verdict.HOLDS
    assert rows(path) == 2000  # what it had not committed is gone


async def test_one_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    """After `term_s`."""
    path = made(tmp_path / "bot.db")
    with using(path, "hold", "IMMEDIATE+stubborn") as holder:
        async with recovering(databases=[entry(path)]) as make:
            action = make("sqlite_end_lock_holder", database="bot", stuck_s=0.3, term_s=0.3)
            assert (await action.run()).evidence.facts["killed"] == 1
            assert holder.wait(60) == -signal.SIGKILL
            assert await action.verify() is Verdict.HOLDS


NOT_ALLOWED: list[list[dict[str, Any]]] = [
    [],
    [{"process": "node", "user": getpass.getuser()}],
    [{"process": NAME, "user": "nobody-at-all"}],
    [{"process": NAME, "user": 54321}],
]


@pytest.mark.parametrize("listed", NOT_ALLOWED)
async def test_nobody_is_ended_who_is_not_on_the_list(tmp_path: Path, listed: list[dict[str, Any]]) -> None:
    """Name and user must both fit; the refusal says who it is."""
    path = made(tmp_path / "bot.db")
    with using(path, "hold", "IMMEDIATE") as holder:
        async with recovering(databases=[entry(path, lock_holders=listed)]) as make:
            action = make("sqlite_end_lock_holder", database="bot", stuck_s=0.3)
            failed = await failing(action.before())
            assert (failed.stage, failed.reason) == (Stage.PRECHECK, "holder_not_allowed")
            assert str(holder.pid) in str(failed)
            failed = await failing(action.run())
            assert (failed.stage, failed.changed) == (Stage.RUN, False)
            assert holder.poll() is None


async def test_our_own_process_is_never_ended(tmp_path: Path) -> None:
    """Although it runs as a process on the list does."""
    path = made(tmp_path / "bot.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as own:
        own.execute("BEGIN IMMEDIATE")
        async with recovering(databases=[entry(path)]) as make:
            action = make("sqlite_end_lock_holder", database="bot", stuck_s=0.3)
            assert (await failing(action.run())).reason == "holder_not_allowed"
        assert own.in_transaction
        own.execute("ROLLBACK")


async def test_a_busy_database_is_not_a_stuck_one(tmp_path: Path) -> None:
    """A writer that commits all the time is left alone, since others get their turn; so is a reader beside a log."""
    path = made(tmp_path / "bot.db")
    with using(path, "write") as writer, using(path, "hold", "READ") as reader:
        async with recovering(databases=[entry(path)]) as make:
            action = make("sqlite_end_lock_holder", database="bot", stuck_s=5)
            failed = await failing(action.before())
            assert (failed.reason, failed.changed) == ("not_locked", False)
            assert (await failing(action.run())).reason == "not_locked"
            assert writer.poll() is None
            assert reader.poll() is None


async def test_the_event_loop_goes_on_while_a_lock_is_waited_for(tmp_path: Path) -> None:
    """All of it happens in a thread."""
    path = made(tmp_path / "bot.db")
    with using(path, "hold", "IMMEDIATE"):
        async with recovering(databases=[entry(path)]) as make:
            looking = asyncio.create_task(make("sqlite_end_lock_holder", database="bot", stuck_s=1).before())
            turns = 0
            while not looking.done():
                await asyncio.sleep(0.01)
                turns += 1
            assert turns > 20
            await looking


async def test_it_is_only_done_when_a_person_said_yes() -> None:
    """Whatever the rule says."""
    assert ACTIONS["sqlite_end_lock_holder"].about.ask_only
    assert ACTIONS["postgresql_end_idle"].about.ask_only


def test_locks_are_read_as_the_kernel_prints_them() -> None:
    """Who waits for a lock holds none; locks of other kinds and on other bytes say nothing."""
    found = parsed(
        "1: POSIX  ADVISORY  WRITE 101 fe:00:7 120 120\n"
        "1: -> POSIX  ADVISORY  WRITE 102 fe:00:7 120 120\n"
        "2: POSIX  ADVISORY  READ 103 fe:00:7 124 124\n"
        "3: FLOCK  ADVISORY  WRITE 104 fe:00:7 0 EOF\n"
        "4: POSIX  ADVISORY  READ 105 fe:00:8 1073741826 1073742335\n"
        "5: POSIX  ADVISORY  WRITE 106 fe:00:8 0 EOF\n"
        "6: OFDLCK ADVISORY  WRITE -1 fe:00:7 120 120\n"
        "7: POSIX  ADVISORY  WRITE 107 fe:00:9 120 120\n"
    )
    locks = tuple(found)
    assert locks[0] == Lock(101, 7, True, 120, 120)
    assert blocking(locks, database=8, log_index=7) == {101, 106}
    assert blocking(locks, database=8, log_index=None) == {106}
    assert blocking(locks[:2], database=8, log_index=None) == frozenset()
    assert blocking([locks[2]], database=8, log_index=None) == {105}


async def test_a_long_log_is_written_back_and_emptied(tmp_path: Path) -> None:
    """And what stood in it is in the database."""
    path = tmp_path / "bot.db"
    with closing(sqlite3.connect(made(path), isolation_level=None)) as application:
        application.execute("PRAGMA wal_autocheckpoint=0")
        for _ in range(300):
            application.execute("INSERT INTO writes (text) VALUES (?)", ("y" * 500,))
        async with recovering(databases=[entry(path)]) as make:
            action = make("sqlite_checkpoint", database="bot", wal_limit_bytes=100_000)
            assert await action.verify() is Verdict.FAILS
            assert (await action.before()).facts["wal_bytes"] > 100_000  # type: ignore[operator]
            done = await action.run()
            assert done.changed
            assert done.evidence.facts["wal_bytes"] == 0
            assert await action.verify() is Verdict.HOLDS
            assert (await failing(action.undo())).reason == "not_undoable"
    assert rows(path) == 2300


async def test_a_checkpoint_that_somebody_is_in_the_way_of_says_so(tmp_path: Path) -> None:
    """A reader that does not end keeps the log; it is waited for `busy_timeout_s`, no longer."""
    path = made(tmp_path / "bot.db")
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as application,
        using(path, "hold", "READ"),
    ):
        application.execute("INSERT INTO writes (text) VALUES ('more')")
        async with recovering(databases=[entry(path)]) as make:
            action = make("sqlite_checkpoint", database="bot", wal_limit_bytes=0)
            failed = await failing(action.run())
            assert (failed.stage, failed.reason) == (Stage.RUN, "busy")
            assert await action.verify() is Verdict.FAILS


async def test_a_checkpoint_needs_a_database_with_a_log(tmp_path: Path) -> None:
    """Another journal, no file, and no database at all are found before anything is done."""
    made(tmp_path / "old.db", journal="delete")
    (tmp_path / "text.db").write_text("not a database, by no means, " * 40)
    wanted = {"old": "not_wal", "text": "corrupt", "gone": "no_such_file"}
    entries = [entry(tmp_path / f"{name}.db", name=name) for name in wanted]
    async with recovering(databases=entries) as make:
        for name, reason in wanted.items():
            failed = await failing(make("sqlite_checkpoint", database=name).before())
            assert (failed.stage, failed.reason, failed.changed) == (Stage.PRECHECK, reason, False)
    assert not (tmp_path / "gone.db").exists()


def owners(folder: Path) -> set[int]:
    """Whose the files in a folder are."""
    return {found.stat().st_uid for found in folder.iterdir()}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
async def test_files_beside_the_database_stay_its_owners(tmp_path: Path) -> None:
    """A bridge that runs as root leaves nothing that the application could not open."""
    path = made(tmp_path / "bot.db")
    os.chown(path, 65534, 65534)
    with closing(sqlite3.connect(path, isolation_level=None)) as ours:
        ours.execute("INSERT INTO writes (text) VALUES ('z')")
        async with recovering(databases=[entry(path)]) as make:
            await make("sqlite_checkpoint", database="bot").run()
        assert owners(tmp_path) == {65534}
