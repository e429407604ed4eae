"""Figure 5 of the bridge: rate limits hold over restarts, replicas on several machines and clocks that jump.

Replicas share rows as in the store, and crash between any two steps; machines boot; wall clocks jump by a day;
monotonic clocks start anywhere and run up to 100 ppm wrong; messages leave up to the slack after they were allowed; a
transaction may be rolled back. A checker that shares no code with the limits looks at the true times of departure.
"""

import sys
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from random import Random

from alertbridge.alerts import Severity
from alertbridge.deliver.limit.bootclock import Reader, Row
from alertbridge.deliver.limit.config import (
    ChannelLimitsSection,
    RecipientLimitsSection,
    SeverityLimitSection,
    SeverityLimitsSection,
    channel_bucket,
    channel_buckets,
    recipient_buckets,
)
from alertbridge.deliver.limit.limiter import Limiter
from alertbridge.deliver.limit.limits import Policy, Room
from benchmarks.measures import Effort, Figure, Line, Unit, at_least, at_most

CHANNEL = "bot"
DAY_S = 86400.0
SEVERITIES = {Room.CRITICAL: Severity.CRITICAL, Room.NORMAL: Severity.WARNING, Room.REPLY: Severity.NONE}


@dataclass(slots=True)
class World:
    """True time, in seconds."""

    now_s: float = 0.0


@dataclass(slots=True)
class Machine:
    """A clock: monotonic from an arbitrary start at an arbitrary pace, and a wall clock that says what it likes."""

    world: World
    dice: Random
    boot: str = ""
    pace: float = 1.0
    offset_s: float = 0.0
    wall_s: float = 0.0

    def __post_init__(self) -> None:
        self.pace = 1.0 + self.dice.uniform(-1e-4, 1e-4)
        self.start()

    def start(self) -> None:
        """Boots: another clock, of another name."""
        self.boot = f"{self.dice.getrandbits(64):016x}"
        self.offset_s = self.dice.uniform(0, 1e6) - self.world.now_s * self.pace

    def jump(self) -> None:
        """The wall clock goes a day forward or back."""
        self.wall_s += self.dice.choice((-DAY_S, DAY_S))

    def monotonic(self) -> float:
        return self.offset_s + self.world.now_s * self.pace

    def time(self) -> float:
        return self.wall_s + self.world.now_s


@dataclass(slots=True)
class Replica:
    """A process of the bridge on a machine."""

    machine: Machine
    limiter: Limiter = field(init=False)
    ready_s: float = 0.0

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """A new process, which remembers nothing."""
        bits = self.machine.dice.getrandbits
        self.limiter = Limiter(self.machine, Reader(self.machine.boot, new_mark=lambda: bits(48)))


@dataclass(frozen=True, slots=True)
class Promise:
    """At most `count` in any `seconds`, of what has the key `what`."""

    what: str
    count: int
    seconds: float


@dataclass(slots=True)
class Checker:
    """Counts departures that come too early. Knows true times and numbers; nothing of stamps, rooms and rows."""

    promises: Mapping[str, Sequence[Promise]]
    breaches: list[str] = field(default_factory=list)
    _left_s: dict[str, list[float]] = field(default_factory=dict)

    def saw(self, what: str, at_s: float) -> None:
        """Something with the key `what` left at `at_s`; times may come a little out of order."""
        left = self._left_s.setdefault(what, [])
        at = bisect_left(left, at_s)
        left.insert(at, at_s)
        for promise in self.promises[what]:
            for last in range(at, min(len(left), at + promise.count + 1)):
                first = last - promise.count
                if first >= 0 and left[last] - left[first] < promise.seconds:
                    self.breaches.append(f"{promise} at {at_s}")
                    break
        longest = 2 * max(promise.count for promise in self.promises[what]) + 8
        if len(left) > 2 * longest:
            del left[:longest]


@dataclass(slots=True)
class Told:
    """What a simulation came to."""

    sends: int = 0
    waits: int = 0
    crashes: int = 0
    boots: int = 0
    jumps: int = 0
    rollbacks: int = 0
    lasted_s: float = 0.0
    breaches: int = 0
    first_breach: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """Limits to hold, as an operator would write them, and how restless the world is (chances at each step)."""

    channel: ChannelLimitsSection = field(default_factory=ChannelLimitsSection)
    recipient: RecipientLimitsSection = field(
        default_factory=lambda: RecipientLimitsSection(count=40, seconds=120, burst=10)
    )
    severities: SeverityLimitsSection = field(
        default_factory=lambda: SeverityLimitsSection(warning=SeverityLimitSection(count=25, seconds=90))
    )
    recipients: int = 3
    machines: int = 2
    replicas: int = 2
    crash: float = 0.01
    boot: float = 0.003
    jump: float = 0.01
    rollback: float = 0.01
    idle: float = 0.02  # nobody has anything to say for a while
    share: float = 1.0  # of the messages; a day's limit takes long to simulate


SCENES = (
    Scene(),
    Scene(machines=1, boot=0.0005, crash=0.05),
    Scene(
        channel=ChannelLimitsSection(spacing_s=0.5, per_minute=60, per_day=400),
        recipients=6,
        boot=0.0002,
        share=0.1,
    ),
    Scene(machines=3, replicas=4, crash=0.002, boot=0.0005),
)


