"""`recovery` and `audit`: looked at, stopped, answered and proven beside a bridge that is at work."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update

from alertbridge.__main__ import main
from alertbridge.alerts import Alert, AlertStatus
from alertbridge.cli.exitcodes import ExitCode
from alertbridge.recover import approvals
from alertbridge.recover.actions.registry import Actions
from alertbridge.recover.ages import Ages
from alertbridge.recover.config import RecoverySection
from alertbridge.recover.engine import Engine, Settings
from alertbridge.recover.journal import Journal
from alertbridge.recover.model import Planned, RunEvent
from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from alertbridge.store.schema_recovery import audit
from runtime.clock import SystemClock
from tests.fakes.acting import acting
from tests.fakes.recovery_scene import Ear, Everybody, Tally

CONFIG = """\
store: {path: bridge.db}
channels: [{name: wa, kind: console}]
recipients: [{name: noc, channel: wa, to: "0812000000012"}]
"""
ALERT = Alert("f1", AlertStatus.FIRING, {"alertname": "Broken"}, {}, 1.0)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Journal]:
    """A store without runs, held open as a running bridge holds it."""
    (tmp_path / "alertbridge.yml").write_text(CONFIG, encoding="utf-8")
    database = await Database.open(StoreSection(path=tmp_path / "bridge.db"), SystemClock())
    yield Journal(database, Ages(SystemClock()), f"{database.instance}:1", 15.0)
    await database.close()


async def cli(folder: Path, *words: str) -> int:
    """Runs the command in a thread: it has a loop of its own."""
    return await asyncio.to_thread(main, [*words, "--config", str(folder / "alertbridge.yml")])


async def waiting(of: Journal) -> str:
    """The code of a run that waits for it."""
    async with of.change() as connection:
        plan = (Planned("bot_reconnect", {"channel": "wa"}, "bot:wa"),)
        run = await of.propose(connection, rule="mend", alert=ALERT, episode_id=None, plan=plan, asks=True)
        run = await of.move(connection, run, RunEvent.ASK)
        return await approvals.make(connection, of.ages, run.id, valid_s=120)


async def test_a_run_is_answered_once(
    tmp_path: Path, running: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    """The code lets it go on, is good once, and a wrong one is told as that; `show` has every step."""
    code = await waiting(running)
    assert await cli(tmp_path, "recovery", "approve", "AAAAAA") == ExitCode.SOME_FAILED
    assert await cli(tmp_path, "recovery", "approve", code) == ExitCode.OK
    assert await cli(tmp_path, "recovery", "reject", code) == ExitCode.SOME_FAILED
    told = capsys.readouterr()
    assert "no such code" in told.err
    assert "the code was used already" in told.err
    assert await cli(tmp_path, "recovery", "show", "1") == ExitCode.OK
    assert "approve" in (shown := capsys.readouterr().out)
    assert code not in shown
    assert await cli(tmp_path, "recovery", "show", "2") == ExitCode.SOME_FAILED


async def test_the_switch(tmp_path: Path, running: Journal, capsys: pytest.CaptureFixture[str]) -> None:
    """`list` says who paused it, and that it goes on."""
    for word, line in (("pause", "paused by"), ("resume", "resumed by")):
        assert await cli(tmp_path, "recovery", word) == ExitCode.OK
        assert await cli(tmp_path, "recovery", "list") == ExitCode.OK
        assert line in capsys.readouterr().out


async def test_the_audit_is_exported_and_proven(
    tmp_path: Path, running: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines of JSON; whole until somebody changes an entry, which makes the command fail."""
    await waiting(running)
    assert await cli(tmp_path, "audit", "export") == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["entry"]["event"] for line in lines] == ["proposed", "ask"]
    assert await cli(tmp_path, "audit", "verify") == ExitCode.OK
    assert "2 entries, nothing was changed" in capsys.readouterr().out
    async with running.database.write() as connection:
        await connection.execute(update(audit).where(audit.c.seq == 1).values(entry="no entry"))
    assert await cli(tmp_path, "audit", "verify") == ExitCode.SOME_FAILED
    assert "entry 1 was changed" in capsys.readouterr().out
    assert await cli(tmp_path, "audit", "export") == ExitCode.OK


async def test_a_run_is_taken_back(
    tmp_path: Path, running: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    """The wish is stored and audited; without a bridge nothing is done, and what cannot be is refused at once."""
    plan = (Planned("interface_enable", {"router": "core", "interface": "ether3"}, "router:core/x"),)
    async with running.change() as connection:
        run = await running.propose(
            connection, rule="mend", alert=ALERT, episode_id=None, plan=plan, asks=False
        )
        await running.begin_action(connection, run)
        await running.end_action(connection, run, "done", changed=True)
    assert await cli(tmp_path, "recovery", "undo", "1") == ExitCode.SOME_FAILED
    assert "run 1 is still under way" in capsys.readouterr().err
    async with running.change() as connection:
        await running.move(connection, run, RunEvent.CANCEL)
    assert await cli(tmp_path, "recovery", "undo", "9") == ExitCode.SOME_FAILED
    assert "there is no run 9" in capsys.readouterr().err
    words = ("recovery", "undo", "1", "--reason", "wrong port", "--wait", "1")
    assert await cli(tmp_path, *words) == ExitCode.SOME_FAILED
    assert "waits for a bridge that is at work" in capsys.readouterr().err
    assert await cli(tmp_path, "recovery", "undo", "1") == ExitCode.SOME_FAILED
    assert "run 2 has the target" in capsys.readouterr().err
    assert await cli(tmp_path, "recovery", "list") == ExitCode.OK
    assert "takes back run 1" in capsys.readouterr().out
    assert await cli(tmp_path, "audit", "export") == ExitCode.OK
    assert "wrong port" in capsys.readouterr().out


async def test_the_bridge_that_is_at_work_takes_it_back(
    tmp_path: Path, running: Journal, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command waits for it and says so; the interface is disabled as it was before the run."""
    settings = {"router": "core", "interface": "ether3"}
    plan = (Planned("interface_enable", settings, "router:core/interface:ether3"),)
    async with running.change() as connection:
        run = await running.propose(
            connection, rule="mend", alert=ALERT, episode_id=None, plan=plan, asks=False
        )
        await running.begin_action(connection, run)
        await running.end_action(connection, run, "done", changed=True)
        await running.move(connection, run, RunEvent.CANCEL)
    section = RecoverySection.model_validate({"reconsider_s": 1})
    async with acting() as bench:
        parts = Settings(section, Actions(bench.resources), Ear(), Everybody(), {})
        engine = Engine(running.database, SystemClock(), Tally(), parts)
        await engine.start()
        assert not bench.is_disabled("ether3")
        assert await cli(tmp_path, "recovery", "undo", "1") == ExitCode.OK
        assert bench.is_disabled("ether3")
        await engine.stop()
    assert "run 1 was taken back" in capsys.readouterr().out
    assert await cli(tmp_path, "recovery", "undo", "1") == ExitCode.SOME_FAILED
    assert "run 1 was taken back already" in capsys.readouterr().err
