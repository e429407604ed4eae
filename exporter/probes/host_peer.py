"""Whether node_exporter runs on this machine: by what answers on its port, or by a process of that name."""

import http.client
import time
from collections.abc import Callable, Iterable

import psutil

PORT = 9100
TIMEOUT_S = 1.0
LOOK_AGAIN_S = 600.0
"""How long an answer is believed: node_exporter may be started after us, or be taken off the machine."""
NAMES = ("node_exporter", "prometheus-node-exporter", "prometheus-node")
"""Names of the process; the kernel keeps 15 characters of one."""
_BODY_LIMIT_BYTES = 64 * 1024


def answers(port: int = PORT) -> bool:
    """Whether the landing page on the loopback of this machine is node_exporter's."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/", headers={"Connection": "close"})
        body = connection.getresponse().read(_BODY_LIMIT_BYTES)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return b"node exporter" in body.lower() or b"node_exporter" in body.lower()


def process_names() -> Iterable[str]:
    """Names of the processes of this machine."""
    return (process.info["name"] or "" for process in psutil.process_iter(["name"]))


class NodeExporterWatch:
    """Looks for node_exporter, and looks again every `LOOK_AGAIN_S`."""

    def __init__(
        self,
        *,
        answers: Callable[[], bool] = answers,
        names: Callable[[], Iterable[str]] = process_names,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._answers = answers
        self._names = names
        self._clock = clock
        self._found = False
        self._looked_s: float | None = None

    def __repr__(self) -> str:
        return f"<NodeExporterWatch found={self._found}>"

    def is_here(self) -> bool:
        """Whether it was here when last looked for."""
        now_s = self._clock()
        if self._looked_s is None or now_s - self._looked_s >= LOOK_AGAIN_S:
            self._looked_s = now_s
            self._found = any(name in NAMES for name in self._names()) or self._answers()
        return self._found
