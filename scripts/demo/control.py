"""The demo's own HTTP door: what can be broken is broken and mended here, by the buttons and by `make demo-fault`."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

from scripts.demo.breaking import Breaker, UnknownFault
from scripts.demo.calls import Unreachable
from scripts.demo.faults import FAULTS
from scripts.demo.ports import HOST

BUTTON_MENDS_AFTER_S = 60.0
"""What a button broke is mended then: nobody looks for the button that mends."""


@contextmanager
def serving(port: int, breaker: Breaker) -> Iterator[None]:
    """Serves `/faults` while the context lasts. Raises OSError when the port is taken.

    GET /faults, POST /faults/NAME[?mend_after_s=60], DELETE /faults/NAME, DELETE /faults, POST /bridge/crash
    """

    class Door(_Door):
        shared = breaker

    server = ThreadingHTTPServer((HOST, port), Door)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def buttons(url: str) -> list[dict[str, object]]:
    """For the panel beside the phone: one for each fault, and one that mends all."""
    broken: list[dict[str, object]] = [
        {
            "label": fault.title,
            "method": "POST",
            "url": f"{url}/faults/{name}?mend_after_s={BUTTON_MENDS_AFTER_S:g}",
        }
        for name, fault in FAULTS.items()
        if fault.crash_after is None  # there somebody must look for the right moment
    ]
    return [*broken, {"label": "Mend everything", "method": "DELETE", "url": f"{url}/faults"}]


class _Door(BaseHTTPRequestHandler):
    shared: ClassVar[Breaker]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """What there is, and what is broken."""
        if self._parts != ["faults"]:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "there is /faults"})
            return
        known = {name: fault.title for name, fault in FAULTS.items()}
        self._answer(HTTPStatus.OK, {"known": known, "broken": self.shared.broken})

    def do_POST(self) -> None:
        """Breaks something."""
        if self._parts == ["bridge", "crash"]:
            self._do(lambda _: self.shared.crash_bridge(), "the bridge")
            return
        query = parse_qs(urlsplit(self.path).query)
        text = query.get("mend_after_s", [""])[0]
        try:
            mend_after_s = float(text) if text else None
        except ValueError:
            self._answer(HTTPStatus.BAD_REQUEST, {"error": "mend_after_s is a number of seconds"})
            return
        self._do(lambda name: self.shared.break_(name, mend_after_s=mend_after_s))

    def do_DELETE(self) -> None:
        """Mends something, or everything."""
        self._do(self.shared.mend, *(FAULTS if self._parts == ["faults"] else ()))

    @property
    def _parts(self) -> list[str]:
        return [part for part in urlsplit(self.path).path.split("/") if part]

    def _do(self, act: Callable[[str], None], *names: str) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = self._parts
        if self.headers.get("Origin") is not None:
            self._answer(
                HTTPStatus.FORBIDDEN, {"error": "a page of another site may not break anything here"}
            )
            return
        if not names and (len(parts) != 2 or parts[0] != "faults"):
            self._answer(HTTPStatus.NOT_FOUND, {"error": "there is /faults/NAME"})
            return
        try:
            for name in names or parts[1:]:
                act(name)
        except UnknownFault as error:
            self._answer(HTTPStatus.NOT_FOUND, {"error": str(error)})
        except (Unreachable, OSError) as error:
            self._answer(HTTPStatus.BAD_GATEWAY, {"error": str(error)})
        else:
            self._answer(HTTPStatus.OK, {"broken": self.shared.broken})

    def _answer(self, status: HTTPStatus, body: object) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
        """Nobody reads it."""
