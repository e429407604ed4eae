"""What a channel may do, by outcomes, sessions and time, on a clock that the test moves."""

from itertools import pairwise

import pytest

from alertbridge.deliver.channel.actions import Action, ActionKind, ChannelRules
from alertbridge.deliver.channel.channels import OUTCOME_EVENTS, Channels
from alertbridge.deliver.channel.liveness import LivenessRules
from alertbridge.deliver.channel.standing import ChannelState, Standing
from alertbridge.deliver.channel.standing import told as told_standing
from alertbridge.deliver.limit.limits import Room
from alertbridge.deliver.providers.base import Outcome, OutcomeClass, Session, SessionState
from tests.fakes.clock import FakeClock

K, S = OutcomeClass, SessionState
SENT = Outcome(K.ACCEPTED, provider_id="1")
WORKING = Session(S.WORKING, own_number="6281200000001")


class JumpingClock(FakeClock):
    """One whose wall clock can be set."""

    def jump(self, seconds: float) -> None:
        """The wall clock alone goes forward or back."""
        self._time_s += seconds


class Desk:
    """One channel, and what would be done for it: everything that is due is taken, nothing is answered."""

    def __init__(self, **rules: object) -> None:
        self.clock = JumpingClock()
        given = {"name": "wa", "own_address": "6281200000001", **rules}
        self.channels = Channels([ChannelRules(**given)], self.clock, dice=lambda: 0.0)  # type: ignore[arg-type]

    def outcome(self, kind: OutcomeClass, reason: str = "why", **more: object) -> None:
        self.channels.record("wa", Outcome(kind, reason, **more))  # type: ignore[arg-type]

    def session(self, state: SessionState, **more: object) -> None:
        self.channels.report("wa", Session(state, **more))  # type: ignore[arg-type]

    def due(self, after_s: float = 0.0) -> list[ActionKind]:
        return [action.kind for action in self.actions(after_s)]

    def actions(self, after_s: float = 0.0) -> list[Action]:
        self.clock.advance(after_s)
        return self.channels.due()

    def until(self, kind: ActionKind, limit_s: float, session: Session | None = None) -> float:
        """Seconds until `kind` is due, each question for the session answered with `session`."""
        waited_s = 0.0
        while waited_s <= limit_s:
            found = self.due()
            if ActionKind.SESSION in found and session is not None:
                self.channels.report("wa", session)
            if kind in found:
                return waited_s
            self.clock.advance(1.0)
            waited_s += 1.0
        raise AssertionError(f"{kind} was not due within {limit_s} s")

    @property
    def state(self) -> ChannelState:
        return self.channels.standing("wa").state

    def allowed(self) -> bool:
        return self.channels.allows("wa", Room.CRITICAL)[0]


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (K.ACCEPTED, ChannelState.OK),
        (K.QUEUED_REMOTE, ChannelState.OK),
        (K.RETRY, ChannelState.OK),
        (K.UNKNOWN, ChannelState.OK),
        (K.SWITCH, ChannelState.OK),
        (K.PERMANENT, ChannelState.OK),
        (K.RECONNECT, ChannelState.RECONNECTING),
        (K.PAUSE, ChannelState.PAUSED),
        (K.CONFIG, ChannelState.STOPPED),
    ],
)
def test_what_one_outcome_does(kind: OutcomeClass, state: ChannelState) -> None:
    """Each of the nine classes has its state, and only OK lets the next message go."""
    desk = Desk()
    desk.outcome(kind)
    assert desk.state is state
    assert desk.allowed() is (state is ChannelState.OK)
    assert set(OUTCOME_EVENTS) == set(OutcomeClass)


