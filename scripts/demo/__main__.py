"""The whole loop on this machine, until Ctrl-C; and what breaks in it.

    make demo                                          on the usual ports
    EXPORTER_PORT=9500 PHONE_PORT=0 make demo          on others; 0 is any free one
    make demo DEMO_ARGS="--for 20"                     ends by itself after 20 s
    make demo-fault FAULT=bot                          breaks something in a running demo and prints what happens when

Exit code 0 when it was asked to end, 1 when it could not start, a program of it died or a stage of a fault did not
come in time, 2 on wrong arguments.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from scripts.children import ChildDied
from scripts.demo.calls import Unreachable
from scripts.demo.cast import Cast
from scripts.demo.faults import FAULTS
from scripts.demo.ports import CannotStart, Ports
from scripts.demo.programs import require_programs
from scripts.demo.running import Demo
from scripts.demo.stages import Sighting, Stage
from scripts.demo.state import DEFAULT, NotRunning, State
from scripts.demo.timeline import NotQuiet, play, told


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the demo, or breaks something in one that runs; returns the exit code."""
    options = _parser().parse_args(arguments)
    return _fault(options) if options.verb == "fault" else _run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make demo", description="The whole loop on this machine")
    parser.add_argument(
        "--for", dest="for_s", type=float, metavar="SECONDS", help="end by itself so long after it was ready"
    )
    parser.add_argument(
        "--state", type=Path, default=DEFAULT, metavar="FILE", help="where a running demo can be found"
    )
    verbs = parser.add_subparsers(dest="verb", metavar="fault")
    fault = verbs.add_parser("fault", help="break something in a running demo, and print what happens when")
    fault.add_argument("name", choices=FAULTS, metavar="NAME", help=", ".join(FAULTS))
    fault.add_argument("--json", action="store_true", help="one JSON object in the end instead of lines")
    fault.add_argument(
        "--by-hand", action="store_true", help="answer questions to the operator on the phone yourself"
    )
    return parser


def _run(options: argparse.Namespace) -> int:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        ports = Ports.chosen(os.environ)
        require_programs()
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tikwatch-demo-"))
            demo = Demo(ports, Cast.of(Path(folder), ports), Path(folder), stop)
            demo.run(stack, options.state, for_s=options.for_s)
    except (CannotStart, ChildDied) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    print("\ndemo: ended, nothing is left running", flush=True)
    return 0


def _fault(options: argparse.Namespace) -> int:
    began_s = 0.0

    def tell(sighting: Sighting) -> None:
        nonlocal began_s
        if sighting.stage is Stage.FAULT:
            began_s = sighting.at_s
        if not options.json:
            print(told(sighting, began_s), flush=True)

    try:
        played = play(options.name, State.read(options.state), tell=tell, answers=not options.by_hand)
    except (NotRunning, NotQuiet, Unreachable) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(played.as_json(), ensure_ascii=False, indent=2))
    if played.missing:
        print(f"demo: not in time: {', '.join(stage.value for stage in played.missing)}", file=sys.stderr)
    return 1 if played.missing else 0


if __name__ == "__main__":
    sys.exit(main())
