"""The demo as a program of its own, on free ports, for tests that look at it from outside."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

from scripts.demo.ports import VARIABLES
from scripts.demo.state import State
from scripts.demo.welcome import END

ROOT = Path(__file__).resolve().parents[2]
END_DEADLINE_S = 60.0
ANY_FREE: Mapping[str, str] = {variable: "0" for variable, _, _ in VARIABLES.values()}


@contextmanager
def demo(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """The demo as a program of its own; killed at the end, with all that it started, if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts.demo", *arguments],
        cwd=ROOT,
        env={**os.environ, **ANY_FREE, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    family = psutil.Process(process.pid)
    try:
        yield process
    finally:
        if process.poll() is None:
            orphans = family.children(recursive=True)
            process.kill()
            for orphan in orphans:
                orphan.kill()
        process.communicate()


@contextmanager
def whole_demo(folder: Path) -> Iterator[tuple[subprocess.Popen[str], State, str]]:
    """A demo whose loop is whole: its process, where everything is, and what it printed."""
    file = folder / "state.json"
    with demo("--state", str(file)) as process:
        said = welcome_of(process)
        yield process, State.read(file), said


def welcome_of(process: subprocess.Popen[str]) -> str:
    """What the demo prints once it is ready."""
    assert process.stdout is not None
    assert process.stderr is not None
    said = ""
    for line in process.stdout:
        said += line
        if END in line:
            return said
    raise AssertionError(f"the demo ended early: {process.stderr.read()}")


def until(condition: Callable[[], bool], what: str, deadline_s: float = 60.0) -> None:
    """Returns when the condition holds; fails when it does not in time."""
    end_s = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end_s, f"not within {deadline_s} s: {what}"
        time.sleep(0.1)
