"""`tikwatch-exporter check`: can every router be reached, and what works on it."""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from exporter.cli.examination import Examination, Patience, Step
from exporter.cli.exitcodes import ExitCode, epilog
from exporter.cli.findings import RouterFinding
from exporter.cli.report import Report, document
from exporter.cli.selection import Unusable, add_selection, client, complain, select, some_seconds
from exporter.cli.setupcommands import Access, setup_commands
from exporter.cli.terminal import console_on, quiet_pipe, visible, width_of
from exporter.config import Config, RouterSection
from exporter.fleet import KNOWN_COLLECTORS

_AT_ONCE = 64
"""Routers that are examined at the same time."""
_IDENTITY_S = 10.0
"""Seconds for the first command, the cheapest there is; later ones have the configuration's own limit."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `check`."""
    parser.description = (
        "Connect to each router and tell what works on it, collector by collector, how long it took, and "
        "what to do about what does not."
    )
    parser.epilog = epilog(
        ExitCode.OK,
        ExitCode.SOME_FAILED,
        ExitCode.CONFIGURATION,
        ExitCode.NONE_REACHABLE,
        ExitCode.INTERRUPTED,
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add_selection(parser, config_required=False)
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=some_seconds,
        default=60.0,
        help="time for each router; connecting and single commands keep the configuration's own (default: 60)",
    )
    parser.add_argument(
        "--show-commands",
        action="store_true",
        help="only print the RouterOS commands that create the read-only user; asks no router",
    )


def run(arguments: argparse.Namespace) -> int:
    """Examine the routers and report; the exit status tells how it went."""
    if arguments.config is None and not arguments.show_commands:
        return complain("check", Unusable("the following argument is required: --config"))
    code = ExitCode.OK
    with quiet_pipe():
        try:
            if arguments.show_commands:
                _show_commands(arguments)
            else:
                config, sections = select(arguments)
                code = _check(config, sections, timeout_s=arguments.timeout, as_json=arguments.json)
        except Unusable as problem:
            return complain("check", problem)
        except (KeyboardInterrupt, asyncio.CancelledError):
            code = ExitCode.INTERRUPTED
    return code


def _show_commands(arguments: argparse.Namespace) -> None:
    """Raises Unusable when there is a configuration and it cannot be used."""
    accesses = {Access(): "any router"}
    if arguments.config is not None:
        config, sections = select(arguments)
        found: dict[Access, list[str]] = {}
        for section in sections:
            target = config.target(section)
            access = Access(target.username, target.tls is not None)
            found.setdefault(access, []).append(visible(section.name))
        accesses = {access: ", ".join(names) for access, names in found.items()}
    for access, names in accesses.items():
        sys.stdout.write("\n".join([f"# {names}", *setup_commands(access), ""]))


def _check(config: Config, sections: Sequence[RouterSection], *, timeout_s: float, as_json: bool) -> ExitCode:
    findings = asyncio.run(_examine(config, sections, timeout_s))
    if as_json:
        sys.stdout.write(json.dumps(document(findings), ensure_ascii=False, indent=2) + "\n")
        return verdict(findings)
    console = console_on(sys.stdout)
    report = Report(width_of(console))
    setup = report.setup(findings)
    pages = [*map(report.router, findings), *([setup] if setup.plain else []), report.summary(findings)]
    for number, page in enumerate(pages):
        text = Text("\n" if number else "").append_text(page)
        if console.is_terminal:
            console.print(text, soft_wrap=True)  # what is to be copied must stay in one piece
        else:
            sys.stdout.write(f"{text.plain}\n")
    return verdict(findings)


def verdict(findings: Sequence[RouterFinding]) -> ExitCode:
    """The exit status that these findings mean."""
    if all(finding.is_fine for finding in findings):
        return ExitCode.OK
    if not any(finding.is_reachable for finding in findings):
        return ExitCode.NONE_REACHABLE
    return ExitCode.SOME_FAILED


async def _examine(
    config: Config, sections: Sequence[RouterSection], timeout_s: float
) -> list[RouterFinding]:
    me = asyncio.current_task()
    if me is not None:  # so that the progress bar is taken away when the process is told to end
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, me.cancel)
    at_once = asyncio.Semaphore(_AT_ONCE)
    console = console_on(sys.stderr)
    settings = {section.name: config.collectors(section.module, KNOWN_COLLECTORS) for section in sections}
    steps = sum(1 + len(own) for own in settings.values())
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("connecting", total=steps)

        def step(router: str, what: str) -> None:
            if what:
                progress.update(task, description=f"{visible(router)[:24]}: {what}")
            else:
                progress.advance(task)

        async def one(section: RouterSection, step: Step) -> RouterFinding:
            async with at_once:
                pool = config.pool_settings(section)
                test_s = pool.connect_timeout_s + min(pool.command_timeout_s, _IDENTITY_S)
                patience = Patience(min(test_s, timeout_s), timeout_s)
                router = client(config, section, timeout_s=timeout_s, patient=False)
                return await Examination(router, settings[section.name], patience, step=step).run()

        return list(await asyncio.gather(*[one(section, step) for section in sections]))
