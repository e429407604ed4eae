"""Commands of the allow list: real processes, which may do nothing but what the list says."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from alertbridge.recover.actions.base import Stage, Verdict
from alertbridge.recover.actions.config import ActionsSection
from alertbridge.recover.ports import NoSuchTarget
from tests.fakes.recovering import complaints, failing, recovering

UNTIL_S = 60.0


def program(folder: Path, name: str, text: str) -> str:
    """A program that a command may name."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def entry(*command: str, **given: Any) -> dict[str, Any]:
    """A listed command."""
    return {"name": "fix", "kind": "command", "command": list(command), **given}


async def test_a_command_gets_its_arguments_as_they_stand_and_a_clean_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No shell takes them apart, and nothing of our own environment is passed on."""
    monkeypatch.setenv("BRIDGE_TOKEN", "orchard-19")
    text = "import os, sys; print(sys.argv[1:], sorted(os.environ), os.getcwd(), os.environ['MODE'])"
    listed = entry(
        program(tmp_path, "tell", text), "a b", "*", "$HOME;", "it's",
        environment={"MODE": "full"}, cwd=str(tmp_path), literal=True,
    )  # fmt: skip
    async with recovering(services=[listed]) as make:
        action = make("command_run", command="fix")
        assert action.target == "command:fix"
        await action.before()
        said = str((await action.run()).evidence.facts["output"])
        assert "['a b', '*', '$HOME;', \"it's\"]" in said
        assert str(tmp_path) in said
        assert said.endswith("full")
        assert "BRIDGE_TOKEN" not in said
        assert "LANG" in said
        assert await action.verify() is Verdict.HOLDS


async def test_its_check_verifies_and_its_undo_takes_back(tmp_path: Path) -> None:
    """Both are commands of the entry; a check is asked anew each time."""
    flag = tmp_path / "flag"
    listed = entry(
        "/usr/bin/touch", str(flag), check=["/usr/bin/test", "-e", str(flag)], undo=["/bin/rm", str(flag)]
    )
    async with recovering(services=[listed]) as make:
        action = make("command_run", command="fix")
        assert (await action.before()).facts["check"] == 1
        assert await action.verify() is Verdict.FAILS
        assert (await action.run()).changed
        assert await action.verify() is Verdict.HOLDS
        assert await make("command_run", command="fix").verify() is Verdict.HOLDS
        assert (await action.undo()).changed
        assert not flag.exists()


async def test_without_a_check_only_its_own_end_is_known(tmp_path: Path) -> None:
    """After a crash nobody knows any more."""
    async with recovering(services=[entry("/bin/false")]) as make:
        action = make("command_run", command="fix")
        failed = await failing(action.run())
        assert (failed.stage, failed.reason, failed.changed) == (Stage.RUN, "command_failed", None)
        assert await make("command_run", command="fix").verify() is Verdict.FAILS
        assert (await failing(action.undo())).reason == "not_undoable"
    async with recovering(services=[entry("/bin/false")]) as make:
        assert await make("command_run", command="fix").verify() is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("codes", "reason", "changed"), [((1, 75), "command_refused", False), ((75,), "command_failed", None)]
)
async def test_an_exit_code_may_say_that_nothing_was_changed(
    codes: tuple[int, ...], reason: str, changed: bool | None
) -> None:
    """Then it is a known failure; after any other code nobody knows."""
    async with recovering(services=[entry("/bin/false", unchanged_exit_codes=codes)]) as make:
        failed = await failing(make("command_run", command="fix").run())
        assert (failed.reason, failed.changed, failed.final) == (reason, changed, False)


async def gone(pids: list[int]) -> bool:
    """Whether none of them is there any more, waiting a while for it."""
    until_s = asyncio.get_running_loop().time() + UNTIL_S
    while asyncio.get_running_loop().time() < until_s:
        if not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids):
            return True
        await asyncio.sleep(0.02)
    return False


STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1] + ".new", "w").write(f"{os.getpid()} {child.pid}")
os.rename(sys.argv[1] + ".new", sys.argv[1])
print("began", flush=True)
time.sleep(600)
"""