@pytest.mark.parametrize("kind", [K.RETRY, K.UNKNOWN])
def test_five_failures_in_a_row_open_the_breaker(kind: OutcomeClass) -> None:
    """Four do not, an answer in between starts the count again, and then one single message may go after a while."""
    desk = Desk()
    for _ in range(4):
        desk.outcome(kind)
    desk.outcome(K.PERMANENT)
    for _ in range(4):
        desk.outcome(kind)
    assert desk.allowed()
    desk.outcome(kind)
    assert (desk.state, desk.allowed()) == (ChannelState.RECONNECTING, False)
    desk.clock.advance(15.0)
    assert desk.allowed()
    desk.channels.begun("wa")
    assert not desk.allowed()
    desk.outcome(kind)
    assert not desk.allowed()
    desk.clock.advance(30.0)
    desk.channels.begun("wa")
    desk.channels.record("wa", SENT)
    assert (desk.state, desk.allowed()) == (ChannelState.OK, True)


def test_who_says_when_to_come_again_lives() -> None:
    """Rate limits with Retry-After do not open the breaker."""
    desk = Desk()
    for _ in range(20):
        desk.outcome(K.RETRY, retry_after_s=10.0)
    assert desk.allowed()


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(Outcome(K.CONFIG, "unauthorised"), id="keys"),
        pytest.param(Outcome(K.RECONNECT, "gone", logged_out=True), id="logged out"),
        pytest.param(Outcome(K.PAUSE, "463", retry_after_s=3600.0), id="463"),
        pytest.param(Session(S.LOGGED_OUT), id="session logged out"),
        pytest.param(Session(S.BANNED), id="banned"),
        pytest.param(Session(S.NEEDS_PAIRING), id="needs pairing"),
        pytest.param(Session(S.TIMELOCKED, until_s=1_700_003_600.0), id="time lock"),
        pytest.param(Session(S.MISCONFIGURED), id="misconfigured"),
    ],
)
def test_a_verdict_stops_at_once_and_nothing_is_mended(trouble: Outcome | Session) -> None:
    """No message goes, the fallback takes over at once, a human is told within 60 s, no reconnect in half an hour."""
    desk = Desk(pairing_url="http://bot.example/qr")
    if isinstance(trouble, Outcome):
        desk.channels.record("wa", trouble)
    else:
        desk.channels.report("wa", trouble)
    assert not desk.allowed()
    assert desk.channels.hold_over("wa", Room.NORMAL)
    told_s = None
    for second in range(1800):
        for action in desk.actions(1.0):
            assert action.kind in (ActionKind.SESSION, ActionKind.ANNOUNCE)
            if action.announcement is not None and told_s is None:
                told_s = second
                assert action.announcement.pairing_url == "http://bot.example/qr"
                assert "http://bot.example/qr" in action.announcement.text("id")
            elif action.kind is ActionKind.SESSION:
                desk.session(S.LOGGED_OUT)
    assert told_s is not None
    assert told_s <= 60


def test_a_stopped_channel_comes_back_when_its_session_works() -> None:
    """Somebody paired again: the session was seen down in between, and then working."""
    desk = Desk()
    desk.outcome(K.CONFIG, logged_out=True)
    assert desk.until(ActionKind.SESSION, 1, Session(S.NEEDS_PAIRING)) == 0
    assert 30 <= desk.until(ActionKind.SESSION, 70) <= 60
    desk.session(S.WORKING)
    assert desk.state is ChannelState.OK


def test_a_session_that_only_says_it_works_is_not_believed_twice_as_soon() -> None:
    """Keys are refused for every message while the session says WORKING: trials get rarer, and it is told once."""
    desk = Desk()
    desk.outcome(K.CONFIG, "billing")
    trials, told = 0, 0
    for _ in range(3 * 3600):
        for action in desk.actions(1.0):
            if action.kind is ActionKind.SESSION:
                desk.session(S.WORKING)
            elif action.kind is ActionKind.ANNOUNCE:
                told += 1
                standing = desk.channels.standing("wa")
                from_store = desk.channels.replayed("wa", standing, ())
                desk.channels.adopt("wa", told_of(desk, from_store), len(desk.channels.pending("wa")))
                desk.channels.deferred(action, 1.0)
        if desk.allowed():
            trials += 1
            desk.channels.begun("wa")
            assert not desk.allowed()
            desk.outcome(K.CONFIG, "billing")
    assert told == 1
    assert 3 <= trials <= 12


def told_of(desk: Desk, standing: Standing) -> Standing:
    """As the store has it once somebody was told."""
    return told_standing(standing, desk.clock.time())


