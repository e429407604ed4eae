"""What holds for every test: one that needs a system package is skipped without it, and fails under CI."""

import shutil

import pytest
from hypothesis import HealthCheck, settings

from scripts.system import PACKAGES, package_of, under_ci

pytest_plugins = ["pytester"]

# Examples are judged by what they find, not by how busy the machine is, and are the same ones each time;
# `pytest --hypothesis-profile=seeking` goes on to others.
UNHURRIED = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)
settings.register_profile("seeking", deadline=None, derandomize=False, suppress_health_check=UNHURRIED)
settings.register_profile("unhurried", deadline=None, derandomize=True, suppress_health_check=UNHURRIED)
settings.load_profile("unhurried")


def _absence(commands: tuple[str, ...]) -> str | None:
    """Why a test that needs these commands cannot run here; None when it can."""
    for command in commands:
        if shutil.which(command) is None:
            package = package_of(command)
            return f"needs {command} of the system package {package.name} ({package.needed_for}): make system"
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips a test whose system package is missing, with the reason; under CI=true it fails instead."""
    known = {command for package in PACKAGES for command in package.commands}
    for marker in item.iter_markers("system"):
        unknown = set(marker.args) - known
        if unknown or not marker.args:
            pytest.fail(
                f"marker system{marker.args}: name commands of the table in scripts/system.py", pytrace=False
            )
        reason = _absence(marker.args)
        if reason is None:
            continue
        if under_ci():
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
