"""A session that says it works and through which nothing goes is noticed within three minutes, by proof."""

import pytest

from alertbridge.deliver.channel.actions import Action, ActionKind, ChannelRules
from alertbridge.deliver.channel.channels import Channels
from alertbridge.deliver.channel.liveness import Finding, LivenessRules, Pulse, examine
from alertbridge.deliver.channel.standing import ChannelState
from alertbridge.deliver.limit.limits import Room, Stamp, wait_s
from alertbridge.deliver.providers.base import Outcome, OutcomeClass, Session, SessionState
from tests.fakes.clock import FakeClock

SENT = Outcome(OutcomeClass.ACCEPTED, provider_id="1")


class Gateway:
    """A gateway that always takes messages and says WORKING; whether acks come is set by `lives`."""

    def __init__(self, *, own: str = "6281200000001", restart_cures: bool = True, **rules: object) -> None:
        self.clock = FakeClock()
        self.rules = ChannelRules(name="wa", **rules)  # type: ignore[arg-type]
        self.channels = Channels([self.rules], self.clock, dice=lambda: 0.0)
        self.session = Session(SessionState.WORKING, own_number=own)
        self.lives = True
        self.restart_cures = restart_cures
        self.probes_s: list[float] = []
        self.restarts = 0
        self._stamps: dict[str, list[Stamp]] = {}

    @property
    def state(self) -> ChannelState:
        return self.channels.standing("wa").state

    def send(self) -> None:
        """A message of somebody."""
        self.channels.begun("wa")
        self.channels.record("wa", SENT)
        if self.lives:
            self.channels.record_ack("wa")

    def run(self, seconds: float, *, send_every_s: float | None = None) -> float:
        """Time goes on and everything that is due is done; returns when the state changed, or `seconds`."""
        before = self.state
        for second in range(int(seconds)):
            self.clock.advance(1.0)
            if send_every_s and second % send_every_s == 0:
                self.send()
            self.work()
            if self.state is not before:
                return float(second + 1)
        return seconds

    def work(self) -> None:
        for action in self.channels.due():
            match action.kind:
                case ActionKind.SESSION:
                    self.channels.report("wa", self.session)
                case ActionKind.RESTART if self._granted(action):
                    self.restarts += 1
                    self.lives = self.lives or self.restart_cures
                    self.channels.mended("wa", SENT)
                case ActionKind.PROBE if self._granted(action):
                    assert action.probe is not None
                    assert action.probe.address == "6281200000001"
                    self.probes_s.append(self.clock.monotonic())
                    self.channels.probed("wa", SENT)
                    if self.lives:
                        self.channels.record_ack("wa")
                case _:
                    pass

    def _granted(self, action: Action) -> bool:
        """As the store does it; what is not granted comes later."""
        ((bucket, policy),) = action.buckets.items()
        stamps, now_s = self._stamps.setdefault(bucket, []), self.clock.monotonic()
        if (wait := wait_s(policy, stamps, Room.REPLY, now_s)) > 0:
            self.channels.deferred(action, wait)
            return False
        stamps.append(Stamp(now_s, Room.REPLY))
        return True


def test_a_busy_session_that_goes_silent_is_noticed() -> None:
    """A message a minute, acknowledged until it is half dead: reconnecting within 3 min, by one probe."""
    gateway = Gateway()
    gateway.run(600, send_every_s=60)
    assert (gateway.state, gateway.probes_s) == (ChannelState.OK, [])
    gateway.lives = False
    assert gateway.run(180, send_every_s=60) < 180
    assert gateway.state is ChannelState.RECONNECTING
    assert len(gateway.probes_s) == 1


def test_an_idle_session_that_goes_silent_is_noticed() -> None:
    """Nobody sends anything for hours: a rare probe tells, within 3 min of its death at any moment."""
    gateway = Gateway()
    gateway.run(3600)
    gateway.lives = False
    assert gateway.run(180) < 180


def test_probes_are_rare() -> None:
    """An idle, living session gets no more than one in two minutes; one that is used gets none."""
    gateway = Gateway()
    gateway.run(7200)
    assert len(gateway.probes_s) <= 60
    used = Gateway()
    used.run(7200, send_every_s=100)
    assert used.probes_s == []


