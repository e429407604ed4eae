"""`tikwatch-alertbridge audit`: the audit as lines of JSON, and the proof that nobody has changed it."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine

from alertbridge.cli.exitcodes import ExitCode
from alertbridge.cli.opening import add_config, read_config, say, visiting
from alertbridge.config import Config
from alertbridge.recover import audit
from runtime.terminal import quiet_pipe

Do = Callable[[Config], Coroutine[None, None, ExitCode]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The commands of `audit`, and their arguments."""
    parser.description = "The audit of what was done and who let it be done, also while the bridge runs."
    commands = parser.add_subparsers(title="commands", required=True, metavar="WHAT")
    for name, summary, do in (
        ("export", "Print every entry as a line of JSON with its hash, oldest first.", _export),
        ("verify", "Tell whether an entry was changed, taken out, reordered or cut off.", _verify),
    ):
        own = commands.add_parser(name, help=summary, description=summary)
        add_config(own)
        own.set_defaults(do=do)


def run(arguments: argparse.Namespace) -> int:
    """Do it. Raises ConfigError, StoreError."""
    config = read_config(arguments)
    do: Do = arguments.do
    code = ExitCode.OK
    with quiet_pipe():
        code = ExitCode(asyncio.run(do(config)))
    return int(code)


async def _export(config: Config) -> ExitCode:
    async with visiting(config) as database:
        async for line in audit.export(database):
            sys.stdout.write(f"{line}\n")
    return ExitCode.OK


async def _verify(config: Config) -> ExitCode:
    async with visiting(config) as database:
        proof = await audit.verify(database)
    if proof.holds:
        say(f"{proof.count} entries, nothing was changed; the last hash is {proof.head}")
        return ExitCode.OK
    say(f"the audit is broken: {proof.fault} ({proof.count} entries before that hold)")
    return ExitCode.SOME_FAILED
