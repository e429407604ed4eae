"""How a channel stands, and what changes that: a table of transitions. Pure; times are Unix seconds.

A standing is a row that all replicas share. Each replica replays what it saw upon the row, so that nobody's verdict
is lost when two write at once.
"""

from dataclasses import dataclass, replace
from enum import Enum


class ChannelState(Enum):
    """What may be done with a channel."""

    OK = "ok"
    RECONNECTING = "reconnecting"  # expected back by itself, or by mending
    PAUSED = "paused"  # off until a time that the provider told, or that we chose
    STOPPED = "stopped"  # off until somebody mends it


class Phase(Enum):
    """A state, and for RECONNECTING what must happen before it is over."""

    HEALTHY = "healthy"
    FAILING = "failing"  # several attempts failed in a row: a single message must get an answer
    DROPPED = "dropped"  # the session is down: it must work again
    SILENT = "silent"  # the session says that it works and nothing proves it: there must be proof
    PAUSED = "paused"
    STOPPED = "stopped"

    @property
    def state(self) -> ChannelState:
        return _STATES.get(self, ChannelState.RECONNECTING)


_STATES = {
    Phase.HEALTHY: ChannelState.OK,
    Phase.PAUSED: ChannelState.PAUSED,
    Phase.STOPPED: ChannelState.STOPPED,
}


class ChannelEvent(Enum):
    PROVEN = "proven"  # the server's ack of a message of ours
    ANSWERED = "answered"  # the provider dealt with a message, for better or worse
    FAILED = "failed"  # an attempt failed, nobody knows why
    FAILED_OFTEN = "failed_often"  # the last of too many in a row; made of FAILED here, never sent
    WORKING = "working"  # the provider says that the session works
    DROPPED = "dropped"  # the session is down
    SILENT = "silent"  # a probe was not acknowledged
    HELD = "held"  # a time lock, a spam limit, a ban with an end
    CONDEMNED = "condemned"  # keys, billing, logged out, banned: a verdict
    ELAPSED = "elapsed"  # the pause is over
    RESUMED = "resumed"  # an operator said so


TRANSITIONS: dict[tuple[Phase, ChannelEvent], Phase] = {
    (Phase.HEALTHY, ChannelEvent.FAILED_OFTEN): Phase.FAILING,
    (Phase.HEALTHY, ChannelEvent.DROPPED): Phase.DROPPED,
    (Phase.HEALTHY, ChannelEvent.SILENT): Phase.SILENT,
    (Phase.HEALTHY, ChannelEvent.HELD): Phase.PAUSED,
    (Phase.HEALTHY, ChannelEvent.CONDEMNED): Phase.STOPPED,
    (Phase.FAILING, ChannelEvent.PROVEN): Phase.HEALTHY,
    (Phase.FAILING, ChannelEvent.ANSWERED): Phase.HEALTHY,
    (Phase.FAILING, ChannelEvent.DROPPED): Phase.DROPPED,
    (Phase.FAILING, ChannelEvent.HELD): Phase.PAUSED,
    (Phase.FAILING, ChannelEvent.CONDEMNED): Phase.STOPPED,
    (Phase.FAILING, ChannelEvent.RESUMED): Phase.HEALTHY,
    (Phase.DROPPED, ChannelEvent.PROVEN): Phase.HEALTHY,
    (Phase.DROPPED, ChannelEvent.ANSWERED): Phase.HEALTHY,
    (Phase.DROPPED, ChannelEvent.WORKING): Phase.HEALTHY,
    (Phase.DROPPED, ChannelEvent.FAILED_OFTEN): Phase.FAILING,
    (Phase.DROPPED, ChannelEvent.HELD): Phase.PAUSED,
    (Phase.DROPPED, ChannelEvent.CONDEMNED): Phase.STOPPED,
    (Phase.DROPPED, ChannelEvent.RESUMED): Phase.HEALTHY,
    (Phase.SILENT, ChannelEvent.PROVEN): Phase.HEALTHY,
    (Phase.SILENT, ChannelEvent.HELD): Phase.PAUSED,
    (Phase.SILENT, ChannelEvent.CONDEMNED): Phase.STOPPED,
    (Phase.SILENT, ChannelEvent.RESUMED): Phase.HEALTHY,
    (Phase.PAUSED, ChannelEvent.HELD): Phase.PAUSED,
    (Phase.PAUSED, ChannelEvent.CONDEMNED): Phase.STOPPED,
    (Phase.PAUSED, ChannelEvent.ELAPSED): Phase.HEALTHY,
    (Phase.PAUSED, ChannelEvent.RESUMED): Phase.HEALTHY,
    (Phase.STOPPED, ChannelEvent.WORKING): Phase.HEALTHY,
    (Phase.STOPPED, ChannelEvent.RESUMED): Phase.HEALTHY,
}
"""What is not here changes no phase: a late ack does not lift a ban, a verdict is not judged twice."""

