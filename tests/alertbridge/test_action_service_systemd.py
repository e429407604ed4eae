"""Units of systemd, against a systemctl that keeps units in a file and prints what the real one prints."""

from pathlib import Path
from typing import Any

import pytest

from alertbridge.recover.actions.base import Stage, Verdict
from alertbridge.recover.ports import NoSuchTarget
from tests.fakes.recovering import failing, recovering
from tests.fakes.systemctl import Systemd

RUNS = {"MainPID": 4711, "ActiveState": "active", "SubState": "running", "InvocationID": "ab" * 16}


def entry(systemd: Systemd, unit: str = "bot", **given: Any) -> dict[str, Any]:
    """A listed unit."""
    return {"name": "bot", "kind": "systemd", "unit": unit, "systemctl": str(systemd.program), **given}


async def test_a_unit_is_restarted_and_verified_by_its_new_process(tmp_path: Path) -> None:
    """Active, another main process, no start of systemd's own since."""
    systemd = Systemd(tmp_path, bot__service=RUNS)
    async with recovering(services=[entry(systemd)]) as make:
        action = make("systemd_restart", service="bot")
        assert action.target == "systemd:bot.service"
        assert (await action.before()).facts["main_pid"] == 4711
        done = await action.run()
        assert (done.changed, done.evidence.facts["main_pid"]) == (True, 5000)
        assert await make("systemd_restart", service="bot").verify() is Verdict.HOLDS
        assert await make("systemd_restart", service="bot").verify() is Verdict.HOLDS
        undone = await failing(action.undo())
        assert (undone.stage, undone.reason) == (Stage.UNDO, "not_undoable")
    assert "restart --no-ask-password -- bot.service" in systemd.asked


async def test_a_run_that_was_interrupted_is_verified_by_how_the_unit_is(tmp_path: Path) -> None:
    """An action made anew knows no process of before: it holds while the unit runs."""
    systemd = Systemd(tmp_path, bot__service=RUNS)
    async with recovering(services=[entry(systemd)]) as make:
        assert await make("systemd_restart", service="bot").verify() is Verdict.HOLDS
        assert not any("restart" in call for call in systemd.asked)


@pytest.mark.parametrize(("trouble", "first"), [("falls", Verdict.FAILS), ("dies", Verdict.FAILS)])
async def test_a_unit_that_does_not_stay_up_is_not_cured(
    tmp_path: Path, trouble: str, first: Verdict
) -> None:
    """One that systemd starts again and again, and one that ends at once."""
    systemd = Systemd(tmp_path, bot__service={**RUNS, "trouble": trouble})
    async with recovering(services=[entry(systemd)]) as make:
        action = make("systemd_restart", service="bot")
        assert (await action.run()).changed
        assert await make("systemd_restart", service="bot").verify() is first
        assert await make("systemd_restart", service="bot").verify() is Verdict.FAILS


async def test_what_systemctl_refuses_is_told_with_its_words(tmp_path: Path) -> None:
    """Whether the old process still runs is not known then."""
    systemd = Systemd(tmp_path, bot__service={**RUNS, "trouble": "refuses"})
    async with recovering(services=[entry(systemd)]) as make:
        action = make("systemd_restart", service="bot")
        failed = await failing(action.run())
        assert (failed.stage, failed.reason, failed.changed) == (Stage.RUN, "refused", None)
        assert "control process exited" in str(failed)
        assert await make("systemd_restart", service="bot").verify() is Verdict.FAILS


async def test_a_systemctl_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """After `timeout_s`; its job may go on, so nobody knows."""
    systemd = Systemd(tmp_path, bot__service={**RUNS, "trouble": "hangs"})
    async with recovering(services=[entry(systemd, timeout_s=0.5)]) as make:
        failed = await failing(make("systemd_restart", service="bot").run())
        assert (failed.reason, failed.changed) == ("timeout", None)


async def test_an_unknown_unit_and_a_missing_systemctl_change_nothing(tmp_path: Path) -> None:
    """Both are found before anything is done."""
    systemd = Systemd(tmp_path)
    other = {**entry(systemd), "name": "gone", "systemctl": str(tmp_path / "nothing")}
    async with recovering(services=[entry(systemd), other]) as make:
        failed = await failing(make("systemd_restart", service="bot").before())
        assert (failed.stage, failed.reason, failed.changed) == (Stage.PRECHECK, "no_such_service", False)
        failed = await failing(make("systemd_restart", service="gone").before())
        assert failed.reason == "no_systemctl"
        assert await make("systemd_restart", service="gone").verify() is Verdict.UNKNOWN


async def test_only_what_is_listed_can_be_restarted(tmp_path: Path) -> None:
    """A name that is not in the list, and one of another kind, make no action at all."""
    systemd = Systemd(tmp_path, bot__service=RUNS)
    async with recovering(services=[entry(systemd)]) as make:
        with pytest.raises(NoSuchTarget, match="not under"):
            make("systemd_restart", service="sshd")
        with pytest.raises(NoSuchTarget, match="kind systemd"):
            make("docker_restart", service="bot")


async def test_a_unit_cannot_be_an_option(tmp_path: Path) -> None:
    """Names begin with a letter or a digit, and stand behind `--`."""
    systemd = Systemd(tmp_path)
    with pytest.raises(ValueError, match="unit"):
        async with recovering(services=[entry(systemd, unit="--root=/")]):
            pass
