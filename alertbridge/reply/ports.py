"""What answering needs of its neighbours, as protocols: who they are is decided where the bridge is put together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alertmanager import ActiveAlert, Matcher, Silence
from alertbridge.alerts import Group, Severity
from alertbridge.deliver.model import Body, Kind
from alertbridge.prometheus import Series, Value

Fact = str | int | float | bool | None


class AuditTrail(Protocol):
    """Keeps what was done for good; recover/audit.py."""

    async def append(
        self,
        *,
        who: str,
        what: str,
        why: str,
        before: Mapping[str, Fact] | None = None,
        after: Mapping[str, Fact] | None = None,
    ) -> None:
        """Returns when it is on the disk. Raises StoreError."""
        ...


class Refused(Exception):
    """Recovery will not do it; the message is a sentence for the person who asked."""


class NoSuchCode(Exception):
    """No run waits for that code from that person."""


@dataclass(frozen=True, slots=True)
class Offer:
    """An action that a person may ask for by `name`. `does` is for people; `asks` that only an admin may."""

    name: str
    does: str
    target: str = ""
    asks: bool = False


@dataclass(frozen=True, slots=True)
class RecoveryState:
    """How recovery stands; `paused_by` is empty while it goes on."""

    paused_by: str
    running: int


class Recovery(Protocol):
    """Recovery as an operator can use it."""

    async def state(self) -> RecoveryState: ...

    async def offers(self) -> Sequence[Offer]:
        """What can be run by hand, by name."""
        ...

    async def run(self, name: str, *, by: str) -> str:
        """Begins it and returns the number or name of the run. Raises Refused, StoreError."""
        ...

    async def approve(self, code: str, *, by: str, is_admin: bool) -> str:
        """Says yes to a run that waits for it; returns its name. Raises NoSuchCode, Refused, StoreError."""
        ...

    async def pause(self, *, by: str) -> None:
        """Nothing more is begun, before the next step on. Raises StoreError."""
        ...

    async def resume(self, *, by: str) -> None:
        """It goes on. Raises StoreError."""
        ...


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart; `points` are pairs of Unix seconds and bits per second, gaps left out."""

    name: str
    points: tuple[tuple[float, float], ...]


class NoCharts(Exception):
    """Pictures cannot be made here; the message is a sentence."""


class Charts(Protocol):
    """Makes pictures; report/charts.py."""

    async def traffic(
        self, title: str, lines: Sequence[Line], *, language: str, zone: ZoneInfo, width: int, height: int
    ) -> bytes:
        """A PNG. Raises NoCharts."""
        ...


class Reports(Protocol):
    """Makes a report now."""

    async def now(self, language: str) -> Body:
        """The daily report as of now. Raises PrometheusError, StoreError."""
        ...


class ReplyCounts(Protocol):
    """What is counted; `selfmetrics.SelfMetrics`."""

    def replied(self, command: str, outcome: str) -> None: ...


class Teller(Protocol):
    """Puts a finished text before somebody; `deliver.worker.Delivery`."""

    async def enqueue(
        self,
        kind: Kind,
        recipient: str,
        body: Body,
        *,
        severity: Severity = ...,
        deadline_s: float | None = ...,
        language: str = ...,
        episode_id: int | None = ...,
        connection: AsyncConnection | None = ...,
    ) -> int: ...


class Asking(Protocol):
    """`prometheus.Prometheus`."""

    async def query(self, expression: str, *, at_s: float | None = None) -> list[Value]: ...

    async def query_range(
        self, expression: str, *, start_s: float, end_s: float, step_s: float
    ) -> list[Series]: ...


class Silencing(Protocol):
    """`alertmanager.Alertmanager`."""

    async def alerts(self, *, silenced: bool = False, inhibited: bool = False) -> list[ActiveAlert]: ...

    async def silences(self) -> list[Silence]: ...

    async def add_silence(
        self,
        matchers: Sequence[Matcher],
        *,
        starts_at_s: float,
        ends_at_s: float,
        created_by: str,
        comment: str,
        silence_id: str = "",
    ) -> str: ...

    async def expire_silence(self, silence_id: str) -> None: ...


class Taking(Protocol):
    """`accept.intake.Intake`: what Alertmanager would have said comes in the same way."""

    async def take(self, group: Group) -> object: ...


class ChannelWords(Protocol):
    """How each channel stands, in one word, by name."""

    def __call__(self) -> Mapping[str, str]: ...
