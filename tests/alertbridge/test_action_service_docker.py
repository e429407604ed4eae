"""Containers, against an Engine in memory that answers on a unix socket as the real one does."""

from pathlib import Path
from typing import Any

from alertbridge.recover.actions.base import Stage, Verdict
from tests.fakes.docker_engine import Engine, engine
from tests.fakes.recovering import failing, recovering


def entry(at: Engine, **given: Any) -> dict[str, Any]:
    """A listed container."""
    base = {"name": "bot", "kind": "docker", "container": "waha", "socket": str(at.socket)}
    return {**base, "stop_s": 3, **given}


async def test_a_container_is_restarted_and_verified(tmp_path: Path) -> None:
    """It runs, and was started later than before; nothing of its environment is kept."""
    async with engine(tmp_path) as docker, recovering(services=[entry(docker)]) as make:
        docker.add("waha")
        action = make("docker_restart", service="bot")
        assert action.target == "docker:waha"
        before = await action.before()
        assert before.facts["main_pid"] == 4000
        done = await action.run()
        assert done.evidence.facts["main_pid"] == 4001
        assert await make("docker_restart", service="bot").verify() is Verdict.HOLDS
        assert "POST /containers/waha/restart?t=3" in docker.asked
        assert "orchard" not in repr((before, done))
        assert (await failing(action.undo())).reason == "not_undoable"


async def test_health_counts_where_there_is_a_check(tmp_path: Path) -> None:
    """Starting is not known yet, unhealthy is not cured."""
    async with engine(tmp_path) as docker, recovering(services=[entry(docker)]) as make:
        container = docker.add("waha", health="starting")
        action = make("docker_restart", service="bot")
        await action.run()
        assert await make("docker_restart", service="bot").verify() is Verdict.UNKNOWN
        container.health = "unhealthy"
        assert await make("docker_restart", service="bot").verify() is Verdict.FAILS
        container.health = "healthy"
        assert await make("docker_restart", service="bot").verify() is Verdict.HOLDS


async def test_a_container_that_does_not_stay_up_is_not_cured(tmp_path: Path) -> None:
    """One that its restart policy starts again, one that ends at once, one that is being restarted."""
    async with engine(tmp_path) as docker, recovering(services=[entry(docker)]) as make:
        container = docker.add("waha", trouble="falls")
        action = make("docker_restart", service="bot")
        await action.run()
        assert await make("docker_restart", service="bot").verify() is Verdict.FAILS
        container.trouble, container.status = "", "restarting"
        assert await make("docker_restart", service="bot").verify() is Verdict.UNKNOWN
        container.trouble, container.status = "dies", "running"
        action = make("docker_restart", service="bot")
        await action.run()
        assert await make("docker_restart", service="bot").verify() is Verdict.FAILS


async def test_errors_of_the_engine_say_what_may_have_changed(tmp_path: Path) -> None:
    """No such container: nothing. Failed, cut off or silent in the middle: nobody knows."""
    listed = entry(docker_at(tmp_path), timeout_s=2.0, stop_s=0)
    async with engine(tmp_path) as docker, recovering(services=[listed]) as make:
        failed = await failing(make("docker_restart", service="bot").before())
        assert (failed.stage, failed.reason, failed.changed) == (Stage.PRECHECK, "no_such_service", False)
        assert "No such container: waha" in str(failed)
        container = docker.add("waha")
        for trouble, reason in (("fails", "refused"), ("cut", "connection_lost"), ("silent", "timeout")):
            container.trouble = trouble
            container.begin()
            failed = await failing(make("docker_restart", service="bot").run())
            assert (failed.stage, failed.reason, failed.changed) == (Stage.RUN, reason, None)


async def test_without_an_engine_nothing_is_known(tmp_path: Path) -> None:
    """The socket is not there."""
    async with recovering(services=[entry(docker_at(tmp_path))]) as make:
        action = make("docker_restart", service="bot")
        failed = await failing(action.before())
        assert (failed.reason, failed.changed) == ("no_engine", False)
        assert await make("docker_restart", service="bot").verify() is Verdict.UNKNOWN


def docker_at(folder: Path) -> Engine:
    """Where an Engine would listen."""
    return Engine(folder / "docker.sock")
