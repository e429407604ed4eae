"""What is to be done for a channel, as values: the delivery does it and tells what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from alertbridge.deliver.channel.announcements import Announcement
from alertbridge.deliver.channel.liveness import LivenessRules
from alertbridge.deliver.limit.limits import Policy, Room, Window


class ActionKind(Enum):
    SESSION = "session"  # ask Provider.session(), tell Channels.report()
    RECONNECT = "reconnect"  # Provider.reconnect(), tell Channels.mended()
    RESTART = "restart"  # Provider.restart(), tell Channels.mended()
    PROBE = "probe"  # send `probe`, tell Channels.probed(); its ack goes to Channels.record_ack()
    ANNOUNCE = "announce"  # claim it in the store, then make notices of it, in one transaction


@dataclass(frozen=True, slots=True)
class Probe:
    """A message (`Kind.PROBE`) to the own number. `address` is its digits."""

    address: str
    text: str
    room: Room = Room.REPLY


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do now, once. `buckets` must be reserved before it is done (a probe's together with those of its
    channel); when they say to wait, tell Channels.deferred()."""

    kind: ActionKind
    channel: str
    buckets: Mapping[str, Policy] = field(default_factory=dict)
    probe: Probe | None = None
    announcement: Announcement | None = None


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """What the state machine must know of a channel. All durations in seconds.

    `acks_on_accept`, `liveness.proves`: see `providers.base.Traits`. `own_address`: where probes go, digits; empty when
    only the session tells. `mends_tell`: after so many mends the session must not be down any more, or it is taken for
    logged out (WAHA: 1, since its FAILED means broken or logged out); None where the session tells by itself.
    """

    name: str
    acks_on_accept: bool = False
    own_address: str = ""
    pairing_url: str = ""
    liveness: LivenessRules = field(default_factory=LivenessRules)
    probe_every_s: float = 120.0
    failure_limit: int = 5
    mends_tell: int | None = None
    mends_per_hour: int = 10
    mend_first_s: float = 2.0
    mend_spacing_s: float = 5.0
    mend_longest_s: float = 300.0
    starting_grace_s: float = 45.0
    check_s: float = 30.0
    check_down_s: float = 5.0
    trial_first_s: float = 15.0
    pause_s: float = 6 * 3600.0
    tell_after_s: float = 300.0
    hold_critical_s: float = 10.0
    hold_s: float = 60.0

    @property
    def probe_buckets(self) -> dict[str, Policy]:
        """One in `probe_every_s` on the long run; a second soon after tells whether mending helped."""
        window = Window(2, 2 * self.probe_every_s)
        return {f"probe:{self.name}": Policy(windows=(window,))}

    @property
    def mend_buckets(self) -> dict[str, Policy]:
        """All replicas together."""
        return {f"mend:{self.name}": Policy(self.mend_spacing_s, (Window(self.mends_per_hour, 3600.0),))}
