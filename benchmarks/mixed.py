"""Figure 14: many faults of many kinds, several at a time, while the bridge is killed now and then.

A larger demo on free ports: several bots, databases and routers, a real Prometheus and Alertmanager with the rules of
the repository in the demo's hurry. Each fault is judged by what the thing itself says when its run ends: cured is only
what is well, and given up, refused or left alone only what nobody could mend. In the end the audit is read from its
beginning and held against the rules.

python -m benchmarks.mixed --faults 200 [--seed 1] [--kills 10] [--out mixed.json]
"""

import argparse
import json
import queue
import random
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.judging import Judged, Operator, Referee
from benchmarks.ledger import Breaches, Ledger, audit, breaches, entries, rules_of
from benchmarks.measures import Effort, Figure, Line, Unit, at_least, at_most, median
from benchmarks.mixing import Bot, Database, Kind, Port, Target, Thing, drawn, in_turn
from scripts.demo.billing import LockHolder
from scripts.demo.bridgeconfig import OPERATOR, SMS_CHAT
from scripts.demo.calls import Unreachable
from scripts.demo.cast import Cast
from scripts.demo.ports import HOST, VARIABLES, Ports
from scripts.demo.programs import BRIDGE, Workshop, require_programs
from scripts.demo.running import Demo

BOTS = tuple(f"bot{number}" for number in range(1, 7))
DATABASES = ("billing", "radius", "vouchers")
PORTS = {
    "home": ("ether2", "ether3"),
    "wisp": ("ether3", "ether4", "ether5"),
    "isp": ("ether3", "ether4", "ether5"),
}
"""One of a router at a time: the next is another one, for which the cooldown of the last does not count."""
LOOK_S = 0.4
FAULTS_A_KILL = 20
SUCCESS = 0.95


class Broken(Exception):
    """Something else than what was broken on purpose does not work, and the measurement ends."""


@dataclass(frozen=True, slots=True)
class Mixed:
    """What came of everything. `chain` is what `audit verify` finds wrong, empty when it holds; `away_s` is how long
    the bridge was away after each kill."""

    judged: Sequence[Judged]
    breaches: Breaches
    chain: str
    away_s: Sequence[float]
    took_s: float


@dataclass(frozen=True, slots=True)
class Scene:
    """A demo that runs, and its programs."""

    demo: Demo
    shop: Workshop
    lanes: Mapping[Thing, Sequence[Iterator[Target]]]
    """Each lane has a fault at a time, on one target after the other."""


@contextmanager
def standing(folder: Path) -> Iterator[Scene]:
    """The larger demo, whole. Raises ChildDied, CannotStart."""
    require_programs()
    ports = Ports.chosen({variable: "0" for variable, _, _ in VARIABLES.values()})
    cast = Cast.of(folder, ports, bots=BOTS, databases=DATABASES, profiles=PORTS)
    with ExitStack() as stack:
        demo = Demo(ports, cast, folder, threading.Event())
        shop = demo.begin(stack)
        holders = {name: LockHolder(file) for name, file in cast.databases.items()}
        for holder in holders.values():
            stack.callback(holder.end)
        simulator = ports.url("simulator")
        yield Scene(
            demo,
            shop,
            {
                Thing.BOT: [
                    in_turn([Bot(name, f"http://{HOST}:{port}")]) for name, port in cast.bots.items()
                ],
                Thing.DATABASE: [in_turn([Database(name, holder)]) for name, holder in holders.items()],
                Thing.PORT: [
                    in_turn([Port(router, one, simulator) for one in its]) for router, its in PORTS.items()
                ],
            },
        )


