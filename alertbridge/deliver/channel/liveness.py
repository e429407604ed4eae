"""Whether a session lives: by proof, not by what it says of itself. Pure; times are monotonic seconds.

A session can stay "open" while nothing goes through. Proof is the server's ack of anything of ours. While messages
go out it comes by itself; without it for a while, one probe to the own number is asked for. A phone that is off is
no silence: the server acknowledges all the same.
"""

from dataclasses import dataclass
from enum import Enum

LONGEST_S = 150.0
"""A message that waited so long for any proof is enough, even when no probe could be sent."""


@dataclass(frozen=True, slots=True)
class LivenessRules:
    """`idle_s` without proof asks for a probe, and so do `suspect_s` with a message unacknowledged; a probe that has no
    ack after `ack_s` tells that the session is silent. `suspect_s + ack_s` and `idle_s + ack_s` stay below 180 s.

    `proves`: the provider tells acks at all. `probes`: a probe may be sent.
    """

    proves: bool = True
    probes: bool = True
    idle_s: float = 120.0
    suspect_s: float = 30.0
    ack_s: float = 30.0


@dataclass(slots=True)
class Pulse:
    """What is known of a session. `unproved_s`: when the oldest message left that nothing since has proven."""

    proof_s: float
    unproved_s: float | None = None
    probe_s: float | None = None

    def sent(self, at_s: float, *, is_probe: bool = False) -> None:
        """A message was taken by the gateway, which proves nothing yet."""
        if self.unproved_s is None:
            self.unproved_s = at_s
        if is_probe:
            self.probe_s = at_s

    def proven(self, at_s: float) -> None:
        """Something of ours arrived at the server."""
        self.proof_s = max(self.proof_s, at_s)
        self.unproved_s = self.probe_s = None

    def begun_again(self, at_s: float) -> None:
        """The session was mended: what is unproved from before says nothing of it."""
        self.proof_s, self.unproved_s, self.probe_s = at_s, None, None


class Finding(Enum):
    ALIVE = "alive"
    DOUBTED = "doubted"  # a probe should be sent
    PROBED = "probed"  # a probe is on its way
    SILENT = "silent"


def examine(pulse: Pulse, rules: LivenessRules, now_s: float) -> Finding:
    """What the pulse tells now."""
    if not rules.proves:
        return Finding.ALIVE
    unproved_for_s = 0.0 if pulse.unproved_s is None else now_s - pulse.unproved_s
    if unproved_for_s >= LONGEST_S:
        return Finding.SILENT
    if pulse.probe_s is not None:
        return Finding.SILENT if now_s - pulse.probe_s >= rules.ack_s else Finding.PROBED
    if rules.probes and (unproved_for_s >= rules.suspect_s or now_s - pulse.proof_s >= rules.idle_s):
        return Finding.DOUBTED
    return Finding.ALIVE