def test_a_restart_that_cures_is_proven_before_it_counts() -> None:
    """The session says WORKING all the time; only the ack of a probe ends the trouble."""
    gateway = Gateway()
    gateway.run(100, send_every_s=50)
    gateway.lives = False
    gateway.run(180, send_every_s=60)
    gateway.channels.report("wa", gateway.session)
    assert gateway.state is ChannelState.RECONNECTING
    assert not gateway.channels.allows("wa", Room.CRITICAL)[0]
    assert gateway.run(60) < 60
    assert (gateway.state, gateway.restarts) == (ChannelState.OK, 1)


def test_a_restart_that_does_not_cure_is_not_repeated_in_a_loop() -> None:
    """An hour of silence: few restarts, few probes, the channel is never taken for well."""
    gateway = Gateway(restart_cures=False)
    gateway.run(100, send_every_s=50)
    gateway.lives = False
    gateway.run(200, send_every_s=60)
    assert gateway.run(3600) == 3600
    assert gateway.state is ChannelState.RECONNECTING
    assert 2 <= gateway.restarts <= 11
    assert len(gateway.probes_s) <= 33


def test_acks_that_never_came_are_no_reason_to_restart() -> None:
    """A webhook that is not set up looks like silence from the first message on: told, not mended."""
    gateway = Gateway()
    gateway.lives = False
    gateway.run(400, send_every_s=60)
    assert gateway.state is ChannelState.RECONNECTING
    gateway.run(900)
    assert gateway.restarts == 0


def test_without_an_own_number_waiting_tells() -> None:
    """Nobody knows where a probe could go: a message that has no ack for 150 s is enough."""
    gateway = Gateway(own="")
    gateway.run(100, send_every_s=50)
    gateway.lives = False
    assert gateway.run(180, send_every_s=60) < 180
    assert gateway.probes_s == []


def test_a_number_that_cannot_write_to_itself_is_asked_once() -> None:
    """Cloud API refuses it; from then on only other messages tell."""
    gateway = Gateway()
    gateway.channels.report("wa", gateway.session)
    gateway.clock.advance(121.0)
    assert ActionKind.PROBE in [action.kind for action in gateway.channels.due()]
    gateway.channels.probed("wa", Outcome(OutcomeClass.PERMANENT, "131021"))
    assert gateway.run(1200) == 1200
    assert gateway.probes_s == []


def test_an_ack_that_is_faster_than_the_answer_counts() -> None:
    """The webhook came before the gateway's own answer to the probe."""
    gateway = Gateway()
    gateway.channels.report("wa", gateway.session)
    gateway.clock.advance(121.0)
    (probe,) = [action for action in gateway.channels.due() if action.kind is ActionKind.PROBE]
    gateway.clock.advance(0.2)
    gateway.channels.record_ack("wa")
    gateway.channels.probed(probe.channel, SENT)
    assert gateway.run(100) == 100


def test_where_the_answer_is_the_ack_nothing_else_is_awaited() -> None:
    """GOWA's 200: sending is proof."""
    gateway = Gateway(acks_on_accept=True)
    gateway.lives = False
    assert gateway.run(1200, send_every_s=60) == 1200
    assert gateway.probes_s == []


def test_who_cannot_prove_is_believed() -> None:
    """SMS by a fallback: no acks, no probes, no suspicion."""
    gateway = Gateway(liveness=LivenessRules(proves=False, probes=False))
    gateway.lives = False
    assert gateway.run(1200, send_every_s=60) == 1200


@pytest.mark.parametrize(
    ("pulse", "finding"),
    [
        (Pulse(proof_s=1000.0), Finding.ALIVE),
        (Pulse(proof_s=880.0), Finding.DOUBTED),
        (Pulse(proof_s=900.0, unproved_s=975.0), Finding.ALIVE),
        (Pulse(proof_s=900.0, unproved_s=970.0), Finding.DOUBTED),
        (Pulse(proof_s=900.0, unproved_s=960.0, probe_s=980.0), Finding.PROBED),
        (Pulse(proof_s=900.0, unproved_s=960.0, probe_s=970.0), Finding.SILENT),
        (Pulse(proof_s=800.0, unproved_s=850.0), Finding.SILENT),
    ],
)
def test_what_a_pulse_tells(pulse: Pulse, finding: Finding) -> None:
    """At second 1000, by the default rules."""
    assert examine(pulse, LivenessRules(), 1000.0) is finding