def numbers(path: Path) -> list[int]:
    """The numbers in a file; none as long as it is not there."""
    return [int(word) for word in path.read_text().split()] if path.exists() else []


async def written(path: Path) -> list[int]:
    """The numbers in a file, once it is there."""
    until_s = asyncio.get_running_loop().time() + UNTIL_S
    while not (found := numbers(path)):
        assert asyncio.get_running_loop().time() < until_s
        await asyncio.sleep(0.02)
    return found


async def test_when_its_time_is_up_it_and_all_that_it_started_are_killed(tmp_path: Path) -> None:
    """Also when it does not listen to TERM; what it said until then is kept."""
    listed = entry(program(tmp_path, "stubborn", STUBBORN), str(tmp_path / "pids"), timeout_s=6)
    async with recovering(services=[listed]) as make:
        failed = await failing(make("command_run", command="fix").run())
        assert (failed.reason, failed.changed) == ("timeout", None)
        assert str(failed).endswith("began")
        assert await gone(await written(tmp_path / "pids"))


async def test_nobody_is_left_when_the_run_is_cancelled(tmp_path: Path) -> None:
    """The engine's own deadline ends the whole group, too."""
    listed = entry(program(tmp_path, "stubborn", STUBBORN), str(tmp_path / "pids"), timeout_s=60)
    async with recovering(services=[listed]) as make:
        task = asyncio.create_task(make("command_run", command="fix").run())
        pids = await written(tmp_path / "pids")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await gone(pids)


async def test_a_daemon_that_it_leaves_behind_is_not_waited_for(tmp_path: Path) -> None:
    """It holds the output open; the command has ended all the same, and well."""
    text = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
print(child.pid)
"""
    async with recovering(services=[entry(program(tmp_path, "leaver", text), timeout_s=30)]) as make:
        done = await make("command_run", command="fix").run()
        child = psutil.Process(int(str(done.evidence.facts["output"])))
        assert child.is_running()
        assert done.evidence.facts["duration_s"] < 10  # type: ignore[operator]
        child.kill()


async def test_a_flood_of_output_is_cut_and_does_not_stop_it(tmp_path: Path) -> None:
    """The end is kept, which is where a program says why it failed."""
    text = "import sys\nfor n in range(200000): print('line', n)\nsys.stderr.write('the end')"
    listed = entry(program(tmp_path, "flood", text), output_limit_bytes=300)
    async with recovering(services=[listed]) as make:
        facts = (await make("command_run", command="fix").run()).evidence.facts
        assert facts["output_cut"] is True
        assert "line 199999" in str(facts["output"])
        assert len(str(facts["output"])) < 400
        assert str(facts["output"]).endswith("the end")


async def test_secrets_in_the_output_are_masked(tmp_path: Path) -> None:
    """Those of our configuration, those that it was given, what looks like one; and no control characters."""
    secret = tmp_path / "key"
    secret.write_text("quince-77\n")
    secret.chmod(0o600)
    text = r"""