def mixed(
    faults: int, *, seed: int = 1, kills: int | None = None, tell: Callable[[Judged], None] | None = None
) -> Mixed:
    """Plays so many faults, and kills the bridge at random moments. Raises Broken, ChildDied, CannotStart."""
    with tempfile.TemporaryDirectory(prefix="tikwatch-mixed-") as name, standing(Path(name)) as scene:
        began_s = time.monotonic()
        kills = faults // FAULTS_A_KILL if kills is None else kills
        dice = random.Random(seed)  # noqa: S311  no secret
        playing = _Playing(scene, drawn(faults, dice), dice, kills, tell or _nobody)
        judged = playing.all()
        config = scene.shop.bridge_config
        exported, verified = audit(config, "export"), audit(config, "verify")
        if exported.returncode:
            raise Broken(f"the audit cannot be exported: {exported.stderr}")
        return Mixed(
            judged,
            breaches(entries(exported.stdout), rules_of(config)),
            (verified.stdout + verified.stderr).strip() if verified.returncode else "",
            playing.away_s,
            time.monotonic() - began_s,
        )


def kill_marks(faults: int, kills: int, dice: random.Random) -> list[int]:
    """After how many faults the bridge is killed: at random, and once in each stretch of the same length."""
    stretch = faults / max(kills, 1)
    return [int(stretch * number + dice.random() * stretch) for number in range(kills)]


def _nobody(_: Judged) -> None:
    """A benchmark prints its table in the end."""


class _Playing:
    """Threads, one for each lane; the one that made it looks at the phone and kills the bridge."""

    def __init__(
        self,
        scene: Scene,
        left: Mapping[Thing, Sequence[Kind]],
        dice: random.Random,
        kills: int,
        tell: Callable[[Judged], None],
    ) -> None:
        self._scene = scene
        self._left: dict[Thing, queue.SimpleQueue[Kind]] = defaultdict(queue.SimpleQueue)
        for thing, kinds in left.items():
            for kind in kinds:
                self._left[thing].put(kind)
        wanted = sum(map(len, left.values()))
        self._kill_at = kill_marks(wanted, kills, dice)
        self._tell = tell
        self._done: list[Judged] = []
        self._kills = 0
        self._killed_at_s: float | None = None
        self.away_s: list[float] = []
        """How long the bridge was away each time."""
        self._fault: Exception | None = None
        ports = scene.demo.ports
        self._operator = Operator(ports.url("phone"), OPERATOR, SMS_CHAT)
        self._referee = Referee(
            Ledger(scene.shop.store), self._operator, self._check, kills=lambda: self._kills
        )

    def _check(self) -> None:
        if self._fault is not None:
            raise Broken(repr(self._fault))

    def all(self) -> list[Judged]:
        """Every fault, in the order in which they ended. Raises Broken, ChildDied."""
        threads = [
            threading.Thread(target=self._play, args=(thing, lane), daemon=True)
            for thing, lanes in self._scene.lanes.items()
            for lane in lanes
        ]
        for thread in threads:
            thread.start()
        while self._killed_at_s is not None or any(thread.is_alive() for thread in threads):
            self._scene.demo.check()
            self._operator.look()
            self._kill_when_due()
            time.sleep(LOOK_S)
        self._check()
        return self._done

    def _kill_when_due(self) -> None:
        """One that is still starting after the last time is left alone."""
        if self._killed_at_s is not None and self._scene.demo.answers("bridge", "/-/ready"):
            self.away_s.append(time.monotonic() - self._killed_at_s)
            self._killed_at_s = None
        if self._kill_at and len(self._done) >= self._kill_at[0] and self._killed_at_s is None:
            self._kill_at.pop(0)
            self._killed_at_s = time.monotonic()
            self._kills += 1
            self._scene.demo.child(BRIDGE).crash()

    def _play(self, thing: Thing, lane: Iterator[Target]) -> None:
        """Faults on the targets of a lane, until there are none left."""
        try:
            while True:
                judged = self._referee.play(self._left[thing].get_nowait(), next(lane))
                self._done.append(judged)
                self._tell(judged)
        except queue.Empty:
            return
        except Broken:
            return  # what broke is known
        except (Unreachable, OSError) as error:
            self._fault = error


# -- the table


