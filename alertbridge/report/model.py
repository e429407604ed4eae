"""What is gathered for a report: answers, or why there are none. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from alertbridge.alerts import Severity
from alertbridge.prometheus import Series, Value
from alertbridge.report.schedule import Kind, Period


class Part(Enum):
    """The sections of a report."""

    AVAILABILITY = "availability"
    TRAFFIC = "traffic"
    SUBSCRIBERS = "subscribers"
    ALERTS = "alerts"
    RECOVERY = "recovery"
    MESSAGES = "messages"
    DATABASES = "databases"
    ATTENTION = "attention"


class Missing(Enum):
    """Why there is no answer. Never a zero."""

    NO_DATA = "no_data"  # nobody measured it
    NOT_CONFIGURED = "not_configured"  # there is nobody to ask
    UNREACHABLE = "unreachable"
    REFUSED = "refused"  # the question itself; it is wrong or too large
    LATE = "late"  # the report could not wait any longer


@dataclass(frozen=True, slots=True)
class Answer:
    """Values of one question, at least one unless something is `missing`; `detail` is for the log."""

    values: tuple[Value, ...] = ()
    missing: Missing | None = None
    detail: str = ""

    def by(self, *labels: str) -> dict[tuple[str, ...], float]:
        """The values by those labels."""
        return {tuple(one.labels.get(label, "") for label in labels): one.value for one in self.values}


@dataclass(frozen=True, slots=True)
class Track:
    """Series over time, at least one unless something is `missing`."""

    series: tuple[Series, ...] = ()
    missing: Missing | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What our own store knows of a period.

    `recoveries` by the value of recover.model.RunState, of runs that ended; `times_to_recover_s` from the alert's
    start to the proof, of those that cured. `kept_since_s`: what was before is deleted already.
    """

    opened: Mapping[Severity, int]
    still_open: Mapping[Severity, int]
    names: tuple[tuple[str, int], ...]  # the most frequent alerts
    recoveries: Mapping[str, int]
    times_to_recover_s: tuple[float, ...]
    messages: Mapping[str, int]  # by the value of deliver.model.MessageState
    kept_since_s: float


@dataclass(frozen=True, slots=True)
class Gathered:
    """Everything that a report is written from. `state_at_s`: when the present state was asked for."""

    kind: Kind
    period: Period
    state_at_s: float
    top: int
    answers: Mapping[str, Answer] = field(default_factory=dict)
    tracks: Mapping[str, Track] = field(default_factory=dict)
    ledger: Ledger | None = None

    def answer(self, name: str) -> Answer:
        """The answer to that question; one that was not asked is not configured."""
        return self.answers.get(name, Answer(missing=Missing.NOT_CONFIGURED))

    def track(self, name: str) -> Track:
        return self.tracks.get(name, Track(missing=Missing.NOT_CONFIGURED))

    @property
    def is_unreachable(self) -> bool:
        """Whether Prometheus was asked and did not answer at all."""
        found: list[Answer | Track] = [*self.answers.values(), *self.tracks.values()]
        return bool(found) and all(one.missing in (Missing.UNREACHABLE, Missing.LATE) for one in found)
