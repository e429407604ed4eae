"""Processes of PM2, against the real one from npm."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from alertbridge.recover.actions.base import Stage, Verdict
from tests.fakes.pm2_daemon import NotInstalled, Pm2, installed, may_be_missing, pm2
from tests.fakes.recovering import failing, recovering

pytestmark = [pytest.mark.system("npm", "node"), pytest.mark.timeout(300)]

LIVES = 'console.log("up"); console.error("api_key=orchard-19"); setInterval(() => {}, 1000);'
DIES = "process.exit(3);"
EATS = """
const kept = Buffer.alloc(150e6, 1);
setInterval(() => { const until = Date.now() + 90; while (Date.now() < until) kept.length; }, 100);
"""


@pytest.fixture(scope="session")
def pm2_program(pytestconfig: pytest.Config) -> Path:
    """The program, in the cache folder of pytest, which is not part of the repository."""
    cache = pytestconfig.cache
    assert cache is not None
    try:
        return installed(cache.mkdir("pm2"))
    except NotInstalled as error:
        if may_be_missing():
            pytest.skip(f"npm cannot bring PM2: {error}")
        raise


@pytest.fixture
def daemon(pm2_program: Path, tmp_path: Path) -> Iterator[Pm2]:
    """A PM2 of this test's own."""
    with pm2(pm2_program, tmp_path) as made:
        yield made


def entry(daemon: Pm2, process: str = "bot", **given: Any) -> dict[str, Any]:
    """A listed process."""
    base = {"name": "bot", "kind": "pm2", "process": process}
    return {**base, "home": str(daemon.home), "pm2": str(daemon.program), **given}


async def test_a_process_is_restarted_and_verified(daemon: Pm2) -> None:
    """It is online with another number; nothing of its environment is kept."""
    daemon.start("bot", LIVES)
    pid = daemon.listed("bot")[0]["pid"]
    async with recovering(services=[entry(daemon)]) as make:
        action = make("pm2_restart", service="bot")
        before = await action.before()
        assert (before.facts["main_pid"], before.facts["status"]) == (pid, "online")
        done = await action.run()
        assert not psutil.pid_exists(pid)
        assert done.evidence.facts["main_pid"] == daemon.listed("bot")[0]["pid"] != pid
        assert await make("pm2_restart", service="bot").verify() is Verdict.HOLDS
        assert "PATH" not in repr((before, done))


async def test_all_processes_of_a_cluster_are_restarted_together(daemon: Pm2) -> None:
    """Each has another number afterwards, and a neighbour keeps its own."""
    daemon.start("bot", LIVES, "--instances", "2")
    daemon.start("other", LIVES)
    old = {one["pid"] for one in daemon.listed("bot")}
    neighbour = daemon.listed("other")[0]["pid"]
    async with recovering(services=[entry(daemon)]) as make:
        action = make("pm2_restart", service="bot")
        assert (await action.run()).evidence.facts["processes"] == 2
        assert await make("pm2_restart", service="bot").verify() is Verdict.HOLDS
    assert not old & {one["pid"] for one in daemon.listed("bot")}
    assert daemon.listed("other")[0]["pid"] == neighbour


async def test_a_process_that_ends_at_once_is_not_cured(daemon: Pm2) -> None:
    """PM2 starts it until it gives up; that is never called running."""
    daemon.start("bot", DIES, "--max-restarts", "2")
    async with recovering(services=[entry(daemon)]) as make:
        action = make("pm2_restart", service="bot")
        await action.run()
        verdicts = [await make("pm2_restart", service="bot").verify() for _ in range(4)]
        assert Verdict.HOLDS not in verdicts[1:]
        assert verdicts[-1] is Verdict.FAILS


async def test_a_name_that_means_all_to_pm2_means_itself_here(daemon: Pm2) -> None:
    """Processes are told by their number."""
    daemon.start("bot", LIVES)
    pid = daemon.listed("bot")[0]["pid"]
    async with recovering(services=[entry(daemon, process="all")]) as make:
        failed = await failing(make("pm2_restart", service="bot").run())
        assert (failed.stage, failed.reason, failed.changed) == (Stage.RUN, "no_such_service", False)
    assert daemon.listed("bot")[0]["pid"] == pid


async def test_without_a_daemon_none_is_started(daemon: Pm2, tmp_path: Path) -> None:
    """Any command of PM2 would start an empty one in our name."""
    home = tmp_path / "nobody"
    async with recovering(services=[entry(daemon, home=str(home))]) as make:
        action = make("pm2_restart", service="bot")
        failed = await failing(action.before())
        assert (failed.reason, failed.changed) == ("no_daemon", False)
        assert await make("pm2_restart", service="bot").verify() is Verdict.UNKNOWN
    assert not home.exists()


async def test_a_runaway_is_looked_at_before_it_is_restarted(daemon: Pm2) -> None:
    """Memory, processor, threads, files and the end of the log are kept, without secrets; the new one is checked."""
    daemon.start("bot", LIVES + EATS)
    async with recovering(services=[entry(daemon)]) as make:
        action = make("process_restart", service="bot", rss_limit_bytes=100_000_000)
        facts = (await action.before()).facts
        assert facts["rss_bytes"] > 150_000_000  # type: ignore[operator]
        assert 0.02 < facts["cpu_ratio"] < 3  # type: ignore[operator]
        assert facts["threads"] > 1  # type: ignore[operator]
        assert facts["open_files"] is not None
        assert "api_key=***" in str(facts["last_lines"])
        assert (await action.run()).changed
        assert (
            await make("process_restart", service="bot", rss_limit_bytes=100_000_000).verify()
            is Verdict.FAILS
        )  # it takes as much again
        calm = make("process_restart", service="bot", rss_limit_bytes=10**10)
        failed = await failing(calm.before())
        assert (failed.stage, failed.reason) == (Stage.PRECHECK, "within_limits")
