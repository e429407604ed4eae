"""System packages of this repository: which are needed, what for, and how they get here.

Runs on the standard library alone, because it also runs before the virtual environment exists.

    python -m scripts.system status               every package, and whether it is here
    python -m scripts.system install              install what is missing; exit 1 if something stays missing
    python -m scripts.system ensure --stage test  the same, but exit 1 under CI=true only
    python -m scripts.system ensure --stage demo  the same for the demo, which cannot go on without
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path


class Stage(Enum):
    """When a package is needed."""

    SETUP = "setup"
    DEMO = "demo"
    TEST = "test"  # which runs the demo too

    def includes(self, other: Stage) -> bool:
        """Whether what `other` needs is needed here as well."""
        return other is self or (self is Stage.TEST and other is Stage.DEMO)


@dataclass(frozen=True)
class Package:
    """One package of Debian: what it must bring, what for, and how to get it where there is no apt."""

    name: str
    stage: Stage
    needed_for: str
    elsewhere: str
    commands: tuple[str, ...] = ()
    module: str = ""  # a module of the standard library that Debian ships apart
    service: str = ""  # the unit that installing it would start; it is kept from starting


PACKAGES = (
    Package(
        name="python3-venv",
        stage=Stage.SETUP,
        module="ensurepip",
        needed_for="the virtual environment that everything else is installed into",
        elsewhere="a Python 3.11 or newer with its ensurepip module, named with PYTHON=",
    ),
    Package(
        name="prometheus",
        stage=Stage.DEMO,
        commands=("prometheus", "promtool"),
        service="prometheus.service",
        needed_for="the demo, tests that scrape the exporter with the real server, and the lint of its metrics",
        elsewhere="the release archive from prometheus.io, both programs on the PATH",
    ),
    Package(
        name="prometheus-alertmanager",
        stage=Stage.DEMO,
        commands=("prometheus-alertmanager", "amtool"),
        service="prometheus-alertmanager.service",
        needed_for="the demo, tests that let a real Alertmanager post to the bridge, and the check of its routes",
        elsewhere="the release archive from prometheus.io: amtool, and alertmanager under Debian's name for it",
    ),
    Package(
        name="chromium",
        stage=Stage.TEST,
        commands=("chromium",),
        needed_for="tests that open the pages in a real browser",
        elsewhere="the distribution's Chromium, as chromium on the PATH",
    ),
    Package(
        name="nodejs",
        stage=Stage.TEST,
        commands=("node",),
        needed_for="the test that runs the example of a bot's health endpoint",
        elsewhere="Node.js 18 or newer, as node on the PATH",
    ),
    Package(
        name="strace",
        stage=Stage.TEST,
        commands=("strace",),
        needed_for="the proof that an alert is on the disk before it is answered",
        elsewhere="the distribution's strace, on the PATH",
    ),
    Package(
        name="npm",
        stage=Stage.TEST,
        commands=("npm",),
        needed_for="tests that restart programs under a real PM2, which they install for themselves",
        elsewhere="the npm that comes with Node.js, on the PATH",
    ),
    Package(
        name="docker-compose",
        stage=Stage.TEST,
        commands=("docker-compose",),
        needed_for="the check of docker-compose.yml against the specification; no engine is needed",
        elsewhere="docker-compose 1.29 or newer, as docker-compose on the PATH",
    ),
    Package(
        name="postgresql",
        stage=Stage.TEST,
        commands=("pg_ctlcluster",),
        service="postgresql.service",
        needed_for="tests that measure a real PostgreSQL, which they start for themselves",
        elsewhere="Debian's packaging of PostgreSQL, its programs below /usr/lib/postgresql",
    ),
    Package(
        name="mariadb-server",
        stage=Stage.TEST,
        commands=("mariadb-install-db",),
        service="mariadb.service",
        needed_for="tests that measure a real MariaDB, which they start for themselves",
        elsewhere="the distribution's MariaDB server, mariadb-install-db on the PATH",
    ),
)

Runner = Callable[[Sequence[str]], int]


def missing_parts(package: Package) -> tuple[str, ...]:
    """What of a package is not on this machine; empty when it is all there."""
    importlib.invalidate_caches()
    parts = [command for command in package.commands if shutil.which(command) is None]
    if package.module and importlib.util.find_spec(package.module) is None:
        parts.append(f"module {package.module}")
    return tuple(parts)


def package_of(command: str) -> Package:
    """The package that brings a command.

    Raises:
        KeyError: no package of the table does.
    """
    for package in PACKAGES:
        if command in package.commands:
            return package
    raise KeyError(command)


def under_ci() -> bool:
    """Whether this run is one in which nothing may be missing (CI=true)."""
    return os.environ.get("CI", "").lower() in {"true", "1"}


def run(command: Sequence[str]) -> int:
    """Runs a command to its end, its output on our own streams; returns its exit code."""
    print("system: " + " ".join(command), flush=True)
    return subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode


def privilege() -> tuple[str, ...] | None:
    """What goes before a command that needs root: nothing, or a silent sudo; None without either."""
    if os.geteuid() == 0:
        return ()
    if shutil.which("sudo") is None:
        return None
    probe = subprocess.run(["sudo", "-n", "true"], check=False, capture_output=True)
    return ("sudo", "-n") if probe.returncode == 0 else None


def runs_systemd() -> bool:
    """Whether services of this machine are started by systemd."""
    return Path("/run/systemd/system").is_dir()


class Apt:
    """Installs packages without questions, without recommended extras, and without starting their services.

    Debian starts a service as soon as its package is installed. On a machine with systemd its unit is masked
    meanwhile and left disabled; elsewhere the init scripts are told that the machine is in single-user mode.
    """

    def __init__(self, prefix: Sequence[str], *, systemd: bool, runner: Runner = run) -> None:
        self._root = (*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
        self._systemd = systemd
        self._run = runner

    def update(self) -> None:
        """Refreshes the package lists; one that cannot be had is apt's to report."""
        self._run((*self._root, "apt-get", "-q", "update"))

    def install(self, package: Package) -> None:
        """Installs one package; whether it is there afterwards is for the caller to see."""
        guarded = bool(package.service) and self._systemd
        if guarded:
            self._run((*self._root, "systemctl", "mask", "--runtime", package.service))
        options = ("-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=120")
        try:
            self._run((*self._root, "apt-get", "install", *options, package.name))
        finally:
            if guarded:
                self._run((*self._root, "systemctl", "unmask", "--runtime", package.service))
                self._run((*self._root, "systemctl", "disable", package.service))