RETOLD_AFTER_S = 6 * 3600.0
"""A channel that came back, was not proven and falls into the same trouble is not told again before that."""


@dataclass(frozen=True, slots=True)
class Happening:
    """An event at `at_s`. `reason` is a short stable word; `until_s` ends a pause.

    `is_failure`: it counts among the failures in a row. `was_sent`: the provider took a message. `was_probe`: the
    message was a probe.
    """

    event: ChannelEvent
    at_s: float
    reason: str = ""
    until_s: float | None = None
    is_failure: bool = False
    was_sent: bool = False
    was_probe: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A channel as it is stored. `since_s` is when it entered `state`; `failures` are those in a row.

    `told_at_s`: when a human was told of its trouble; it stays after the return until there is proof again.
    """

    phase: Phase = Phase.HEALTHY
    reason: str = ""
    since_s: float = 0.0
    until_s: float | None = None
    told_at_s: float | None = None
    failures: int = 0
    last_sent_at_s: float | None = None
    last_ack_at_s: float | None = None
    last_probe_at_s: float | None = None

    @property
    def state(self) -> ChannelState:
        return self.phase.state

    @property
    def is_back(self) -> bool:
        """It was in a trouble that a human knows of and is no more."""
        return self.phase is Phase.HEALTHY and self.told_at_s is not None

    def proven_since(self, *, by_ack: bool) -> bool:
        """Whether something went through since the state was entered; `by_ack`: whether it must be an ack."""
        at_s = self.last_ack_at_s if by_ack else max(self.last_sent_at_s or 0, self.last_ack_at_s or 0)
        return at_s is not None and at_s > self.since_s


def step(standing: Standing, happening: Happening, *, failure_limit: int) -> Standing:
    """How the channel stands after `happening`."""
    standing = _noted(standing, happening)
    event = happening.event
    tired = standing.failures >= failure_limit
    if (event is ChannelEvent.FAILED and tired) or (
        event is ChannelEvent.WORKING and standing.phase is Phase.DROPPED and tired
    ):
        event = (
            ChannelEvent.FAILED_OFTEN
        )  # a session that says it works and never takes a message must show it
    phase = TRANSITIONS.get((standing.phase, event))
    if phase is None:
        return standing
    if phase is Phase.PAUSED and standing.phase is Phase.PAUSED:
        return replace(standing, until_s=max(standing.until_s or 0.0, happening.until_s or 0.0))
    return replace(
        standing,
        phase=phase,
        reason=standing.reason if phase is Phase.HEALTHY and standing.told_at_s else happening.reason,
        since_s=standing.since_s if phase.state is standing.state else happening.at_s,
        until_s=happening.until_s if phase is Phase.PAUSED else None,
        told_at_s=_told_at_s(standing, phase, happening),
        failures=0 if event is ChannelEvent.RESUMED else standing.failures,
    )


def told(standing: Standing, at_s: float) -> Standing:
    """After a human was told: of the trouble, or that it is over."""
    return (
        replace(standing, told_at_s=None, reason="")
        if standing.is_back
        else replace(standing, told_at_s=at_s)
    )


def _noted(standing: Standing, happening: Happening) -> Standing:
    """With the counts and times that the event brings, whatever the phase."""
    at_s = happening.at_s
    if happening.was_probe:
        standing = replace(standing, last_probe_at_s=at_s)
    if happening.was_sent:
        standing = replace(standing, last_sent_at_s=at_s)
    if happening.is_failure:
        return replace(standing, failures=standing.failures + 1)
    if happening.event is ChannelEvent.PROVEN:
        return replace(standing, failures=0, last_ack_at_s=at_s)
    if happening.event is ChannelEvent.ANSWERED:
        return replace(standing, failures=0)
    return standing


def _told_at_s(standing: Standing, phase: Phase, happening: Happening) -> float | None:
    """A new trouble must be told; the same one right after a return that proved nothing need not."""
    if standing.told_at_s is None or phase is Phase.HEALTHY or phase.state is ChannelState.RECONNECTING:
        return standing.told_at_s
    again = standing.is_back and standing.reason == happening.reason
    return standing.told_at_s if again and 0 <= happening.at_s - standing.told_at_s < RETOLD_AFTER_S else None
