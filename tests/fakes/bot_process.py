"""The simulated bot as a program of its own, and what is done to it from outside."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class BotProcess:
    """A running bot."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"bot: (http://\S+)/health \(process (\d+)\)\n", line)
        assert found is not None, line
        self.url, self.pid = found[1], int(found[2])

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def ask(self, method: str, path: str, **body: object) -> Any:
        """The JSON that comes back."""
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(
            self.url + path, data=data, method=method, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def fault(self, name: str, **parameters: float) -> None:
        """Switch a fault on."""
        self.ask("POST", "/control/faults", fault=name, **parameters)

    def mend(self) -> None:
        """Switch every fault off."""
        self.ask("DELETE", "/control/faults")

    def kill(self) -> None:
        """As the kernel does when memory is short."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)


@contextmanager
def bot_process(*words: str, port: int = 0) -> Iterator[BotProcess]:
    """The bot; killed at the end if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "simulator.bot", "--port", str(port), *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield BotProcess(process)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
