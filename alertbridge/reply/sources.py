"""What answers are made of, asked with a deadline each; whoever does not answer is named."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum

import structlog

from alertbridge.alertmanager import ActiveAlert, AlertmanagerError, AlertmanagerRefused
from alertbridge.prometheus import BadQuery, PrometheusError, Series, Value
from alertbridge.reply.ports import Asking, Silencing

log = structlog.get_logger(__name__)


class Source(Enum):
    """Whom an answer may need; the values are names that people know."""

    PROMETHEUS = "Prometheus"
    ALERTMANAGER = "Alertmanager"
    RECOVERY = "recovery"
    REPORTS = "reports"
    CHARTS = "charts"


class SourceAway(Exception):
    """Somebody who is needed does not answer. `configured` is False when nobody said where to ask; `refused` is
    what it says against it, empty when it says nothing."""

    def __init__(self, source: Source, *, configured: bool = True, refused: str = "") -> None:
        super().__init__(f"{source.value} does not answer")
        self.source = source
        self.configured = configured
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Metrics:
    """Prometheus, asked within `within_s` for each question."""

    prometheus: Asking | None
    within_s: float

    async def query(self, expression: str) -> list[Value]:
        """Raises SourceAway."""
        async with self._asked() as prometheus:
            return await prometheus.query(expression)

    async def query_range(
        self, expression: str, *, start_s: float, end_s: float, step_s: float
    ) -> list[Series]:
        """Raises SourceAway."""
        async with self._asked() as prometheus:
            return await prometheus.query_range(expression, start_s=start_s, end_s=end_s, step_s=step_s)

    @asynccontextmanager
    async def _asked(self) -> AsyncIterator[Asking]:
        if self.prometheus is None:
            raise SourceAway(Source.PROMETHEUS, configured=False)
        try:
            async with asyncio.timeout(self.within_s):
                yield self.prometheus
        except BadQuery as error:
            log.warning("reply.bad_query", detail=str(error))
            raise SourceAway(Source.PROMETHEUS, refused=str(error)) from error
        except (PrometheusError, TimeoutError) as error:
            log.warning("reply.prometheus_away", detail=str(error) or type(error).__name__)
            raise SourceAway(Source.PROMETHEUS) from error


@dataclass(frozen=True, slots=True)
class Silences:
    """Alertmanager, asked within `within_s` for each call."""

    alertmanager: Silencing | None
    within_s: float

    @asynccontextmanager
    async def asked(self) -> AsyncIterator[Silencing]:
        """Raises SourceAway for what is raised inside. A call that is given up may have been carried out."""
        if self.alertmanager is None:
            raise SourceAway(Source.ALERTMANAGER, configured=False)
        try:
            async with asyncio.timeout(self.within_s):
                yield self.alertmanager
        except AlertmanagerRefused as error:
            log.warning("reply.alertmanager_refuses", detail=str(error))
            raise SourceAway(Source.ALERTMANAGER, refused=str(error)) from error
        except (AlertmanagerError, TimeoutError) as error:
            log.warning("reply.alertmanager_away", detail=str(error) or type(error).__name__)
            raise SourceAway(Source.ALERTMANAGER) from error

    async def firing(self) -> list[ActiveAlert]:
        """All that fires, silenced or not. Raises SourceAway."""
        async with self.asked() as alertmanager:
            return await alertmanager.alerts(silenced=True, inhibited=True)


def quoted(value: str) -> str:
    r"""`value` as a string of PromQL: it can end neither the string nor the line."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def quoted_pattern(value: str) -> str:
    """A string of PromQL with a pattern that fits what begins like `value`, whatever the case."""
    literal = "".join(c if c.isalnum() or c == "_" else f"\\{c}" if c.isascii() else c for c in value)
    return quoted(f"(?i){literal}.*")
