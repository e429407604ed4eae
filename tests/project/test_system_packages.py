"""scripts/system.py: what is missing, how it is installed, and what a test without it does."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from scripts import system
from scripts.system import PACKAGES, Apt, Package, Stage

ROOT_ENV = "env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1"
CONFTEST = Path(__file__).resolve().parents[1] / "conftest.py"

WITH_SERVICE = Package(
    name="thing",
    stage=Stage.TEST,
    commands=("thing-that-is-nowhere",),
    service="thing.service",
    needed_for="a test",
    elsewhere="nowhere",
)


class Recorder:
    """Stands where commands are run; remembers them and answers with one exit code."""

    def __init__(self, code: int = 0) -> None:
        self.commands: list[str] = []
        self._code = code

    def __call__(self, command: Sequence[str]) -> int:
        self.commands.append(" ".join(command))
        return self._code


def test_each_row_says_what_it_brings_and_what_for() -> None:
    """Every package names something that must exist, a reason, and a way without apt; commands are unique."""
    for package in PACKAGES:
        assert bool(package.commands) != bool(package.module)
        assert package.needed_for
        assert package.elsewhere
    commands = [command for package in PACKAGES for command in package.commands]
    assert len(commands) == len(set(commands))


def test_missing_parts_names_the_command() -> None:
    """A command that is not on the PATH is what the package lacks."""
    assert system.missing_parts(WITH_SERVICE) == ("thing-that-is-nowhere",)
    assert "thing-that-is-nowhere missing" in system.report(WITH_SERVICE, system.missing_parts(WITH_SERVICE))


def test_a_service_never_starts_under_systemd() -> None:
    """Under systemd the unit is masked before its package comes and disabled after, even if apt fails."""
    runner = Recorder(code=100)
    Apt(("sudo", "-n"), systemd=True, runner=runner).install(WITH_SERVICE)
    verbs = [command.removeprefix(f"sudo -n {ROOT_ENV} ") for command in runner.commands]
    assert verbs == [
        "systemctl mask --runtime thing.service",
        "apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 thing",
        "systemctl unmask --runtime thing.service",
        "systemctl disable thing.service",
    ]


def test_without_systemd_only_apt_runs() -> None:
    """Without systemd there is no unit to mask; apt runs without questions and in single-user mode."""
    runner = Recorder()
    apt = Apt((), systemd=False, runner=runner)
    apt.update()
    apt.install(WITH_SERVICE)
    assert runner.commands == [
        f"{ROOT_ENV} apt-get -q update",
        f"{ROOT_ENV} apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=120 thing",
    ]


@pytest.fixture
def bare_machine(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A test run on a machine without any command, with this repository's conftest."""
    monkeypatch.setenv("PATH", str(pytester.mkdir("empty")))
    monkeypatch.delenv("CI", raising=False)
    pytester.makeini(
        "[pytest]\n"
        "markers = system(command, ...): needs a command\n"
        "asyncio_default_fixture_loop_scope = function\n"
        "addopts = -p no:cacheprovider"
    )
    pytester.makeconftest(CONFTEST.read_text(encoding="utf-8"))
    pytester.makepyfile(
        "import pytest\n@pytest.mark.system('promtool')\ndef test_lint(): pass\ndef test_other(): pass"
    )
    return pytester


def test_a_test_is_skipped_with_the_name_of_its_package(bare_machine: pytest.Pytester) -> None:
    """Without promtool a marked test is skipped, the reason names the package, and the others run."""
    result = bare_machine.runpytest_inprocess("-rs")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["*needs promtool of the system package prometheus*make system*"])


def test_under_ci_a_missing_package_is_a_failure(
    bare_machine: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under CI=true the same test fails instead of being skipped."""
    monkeypatch.setenv("CI", "true")
    result = bare_machine.runpytest_inprocess()
    result.assert_outcomes(passed=1, errors=1)


def test_an_unknown_command_is_told(bare_machine: pytest.Pytester) -> None:
    """A marker that names a command of no package fails and says where the table is."""
    bare_machine.makepyfile("import pytest\n@pytest.mark.system('promtol')\ndef test_lint(): pass")
    result = bare_machine.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*scripts/system.py*"])


def test_ensure_goes_on_and_install_does_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where nothing can be installed, ensure tells and exits 0, install exits 1, under CI both do."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    assert system.main(["ensure", "--stage", "test"]) == 0
    said = capsys.readouterr().err
    assert "prometheus: prometheus, promtool missing" in said
    assert "this machine has no apt-get" in said
    assert "apt-get install --no-install-recommends chromium" in said
    assert system.main(["install", "--stage", "test"]) == 1
    monkeypatch.setenv("CI", "true")
    assert system.main(["ensure", "--stage", "test"]) == 1


def test_the_demo_cannot_go_on_without_its_programs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """For the demo ensure exits 1 and names only what the demo needs; the tests need that as well."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    assert system.main(["ensure", "--stage", "demo"]) == 1
    said = capsys.readouterr().err
    assert "prometheus-alertmanager: prometheus-alertmanager, amtool missing" in said
    assert "chromium" not in said
    assert {package.name for package in system.lacking(Stage.DEMO)} < {
        package.name for package in system.lacking(Stage.TEST)
    }
