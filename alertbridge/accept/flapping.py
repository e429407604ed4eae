"""An alert that changes too often is told once as flapping, then not until it is calm. Pure; times are Unix seconds.

Wall clocks can be set back: a time in the future counts by its distance, so that a step of the clock ends a
silence rather than prolonging it.
"""

from dataclasses import dataclass
from enum import Enum

from alertbridge.alerts import AlertStatus


@dataclass(frozen=True, slots=True)
class FlappingRules:
    """More than `changes` within `window_s` is flapping; `calm_s` without a change ends it."""

    changes: int = 4
    window_s: float = 600.0
    calm_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Flaps:
    """The latest changes of one fingerprint, oldest first; `since_s` is None unless it flaps.

    `told` is the state that the flapping message named.
    """

    changes: tuple[float, ...] = ()
    since_s: float | None = None
    told: AlertStatus | None = None

    @property
    def flapping(self) -> bool:
        return self.since_s is not None


class Voice(Enum):
    """How a change is told."""

    PLAIN = "plain"  # as what it is
    FLAPPING = "flapping"  # as the one message that says that it flaps
    SILENT = "silent"  # not at all: that it flaps was said


def changed(flaps: Flaps, status: AlertStatus, now_s: float, rules: FlappingRules) -> tuple[Flaps, Voice]:
    """What a change to `status` makes of `flaps`, and how it is told.

    A change after the calm that nobody looked for in time (the bridge was down) is told as what it is.
    """
    if calmed(flaps, now_s, rules):
        flaps = Flaps()
    recent = (at_s for at_s in flaps.changes if abs(now_s - at_s) <= rules.window_s)
    changes = (*recent, now_s)[-(rules.changes + 1) :]
    if flaps.flapping:
        return Flaps(changes, flaps.since_s, flaps.told), Voice.SILENT
    if len(changes) > rules.changes:
        return Flaps(changes, now_s, status), Voice.FLAPPING
    return Flaps(changes), Voice.PLAIN


def calmed(flaps: Flaps, now_s: float, rules: FlappingRules) -> bool:
    """Whether it flapped and has not changed for long enough."""
    return flaps.flapping and all(abs(now_s - at_s) >= rules.calm_s for at_s in flaps.changes[-1:])


def forgettable(flaps: Flaps, now_s: float, rules: FlappingRules) -> bool:
    """Whether nothing depends on it any more."""
    return not flaps.flapping and all(abs(now_s - at_s) > rules.window_s for at_s in flaps.changes)
