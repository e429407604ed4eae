"""Figure 13: the whole loop, again and again: from a fault to the phone, to the cure that the target confirms.

A demo of its own on free ports: simulated routers, bot and phone, a real Prometheus and Alertmanager with the rules of
the repository in the demo's hurry. Promised: a bot that lost its session is back within 30 s, something critical is on
the phone within 30 s, a locked database is freed or told within 60 s, a stuck queue is cleared within 60 s, a flapping
port is bounced once, a bot that cannot be mended is given up after five tries and handed to a person over the fallback.

python -m benchmarks.loop --runs 20 [--faults bot,router] [--out loop.json]

Several may run at once, each with its own ports and folder; they share the processor, and their times show it.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measures import Effort, Figure, Line, Unit, at_least, at_most, median
from scripts.demo.calls import Unreachable, ask
from scripts.demo.faults import FAULTS
from scripts.demo.ports import VARIABLES
from scripts.demo.stages import Sighting, Stage
from scripts.demo.state import State
from scripts.demo.timeline import NotQuiet, Played, play
from scripts.demo.welcome import END

ROOT = Path(__file__).resolve().parents[1]
END_WITHIN_S = 60.0
TRIES = 4
"""How often a round is begun that finds something not quiet, or a program that does not answer."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What is counted of a fault: seconds from the fault to `stage`."""

    fault: str
    stage: Stage
    what: str
    limit_s: float | None


PROMISES = (
    Promise("bot", Stage.VERIFIED, "bot disconnected to verified", 30.0),
    Promise("bot", Stage.MESSAGE, "bot disconnected to message", 30.0),
    Promise("router", Stage.MESSAGE, "router down to message", 30.0),
    Promise("link", Stage.MESSAGE, "uplink lost to message", 30.0),
    Promise("db", Stage.ASKED, "database locked to asked", 60.0),
    Promise("db", Stage.VERIFIED, "database locked to freed", 60.0),
    Promise("queue", Stage.VERIFIED, "stuck queue to cleared", 60.0),
    Promise("flap", Stage.VERIFIED, "flapping port to bounced and verified", None),
    Promise("loop", Stage.ESCALATED, "bot beyond mending to handed over", None),
    Promise("logout", Stage.ESCALATED, "bot logged out to handed over", 60.0),
    Promise("timelock", Stage.ESCALATED, "bot barred from new chats to handed over", 60.0),
    Promise("crash", Stage.VERIFIED, "bot disconnected, bridge killed, to verified", None),
)
ATTEMPTS: Mapping[str, int] = {
    "bot": 1,
    "queue": 1,
    "db": 1,
    "flap": 1,
    "loop": 5,
    "logout": 0,
    "timelock": 0,
    "crash": 1,
    "router": 0,
    "link": 0,
}
"""How often recovery acts on each fault: neither more nor less."""
FEW = ("bot", "router")


@contextmanager
def running() -> Iterator[State]:
    """A demo whose loop is whole. Raises RuntimeError when it does not become so."""
    with tempfile.TemporaryDirectory(prefix="tikwatch-loop-") as name:
        file = Path(name) / "state.json"
        free = {variable: "0" for variable, _, _ in VARIABLES.values()}
        process = subprocess.Popen(
            [sys.executable, "-m", "scripts.demo", "--state", str(file)],
            cwd=ROOT,
            env={**os.environ, **free},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            if process.stdout is None or not any(END in line for line in process.stdout):
                raise RuntimeError("the demo did not start; its own words are above")
            yield State.read(file)
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=END_WITHIN_S)


def rounds(state: State, names: Sequence[str], runs: int, out: Path | None = None) -> list[Played]:
    """Each fault `runs` times, in turn. What was played is kept in `out` after each. Raises NotQuiet, Unreachable."""
    found: list[Played] = []
    rested_at_s: dict[str, float] = {}
    for _ in range(runs):
        for name in names:
            time.sleep(max(0.0, rested_at_s.get(name, 0.0) - time.monotonic()))
            found.append(_played(name, state))
            rested_at_s[name] = time.monotonic() + FAULTS[name].rests_s
            if out is not None:
                out.write_text(json.dumps([one.as_json() for one in found], indent=1), encoding="utf-8")
    return found


def _played(name: str, state: State) -> Played:
    """A whole round. One that could not be begun or watched is played anew, when everything was mended."""
    for left in reversed(range(TRIES)):
        try:
            return play(name, state, tell=_nobody)
        except (NotQuiet, Unreachable) as error:
            print(
                f"{name}: {error}; {f'{left} tries left' if left else 'given up'}",
                file=sys.stderr,
                flush=True,
            )
            if not left:
                raise
        with suppress(Unreachable):
            ask("DELETE", f"{state.urls['control']}/faults")
    raise AssertionError("the last try returns or raises")


def _nobody(_: Sighting) -> None:
    """A benchmark prints its table in the end."""


def lines(found: Sequence[Played]) -> list[Line]:
    """Median and worst of what was promised, how many rounds were whole, and how often recovery acted."""
    names = list(dict.fromkeys(one.fault for one in found))
    made: list[Line] = []
    for promise in PROMISES:
        times = [one.after_s(promise.stage) for one in found if one.fault == promise.fault]
        reached = [seconds for seconds in times if seconds is not None]
        if not reached:
            continue
        target = None if promise.limit_s is None else at_most(promise.limit_s)
        made.append(Line(f"{promise.what}, median of {len(reached)}", median(reached), Unit.SECONDS, target))
        made.append(Line(f"{promise.what}, worst", max(reached), Unit.SECONDS, target))
    for name in names:
        of_it = [one for one in found if one.fault == name]
        whole = sum(not one.missing for one in of_it)
        made.append(Line(f"{name}: rounds that were whole", whole, Unit.COUNT, at_least(len(of_it))))
        if name in ATTEMPTS:
            wrong = sum(one.attempts != ATTEMPTS[name] for one in of_it)
            what = f"{name}: rounds with other than {ATTEMPTS[name]} actions"
            made.append(Line(what, wrong, Unit.COUNT, at_most(0)))
    return made


def measure(effort: Effort) -> list[Line]:
    """Everything that was promised; a smoke run plays a bot and a router once."""
    names = FEW if effort is Effort.SMOKE else tuple(ATTEMPTS)
    with running() as state:
        return lines(rounds(state, names, effort.pick(20, 5)))


def main() -> None:
    """As many rounds as are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--faults", default=",".join(ATTEMPTS), help=f"some of {', '.join(FAULTS)}")
    parser.add_argument("--out", type=Path, help="keep every timeline there, as JSON")
    given = parser.parse_args()
    names = given.faults.split(",")
    if unknown := [name for name in names if name not in FAULTS]:
        parser.error(f"there is no fault {unknown[0]}; there are {', '.join(FAULTS)}")
    with running() as state:
        found = rounds(state, names, given.runs, given.out)
    for line in lines(found):
        target = "" if line.target is None else line.target.text(line.unit)
        print(
            f"{line.what:60} {line.unit.text(line.value):>10} {target:>11} {line.verdict if target else ''}"
        )


FIGURE = Figure(13, "loop", "the whole loop, from a fault to its cure", measure, long=True)


if __name__ == "__main__":
    main()
