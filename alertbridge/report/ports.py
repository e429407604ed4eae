"""What reports and the dead man's switch need of their neighbours, as the least of it."""

from collections.abc import Iterable
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Severity
from alertbridge.deliver.model import Body, Kind


class Sending(Protocol):
    """Puts texts before recipients; see deliver.worker.Delivery."""

    async def enqueue(
        self,
        kind: Kind,
        recipient: str,
        body: Body,
        *,
        severity: Severity = Severity.INFO,
        deadline_s: float | None = None,
        language: str = "",
        episode_id: int | None = None,
        connection: AsyncConnection | None = None,
    ) -> int: ...

    def notices_made(self, recipients: Iterable[str]) -> None: ...


class ReportCounts(Protocol):
    """Counts reports; see selfmetrics.SelfMetrics."""

    def reported(self, kind: str, outcome: str) -> None: ...


class WatchdogCounts(Protocol):
    """Shows whether the watchdog is alive; see selfmetrics.SelfMetrics."""

    def watchdog(self, *, up: bool) -> None: ...
