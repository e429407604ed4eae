"""`tikwatch-alertbridge recovery`: what was done and why, the stop, approvals, and what a rule would do."""

import argparse
import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Alert, AlertStatus
from alertbridge.cli.exitcodes import ExitCode
from alertbridge.cli.opening import Unusable, add_config, complain, read_config, say, visiting, who
from alertbridge.config import Config
from alertbridge.deliver.dryrun import parse_labels
from alertbridge.deliver.route.schedule import Schedule
from alertbridge.recover import decisions
from alertbridge.recover.actions.registry import KNOWN, can_undo
from alertbridge.recover.actions.services_listed import Services
from alertbridge.recover.ages import Ages
from alertbridge.recover.approvals import Answer
from alertbridge.recover.classifier import LABEL, of_text, with_symptom
from alertbridge.recover.config import RecoverySection
from alertbridge.recover.engine import answered, switch
from alertbridge.recover.journal import Journal
from alertbridge.recover.model import Run, RunState
from alertbridge.recover.parameters import Unrendered, rendered_all
from alertbridge.recover.rules import Rule, is_own
from alertbridge.recover.undoing import TAKEN_UP_WITHIN_S, CanUndo, Refused, Wish, begin
from alertbridge.recover.world import SWITCH
from alertbridge.store.database import Database
from alertbridge.store.schema_recovery import audit, recovery_switch
from runtime.clock import SystemClock
from runtime.terminal import quiet_pipe

