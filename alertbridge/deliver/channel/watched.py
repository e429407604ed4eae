"""A channel as one process sees it, and the questions that this answers. Times are monotonic seconds, handed in."""

from dataclasses import dataclass, field, replace

from alertbridge.deliver.channel.actions import Action, ActionKind, ChannelRules
from alertbridge.deliver.channel.announcements import Announcement
from alertbridge.deliver.channel.liveness import Finding, LivenessRules, Pulse, examine
from alertbridge.deliver.channel.standing import ChannelState, Happening, Phase, Standing
from alertbridge.deliver.providers.base import Session, SessionState

MENDS = (ActionKind.RECONNECT, ActionKind.RESTART)
MENDABLE = (Phase.DROPPED, Phase.SILENT)

ACTION_LIMIT_S = 120.0
"""An action that nobody reported on is forgotten then."""

PAIRING_WAIT_S = 10.0
"""An announcement waits so long for the session to tell where to pair."""

SETTLING_S = 8.0
"""What a session says within this time after it was mended may still be of before."""

PROVING_S = 90.0
"""A silent session that was restarted has so long to start, and to be proven by a probe."""

RECONNECTS_FIRST = 3
"""A dropped session is reconnected so often before it is restarted. A silent one is restarted at once."""

RELAPSE_LONGEST_S = 3600.0