def test_an_operator_resumes() -> None:
    """Whatever the session says."""
    desk = Desk()
    desk.outcome(K.CONFIG)
    desk.channels.resume("wa")
    assert desk.allowed()


def test_a_pause_ends_with_its_time() -> None:
    """Not before, not by a late ack and not by a session that says it works."""
    desk = Desk()
    desk.outcome(K.PAUSE, "463", retry_after_s=600.0)
    desk.channels.record_ack("wa")
    desk.session(S.WORKING)
    desk.due(599.0)
    assert not desk.allowed()
    desk.due(1.0)
    assert desk.allowed()


def test_a_lock_that_the_session_told_ends_when_it_tells_no_more_of_it() -> None:
    """WhatsApp may lift it before its time; what nobody but the session knows of, the session ends."""
    desk = Desk()
    desk.channels.report("wa", Session(S.TIMELOCKED, until_s=desk.clock.time() + 3600.0))
    assert not desk.allowed()
    desk.session(S.UNKNOWN)
    assert not desk.allowed()
    desk.session(S.WORKING)
    assert desk.allowed()


def test_a_wall_clock_that_jumps_ends_no_pause() -> None:
    """A pause that began is measured by the monotonic clock."""
    desk = Desk()
    desk.outcome(K.PAUSE, "463", retry_after_s=600.0)
    desk.clock.jump(86_400.0)
    desk.due(10.0)
    assert not desk.allowed()
    desk.due(590.0)
    assert desk.allowed()


def test_a_wall_clock_that_goes_back_hides_no_proof() -> None:
    """An ack is one, though the clock says that it came before the trouble."""
    desk = Desk()
    desk.outcome(K.CONFIG)
    stored = told_of(desk, desk.channels.standing("wa"))
    desk.channels.adopt("wa", stored, len(desk.channels.pending("wa")))
    desk.channels.resume("wa")
    desk.clock.jump(-3600.0)
    desk.channels.begun("wa")
    assert not desk.allowed()
    desk.channels.record_ack("wa")
    assert desk.allowed()


def test_a_dropped_session_is_held_then_mended_with_backoff() -> None:
    """Asked at once, reconnected after 2 s, then ever later, restarted when that does not help; never two at once."""
    desk = Desk()
    desk.outcome(K.RECONNECT)
    assert desk.due() == [ActionKind.SESSION]
    desk.session(S.DISCONNECTED)
    assert not desk.channels.hold_over("wa", Room.CRITICAL)
    mends: list[tuple[float, ActionKind]] = []
    began_s = desk.clock.monotonic()
    for _ in range(1200):
        for action in desk.actions(1.0):
            if action.kind is ActionKind.SESSION:
                desk.session(S.DISCONNECTED)
            elif action.kind in (ActionKind.RECONNECT, ActionKind.RESTART):
                assert action.buckets
                mends.append((desk.clock.monotonic() - began_s, action.kind))
                assert not {ActionKind.RECONNECT, ActionKind.RESTART} & set(desk.due())
                desk.channels.mended("wa", SENT)
    at_s = [at for at, _ in mends]
    gaps = [later - earlier for earlier, later in pairwise(at_s)]
    assert at_s[0] == pytest.approx(2.0)
    assert gaps == sorted(gaps)
    assert len(mends) <= 10
    assert [kind for _, kind in mends][:4] == [ActionKind.RECONNECT] * 3 + [ActionKind.RESTART]
    assert desk.channels.hold_over("wa", Room.NORMAL)
    desk.session(S.WORKING)
    assert desk.allowed()


def test_a_short_starting_is_normal() -> None:
    """WAHA renews its connection now and then; after 45 s of it the session counts as down."""
    desk = Desk()
    desk.session(S.STARTING)
    desk.clock.advance(40.0)
    desk.session(S.STARTING)
    assert desk.allowed()
    desk.session(S.WORKING)
    desk.session(S.STARTING)
    desk.clock.advance(46.0)
    desk.session(S.STARTING)
    assert desk.state is ChannelState.RECONNECTING


