"""Scrapes an exporter over HTTP as Prometheus does, and reads values off the page."""

import gzip
import http.client
import re
import time
from dataclasses import dataclass

from benchmarks.programs import HOST

TIMEOUT_S = 300.0
_SAMPLE = re.compile(rb"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Page:
    """One answer: how long it took from asking to the last byte, and its body, unpacked afterwards."""

    duration_s: float
    body: bytes

    @property
    def samples(self) -> int:
        """Lines that are no comments."""
        return self.body.count(b"\n") - self.body.count(b"\n# ") - self.body.startswith(b"# ")

    def values(self, name: str, labels: str = "") -> list[float]:
        """Values of all samples of that name whose label text holds `labels`."""
        wanted, within = name.encode(), labels.encode()
        return [
            float(match[3])
            for match in _SAMPLE.finditer(self.body)
            if match[1] == wanted and within in (match[2] or b"")
        ]


class ScrapeFailed(Exception):
    """The answer is not a page of metrics."""


def scrape(
    port: int, path: str = "/metrics", *, compressed: bool = False, deadline_s: float | None = None
) -> Page:
    """One scrape; `deadline_s` is told as Prometheus tells its timeout.

    Raises:
        ScrapeFailed: the status is not 200.
    """
    headers = {"Accept": "text/plain;version=0.0.4", "Accept-Encoding": "gzip" if compressed else "identity"}
    if deadline_s is not None:
        headers["X-Prometheus-Scrape-Timeout-Seconds"] = str(deadline_s)
    connection = http.client.HTTPConnection(HOST, port, timeout=TIMEOUT_S)
    try:
        began_s = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        duration_s = time.perf_counter() - began_s
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise ScrapeFailed(f"{path} answered {answer.status}: {body[:300].decode(errors='replace')}")
    return Page(duration_s, gzip.decompress(body) if compressed else body)
