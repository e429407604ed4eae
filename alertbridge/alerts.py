"""What an alert is, apart from how it arrived and where it goes: plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How urgent an alert is, most urgent first; the words that rules put into the label `severity`."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"
    NONE = "none"

    @property
    def rank(self) -> int:
        """0 for the most urgent."""
        return _RANKS[self]

    @classmethod
    def of(cls, labels: Mapping[str, str]) -> "Severity":
        """The severity that `labels` name; WARNING when they name none or one that is not known here.

        An unknown word must not make an alert silent, nor wake anybody.
        """
        word = labels.get("severity", "").strip().lower()
        return _WORDS.get(word, cls.WARNING)


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
_WORDS = {severity.value: severity for severity in Severity} | {
    "page": Severity.CRITICAL,
    "error": Severity.CRITICAL,
    "emergency": Severity.CRITICAL,
    "warn": Severity.WARNING,
    "notice": Severity.INFO,
}


class AlertStatus(Enum):
    """Whether an alert holds or is over."""

    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert of a notification. Times are Unix seconds; `ends_at_s` is None while it fires."""

    fingerprint: str
    status: AlertStatus
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at_s: float
    ends_at_s: float | None = None
    generator_url: str = ""

    @property
    def name(self) -> str:
        """The label `alertname`; a dash when there is none."""
        return self.labels.get("alertname", "-")

    @property
    def severity(self) -> Severity:
        return Severity.of(self.labels)


@dataclass(frozen=True, slots=True)
class Group:
    """One notification of Alertmanager: the alerts that it put together.

    `truncated` counts alerts that it left out; `reason` is its `notification_reason`, empty before 0.32.
    """

    key: str
    receiver: str
    external_url: str
    alerts: tuple[Alert, ...]
    truncated: int = 0
    reason: str = ""
