"""Copies and restores of SQLite files: nothing is lost, wherever it is cut off."""

import asyncio
import fcntl
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alertbridge.recover.actions.base import Stage, Verdict
from alertbridge.recover.actions.config import ActionsSection
from alertbridge.recover.ports import NoSuchTarget
from tests.fakes.recovering import WallClock, complaints, failing, recovering
from tests.fakes.sqlite_users import corrupt, made, rows, using, whole

ROOT = Path(__file__).parents[2]
NOW_S = 1_700_000_000.0


def entry(folder: Path, **given: Any) -> dict[str, Any]:
    """A listed file with a folder for copies."""
    base = {"name": "bot", "kind": "sqlite", "path": str(folder / "bot.db"), "busy_timeout_s": 0.5}
    return {**base, "backup": {"folder": str(folder / "backups"), "keep": 2}, **given}


def mode(path: Path) -> int:
    """The permissions of a file."""
    return path.stat().st_mode & 0o777


def content(path: Path) -> bytes:
    """What stands in a file."""
    return path.read_bytes()


def copies(folder: Path) -> list[str]:
    """Names of everything in the folder of copies but its lock."""
    return sorted(path.name for path in (folder / "backups").iterdir() if not path.name.endswith(".lock"))


async def test_a_copy_is_made_while_the_database_is_written(tmp_path: Path) -> None:
    """It is whole, has one state of it, is nobody else's to read, and the writer is not held up."""
    made(tmp_path / "bot.db", rows=20_000)
    clock = WallClock(time_s=NOW_S)
    with using(tmp_path / "bot.db", "write") as writer:
        async with recovering(databases=[entry(tmp_path)], clock=clock) as make:
            action = make("sqlite_backup", database="bot")
            assert await action.verify() is Verdict.FAILS
            assert (await action.before()).facts["copies"] == 0
            done = await action.run()
            assert await action.verify() is Verdict.HOLDS
            clock.advance(3601)
            assert await action.verify() is Verdict.FAILS
            assert (await failing(action.undo())).reason == "not_undoable"
        assert writer.poll() is None
    assert copies(tmp_path) == ["bot-20231114T221320Z.db"]
    copy = Path(str(done.evidence.facts["copy"]))
    assert mode(copy) == 0o600
    assert whole(copy)
    assert rows(copy) >= 20_000


@pytest.mark.parametrize("journal", ["wal", "delete"])
async def test_the_oldest_copies_are_deleted_beyond_those_to_keep(tmp_path: Path, journal: str) -> None:
    """Also when two are made in one second; what is not a copy of this database stays."""
    made(tmp_path / "bot.db", journal=journal)
    clock = WallClock(time_s=NOW_S)
    async with recovering(databases=[entry(tmp_path)], clock=clock) as make:
        for _ in range(3):
            await make("sqlite_backup", database="bot").run()
        (tmp_path / "backups" / "bot-old.db").touch()
        (tmp_path / "backups" / "robot-20200101T000000Z.db").touch()
        assert "bot-20231114T221320Z-3.db" in copies(tmp_path)
        clock.advance(1)
        await make("sqlite_backup", database="bot").run()
    expected = ["bot-20231114T221320Z-3.db", "bot-20231114T221321Z.db", "bot-old.db"]
    assert copies(tmp_path) == [*expected, "robot-20200101T000000Z.db"]


async def test_a_corrupt_database_makes_no_copy_and_costs_none(tmp_path: Path) -> None:
    """The good copies of before stay, and nothing else is left."""
    path = made(tmp_path / "bot.db")
    async with recovering(databases=[entry(tmp_path)], clock=WallClock(time_s=NOW_S)) as make:
        await make("sqlite_backup", database="bot").run()
        corrupt(path)
        action = make("sqlite_backup", database="bot")
        assert (await failing(action.before())).reason == "corrupt"
        failed = await failing(action.run())
        assert (failed.stage, failed.reason, failed.changed) == (Stage.RUN, "corrupt", False)
    assert copies(tmp_path) == ["bot-20231114T221320Z.db"]


