"""A real PM2 with a home of its own, from the version that tests/pm2/package-lock.json names."""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.system import under_ci

LOCKED = Path(__file__).parents[1] / "pm2"
PROGRAM = "node_modules/.bin/pm2"


class NotInstalled(Exception):
    """npm could not bring it; the message is npm's."""


def installed(cache: Path) -> Path:
    """The program, below `cache`; brought by npm when it is not there. Raises NotInstalled."""
    lock = LOCKED / "package-lock.json"
    folder = cache / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    if (folder / PROGRAM).exists():
        return folder / PROGRAM
    begun = cache / f"{folder.name}.{os.getpid()}"
    begun.mkdir(parents=True)
    try:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(LOCKED / name, begun)
        brought = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            check=False, cwd=begun, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        if brought.returncode:
            raise NotInstalled(brought.stderr[-500:])
        if not folder.exists():
            begun.rename(folder)
    finally:
        shutil.rmtree(begun, ignore_errors=True)
    return folder / PROGRAM


def may_be_missing() -> bool:
    """Whether tests may be skipped when npm has no way to the registry."""
    return not under_ci()


@dataclass
class Pm2:
    """One daemon and its home."""

    program: Path
    home: Path

    def run(self, *words: str) -> str:
        """What a command of PM2 prints."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home.parent), "PM2_HOME": str(self.home)}
        done = subprocess.run(
            [str(self.program), *words], check=True, env=environment, cwd=self.home.parent,
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        return done.stdout

    def start(self, name: str, source: str, *options: str) -> None:
        """A process of that name, from JavaScript."""
        script = self.home.parent / f"{name}.js"
        script.write_text(source, encoding="utf-8")
        self.run("start", str(script), "--name", name, *options)

    def listed(self, name: str) -> list[dict[str, Any]]:
        """What PM2 says of the processes of that name."""
        return [one for one in json.loads(self.run("jlist")) if one["name"] == name]


@contextmanager
def pm2(program: Path, folder: Path) -> Iterator[Pm2]:
    """A PM2 without processes; its daemon and all of them are gone afterwards."""
    home = folder / "pm2"
    home.mkdir()
    made = Pm2(program, home)
    try:
        yield made
    finally:
        made.run("kill")