Do = Callable[[Config, argparse.Namespace], Coroutine[None, None, ExitCode]]
OWNER = "command line"
LOOK_S = 0.5
_ANSWERS = {
    Answer.WRONG: "no such code",
    Answer.EXPIRED: "the code is no longer good",
    Answer.USED: "the code was used already",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The commands of `recovery`, and their arguments."""
    parser.description = "Look at recovery, stop it, and answer it, also while the bridge runs."
    commands = parser.add_subparsers(title="commands", required=True, metavar="WHAT")

    def command(name: str, summary: str, do: Do) -> argparse.ArgumentParser:
        own = commands.add_parser(name, help=summary, description=summary)
        add_config(own)
        own.set_defaults(do=do, command=name)
        return own

    listing = command("list", "The newest runs, or the latest decisions.", _list)
    listing.add_argument("--decisions", action="store_true", help="why rules acted or did not, instead")
    listing.add_argument("--limit", metavar="N", type=_count, default=20, help="at most N (default: 20)")
    showing = command("show", "One run with every step of it, from the audit.", _show)
    showing.add_argument("number", metavar="RUN", type=_count)
    command("pause", "Stop before the next step, in every replica.", _pause)
    command("resume", "Let steps begin again.", _resume)
    for name, summary, do in (
        ("approve", "Say yes to the run that waits for CODE.", _approve),
        ("reject", "Say no to the run that waits for CODE.", _reject),
    ):
        answering = command(name, summary, do)
        answering.add_argument("code", metavar="CODE")
    undoing = command("undo", "Take back what RUN changed, also while recovery is paused.", _undo)
    undoing.add_argument("number", metavar="RUN", type=_count)
    undoing.add_argument("--reason", metavar="TEXT", default="", help="why, for the audit")
    undoing.add_argument(
        "--again", action="store_true", help="also what was perhaps taken back already, after you have looked"
    )
    undoing.add_argument(
        "--wait", metavar="S", type=_count, default=60, help="seconds to wait for its end (default: 60)"
    )
    trying = command("dry-run", "Tell which rules an alert would meet, and what they would do.", _dry_run)
    trying.add_argument("labels", metavar="LABELS", type=_labels, help="alertname=BotDisconnected,bot=noc")
    trying.add_argument("--line", metavar="TEXT", default="", help="a line of a log, to find its symptom")


def run(arguments: argparse.Namespace) -> int:
    """Do it. Raises ConfigError, StoreError."""
    config = read_config(arguments)
    do: Do = arguments.do
    code = ExitCode.OK
    with quiet_pipe():
        try:
            code = asyncio.run(do(config, arguments))
        except Unusable as problem:
            code = complain(f"recovery {arguments.command}", problem, ExitCode.SOME_FAILED)
    return code


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 10**9):
        raise argparse.ArgumentTypeError("must be a whole number from 1 on")
    return int(text)


def _labels(text: str) -> dict[str, str]:
    try:
        return parse_labels(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


# -- looking


async def _list(config: Config, arguments: argparse.Namespace) -> ExitCode:
    zone = ZoneInfo(config.delivery.timezone)
    async with visiting(config) as database:
        journal = _journal(database)
        async with database.read() as connection:
            say(await _switch_line(connection, zone, default=config.recovery.paused))
            if arguments.decisions:
                for one in await decisions.latest(connection, arguments.limit):
                    at = _moment(one.last_at_s, zone)
                    say(f"{at}  {one.rule}  episode {one.episode_id}  {one.reason}  {one.detail}".rstrip())
                return ExitCode.OK
        for found in await journal.latest(arguments.limit):
            say(_line(found, zone))
    return ExitCode.OK


async def _switch_line(connection: AsyncConnection, zone: ZoneInfo, *, default: bool) -> str:
    row = (await connection.execute(select(recovery_switch).where(recovery_switch.c.name == SWITCH))).first()
    if row is None:
        return "paused by the configuration" if default else "at work"
    word = "paused" if row.paused else "resumed"
    return f"{word} by {row.by} at {_moment(row.at, zone)}"


def _line(run: Run, zone: ZoneInfo) -> str:
    words = [
        f"{run.id:>5}",
        _moment(run.proposed_at_s, zone),
        run.state.value,
        run.rule,
        f"{run.now.action} on {run.now.target}",
        f"{run.acted}x",
        run.reason,
        f"takes back run {run.undoes}" if run.undoes else "",
    ]
    return "  ".join(word for word in words if word)


async def _show(config: Config, arguments: argparse.Namespace) -> ExitCode:
    zone = ZoneInfo(config.delivery.timezone)
    async with visiting(config) as database, database.read() as connection:
        found = await _journal(database).run(connection, arguments.number)
        if found is None:
            raise Unusable(f"there is no run {arguments.number}")
        rows = (
            await connection.execute(
                select(audit.c.entry).where(audit.c.run_id == arguments.number).order_by(audit.c.seq)
            )
        ).all()
    say(_line(found, zone))
    say(
        f"alert {found.alert}, episode {found.episode_id}, {found.severity.value}; {found.detail}".rstrip(
            "; "
        )
    )
    for row in rows:
        entry = json.loads(row.entry)
        facts = {**_told("before", entry), **_told("after", entry)}
        told = " ".join(f"{name}={value}" for name, value in facts.items())
        say(
            f"  {_moment(entry['at'], zone)}  {entry['actor']}  {entry['event']}  {entry['why']}  {told}".rstrip()
        )
    return ExitCode.OK


def _told(key: str, entry: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    return {f"{key}.{name}": value for name, value in entry[key].items() if value is not None}


# -- doing


async def _pause(config: Config, _: argparse.Namespace) -> ExitCode:
    async with visiting(config) as database:
        await switch(_journal(database), who(), paused=True)
    say("paused: no step begins from now on")
    return ExitCode.OK


async def _resume(config: Config, _: argparse.Namespace) -> ExitCode:
    async with visiting(config) as database:
        await switch(_journal(database), who(), paused=False)
    say("resumed")
    return ExitCode.OK


async def _approve(config: Config, arguments: argparse.Namespace) -> ExitCode:
    return await _answer(config, arguments.code, approves=True)


async def _reject(config: Config, arguments: argparse.Namespace) -> ExitCode:
    return await _answer(config, arguments.code, approves=False)


async def _answer(config: Config, code: str, *, approves: bool) -> ExitCode:
    async with visiting(config) as database:
        found = await answered(_journal(database), code, who(), approves=approves)
    if found.answer is not Answer.TAKEN:
        raise Unusable(_ANSWERS[found.answer])
    say(f"run {found.run_id} {'goes on' if approves else 'is ended'}")
    return ExitCode.OK


async def _undo(config: Config, arguments: argparse.Namespace) -> ExitCode:
    """The wish is stored; the bridge that is at work fulfils it, since it has what actions act with."""
    wish = Wish(arguments.number, who(), arguments.reason[:500], arguments.again)
    async with visiting(config) as database:
        journal = _journal(database)
        found = await begin(journal, wish, _can_undo(config))
        if isinstance(found, Refused):
            raise Unusable(str(found))
        say(f"run {found.run.id} takes run {wish.number} back; the bridge takes it up within some seconds")
        ended = await _ended(journal, found.run, arguments.wait)
    if ended.under_way:
        waits = "waits for a bridge that is at work" if ended.owner == OWNER else "is not over yet"
        within = f"; taken up within {TAKEN_UP_WITHIN_S / 60:.0f} minutes or not at all"
        raise Unusable(f"run {ended.id} {waits}{within}")
    if ended.state is not RunState.UNDONE:
        raise Unusable(f"run {ended.id} is {ended.state.value}: {ended.reason}; {ended.detail}".rstrip("; "))
    say(f"run {wish.number} was taken back")
    return ExitCode.OK


def _can_undo(config: Config) -> CanUndo:
    """Whether a step can be taken back, as the configuration has it."""
    services = Services(config.actions.services)
    return lambda one: can_undo(one.action, one.settings, services)


async def _ended(journal: Journal, run: Run, wait_s: int) -> Run:
    """The run once it is over, or as it is after `wait_s`."""
    clock = SystemClock()
    until_s = clock.monotonic() + wait_s
    while run.under_way and clock.monotonic() < until_s:
        await asyncio.sleep(LOOK_S)
        async with journal.database.read() as connection:
            run = await journal.run(connection, run.id) or run
    return run


async def _dry_run(config: Config, arguments: argparse.Namespace) -> ExitCode:
    labels: dict[str, str] = arguments.labels
    if arguments.line:
        symptom = of_text(arguments.line)
        say(f"symptom: {symptom.name}: {symptom.about}" if symptom is not None else "no known symptom")
        if symptom is not None:
            labels = {**labels, LABEL: symptom.name}
    alert = with_symptom(Alert("", AlertStatus.FIRING, labels, {}, 0.0))
    lines = dry_run(config.recovery, alert, _schedules(config), SystemClock().time())
    say("\n".join(lines))
    return ExitCode.OK


def _schedules(config: Config) -> dict[str, Schedule]:
    return {one.name: Schedule.of(one, config.delivery.timezone) for one in config.schedules}


def dry_run(
    section: RecoverySection, alert: Alert, schedules: Mapping[str, Schedule], now_s: float
) -> Sequence[str]:
    """What each rule would make of `alert` on a day without any earlier run. Asks nobody."""
    always = frozenset(name for name, kind in KNOWN.items() if kind.about.ask_only)
    lines = [] if section.enabled else ["recovery is switched off (enabled: false)"]
    for one in section.rules:
        rule = Rule.of(one, schedules, always_asks=always)
        if not rule.matches(alert.labels):
            continue
        lines.append(f"rule {rule.name}: {_would(rule, alert, now_s)}")
        lines += _steps(rule, alert)
    return lines or ["no rule matches"]


def _would(rule: Rule, alert: Alert, now_s: float) -> str:
    if is_own(alert.labels):
        return "never acts: the alert is the bridge's own"
    if rule.section.approval == "off":
        return "is off"
    words = ["only says what it would do (dry_run)" if rule.section.dry_run else "acts"]
    if rule.asks:
        words.append("after a person's yes")
    if rule.window is not None and not rule.window.covers(now_s):
        words.append(f"but not now: outside {rule.window.name}")
    return " ".join(words)


def _steps(rule: Rule, alert: Alert) -> list[str]:
    lines = []
    for number, step in enumerate(rule.section.steps, 1):
        try:
            settings = rendered_all(step.parameters, alert.labels)
        except Unrendered as error:
            lines.append(f"  {number}. {step.action}: not possible: {error}")
            continue
        told = ", ".join(f"{name}={value}" for name, value in settings.items())
        lines.append(
            f"  {number}. {step.action} {told}, up to {step.tries}x, verified by {', '.join(step.verify.by)}"
        )
    return lines


def _journal(database: Database) -> Journal:
    """For one command: it owns no run."""
    return Journal(database, Ages(SystemClock()), OWNER, 0.0)


def _moment(at_s: float, zone: ZoneInfo) -> str:
    return f"{datetime.fromtimestamp(at_s, zone):%Y-%m-%d %H:%M:%S}"