async def test_two_do_not_work_with_the_copies_at_once(tmp_path: Path) -> None:
    """Neither a second copy nor a restore."""
    path = made(tmp_path / "bot.db")
    async with recovering(databases=[entry(tmp_path)]) as make:
        await make("sqlite_backup", database="bot").run()
        corrupt(path)
        with (tmp_path / "backups" / ".bot.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for name in ("sqlite_backup", "sqlite_restore"):
                failed = await failing(make(name, database="bot").run())
                assert (failed.reason, failed.changed) == ("busy_backup", False)


async def test_a_copy_that_is_not_wanted_any_more_leaves_nothing(tmp_path: Path) -> None:
    """Neither when it is cancelled, nor when its time is up."""
    made(tmp_path / "bot.db", rows=100_000)
    async with recovering(databases=[entry(tmp_path)]) as make:
        copying = asyncio.create_task(make("sqlite_backup", database="bot").run())
        part = tmp_path / "backups" / ".bot.part"
        while not await asyncio.to_thread(part.exists):
            assert not copying.done()
            await asyncio.sleep(0)
        copying.cancel()
        with pytest.raises(asyncio.CancelledError):
            await copying
        assert copies(tmp_path) == []
    async with recovering(databases=[entry(tmp_path, timeout_s=0.05)]) as make:
        failed = await failing(make("sqlite_backup", database="bot").run())
        assert (failed.reason, failed.changed) == ("timeout", False)
    assert copies(tmp_path) == []


class Keeper:
    """A service of commands: a process that has the database open, its number in a file."""

    def __init__(self, folder: Path) -> None:
        self.pid_file = folder / "pid"
        self._path = folder / "bot.db"
        source = ROOT / "tests" / "fakes" / "sqlite_users.py"
        self._start = self._script(
            folder / "start",
            f"{sys.executable} {source} serve {self._path} >/dev/null 2>&1 &\necho $! >{self.pid_file}",
        )
        self._stop = self._script(
            folder / "stop",
            f"kill -9 $(cat {self.pid_file}); rm {self.pid_file}; echo stopped >>{folder}/told",
        )
        self.told = folder / "told"

    @staticmethod
    def _script(path: Path, text: str) -> str:
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    @property
    def entry(self) -> dict[str, Any]:
        """The listed service."""
        commands = {"command": ["/bin/false"], "stop": [self._stop], "start": [self._start]}
        return {"name": "app", "kind": "command", **commands, "pid_file": str(self.pid_file)}

    def start(self) -> None:
        """It runs."""
        subprocess.run([self._start], check=True)

    def end(self) -> None:
        """It does not run any more, whoever started it."""
        subprocess.run([self._stop], check=False, capture_output=True)


async def test_a_corrupt_database_is_restored_around_its_service(tmp_path: Path) -> None:
    """Stopped, the corrupt file kept, the newest good copy in its place, started, verified."""
    path = made(tmp_path / "bot.db")
    path.chmod(0o640)
    keeper, clock = Keeper(tmp_path), WallClock(time_s=NOW_S)
    databases = [entry(tmp_path, service="app")]
    async with recovering(databases=databases, services=[keeper.entry], clock=clock) as make:
        await make("sqlite_backup", database="bot").run()
        clock.advance(60)
        bad = make("sqlite_backup", database="bot")
        corrupt(Path(str((await bad.run()).evidence.facts["copy"])))  # the newest copy is no good
        broken = corrupt(path)
        keeper.start()
        try:
            action = make("sqlite_restore", database="bot")
            assert action.target == "command:app"
            assert await action.verify() is Verdict.FAILS
            facts = (await action.before()).facts
            assert facts["copy"] == "bot-20231114T221320Z.db"
            done = await action.run()
            assert done.changed
            kept = Path(str(done.evidence.facts["kept"]))
            assert kept.name == "bot.db.corrupt-20231114T221420Z"
            assert content(kept) == broken
            assert mode(path) == 0o640
            assert await action.verify() is Verdict.HOLDS
            assert keeper.told.read_text() == "stopped\n"
            assert not (tmp_path / ".bot.db.restore").exists()
            assert (await failing(action.undo())).reason == "not_undoable"
            again = await failing(make("sqlite_restore", database="bot").before())
            assert (again.stage, again.reason) == (Stage.PRECHECK, "not_corrupt")
        finally:
            keeper.end()
    assert rows(path) == 2000


async def test_a_whole_database_is_never_replaced(tmp_path: Path) -> None:
    """However often it is told to; the service is not touched."""
    path = made(tmp_path / "bot.db")
    before = content(path)
    async with recovering(databases=[entry(tmp_path)]) as make:
        await make("sqlite_backup", database="bot").run()
        failed = await failing(make("sqlite_restore", database="bot").run())
        assert (failed.reason, failed.changed) == ("not_corrupt", False)
    assert content(path) == before


async def test_without_a_good_copy_nothing_is_done(tmp_path: Path) -> None:
    """No copy at all, and only corrupt ones: the service goes on with what there is."""
    path = made(tmp_path / "bot.db")
    async with recovering(databases=[entry(tmp_path)]) as make:
        copy = Path(str((await make("sqlite_backup", database="bot").run()).evidence.facts["copy"]))
        broken = corrupt(path)
        corrupt(copy)
        for _ in range(2):
            failed = await failing(make("sqlite_restore", database="bot").run())
            assert (failed.stage, failed.reason, failed.changed) == (Stage.RUN, "no_good_backup", False)
            shutil.rmtree(tmp_path / "backups")
    assert path.read_bytes() == broken


async def test_a_database_that_somebody_else_has_open_is_not_replaced(tmp_path: Path) -> None:
    """He would go on writing to the old file; the service is started again."""
    path = made(tmp_path / "bot.db")
    keeper = Keeper(tmp_path)
    async with recovering(databases=[entry(tmp_path, service="app")], services=[keeper.entry]) as make:
        await make("sqlite_backup", database="bot").run()
        broken = corrupt(path)
        keeper.start()
        try:
            with using(path, "serve") as other:
                failed = await failing(make("sqlite_restore", database="bot").run())
                assert (failed.reason, failed.changed) == ("still_open", False)
                assert str(other.pid) in str(failed)
            assert keeper.pid_file.exists()
        finally:
            keeper.end()
    assert path.read_bytes() == broken


async def test_a_restore_that_is_cut_off_starts_its_service_again(tmp_path: Path) -> None:
    """The engine's deadline may come while the service is stopped: nothing is left half done."""
    path = made(tmp_path / "bot.db", rows=50_000)
    keeper = Keeper(tmp_path)
    async with recovering(databases=[entry(tmp_path, service="app")], services=[keeper.entry]) as make:
        await make("sqlite_backup", database="bot").run()
        broken = corrupt(path)
        keeper.start()
        try:
            action = make("sqlite_restore", database="bot")
            running = asyncio.create_task(action.run())
            while not await asyncio.to_thread(keeper.told.exists):
                assert not running.done()
                await asyncio.sleep(0)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            assert keeper.pid_file.exists()
            assert not (tmp_path / ".bot.db.restore").exists()
            assert content(path) == broken or rows(path) == 50_000
        finally:
            keeper.end()


def test_a_restore_names_a_service_that_is_listed(tmp_path: Path) -> None:
    """And a database without a place for copies can be neither copied nor restored."""
    found = complaints(ActionsSection, {"databases": [entry(tmp_path, service="nobody")]})
    assert list(found.values()) == ["there is no service 'nobody' under actions.services"]


async def test_without_a_folder_for_copies_there_is_no_such_action(tmp_path: Path) -> None:
    """It is said when the action is made."""
    async with recovering(databases=[entry(tmp_path, backup=None)]) as make:
        for name in ("sqlite_backup", "sqlite_restore"):
            with pytest.raises(NoSuchTarget, match="no `backup`"):
                make(name, database="bot")


def killed(verb: str, template: Path, folder: Path) -> int:
    """How many operations on files the action has; it was killed before each of them."""
    folder.mkdir()
    program = [
        sys.executable,
        str(ROOT / "tests" / "fakes" / "killed_restores.py"),
        verb,
        str(template),
        str(folder),
    ]
    done = subprocess.run(program, check=True, capture_output=True, text=True, timeout=280)
    return int(done.stdout)


def a_crashed_database(folder: Path) -> Path:
    """A database whose program was killed: beside it a log with rows that are only there."""
    folder.mkdir()
    path = made(folder / "live.db", rows=300)
    with closing(sqlite3.connect(path, isolation_level=None)) as application:
        application.execute("INSERT INTO writes (text) VALUES ('only in the log')")
        for ending in ("", "-wal"):
            shutil.copy(f"{path}{ending}", folder / f"bot.db{ending}")
    for left in folder.glob("live.db*"):
        left.unlink()
    return folder / "bot.db"


@pytest.mark.timeout(600)
def test_a_copy_that_is_killed_anywhere_costs_no_older_one(tmp_path: Path) -> None:
    """At every moment each copy with a final name is whole, and at least as many are there as are to be kept."""
    template = tmp_path / "template"
    database = a_crashed_database(template)
    (template / "backups").mkdir()
    for moment in ("20200101T000000Z", "20200102T000000Z"):
        made(template / "backups" / f"bot-{moment}.db", journal="delete")
    times = killed("sqlite_backup", template, tmp_path / "runs")
    assert times > 10
    for folder in (tmp_path / "runs").iterdir():
        finished = list((folder / "backups").glob("bot-*.db"))
        assert len(finished) >= 2, folder.name
        assert all(whole(path) for path in finished), folder.name
        assert (folder / "bot.db").read_bytes() == database.read_bytes(), folder.name


@pytest.mark.timeout(300)
async def test_a_restore_that_is_killed_anywhere_loses_nothing_and_can_be_done_again(tmp_path: Path) -> None:
    """The corrupt or the restored file is in place; what is not in place any more is kept, with its log."""
    template = tmp_path / "template"
    database = a_crashed_database(template)
    log = content(Path(f"{database}-wal"))
    broken = corrupt(database)
    (template / "backups").mkdir()
    made(template / "backups" / "bot-20200101T000000Z.db", journal="delete", rows=50)
    times = await asyncio.to_thread(killed, "sqlite_restore", template, tmp_path / "runs")
    assert times > 15
    restored = 0
    for number in range(1, times + 2):
        folder = tmp_path / "runs" / str(number)
        path = folder / "bot.db"
        kept = [each for each in folder.glob("bot.db.corrupt-*") if not each.name.endswith(("-wal", "-shm"))]
        is_old = path.read_bytes() == broken
        if is_old and (folder / "bot.db-wal").exists():
            assert (folder / "bot.db-wal").read_bytes() == log
        else:
            assert [each.read_bytes() for each in kept] == [broken], number
            assert content(Path(f"{kept[0]}-wal")) == log, number
        if not is_old:
            restored += 1
            assert not (folder / "bot.db-wal").exists(), number
        async with recovering(databases=[entry(folder)]) as make:
            action = make("sqlite_restore", database="bot")
            if await action.verify() is Verdict.FAILS:
                assert is_old, number
                await action.run()
            elif (folder / ".bot.db.restore").exists():
                await action.run()
            assert await action.verify() is Verdict.HOLDS, number
        assert whole(path), number
        assert rows(path) == 50, number
    assert 0 < restored < times
