"""Episodes as a transaction of the intake works on them: loaded, changed by what comes in, written back."""

from dataclasses import dataclass, field

from alertbridge.accept.episodes import Ended, EpisodeStatus, History, Open, end_of
from alertbridge.accept.flapping import Flaps
from alertbridge.alerts import Alert, Group


@dataclass(slots=True)
class EpisodeRecord:
    """A row of `episodes`; `id` is None until it is inserted. Of `alert`, a loaded one has what this transaction
    was told. `told` are the recipients of its notices so far."""

    alert: Alert
    group: Group
    starts_at_s: float
    opened_at_s: float
    last_seen_at_s: float
    last_noticed_at_s: float | None
    id: int | None = None
    status: EpisodeStatus = EpisodeStatus.OPEN
    ends_at_s: float | None = None
    closed_at_s: float | None = None
    repeats: int = 0
    flapping: bool = False
    told: set[str] = field(default_factory=set)

    @classmethod
    def opened(cls, alert: Alert, group: Group, now_s: float) -> "EpisodeRecord":
        """The episode that `alert` opens."""
        return cls(alert, group, alert.starts_at_s, now_s, now_s, now_s)

    def close(self, alert: Alert, now_s: float) -> None:
        """Ends it by the word of a resolved alert."""
        self.alert, self.status = alert, EpisodeStatus.CLOSED
        self.ends_at_s, self.closed_at_s, self.last_seen_at_s = end_of(alert, now_s), now_s, now_s

    def repeat(self, alert: Alert, now_s: float) -> None:
        """It goes on, and people are told again."""
        self.alert, self.repeats = alert, self.repeats + 1
        self.last_seen_at_s = self.last_noticed_at_s = now_s

    def history(self, ended: Ended | None) -> History:
        """What is known of its fingerprint; `ended` is the episode before, while this one is open."""
        if self.status is EpisodeStatus.CLOSED:
            return History(None, Ended(self.ends_at_s or 0.0, self.closed_at_s or 0.0))
        noticed_at_s = self.opened_at_s if self.last_noticed_at_s is None else self.last_noticed_at_s
        return History(Open(self.starts_at_s, self.opened_at_s, noticed_at_s), ended)


@dataclass(slots=True)
class Case:
    """One fingerprint within a transaction. `record` is the open episode, else the last one; `stored_flaps` says
    whether there is a row of `flaps` for it."""

    record: EpisodeRecord | None = None
    history: History = field(default_factory=History)
    flaps: Flaps = field(default_factory=Flaps)
    stored_flaps: bool = False
    flaps_changed: bool = False

    def recall(self, ended: Ended) -> None:
        """`ended` is an end without a beginning, told a moment ago and not stored."""
        known = self.history
        if known.open is None and (known.ended is None or known.ended.closed_at_s < ended.closed_at_s):
            self.history = History(None, ended)

    def take_flaps(self, flaps: Flaps) -> None:
        """A row of `flaps` is made only when the rows of `episodes` do not tell the same."""
        self.flaps = flaps
        self.flaps_changed = self.stored_flaps or flaps.flapping or len(flaps.changes) > 2