def test_nothing_is_mended_while_the_session_starts() -> None:
    """A restart in the middle of one would begin it anew."""
    desk = Desk()
    desk.outcome(K.RECONNECT)
    for _ in range(40):
        found = desk.due(1.0)
        assert ActionKind.RECONNECT not in found
        if ActionKind.SESSION in found:
            desk.session(S.STARTING)


def test_one_restart_tells_whether_waha_is_logged_out() -> None:
    """FAILED, one mend, FAILED again: the channel stops, and a human is told within 60 s of the first."""
    desk = Desk(mends_tell=1)
    desk.session(S.DISCONNECTED, detail="FAILED")
    mends = 0
    for _ in range(60):
        for action in desk.actions(1.0):
            if action.kind is ActionKind.SESSION:
                desk.session(S.DISCONNECTED, detail="FAILED")
            elif action.kind is ActionKind.RECONNECT:
                mends += 1
                desk.channels.mended("wa", SENT)
            elif action.announcement is not None:
                assert action.announcement.reason == "broken_or_logged_out"
                assert mends == 1
                return
    pytest.fail("nobody was told")


def test_one_restart_that_helps_is_the_end_of_it() -> None:
    """FAILED, one mend, WORKING."""
    desk = Desk(mends_tell=1)
    desk.session(S.DISCONNECTED)
    desk.until(ActionKind.RECONNECT, 10, Session(S.DISCONNECTED))
    desk.channels.mended("wa", SENT)
    desk.session(S.STARTING)
    desk.clock.advance(9.0)
    desk.session(S.WORKING)
    assert desk.allowed()


def test_a_gateway_that_is_down_is_not_reconnected() -> None:
    """There is nobody to ask for it; a human is told after five minutes."""
    desk = Desk()
    for _ in range(5):
        desk.outcome(K.RETRY, "refused")
    for _ in range(290):
        found = desk.due(1.0)
        assert set(found) <= {ActionKind.SESSION}
        if found:
            desk.session(S.UNREACHABLE)
    assert desk.until(ActionKind.ANNOUNCE, 20, Session(S.UNREACHABLE)) <= 20


def test_the_return_is_told_once_something_went_through() -> None:
    """Not when the session says so: when there is proof."""
    desk = Desk()
    desk.outcome(K.CONFIG, logged_out=True)
    stored = told_of(desk, desk.channels.standing("wa"))
    desk.channels.adopt("wa", stored, len(desk.channels.pending("wa")))
    desk.session(S.NEEDS_PAIRING)
    desk.session(S.WORKING)
    assert desk.state is ChannelState.OK
    assert ActionKind.ANNOUNCE not in desk.due(1.0)
    desk.channels.begun("wa")
    desk.channels.record("wa", SENT)
    assert ActionKind.ANNOUNCE not in desk.due(1.0)
    desk.channels.record_ack("wa")
    told = [action.announcement for action in desk.actions(1.0) if action.announcement]
    assert [announcement.state for announcement in told] == [ChannelState.OK]
    assert "works again" in told[0].text("en")


def test_a_deferred_action_comes_again() -> None:
    """When its bucket says to wait, or another replica had it."""
    desk = Desk()
    desk.session(S.DISCONNECTED)
    desk.until(ActionKind.RECONNECT, 10, Session(S.DISCONNECTED))
    desk.channels.deferred(Action(ActionKind.RECONNECT, "wa"), 60.0)
    assert 55 <= desk.until(ActionKind.RECONNECT, 65, Session(S.DISCONNECTED)) <= 60


def test_a_reconnect_that_does_not_exist_is_asked_for_once() -> None:
    """PERMANENT says that there is nothing to mend."""
    desk = Desk(liveness=LivenessRules(proves=False))
    desk.session(S.DISCONNECTED)
    desk.until(ActionKind.RECONNECT, 10, Session(S.DISCONNECTED))
    desk.channels.mended("wa", Outcome(K.PERMANENT))
    for _ in range(300):
        found = desk.due(1.0)
        assert ActionKind.RECONNECT not in found
        assert ActionKind.RESTART not in found
        if ActionKind.SESSION in found:
            desk.session(S.DISCONNECTED)
