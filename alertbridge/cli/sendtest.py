"""`tikwatch-alertbridge send-test`: one message to one recipient, now, and what the provider says of it."""

import argparse
import asyncio
import sys
from zoneinfo import ZoneInfo

import aiohttp

from alertbridge.alerts import Severity
from alertbridge.cli.exitcodes import ExitCode
from alertbridge.cli.opening import Unusable, add_config, complain, read_config, say, visiting, who
from alertbridge.config import Config
from alertbridge.deliver.limit.config import channel_buckets, recipient_buckets
from alertbridge.deliver.limit.limits import Room
from alertbridge.deliver.limit.store import LimitStore
from alertbridge.deliver.providers.registry import make_provider
from alertbridge.deliver.providers.section import ChannelBase
from alertbridge.deliver.route.addressbook import AddressBook, Recipient, Way
from alertbridge.deliver.trial import Trial, TrialRefused, send_test, way_to
from alertbridge.store.errors import StoreUnavailable, Unavailable
from runtime.clock import SystemClock
from runtime.wording import did_you_mean


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `send-test`."""
    parser.description = "Send one test message, within the rate limits, and tell what the provider says."
    add_config(parser)
    parser.add_argument("recipient", metavar="RECIPIENT", help="name of a recipient")
    parser.add_argument("--channel", metavar="NAME", default="", help="another of the recipient's ways")
    parser.add_argument(
        "--wait",
        metavar="SECONDS",
        type=float,
        default=10.0,
        help="time for a proof that it arrived, where the provider can be asked (default: 10)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Send it; the exit status tells whether the provider took it. Raises ConfigError, StoreError."""
    config = read_config(arguments)
    try:
        recipient = _recipient(config, arguments.recipient)
        found = asyncio.run(_sent(config, recipient, way_to(recipient, arguments.channel), arguments.wait))
    except Unusable as problem:
        return complain("send-test", problem)
    except TrialRefused as problem:
        return complain("send-test", problem, ExitCode.SOME_FAILED)
    say(_told(found))
    return ExitCode.OK if found.taken else ExitCode.SOME_FAILED


def _recipient(config: Config, name: str) -> Recipient:
    book = AddressBook.of(config)
    recipient = book.get(name)
    if recipient is None:
        raise Unusable(f'there is no recipient "{name}"{did_you_mean(name, book.names)}')
    return recipient


async def _sent(config: Config, recipient: Recipient, way: Way, await_s: float) -> Trial:
    section = next(one for one in config.channels if one.name == way.channel)
    address = section.address(way.address)
    clock = SystemClock()
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        provider = make_provider(section, session, clock)
        try:
            return await send_test(
                recipient,
                Way(way.channel, address),
                provider,
                by=who(),
                zone=ZoneInfo(config.delivery.timezone),
                clock=clock,
                grant=lambda: _granted(config, recipient, section, address),
                await_s=await_s,
            )
        finally:
            await provider.close()


async def _granted(config: Config, recipient: Recipient, section: ChannelBase, address: str) -> float:
    """Seconds that the limits want to wait; counted with what a running bridge sends. Raises StoreError."""
    limits = config.limits
    buckets = {
        **recipient_buckets(recipient.name, Severity.INFO, Room.REPLY, limits.recipient, limits.severity),
        **channel_buckets(section.name, address, section.limits),
    }
    try:
        async with visiting(config) as database, database.write() as connection:
            return await LimitStore(database, SystemClock()).reserve(connection, buckets, Room.REPLY)
    except StoreUnavailable as error:
        if error.reason is not Unavailable.NOT_OPENED:
            raise
        sys.stderr.write("there is no store yet: this message is not counted in the limits\n")
        return 0.0


def _told(found: Trial) -> str:
    outcome = found.outcome
    words = [outcome.kind.value, *(text for text in (outcome.reason, outcome.detail) if text)]
    lines = [
        f"to {found.recipient} ({found.address}) through {found.channel}: {': '.join(words)}",
        f"the provider answered within {found.took_s:.1f} s",
    ]
    if found.taken:
        lines.append(
            f"proof: {found.proof.value}" if found.proof else "proof: none so far; look at the phone"
        )
    return "\n".join(lines)