def find_apt() -> tuple[Apt | None, str]:
    """The way to install packages here, or None and the reason why there is none."""
    if shutil.which("apt-get") is None:
        return None, "this machine has no apt-get"
    prefix = privilege()
    if prefix is None:
        return None, "apt-get needs root, and there is no sudo without a password here"
    return Apt(prefix, systemd=runs_systemd()), ""


def report(package: Package, parts: Sequence[str]) -> str:
    """What is missing, what for, and how to get it."""
    return (
        f"  {package.name}: {', '.join(parts)} missing\n"
        f"    needed for  {package.needed_for}\n"
        f"    Debian      apt-get install --no-install-recommends {package.name}\n"
        f"    elsewhere   {package.elsewhere}"
    )


def lacking(stage: Stage | None) -> list[Package]:
    """The packages of a stage (None: of all) that are not here."""
    return [
        package
        for package in PACKAGES
        if (stage is None or stage.includes(package.stage)) and missing_parts(package)
    ]


def install_missing(stage: Stage | None) -> list[Package]:
    """Installs what is missing where that is possible; returns and reports what still is."""
    wanted = lacking(stage)
    if not wanted:
        return []
    apt, obstacle = find_apt()
    if apt is not None:
        print(f"system: installing {', '.join(package.name for package in wanted)}", flush=True)
        apt.update()
        for package in wanted:
            apt.install(package)
        obstacle = "apt-get did not bring it; its own message is above"
    still = lacking(stage)
    if still:
        print(f"system: missing, and not installed ({obstacle}):", file=sys.stderr)
        for package in still:
            print(report(package, missing_parts(package)), file=sys.stderr)
    return still


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one verb; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.system", description="System packages of this tree"
    )
    parser.add_argument("verb", choices=("status", "install", "ensure"))
    parser.add_argument("--stage", type=Stage, help="only what this stage needs: setup, demo or test")
    options = parser.parse_args(arguments)
    if options.verb == "status":
        for package in PACKAGES:
            parts = missing_parts(package)
            print(f"  {package.name:14}{'missing: ' + ', '.join(parts) if parts else 'here'}")
        return 0
    still = install_missing(options.stage)
    if not still:
        if options.verb == "install":
            print("system: everything is here")
        return 0
    if options.verb == "ensure" and options.stage is not Stage.DEMO and not under_ci():
        print("system: going on without; the tests that need it are skipped, and say so", file=sys.stderr)
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