import os
print("mine:", os.environ["API_KEY"], "ours: orchard-19")
print("postgres://bot:pear42@db/x password=plum; Authorization: Bearer abcdefghijkl \x1b[31mred\x1b[0m")
"""
    listed = entry(program(tmp_path, "talk", text), environment_files={"API_KEY": str(secret)})
    async with recovering(services=[listed], secrets=["orchard-19"]) as make:
        said = str((await make("command_run", command="fix").run()).evidence.facts["output"])
        for hidden in ("quince", "orchard", "pear42", "plum", "abcdefghijkl", "\x1b"):
            assert hidden not in said
        assert said.startswith("mine: *** ours: ***")


async def test_a_program_that_was_opened_to_everybody_since_is_not_run(tmp_path: Path) -> None:
    """It is looked at again just before."""
    path = program(tmp_path, "fine", "open('/nonexistent')")
    async with recovering(services=[entry(path)]) as make:
        os.chmod(path, 0o777)  # noqa: PTH101, S103  what is tested
        action = make("command_run", command="fix")
        assert (await failing(action.before())).reason == "program_refused"
        failed = await failing(action.run())
        assert (failed.stage, failed.reason, failed.changed) == (Stage.RUN, "program_refused", False)


async def test_a_command_with_stop_and_start_is_a_service(tmp_path: Path) -> None:
    """Its process is found by its pid file, its log kept; only a command can be run as one."""
    pid_file, log = tmp_path / "pid", tmp_path / "log"
    pid_file.write_text(str(os.getpid()))
    log.write_text("token=plum\nlast words\n")
    listed = entry("/bin/true", pid_file=str(pid_file), log_file=str(log))
    docker = {"name": "box", "kind": "docker", "container": "box"}
    async with recovering(services=[listed, docker]) as make:
        facts = (await make("process_restart", service="fix").before()).facts
        assert facts["main_pid"] == os.getpid()
        assert facts["last_lines"] == "token=***\nlast words"
        with pytest.raises(NoSuchTarget, match="of the kind docker"):
            make("command_run", command="box")


WRONG = [
    ({"command": "/bin/true --now"}, "command", "must be a list"),
    ({"command": ["true"]}, "command.0", "full path"),
    ({"command": ["./fix"]}, "command.0", "full path"),
    ({"command": ["/bin/no-such-program"]}, "command.0", "No such file"),
    ({"command": ["/etc/passwd"]}, "command.0", "no program"),
    ({"command": ["/bin/echo", "|"]}, "command.1", "only a shell"),
    ({"command": ["/bin/echo", "a", "&&"]}, "command.2", "only a shell"),
    ({"command": ["/bin/echo", "$(id)"]}, "command.1", "only a shell"),
    ({"command": ["/bin/echo", "a;rm -rf /"]}, "command.1", "only a shell"),
    ({"command": ["/bin/echo", "two\nlines"]}, "command.1", "only a shell"),
    ({"command": ["/bin/sh", "-c", "echo"]}, "command", "hands a line to a shell"),
    ({"command": ["/bin/echo", "{{ labels.x }}", "`id`"]}, "command.2", "only a shell"),
    ({"command": []}, "command", "at least 1"),
    ({"command": ["/bin/true"], "check": "test -e /x"}, "check", "must be a list"),
    ({"command": ["/bin/true"], "environment": {"A=B": "x"}}, "environment", "match pattern"),
    (
        {"command": ["/bin/true"], "environment": {"KEY": "x"}, "environment_files": {"KEY": "/x"}},
        "environment_files.KEY",
        "also under environment",
    ),
]


@pytest.mark.parametrize(("given", "place", "words"), WRONG)
def test_what_is_wrong_with_a_command_is_told_when_it_is_read(
    given: dict[str, Any], place: str, words: str
) -> None:
    """A line instead of a list, no full path, what only a shell understands, and so on."""
    found = complaints(ActionsSection, {"services": [{"name": "fix", "kind": "command", **given}]})
    told = {where: text for where, text in found.items() if place in where}
    assert any(words in text for text in told.values()), found


def test_a_program_that_everybody_may_write_to_is_refused(tmp_path: Path) -> None:
    """Also behind a link, and in a folder where everybody may put another in its place."""
    folder = tmp_path / "open"
    folder.mkdir()
    inside = program(folder, "inside", "")
    folder.chmod(0o777)
    open_one = Path(program(tmp_path, "open-one", ""))
    open_one.chmod(0o757)
    link = tmp_path / "link"
    link.symlink_to(open_one)
    for path in (inside, str(open_one), str(link)):
        found = complaints(ActionsSection, {"services": [entry(path)]})
        assert any("everybody may write to" in text for text in found.values()), path


def test_two_services_of_one_name_are_refused() -> None:
    """A rule could not say which it means."""
    found = complaints(ActionsSection, {"services": [entry("/bin/true"), entry("/bin/false")]})
    assert found == {"services.1.name": "there is another one called 'fix'"}
