"""The demo as a program of its own, on free ports, for tests that look at it from outside."""

import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
READY_DEADLINE_S = 40.0
END_DEADLINE_S = 15.0
ANY_FREE = {"EXPORTER_PORT": "0", "SIMULATOR_PORT": "0", "ROUTER_PORT": "0", "BOT_PORT": "0"}


@contextmanager
def demo(*arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """The demo as a program of its own; killed at the end if it still runs."""
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


def welcome_of(process: subprocess.Popen[str]) -> str:
    """What the demo prints once it is ready."""
    assert process.stdout is not None
    assert process.stderr is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C ends everything" in line:
            return said
    raise AssertionError(f"the demo ended early: {process.stderr.read()}")


def exporter_url(said: str) -> str:
    """Where the demo's exporter is, from what the demo printed."""
    found = re.search(r"(http://\S+)/metrics", said)
    assert found is not None, said
    return found[1]


def get(url: str) -> str:
    """The body of an address of the demo; empty while it cannot be had."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, OSError):
        return ""


def send(method: str, url: str, body: str = "") -> None:
    """What the printed curl commands do."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, data=body.encode() or None, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status in (200, 202)


def until(condition: Callable[[], bool], what: str, deadline_s: float = READY_DEADLINE_S) -> None:
    """Returns when the condition holds; fails when it does not in time."""
    end_s = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end_s, f"not within {deadline_s} s: {what}"
        time.sleep(0.1)
