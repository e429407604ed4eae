"""What delivering needs of its neighbours, as protocols: who they are is decided where the bridge is put together."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Severity
from alertbridge.deliver.limit.limits import Policy, Room
from alertbridge.deliver.model import Notice
from alertbridge.deliver.providers.base import Outcome, Provider
from alertbridge.deliver.render.rendering import AwaySummary
from alertbridge.deliver.route.addressbook import Recipient


class ChannelStates(Protocol):
    """Knows which channels live; see channels.Channels."""

    def allows(self, channel: str, room: Room) -> tuple[bool, str]:
        """Whether a message may be tried now, and otherwise why not."""
        ...

    def hold_over(self, channel: str, room: Room) -> bool:
        """Whether other ways should be taken instead of waiting."""
        ...

    def begun(self, channel: str) -> None:
        """An attempt leaves now."""
        ...

    def record(self, channel: str, outcome: Outcome) -> None:
        """What came of it."""
        ...

    def record_ack(self, channel: str, at_s: float | None = None) -> None:
        """A message of this channel was acknowledged."""
        ...


class Providers(Protocol):
    """The configured channels by name."""

    def get(self, channel: str, /) -> Provider | None: ...


class Recipients(Protocol):
    """Recipients by name."""

    def get(self, name: str) -> Recipient | None: ...


class Limits(Protocol):
    """Says whether a message may go, and counts it, in the transaction that writes it."""

    async def reserve(
        self, connection: AsyncConnection, buckets: Mapping[str, Policy], room: Room
    ) -> float: ...


class Buckets(Protocol):
    """Which limits apply to a message. `lane` is the recipient, or the recipient's way."""

    def __call__(
        self, *, channel: str, address: str, lane: str, severity: Severity, room: Room
    ) -> Mapping[str, Policy]: ...


class Texts(Protocol):
    """Makes the texts; see rendering.Renderer."""

    def alert(
        self,
        notice: Notice,
        *,
        language: str,
        now_s: float,
        rich: bool = True,
    ) -> str: ...

    def group(
        self,
        notices: Sequence[Notice],
        *,
        language: str,
        now_s: float,
        rich: bool = True,
        truncated: int = 0,
    ) -> str: ...

    def digest(
        self,
        notices: Sequence[Notice],
        *,
        since_s: float,
        language: str,
        now_s: float,
        rich: bool = True,
        truncated: int = 0,
    ) -> str: ...

    def away(
        self,
        summary: AwaySummary,
        *,
        language: str,
        now_s: float,
        rich: bool = True,
    ) -> str: ...

    def title(self, notice: Notice, language: str) -> str: ...


class ActiveAlerts(Protocol):
    """Asks Alertmanager."""

    async def firing(self) -> frozenset[str] | None:
        """Fingerprints of what fires now; None when nobody could be asked."""
        ...


class Counters(Protocol):
    """What is counted of delivering; the bridge's own metrics offer it."""

    def sent(self, channel: str, severity: Severity, latency_s: float | None) -> None:
        """A provider took a message. `latency_s` since the alert began, where it is about one."""
        ...

    def failed(self, channel: str, reason: str) -> None: ...
    def retried(self, channel: str) -> None: ...
    def fell_back(self, channel: str) -> None:
        """Something is told by another way, since `channel` did not prove it in time."""
        ...

    def dead(self, reason: str, count: int) -> None: ...
    def acknowledged(self, channel: str) -> None: ...
    def outbox(self, notices: Mapping[str, int], oldest_age_s: float) -> None:
        """Notices under way by state, and the age of the oldest; 0 without any."""
        ...

    def unacknowledged(self, age_s: Mapping[str, float]) -> None:
        """By channel, the age of the oldest message that was sent and not acknowledged; 0 without any."""
        ...

    def task_fault(self, task: str) -> None:
        """Something failed that nobody waits for."""
        ...


class NoCounters:
    """Counts nothing."""

    def sent(self, channel: str, severity: Severity, latency_s: float | None) -> None:
        """Nothing."""

    def failed(self, channel: str, reason: str) -> None:
        """Nothing."""

    def retried(self, channel: str) -> None:
        """Nothing."""

    def fell_back(self, channel: str) -> None:
        """Nothing."""

    def dead(self, reason: str, count: int) -> None:
        """Nothing."""

    def acknowledged(self, channel: str) -> None:
        """Nothing."""

    def outbox(self, notices: Mapping[str, int], oldest_age_s: float) -> None:
        """Nothing."""

    def unacknowledged(self, age_s: Mapping[str, float]) -> None:
        """Nothing."""

    def task_fault(self, task: str) -> None:
        """Nothing."""
