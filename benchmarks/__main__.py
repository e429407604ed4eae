"""Measures the figures and tells whether each promise is kept.

    python -m benchmarks                 those of the exporter, in under eight minutes
    python -m benchmarks kills storm     these of the bridge, which take long and are measured by name only
    python -m benchmarks decoding fleet  only these
    python -m benchmarks --quick         fewer rounds, smaller fleets and no mktxp: about right, in two minutes
    python -m benchmarks --write         and put the table into the documentation

Exit code 0 when every target was met, 1 when one was missed, 2 on wrong arguments.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from rich.console import Console

from benchmarks import (
    concurrency,
    decoding,
    everything,
    faults,
    fleet,
    fsync,
    kills,
    large,
    limits,
    loop,
    mixed,
    report,
    storm,
    webhooks,
    wide,
)
from benchmarks.measures import Effort, Figure

FIGURES: tuple[Figure, ...] = (
    concurrency.FIGURE,
    decoding.FIGURE,
    large.FIGURE,
    fleet.FIGURE,
    wide.FIGURE,
    faults.FIGURE,
    everything.FIGURE,
    kills.FIGURE,
    storm.FIGURE,
    webhooks.FIGURE,
    limits.FIGURE,
    fsync.FIGURE,
    loop.FIGURE,
    mixed.FIGURE,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for; returns the exit code."""
    names = [figure.name for figure in FIGURES]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="The figures, measured as ratios in one run"
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"figures to measure: {', '.join(names)}; all but the long ones by default",
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds, smaller fleets and no mktxp")
    parser.add_argument(
        "--write", action="store_true", help="keep the results and write the page of the docs"
    )
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in names]:
        parser.error(f"there is no figure {unknown[0]}; there are {', '.join(names)}")
    if options.quick and options.write:
        parser.error("a quick run is not written down; leave out --quick or --write")
    console = Console()
    results, missed = {}, []
    for figure in FIGURES:
        if figure.name not in options.names and (options.names or figure.long):
            continue
        began_s = time.monotonic()
        lines = figure.measure(Effort.QUICK if options.quick else Effort.FULL)
        results[figure.name] = report.result(figure, lines)
        report.show(results[figure.name], time.monotonic() - began_s, console)
        missed += [f"{figure.number}. {line.what}" for line in lines if line.met is False]
    if options.write:
        report.write({**report.kept(), **results})
    console.print(f"missed: {'; '.join(missed)}" if missed else "every target met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
