"""Each scrape, counted and told in one line."""

import asyncio
from collections.abc import Sequence

import structlog

from exporter.scrape import Asked
from exporter.selfmetrics import SelfMetrics

NAMED_LIMIT = 10
"""Late refreshes named in a line; of more than that only the number is told."""

_log = structlog.stdlib.get_logger("exporter.serve")


def late_refreshes(asked: Asked) -> list[str]:
    """The refreshes that go on after the scrape, as router/collector."""
    return [
        f"{watched.name}/{name}"
        for watched, slots in asked
        for name, slot in slots.items()
        if slot.is_refreshing
    ]


def scrape_finished(
    own: SelfMetrics,
    endpoint: str,
    *,
    began_s: float,
    late: Sequence[str] | None,
    body_bytes: int,
    router: str | None = None,
) -> None:
    """Take a scrape that `began_s` by the loop's clock into account; `late` is None when all was done in time."""
    duration_s = asyncio.get_running_loop().time() - began_s
    own.scrapes.labels(endpoint).inc()
    own.scrape_duration.labels(endpoint).observe(duration_s)
    about: dict[str, object] = {} if router is None else {"router": router}
    about |= {"duration_s": round(duration_s, 4), "bytes": body_bytes}
    if late is None:
        _log.debug("scrape.finished", endpoint=endpoint, **about)
        return
    own.scrapes_late.labels(endpoint).inc()
    _log.info("scrape.late", endpoint=endpoint, **about, late=len(late), first=list(late[:NAMED_LIMIT]))
