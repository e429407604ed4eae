"""What a scrape asks for: its deadline, the collectors, the format."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self

import structlog
from aiohttp import hdrs, web

from exporter.config import Config, ScrapeSection
from exporter.exposition import Format
from exporter.serve.negotiation import choose_format
from runtime.serving.negotiation import accepts_gzip

TIMEOUT_HEADER = "X-Prometheus-Scrape-Timeout-Seconds"
TIMEOUT_LIMIT_S = 3600.0
"""Nobody waits longer for a scrape; a larger number in the header is a mistake."""
COLLECT = "collect[]"
TABLES = "tables"
_SHOWN_CHARS = 80

_log = structlog.stdlib.get_logger("exporter.serve")


@dataclass(frozen=True, slots=True)
class ScrapeRequest:
    """A scrape as its client wants it. `only` names collectors; empty means all."""

    fmt: Format
    gzip: bool
    deadline_s: float
    only: frozenset[str]
    tables: bool = True
    """Whether what routers' tables say is wanted at all; without it no router is asked anything."""

    @classmethod
    def of(cls, request: web.Request, *, known: Collection[str], config: Config) -> Self:
        """What `request` asks for. Raises HTTPBadRequest for a collector that is not among the `known`."""
        only = frozenset(request.query.getall(COLLECT, []))
        if unknown := sorted(only - set(known)):
            raise unknown_word("collector", unknown[0], known)
        tables = request.query.get(TABLES)
        if tables not in (None, "none"):
            raise unknown_word("choice of tables", tables, ["none"])
        headers = request.headers
        return cls(
            fmt=choose_format(headers.getall(hdrs.ACCEPT, [])),
            gzip=config.web.gzip and accepts_gzip(headers.getall(hdrs.ACCEPT_ENCODING, [])),
            deadline_s=deadline_s(headers.get(TIMEOUT_HEADER), config.scrape),
            only=only,
            tables=tables is None,
        )


def deadline_s(header: str | None, scrape: ScrapeSection) -> float:
    """Seconds that the scrape may take: what the client waits less the margin, which is never more than half of it.

    Without the header, or with one that makes no sense, the configured default.
    """
    if header is None:
        return scrape.default_deadline_s
    try:
        timeout_s = float(header)
    except ValueError:
        timeout_s = math.nan
    if not 0 < timeout_s <= TIMEOUT_LIMIT_S:  # nor is NaN
        _log.debug("scrape.timeout_header_ignored", header=header[:_SHOWN_CHARS])
        return scrape.default_deadline_s
    return timeout_s - min(scrape.deadline_margin_s, timeout_s / 2)


def unknown_word(what: str, word: str, known: Collection[str]) -> web.HTTPBadRequest:
    """The answer to a `word` that names nothing, or to its absence: it says what there is."""
    shown = "".join(c if c.isprintable() else "?" for c in word[:_SHOWN_CHARS])
    said = f'there is no {what} "{shown}"' if word else f"say which {what}"
    return web.HTTPBadRequest(text=f"{said}; known: {', '.join(known) or 'none'}\n")
