"""`report --dry-run`: makes a report as it would be sent, and prints it instead."""

import argparse
import asyncio
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp

from alertbridge.cli.exitcodes import ExitCode, epilog
from alertbridge.cli.opening import Unusable, add_config, complain, read_config, say
from alertbridge.config import Config
from alertbridge.deliver.model import Body
from alertbridge.deliver.render.rendering import Renderer
from alertbridge.prometheus import Prometheus
from alertbridge.report.charts import make_charts
from alertbridge.report.composing import Composer
from alertbridge.report.config import ReportEntry
from alertbridge.report.gathering import Gathering
from alertbridge.report.schedule import Kind
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreError
from runtime.clock import Clock, SystemClock
from runtime.wording import did_you_mean

_DAY_S = 86_400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `report`."""
    parser.epilog = epilog(ExitCode.OK, ExitCode.SOME_FAILED, ExitCode.CONFIGURATION)
    add_config(parser)
    parser.add_argument(
        "--dry-run", action="store_true", required=True, help="print it; a report is only sent by the bridge"
    )
    parser.add_argument("--name", help="which of the reports; the first of its kind when left out")
    parser.add_argument(
        "--kind",
        choices=[kind.value for kind in Kind],
        help="a kind of report, whether there is such a one or not",
    )
    parser.add_argument(
        "--at",
        type=datetime.fromisoformat,
        metavar="TIME",
        help="as if it were due then, such as 2026-11-23T09:00; now when left out",
    )
    parser.add_argument("--language", choices=("id", "en"), help="instead of that of the report")
    parser.add_argument("--png", type=Path, metavar="FILE", help="where the picture goes")


def run(options: argparse.Namespace) -> int:
    """Prints the report. Raises ConfigError."""
    config = read_config(options)
    reports: tuple[ReportEntry, ...] = config.reports
    try:
        entry = chosen(reports, options.name, options.kind)
    except Unusable as error:
        return complain("report", error)
    zone = ZoneInfo(config.delivery.timezone)
    clock = SystemClock()
    at_s = clock.time() if options.at is None else _moment(options.at, entry.zone(zone))
    language = options.language or entry.language or config.delivery.language
    body = asyncio.run(_made(config, entry, at_s, language, clock))
    say(body.text)
    if options.png is not None:
        if body.image_png is None:
            sys.stderr.write("there is no picture; the text says why\n")
            return ExitCode.SOME_FAILED
        options.png.write_bytes(body.image_png)
    return ExitCode.OK


def chosen(reports: tuple[ReportEntry, ...], name: str | None, kind: str | None) -> ReportEntry:
    """The report that is meant; one of `kind` with every default where none is configured. Raises Unusable."""
    if name is not None:
        found = [entry for entry in reports if entry.name == name]
        if not found:
            raise Unusable(f'there is no report "{name}"{did_you_mean(name, [one.name for one in reports])}')
        return found[0]
    if kind is None and reports:
        return reports[0]
    wanted = Kind(kind or Kind.DAILY.value)
    found = [entry for entry in reports if entry.what is wanted]
    return found[0] if found else ReportEntry(name=wanted.value, kind=wanted.value, recipients=("nobody",))


def _moment(given: datetime, zone: ZoneInfo) -> float:
    """A time without a zone is on the report's wall clock."""
    return (given if given.tzinfo is not None else given.replace(tzinfo=zone)).timestamp()


async def _made(config: Config, entry: ReportEntry, at_s: float, language: str, clock: Clock) -> Body:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        prometheus = None if config.prometheus is None else Prometheus(config.prometheus, session)
        database = await _visited(config)
        try:
            gathering = Gathering(
                prometheus, database, clock, kept_s=config.store.retention.alerts_d * _DAY_S
            )
            zone = ZoneInfo(config.delivery.timezone)
            composer = Composer(
                gathering,
                make_charts(),
                Renderer.of(config.delivery.timezone, config.delivery.templates),
                zone,
                clock,
            )
            gathered = await composer.gather(entry, at_s)
            return await composer.body(entry, gathered, language)
        finally:
            if database is not None:
                await database.close()


async def _visited(config: Config) -> Database | None:
    """The store, when there is one; a report says what it lacks without it."""
    try:
        return await Database.visit(config.store)
    except StoreError as error:
        complain("report", StoreError(f"without the store: {error}"))
        return None
