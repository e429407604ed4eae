"""`tikwatch-exporter print`: what routers say right now, as a table in the terminal."""

import argparse
import asyncio
import signal

from exporter.cli import views
from exporter.cli.columns import View
from exporter.cli.exitcodes import ExitCode, epilog
from exporter.cli.feed import Feed
from exporter.cli.selection import (
    Unusable,
    add_selection,
    client,
    complain,
    positive,
    seconds,
    select,
    some_seconds,
)
from exporter.cli.sheet import Choice
from exporter.cli.showing import Request, Show
from exporter.cli.terminal import quiet_pipe, visible
from exporter.config import Config, RouterSection
from runtime.wording import did_you_mean

_AT_ONCE = 64
"""Routers that are read at the same time."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `print`."""
    parser.description = "Show tables of what routers say right now, the busiest rows first."
    parser.epilog = "\n".join(
        [
            "tables and the columns that --sort takes:",
            *[
                f"  {view.name:<11}{view.help}\n             {' '.join(view.column_names)}"
                for view in views.ALL
            ],
            "",
            epilog(
                ExitCode.OK,
                ExitCode.SOME_FAILED,
                ExitCode.CONFIGURATION,
                ExitCode.NONE_REACHABLE,
                ExitCode.INTERRUPTED,
            ),
        ]
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("view", metavar="TABLE", choices=list(views.BY_NAME), help=", ".join(views.BY_NAME))
    add_selection(parser)
    parser.add_argument("--sort", metavar="COLUMN", default="", help="sort by this column (default: traffic)")
    parser.add_argument("--reverse", action="store_true", help="the other way round")
    parser.add_argument("--top", metavar="N", type=positive, help="the first N rows only")
    parser.add_argument(
        "--filter", metavar="TEXT", default="", help="only rows with TEXT in a name, address or comment"
    )
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument(
        "--watch",
        metavar="SECONDS",
        nargs="?",
        type=some_seconds,
        const=2.0,
        help="go on until Ctrl-C, a reading every SECONDS (2)",
    )
    pace.add_argument(
        "--interval",
        metavar="SECONDS",
        type=seconds,
        default=1.0,
        help="time between the two readings that rates are measured by; 0: one reading, totals only (default: 1)",
    )
    parser.add_argument(
        "--json", action="store_true", help="for programs; with --watch one document per line"
    )


def run(arguments: argparse.Namespace) -> int:
    """Show the table; the exit status tells whether every router had its say."""
    view = views.BY_NAME[arguments.view]
    watch = arguments.watch is not None
    request = Request(
        view=view,
        choice=Choice(arguments.sort, arguments.top, arguments.filter, arguments.reverse),
        interval_s=arguments.watch if watch else arguments.interval,
        watch=watch,
        json=arguments.json,
    )
    try:
        _check_column(view, request.choice.column)
        config, sections = select(arguments)
    except Unusable as problem:
        return complain("print", problem)
    code = ExitCode.OK
    with quiet_pipe():
        try:
            code = asyncio.run(_show(request, config, sections))
        except (KeyboardInterrupt, asyncio.CancelledError):
            code = ExitCode.OK if watch else ExitCode.INTERRUPTED
    return code


def _check_column(view: View, name: str) -> None:
    """Raises Unusable when no section has that column."""
    known = view.column_names
    if name and name not in known and not any(section.column(name) for section in view.sections):
        raise Unusable(f'--sort: {view.name} has no column "{visible(name)}"{did_you_mean(name, known)}')


async def _show(request: Request, config: Config, sections: list[RouterSection]) -> ExitCode:
    me = asyncio.current_task()
    if me is not None:  # so that a hidden cursor comes back when the process is told to end
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)
    changed = asyncio.Event()
    at_once = asyncio.Semaphore(_AT_ONCE)
    feeds = [
        Feed(
            section.name,
            client(config, section),
            request.view,
            interval_s=request.interval_s,
            at_once=at_once,
            changed=changed.set,
        )
        for section in sections
    ]
    show = Show(request, feeds, changed)
    try:
        return await (show.forever() if request.watch else show.once())
    finally:
        await asyncio.gather(*[feed.close() for feed in feeds])
