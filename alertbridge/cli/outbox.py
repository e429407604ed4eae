"""`tikwatch-alertbridge outbox`: what was told, what was not, where an alert is, and whether the account closes."""

import argparse
import asyncio
from collections.abc import Callable, Coroutine
from datetime import date

from alertbridge.cli import outboxtext
from alertbridge.cli.exitcodes import ExitCode
from alertbridge.cli.opening import Unusable, add_config, complain, read_config, say, visiting, who
from alertbridge.cli.outboxaccount import print_account
from alertbridge.config import Config
from alertbridge.deliver import account, deadletters
from alertbridge.deliver.deadletters import NoDeadLetter
from alertbridge.deliver.outbox import messages as message_rows
from alertbridge.serve.fate import FILTERS, Fate
from alertbridge.serve.recent import recent
from runtime.clock import SystemClock
from runtime.terminal import quiet_pipe

Do = Callable[[Config, argparse.Namespace], Coroutine[None, None, ExitCode]]
REASON_CHARS = deadletters.REASON_CHARACTERS
LETTERS_SEARCHED = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The commands of `outbox`, and their arguments."""
    parser.description = "Look into the outbox, also while the bridge runs."
    commands = parser.add_subparsers(title="commands", required=True, metavar="WHAT")

    def command(name: str, summary: str, do: Do) -> argparse.ArgumentParser:
        own = commands.add_parser(name, help=summary, description=summary)
        add_config(own)
        own.set_defaults(do=do, command=name)
        return own

    listing = command("list", "The newest messages with their fate, or the dead letters.", _list)
    listing.add_argument("--dead", action="store_true", help="the dead letters instead")
    listing.add_argument("--recipient", metavar="NAME", default="", help="only messages to NAME")
    listing.add_argument(
        "--fate", choices=[fate.value for fate in FILTERS], help="only messages with this fate"
    )
    listing.add_argument("--limit", metavar="N", type=_count, default=50, help="at most N (default: 50)")
    showing = command("show", "One message or dead letter: its text and every attempt.", _show)
    showing.add_argument("id", metavar="ID")
    for name, summary, do in (
        ("retry", "Try dead letters again, on the recipient's first way.", _retry),
        ("drop", "Give dead letters up: nobody will be told.", _drop),
    ):
        ending = command(name, summary, do)
        ending.add_argument("ids", metavar="ID", nargs="+")
        ending.add_argument(
            "--reason", metavar="TEXT", required=True, type=_reason, help="kept with your name"
        )
    where = command("where", "Where an alert is, and every attempt to tell it.", _where)
    where.add_argument("key", metavar="FINGERPRINT|ID", help="fingerprint, episode number, or message id")
    accounting = command("account", "What became of everything: a line for each day.", _account)
    accounting.add_argument("--day", metavar="DAY", type=_day, help="only this day, such as 2026-01-31")
    for own in (listing, where, accounting):
        own.add_argument("--json", action="store_true", help="for programs")


def run(arguments: argparse.Namespace) -> int:
    """Do it. Raises ConfigError, StoreError."""
    config = read_config(arguments)
    do: Do = arguments.do
    code = ExitCode.OK
    with quiet_pipe():
        try:
            code = asyncio.run(do(config, arguments))
        except Unusable as problem:
            code = complain(f"outbox {arguments.command}", problem, ExitCode.SOME_FAILED)
    return code


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 10_000):
        raise argparse.ArgumentTypeError("must be a whole number from 1 to 10000")
    return int(text)


def _reason(text: str) -> str:
    if not text.strip() or len(text) > REASON_CHARS:
        raise argparse.ArgumentTypeError(f"must have 1 to {REASON_CHARS} characters")
    return text.strip()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be a day such as 2026-01-31") from None


async def _list(config: Config, arguments: argparse.Namespace) -> ExitCode:
    zone = config.delivery.timezone
    async with visiting(config) as database, database.read() as connection:
        if arguments.dead:
            letters = await deadletters.listed(connection, arguments.limit)
            say(outboxtext.letters(letters, zone, as_json=arguments.json))
            return ExitCode.OK
        page = await recent(
            connection,
            recipient=arguments.recipient,
            fate=Fate(arguments.fate) if arguments.fate else None,
            limit=arguments.limit,
        )
    say(outboxtext.messages(page.shown, zone, as_json=arguments.json))
    return ExitCode.OK


async def _show(config: Config, arguments: argparse.Namespace) -> ExitCode:
    key = arguments.id.strip().upper()
    zone = config.delivery.timezone
    async with visiting(config) as database, database.read() as connection:
        if key.startswith("N") and key[1:].isdigit():
            letters = await deadletters.listed(connection, LETTERS_SEARCHED)
            letter = next((one for one in letters if one.id == key), None)
            if letter is None:
                raise Unusable(f"there is no dead letter {key}")
            say(outboxtext.letter(letter, zone))
            return ExitCode.OK
        first = await message_rows.get(connection, key)
        if first is None:
            raise Unusable(f"there is no message {key}")
        parts = await message_rows.parts(connection, first.bundle)
        attempts = await message_rows.attempts_of(connection, [part.id for part in parts])
    say(outboxtext.message(parts, attempts, zone))
    return ExitCode.OK


async def _retry(config: Config, arguments: argparse.Namespace) -> ExitCode:
    return await _end(config, arguments, "waits to be sent again", retry=True)


async def _drop(config: Config, arguments: argparse.Namespace) -> ExitCode:
    return await _end(config, arguments, "is dropped", retry=False)


async def _end(config: Config, arguments: argparse.Namespace, done: str, *, retry: bool) -> ExitCode:
    """Each in a transaction of its own; a bridge at work sees it within `sending.poll_s`."""
    end = deadletters.retry if retry else deadletters.drop
    code = ExitCode.OK
    async with visiting(config) as database:
        for letter_id in arguments.ids:
            try:
                async with database.write() as connection:
                    await end(
                        connection,
                        letter_id.strip().upper(),
                        by=who(),
                        reason=arguments.reason,
                        now_s=SystemClock().time(),
                    )
            except NoDeadLetter:
                problem = Unusable(f"there is no dead letter {letter_id}")
                code = complain(f"outbox {arguments.command}", problem, ExitCode.SOME_FAILED)
            else:
                say(f"{letter_id} {done}")
    return code


async def _where(config: Config, arguments: argparse.Namespace) -> ExitCode:
    async with visiting(config) as database, database.read() as connection:
        found = await account.where(connection, arguments.key)
    if not found:
        raise Unusable(f"nothing is known of {arguments.key}")
    say(outboxtext.whereabouts(found, config.delivery.timezone, as_json=arguments.json))
    return ExitCode.OK


async def _account(config: Config, arguments: argparse.Namespace) -> ExitCode:
    async with visiting(config) as database, database.read() as connection:
        closes = await print_account(
            connection, config.delivery.timezone, arguments.day, as_json=arguments.json
        )
    return ExitCode.OK if closes else ExitCode.SOME_FAILED