def lines(found: Mixed) -> list[Line]:
    """What was promised of all, then the times of each kind."""
    judged = found.judged
    curable = [one for one in judged if one.can_be_cured]
    cured = [one for one in curable if one.ended == "cured"]
    all_right = sum(not one.wrong for one in judged)
    made = [
        Line("faults played", len(judged), Unit.COUNT),
        Line("kills of the bridge meanwhile", len(found.away_s), Unit.COUNT),
        Line("seconds that the bridge was away then, worst", max(found.away_s, default=0.0), Unit.SECONDS),
        Line("seconds for all of it", found.took_s, Unit.SECONDS),
        Line("share that ended as it ought to", all_right / len(judged), Unit.RATIO, at_least(SUCCESS)),
        Line(
            f"share cured of the {len(curable)} that can be",
            len(cured) / max(len(curable), 1),
            Unit.RATIO,
            at_least(SUCCESS),
        ),
        Line(
            "verdicts that were not the truth", sum(one.misjudged for one in judged), Unit.COUNT, at_most(0)
        ),
        Line("actions", found.breaches.actions, Unit.COUNT),
        Line("outside the rules", found.breaches.outside_rules, Unit.COUNT, at_most(0)),
        Line("over a cap, a cooldown or the tries", found.breaches.over_a_limit, Unit.COUNT, at_most(0)),
        Line("twice at once on a target", found.breaches.twice_at_once, Unit.COUNT, at_most(0)),
        Line("repeated without a look at the last", found.breaches.repeated, Unit.COUNT, at_most(0)),
        Line("audit chains that do not hold", bool(found.chain), Unit.COUNT, at_most(0)),
    ]
    for kind in sorted({one.kind for one in judged}):
        of_it = [one for one in judged if one.kind == kind]
        times = [one.after_s for one in of_it if one.after_s is not None]
        told = [one.told_after_s for one in of_it if one.told_after_s is not None]
        right = sum(not one.wrong for one in of_it)
        made.append(Line(f"{kind}: as it ought to, of {len(of_it)}", right, Unit.COUNT))
        if times:
            ended = "verified" if of_it[0].can_be_cured else "ended"
            made.append(Line(f"{kind}: {ended}, median of {len(times)}", median(times), Unit.SECONDS))
            made.append(Line(f"{kind}: {ended}, worst", max(times), Unit.SECONDS))
        if told:
            made.append(Line(f"{kind}: then told over the fallback, worst", max(told), Unit.SECONDS))
    return made


def measure(effort: Effort) -> list[Line]:
    """The table; a quick run plays fewer."""
    return lines(mixed(effort.pick(200, 20, 4)))


def main() -> None:
    """As many faults as are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, help=f"of the bridge; one for {FAULTS_A_KILL} faults by default")
    parser.add_argument("--out", type=Path, help="keep every fault there, as JSON")
    given = parser.parse_args()
    if given.faults < 1:
        parser.error("--faults: at least one")
    found = mixed(given.faults, seed=given.seed, kills=given.kills, tell=_say)
    if given.out is not None:
        given.out.write_text(json.dumps(asdict(found), indent=1), encoding="utf-8")
    for one in found.judged:
        if one.wrong:
            print(f"not as it ought to: {one.kind} on {one.target}, run {one.run}: {'; '.join(one.wrong)}")
    if found.chain:
        print(found.chain)
    for line in lines(found):
        target = "" if line.target is None else line.target.text(line.unit)
        print(
            f"{line.what:60} {line.unit.text(line.value):>10} {target:>11} {line.verdict if target else ''}"
        )


def _say(one: Judged) -> None:
    after = "" if one.after_s is None else f" after {one.after_s:.1f} s"
    wrong = f" WRONG: {'; '.join(one.wrong)}" if one.wrong else ""
    text = f"{one.kind} on {one.target}: {one.ended}{after}, {one.actions} actions{wrong}"
    print(text, file=sys.stderr, flush=True)


FIGURE = Figure(14, "mixed", "mixed faults, several at a time", measure, long=True)


if __name__ == "__main__":
    main()