def simulate(scene: Scene, sends: int, seed: int = 1, *, promised: Scene | None = None) -> Told:
    """Lets replicas send until `sends` messages left; checks what `promised` promises, as a rule the same scene."""
    dice, world, told = Random(seed), World(), Told()  # noqa: S311  a repeatable simulation
    machines = [Machine(world, dice) for _ in range(scene.machines)]
    replicas = [Replica(machines[number % scene.machines]) for number in range(scene.replicas)]
    rows: dict[str, Row] = {}
    checker = Checker(_promises(promised or scene))
    while told.sends < sends:
        replica = min(replicas, key=lambda each: each.ready_s)
        world.now_s = max(world.now_s, replica.ready_s) + dice.uniform(0.0, 0.02)
        _disturb(scene, replica, replicas, told)
        room = dice.choices(tuple(Room), (2, 6, 1))[0]
        recipient = f"person{dice.randrange(scene.recipients)}"
        buckets = _buckets(scene, recipient, room)
        decision = replica.limiter.decide(buckets, rows, room)
        if decision.wait_s > 0:
            told.waits += 1
            replica.ready_s = world.now_s + max(0.001, decision.wait_s * dice.uniform(0.7, 1.02))
            continue
        if dice.random() < scene.rollback:
            told.rollbacks += 1
            continue
        rows.update(decision.rows)
        told.sends += 1
        leaves_s = world.now_s + dice.uniform(0.0, scene.channel.slack_s * 0.9)
        checker.saw(channel_bucket(CHANNEL), leaves_s)
        for bucket in buckets:
            if bucket != channel_bucket(CHANNEL):
                checker.saw(bucket.partition(":")[0] + recipient, world.now_s)
        pause_s = dice.expovariate(1 / 600) if dice.random() < scene.idle else 0.0
        replica.ready_s = world.now_s + pause_s
    told.lasted_s = world.now_s
    told.breaches = len(checker.breaches)
    told.first_breach = next(iter(checker.breaches), "")
    return told


def _disturb(scene: Scene, replica: Replica, replicas: Sequence[Replica], told: Told) -> None:
    dice = replica.machine.dice
    if dice.random() < scene.boot:
        told.boots += 1
        replica.machine.start()
        for each in replicas:
            if each.machine is replica.machine:
                each.start()
    elif dice.random() < scene.crash:
        told.crashes += 1
        replica.start()
    if dice.random() < scene.jump:
        told.jumps += 1
        replica.machine.jump()


def _buckets(scene: Scene, recipient: str, room: Room) -> dict[str, Policy]:
    return {
        **channel_buckets(CHANNEL, recipient, scene.channel),
        **recipient_buckets(recipient, SEVERITIES[room], room, scene.recipient, scene.severities),
    }


def _promises(scene: Scene) -> dict[str, tuple[Promise, ...]]:
    """What the configuration says, read off its numbers. The clocks of two machines may differ by 0.2 s in 1,000 s,
    which the slack covers for a channel's minute; longer windows are promised but for that."""
    wrong = 1 - 2.1e-4
    limits, recipient = scene.channel, scene.recipient
    spoken = channel_bucket(CHANNEL)
    channel = [Promise(spoken, limits.per_minute, 60.0), Promise(spoken, 1, limits.spacing_s)]
    if limits.per_day:
        channel.append(Promise(spoken, limits.per_day, DAY_S * wrong))
    promises = {spoken: tuple(channel)}
    for number in range(scene.recipients):
        person = f"person{number}"
        seconds = recipient.seconds * wrong
        promises[f"recipient{person}"] = (Promise(person, recipient.count, seconds),)
        promises[f"replies{person}"] = (Promise(person, recipient.replies, seconds),)
        if (warning := scene.severities.warning) is not None:
            promises[f"severity{person}"] = (Promise(person, warning.count, warning.seconds * wrong),)
    return promises


def measure(effort: Effort) -> Sequence[Line]:
    """Every scene in turn, until all the messages are sent."""
    sends = effort.pick(1_000_000, 100_000, 2_000)
    one = sends / sum(scene.share for scene in SCENES)
    found = [simulate(scene, ceil(one * scene.share), seed) for seed, scene in enumerate(SCENES, 1)]
    return (
        Line("breaches of a limit", sum(told.breaches for told in found), Unit.COUNT, at_most(0)),
        Line("messages sent", sum(told.sends for told in found), Unit.COUNT, at_least(sends)),
        Line("times somebody had to wait", sum(told.waits for told in found), Unit.COUNT),
        Line("processes that crashed", sum(told.crashes for told in found), Unit.COUNT),
        Line("machines that booted", sum(told.boots for told in found), Unit.COUNT),
        Line("wall clocks that jumped by a day", sum(told.jumps for told in found), Unit.COUNT),
        Line("transactions rolled back", sum(told.rollbacks for told in found), Unit.COUNT),
    )


FIGURE = Figure(11, "limits", "rate limits over restarts, replicas and clocks that jump", measure, long=True)


def main() -> int:
    """Measure this figure alone. Exit code 1 when a limit was broken."""
    lines = measure(Effort.QUICK if "--quick" in sys.argv[1:] else Effort.FULL)
    for line in lines:
        print(f"{line.what}: {line.value:,.0f} ({line.verdict})")
    return 0 if all(line.met is not False for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
