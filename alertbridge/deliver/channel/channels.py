"""What each channel may do now, and what must be done for it. Decisions are synchronous and do no input or output.

The delivery tells what it saw (`record`, `record_ack`, `report`, ...), asks `allows`, and does what `due` returns.
`store` keeps the standings in a table that all replicas share: what was seen here waits in `pending` and is
replayed there upon what others wrote.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from random import random

import structlog

from alertbridge.deliver.channel.actions import Action, ActionKind, ChannelRules, Probe
from alertbridge.deliver.channel.liveness import Finding, Pulse, examine
from alertbridge.deliver.channel.standing import ChannelEvent, ChannelState, Happening, Phase, Standing, step
from alertbridge.deliver.channel.watched import MENDS, SETTLING_S, Watched
from alertbridge.deliver.limit.limits import Room
from alertbridge.deliver.providers.base import Outcome, OutcomeClass, Session, SessionState
from runtime.clock import Clock

log = structlog.get_logger(__name__)

OUTCOME_EVENTS: Mapping[OutcomeClass, ChannelEvent] = {
    OutcomeClass.ACCEPTED: ChannelEvent.ANSWERED,
    OutcomeClass.QUEUED_REMOTE: ChannelEvent.ANSWERED,
    OutcomeClass.SWITCH: ChannelEvent.ANSWERED,
    OutcomeClass.PERMANENT: ChannelEvent.ANSWERED,
    OutcomeClass.RETRY: ChannelEvent.FAILED,
    OutcomeClass.UNKNOWN: ChannelEvent.FAILED,
    OutcomeClass.RECONNECT: ChannelEvent.DROPPED,
    OutcomeClass.PAUSE: ChannelEvent.HELD,
    OutcomeClass.CONFIG: ChannelEvent.CONDEMNED,
}

SESSION_EVENTS: Mapping[SessionState, ChannelEvent] = {
    SessionState.WORKING: ChannelEvent.WORKING,
    SessionState.DISCONNECTED: ChannelEvent.DROPPED,
    SessionState.UNREACHABLE: ChannelEvent.FAILED,
    SessionState.TIMELOCKED: ChannelEvent.HELD,
    SessionState.NEEDS_PAIRING: ChannelEvent.CONDEMNED,
    SessionState.LOGGED_OUT: ChannelEvent.CONDEMNED,
    SessionState.BANNED: ChannelEvent.CONDEMNED,
    SessionState.MISCONFIGURED: ChannelEvent.CONDEMNED,
}
"""STARTING is judged once it lasts; UNKNOWN tells nothing."""

LOCKS = (SessionState.TIMELOCKED.value, SessionState.BANNED.value)
"""Reasons of a pause that the session itself told: it is over as soon as the session tells no more of it."""

TOOK = (OutcomeClass.ACCEPTED, OutcomeClass.QUEUED_REMOTE)
SAYS_LITTLE = (SessionState.WORKING, SessionState.UNKNOWN, SessionState.UNREACHABLE)
PROBE_TEXT = "tikwatch: probe"


class Channels:
    """All channels. Not safe for several threads; a loop's tasks may share it."""

    def __init__(
        self,
        rules: Iterable[ChannelRules],
        clock: Clock,
        *,
        dice: Callable[[], float] = random,
        changed: Callable[[str, ChannelState, ChannelState], None] | None = None,
    ) -> None:
        self._clock = clock
        self._dice = dice
        self._changed = changed
        now_s = clock.monotonic()
        self._watched = {
            rule.name: Watched(rule, Standing(since_s=clock.time()), Pulse(now_s), now_s) for rule in rules
        }

    # -- what the delivery asks

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._watched)

    def standing(self, channel: str) -> Standing:
        """How it stands, as far as this process knows."""
        return self._watched[channel].standing

    def session(self, channel: str) -> Session | None:
        """What the provider said last."""
        return self._watched[channel].session

    def allows(self, channel: str, room: Room) -> tuple[bool, str]:
        """Whether a message may be tried now, and otherwise the reason: a state, or `trial` while a single one shows
        whether the channel is back. Tell `begun` when it is."""
        watched = self._watched[channel]
        standing, now_s = watched.standing, self._clock.monotonic()
        match standing.phase:
            case Phase.HEALTHY:
                free = not watched.on_trial or now_s >= watched.trial_s
                return (True, "") if free else (False, "trial")
            case Phase.FAILING | Phase.DROPPED if now_s >= watched.trial_s and not watched.is_starting(now_s):
                return True, ""
            case Phase.SILENT if not watched.liveness.probes and now_s >= watched.trial_s:
                return True, ""
        return False, standing.state.value

    def hold_over(self, channel: str, room: Room) -> bool:
        """Whether the fallback should take over: at once when stopped or paused, after the hold when reconnecting."""
        watched = self._watched[channel]
        hold_s = watched.rules.hold_critical_s if room is Room.CRITICAL else watched.rules.hold_s
        match watched.standing.state:
            case ChannelState.OK:
                return False
            case ChannelState.RECONNECTING:
                return self._clock.monotonic() - watched.entered_s >= hold_s
        return True

    # -- what the delivery tells

    def begun(self, channel: str) -> None:
        """An attempt leaves now. While the channel is not well, the next must wait for what comes of it."""
        watched = self._watched[channel]
        watched.begun_s = self._clock.monotonic()
        if watched.standing.phase is not Phase.HEALTHY or watched.on_trial:
            wait_s = min(watched.rules.trial_first_s * 2**watched.trials, watched.rules.mend_longest_s)
            watched.trials = min(watched.trials + 1, 16)
            watched.trial_s = self._clock.monotonic() + wait_s

    def record(self, channel: str, outcome: Outcome) -> None:
        """What came of an attempt, at once or by a later webhook."""
        watched = self._watched[channel]
        left_s, watched.begun_s = watched.begun_s, None
        self._record(watched, outcome, left_s)

    def _record(
        self, watched: Watched, outcome: Outcome, left_s: float | None, *, was_probe: bool = False
    ) -> None:
        event = ChannelEvent.CONDEMNED if outcome.logged_out else OUTCOME_EVENTS[outcome.kind]
        if event is ChannelEvent.FAILED and outcome.retry_after_s is not None:
            return  # it told when to come again: it lives
        took = outcome.kind in TOOK
        if took and watched.rules.acks_on_accept:
            event = ChannelEvent.PROVEN
        elif took and (
            left_s is None or watched.pulse.proof_s <= left_s
        ):  # else its ack was faster than the answer
            watched.pulse.sent(self._clock.monotonic() if left_s is None else left_s, is_probe=was_probe)
        if event in (ChannelEvent.HELD, ChannelEvent.CONDEMNED):
            watched.detail = outcome.detail
        self._happen(
            watched,
            event,
            reason="logged_out" if outcome.logged_out else outcome.reason or outcome.kind.value,
            pause_s=outcome.retry_after_s,
            is_failure=event in (ChannelEvent.FAILED, ChannelEvent.DROPPED),
            was_sent=took,
            was_probe=was_probe,
        )

    def record_ack(self, channel: str, at_s: float | None = None) -> None:
        """The server's ack of anything of ours (or delivered, or read) arrived now. `at_s` is what the provider's
        clock says: not trusted, since one that is wrong would make a live session look silent."""
        self._happen(self._watched[channel], ChannelEvent.PROVEN)

    def report(self, channel: str, session: Session) -> None:
        """What `Provider.session()` or a SessionEvent said."""
        watched, now_s = self._watched[channel], self._clock.monotonic()
        watched.session, watched.asked_s = session, now_s
        watched.ended(ActionKind.SESSION)
        if session.state is not SessionState.STARTING:
            watched.starting_s = None
        elif watched.starting_s is None:
            watched.starting_s = now_s
        if session.state not in SAYS_LITTLE:
            watched.was_down = True
        self._judge(watched, session)

    def mended(self, channel: str, outcome: Outcome) -> None:
        """What came of a RECONNECT or RESTART."""
        watched, now_s = self._watched[channel], self._clock.monotonic()
        watched.ended(*MENDS)
        if outcome.kind is OutcomeClass.PERMANENT:
            watched.can_mend = False
        elif outcome.logged_out or outcome.kind in (OutcomeClass.CONFIG, OutcomeClass.PAUSE):
            self.record(channel, outcome)
        elif outcome.kind in TOOK:
            watched.mended_s = now_s
            watched.starting_s = None
            watched.pulse.begun_again(now_s)
        watched.not_before_s[ActionKind.SESSION] = now_s + min(2.0, watched.rules.check_down_s)

    def probed(self, channel: str, outcome: Outcome) -> None:
        """What came of sending a PROBE."""
        watched = self._watched[channel]
        left_s = watched.under_way.get(ActionKind.PROBE)
        watched.ended(ActionKind.PROBE)
        if outcome.kind in (OutcomeClass.PERMANENT, OutcomeClass.SWITCH):
            watched.can_probe = False  # an official API writes to nobody who did not ask, itself included
        self._record(watched, outcome, left_s, was_probe=True)

    def deferred(self, action: Action, wait_s: float) -> None:
        """An action was not done, or not claimed, and may be asked for again in `wait_s`.

        Of a mend that means as a rule that another replica mends: what comes of that is awaited."""
        watched, now_s = self._watched[action.channel], self._clock.monotonic()
        watched.ended(action.kind)
        watched.not_before_s[action.kind] = now_s + wait_s
        if action.kind in MENDS:
            watched.mends -= 1
            watched.not_before_s.update(dict.fromkeys(MENDS, now_s + max(wait_s, 2 * SETTLING_S)))

    def resume(self, channel: str) -> None:
        """An operator says that the channel is well again."""
        self._happen(self._watched[channel], ChannelEvent.RESUMED, reason="resumed")

    # -- what must be done

    def due(self) -> list[Action]:
        """What is to be done now; each once, until it is reported on."""
        return [action for watched in self._watched.values() for action in self._due(watched)]

    def _due(self, watched: Watched) -> Iterator[Action]:
        now_s = self._clock.monotonic()
        if watched.standing.phase is Phase.PAUSED and now_s >= watched.pause_ends_s:
            self._happen(watched, ChannelEvent.ELAPSED)
        if (
            watched.standing.phase is Phase.HEALTHY
            and examine(watched.pulse, watched.liveness, now_s) is Finding.SILENT
        ):
            self._happen(watched, ChannelEvent.SILENT, reason="silent")
        name = watched.rules.name
        if watched.may(now_s, ActionKind.SESSION):
            watched.not_before_s[ActionKind.SESSION] = now_s + watched.check_s(now_s)
            yield watched.begins(Action(ActionKind.SESSION, name), now_s)
        if (kind := watched.next_mend(now_s)) is not None:
            self._count_mend(watched, now_s)
            yield watched.begins(Action(kind, name, watched.rules.mend_buckets), now_s)
        if watched.wants_probe(now_s) and watched.may(now_s, ActionKind.PROBE):
            probe = Probe(watched.own_address, PROBE_TEXT)
            yield watched.begins(Action(ActionKind.PROBE, name, watched.rules.probe_buckets, probe), now_s)
        if watched.must_tell(now_s) and watched.may(now_s, ActionKind.ANNOUNCE):
            yield watched.begins(
                Action(ActionKind.ANNOUNCE, name, announcement=watched.announcement()), now_s
            )

    def _count_mend(self, watched: Watched, now_s: float) -> None:
        rules = watched.rules
        watched.mends += 1
        wait_s = min(rules.mend_longest_s, rules.mend_first_s * 2.0 ** min(watched.mends, 16))
        watched.not_before_s.update(dict.fromkeys(MENDS, now_s + wait_s * (1 + self._dice() / 4)))

    # -- what is shared with other replicas

    def pending(self, channel: str) -> tuple[Happening, ...]:
        """What was seen here and is not in the store yet, oldest first."""
        return tuple(self._watched[channel].pending)

    def replayed(self, channel: str, stored: Standing, happenings: Iterable[Happening]) -> Standing:
        """What becomes of a `stored` standing by what was seen here."""
        limit = self._watched[channel].rules.failure_limit
        for happening in happenings:
            stored = step(stored, happening, failure_limit=limit)
        return stored

    def adopt(self, channel: str, stored: Standing, replayed: int = 0) -> None:
        """The store holds `stored`, with the first `replayed` of `pending` in it. What was seen since comes on top."""
        watched = self._watched[channel]
        del watched.pending[:replayed]
        self._set(watched, self.replayed(channel, stored, watched.pending))

    # -- deciding

    def _happen(
        self,
        watched: Watched,
        event: ChannelEvent,
        *,
        reason: str = "",
        pause_s: float | None = None,
        is_failure: bool = False,
        was_sent: bool = False,
        was_probe: bool = False,
    ) -> None:
        at_s = self._clock.time()
        until_s = None
        if event is ChannelEvent.HELD:
            until_s = at_s + (watched.rules.pause_s if pause_s is None else pause_s)
        happening = Happening(event, at_s, reason, until_s, is_failure, was_sent, was_probe)
        standing = step(watched.standing, happening, failure_limit=watched.rules.failure_limit)
        if event is ChannelEvent.PROVEN:
            watched.pulse.proven(self._clock.monotonic())
        if standing != watched.standing:
            watched.pending.append(happening)
            self._set(watched, standing)
        if event is ChannelEvent.PROVEN or (was_sent and not watched.rules.liveness.proves):
            watched.proved = True

    def _set(self, watched: Watched, standing: Standing) -> None:
        """The only place that assigns a standing."""
        old, watched.standing = watched.standing, standing
        now_s = self._clock.monotonic()
        if standing.last_ack_at_s not in (
            None,
            old.last_ack_at_s,
        ):  # another replica's too; clocks may go back
            watched.pulse.proven(now_s)
        if standing.until_s is not None and standing.until_s != old.until_s:
            watched.pause_ends_s = now_s + max(0.0, standing.until_s - self._clock.time())
        if (old.phase, old.since_s) != (standing.phase, standing.since_s):
            self._entered(watched, old, now_s)

    def _entered(self, watched: Watched, old: Standing, now_s: float) -> None:
        standing, rules = watched.standing, watched.rules
        if old.state is not standing.state or old.since_s != standing.since_s:
            watched.entered_s = now_s
            watched.mends, watched.mended_s, watched.can_mend = 0, None, True
            watched.was_down = watched.proved = False
        watched.trials, watched.trial_s = 0, now_s
        if standing.phase in (Phase.FAILING, Phase.DROPPED):
            watched.trial_s = now_s + rules.trial_first_s
        if standing.phase is Phase.HEALTHY:
            watched.pulse.begun_again(now_s)
        watched.not_before_s = {
            ActionKind.SESSION: now_s,
            **dict.fromkeys(MENDS, now_s + rules.mend_first_s * (1 + self._dice() / 4)),
        }
        if old.state is standing.state:
            return
        log.warning(
            "channel.changed",
            channel=rules.name,
            old=old.state.value,
            new=standing.state.value,
            reason=standing.reason,
        )
        if self._changed is not None:
            self._changed(rules.name, old.state, standing.state)

    def _judge(self, watched: Watched, session: Session) -> None:
        now_s, phase = self._clock.monotonic(), watched.standing.phase
        event, reason = SESSION_EVENTS.get(session.state), session.state.value
        if event is ChannelEvent.WORKING and phase is Phase.STOPPED and not watched.believes(now_s):
            return
        if event is ChannelEvent.WORKING and phase is Phase.PAUSED and watched.standing.reason in LOCKS:
            event = ChannelEvent.ELAPSED
        if session.state is SessionState.BANNED and session.until_s is not None:
            event = ChannelEvent.HELD
        if session.state is SessionState.STARTING and not watched.is_starting(now_s):
            event = ChannelEvent.DROPPED
        if event is ChannelEvent.DROPPED and watched.mending_told(now_s):
            event, reason = ChannelEvent.CONDEMNED, "broken_or_logged_out"
        if event is ChannelEvent.FAILED and phase is not Phase.HEALTHY:
            return  # it is known already
        if event in (ChannelEvent.HELD, ChannelEvent.CONDEMNED):
            watched.detail = session.detail
        if event is not None:
            self._happen(
                watched,
                event,
                reason=reason,
                pause_s=None if session.until_s is None else max(0.0, session.until_s - self._clock.time()),
                is_failure=event is ChannelEvent.FAILED,
            )
