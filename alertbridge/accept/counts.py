"""What accepting counts, for whoever makes metrics of it."""

from typing import Protocol

from alertbridge.alerts import AlertStatus
from alertbridge.deliver.model import Kind


class AcceptCounts(Protocol):
    """Told of everything that comes in and of what became of it; must be quick and raise nothing."""

    def webhook_answered(self, code: int, duration_s: float) -> None:
        """A request to the webhook was answered, refusals of the guards included."""
        ...

    def alerts_received(self, status: AlertStatus, count: int) -> None:
        """So many alerts of a notification could be read and are committed."""
        ...

    def alerts_rejected(self, reason: str, count: int) -> None:
        """So many could not be read; `reason` is a word of `payload.Fault`."""
        ...

    def alerts_deduplicated(self, reason: str, count: int) -> None:
        """So many told nothing new; `reason` is copy, late, repeat or unopened (see `episodes.Verdict`)."""
        ...

    def values_cut(self, count: int) -> None:
        """So many labels, annotations or addresses were longer or more than the limits, and were cut."""
        ...

    def alert_accepted(self, latency_s: float) -> None:
        """An episode was opened so long after it began by Alertmanager's word."""
        ...

    def notices_made(self, kind: Kind, count: int) -> None:
        """So many notices wait to be told."""
        ...

    def notices_suppressed(self, reason: str, count: int) -> None:
        """So many changes are told to nobody, or only within a flapping message."""
        ...

    def watchdog_arrived(self, at_s: float) -> None:
        """The dead man's switch was heard, at this Unix time."""
        ...