@dataclass(slots=True)
class Watched:
    """What is remembered of a channel since it entered its state, besides the standing itself.

    `asked_s`: when the session was last told. `begun_s`: when an attempt left whose answer is awaited. `trial_s`:
    when the next single message may show whether it is well. `was_down`: the session itself said that it does not
    work. `proved`: something went through, as this process saw itself.
    """

    rules: ChannelRules
    standing: Standing
    pulse: Pulse
    entered_s: float
    pending: list[Happening] = field(default_factory=list)
    under_way: dict[ActionKind, float] = field(default_factory=dict)
    not_before_s: dict[ActionKind, float] = field(default_factory=dict)
    session: Session | None = None
    asked_s: float = float("-inf")
    starting_s: float | None = None
    pause_ends_s: float = 0.0
    detail: str = ""
    mends: int = 0
    mended_s: float | None = None
    can_mend: bool = True
    can_probe: bool = True
    trials: int = 0
    trial_s: float = 0.0
    begun_s: float | None = None
    was_down: bool = False
    proved: bool = False

    @property
    def on_trial(self) -> bool:
        """It came back from a trouble that a human knows of, and nothing went through since."""
        proven = self.proved or self.standing.proven_since(by_ack=self.rules.liveness.proves)
        return self.standing.is_back and not proven

    @property
    def own_address(self) -> str:
        """Where a probe goes; empty when nobody told."""
        return self.rules.own_address or (self.session.own_number if self.session else "")

    @property
    def liveness(self) -> LivenessRules:
        """The rules, without probes where there is no address for them or none that is taken."""
        rules = self.rules.liveness
        return rules if self.own_address and self.can_probe else replace(rules, probes=False)

    def begins(self, action: Action, now_s: float) -> Action:
        """`action`, which is under way from now on."""
        self.under_way[action.kind] = now_s
        return action

    def ended(self, *kinds: ActionKind) -> None:
        for kind in kinds:
            self.under_way.pop(kind, None)

    def may(self, now_s: float, *kinds: ActionKind) -> bool:
        """Whether none of `kinds` is under way, and the time of each has come."""
        return all(
            now_s - self.under_way.get(kind, float("-inf")) >= ACTION_LIMIT_S
            and now_s >= self.not_before_s.get(kind, 0.0)
            for kind in kinds
        )

    def check_s(self, now_s: float) -> float:
        """Seconds from one question for the session to the next: often when it was just lost."""
        if self.standing.state is not ChannelState.RECONNECTING:
            return self.rules.check_s
        return min(self.rules.check_s, max(self.rules.check_down_s, (now_s - self.entered_s) / 10))

    def is_starting(self, now_s: float) -> bool:
        """The session is on its way up, which is normal for a short while."""
        return self.starting_s is not None and now_s - self.starting_s < self.rules.starting_grace_s

    def believes(self, now_s: float) -> bool:
        """Whether a stopped channel's session is believed to work: not at once, and each time later when it already
        was wrong. A session that was down in between was mended by somebody."""
        if self.was_down:
            return True
        told_at_s, since_s = self.standing.told_at_s, self.standing.since_s
        is_relapse = told_at_s is not None and told_at_s < since_s
        longer_s = (
            min(RELAPSE_LONGEST_S, since_s - told_at_s) if is_relapse and told_at_s is not None else 0.0
        )
        return now_s - self.entered_s >= max(self.rules.check_s, longer_s)

    def mending_told(self, now_s: float) -> bool:
        """Whether the session was mended as often as tells something and is down all the same."""
        enough = self.rules.mends_tell is not None and self.mends >= self.rules.mends_tell
        settled = self.mended_s is not None and now_s - self.mended_s >= SETTLING_S
        return enough and settled and self.standing.state is ChannelState.RECONNECTING

    def next_mend(self, now_s: float) -> ActionKind | None:
        """RECONNECT or RESTART when it is time for one."""
        phase, session = self.standing.phase, self.session
        if phase not in MENDABLE or not self.can_mend or not self.may(now_s, *MENDS):
            return None
        if phase is Phase.SILENT:
            if self.mended_s is not None and now_s - self.mended_s < PROVING_S:
                return None
            proved_once = (
                self.standing.last_ack_at_s is not None
            )  # else it is more likely that nobody tells us acks
            return ActionKind.RESTART if proved_once else None
        if (
            session is None
            or self.asked_s < max(self.entered_s, self.mended_s or 0.0)
            or self.is_starting(now_s)
        ):
            return None
        if session.state in (SessionState.WORKING, SessionState.UNREACHABLE):
            return None
        if self.rules.mends_tell is not None and self.mends >= self.rules.mends_tell:
            return None
        return ActionKind.RECONNECT if self.mends < RECONNECTS_FIRST else ActionKind.RESTART

    def wants_probe(self, now_s: float) -> bool:
        """Whether a probe should tell if it lives."""
        rules, pulse = self.liveness, self.pulse
        if not (rules.probes and rules.proves):
            return False
        works = self.session is not None and self.session.state in (
            SessionState.WORKING,
            SessionState.UNKNOWN,
        )
        waiting = pulse.probe_s is not None and now_s - pulse.probe_s < rules.ack_s
        match self.standing.phase:
            case Phase.HEALTHY:
                return examine(pulse, rules, now_s) is Finding.DOUBTED
            case Phase.FAILING:
                return works and not waiting
            case Phase.SILENT:
                mended = self.mended_s is not None and self.asked_s > self.mended_s
                hopeless = not self.can_mend or self.standing.last_ack_at_s is None
                return works and not waiting and (mended or hopeless)
        return False

    def must_tell(self, now_s: float) -> bool:
        """Whether a human must be told of how it stands."""
        standing = self.standing
        match standing.state:
            case ChannelState.OK:
                return standing.is_back and not self.on_trial
            case ChannelState.RECONNECTING:
                return standing.told_at_s is None and now_s - self.entered_s >= self.rules.tell_after_s
        if standing.told_at_s is not None:
            return False
        return self.asked_s >= self.entered_s or now_s - self.entered_s >= PAIRING_WAIT_S

    def announcement(self) -> Announcement:
        """What a human is told."""
        told_url = self.session.pairing_url if self.session else ""
        return Announcement(
            channel=self.rules.name,
            state=self.standing.state,
            reason=self.standing.reason,
            detail=self.detail,
            pairing_url=told_url or self.rules.pairing_url,
            since_s=self.standing.since_s,
            told_at_s=self.standing.told_at_s,
        )
