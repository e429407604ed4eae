"""What an operator can do from outside: the same for the API and for the page. Whoever acts is named in the log."""

from zoneinfo import ZoneInfo

import structlog

from alertbridge.alerts import Severity
from alertbridge.deliver.channel.standing import ChannelState
from alertbridge.deliver.limit.limits import Room
from alertbridge.deliver.trial import Trial, TrialRefused, send_test, way_to
from alertbridge.parts import Parts
from alertbridge.store.database import Database
from runtime.clock import Clock
from runtime.wording import did_you_mean

OFF = (ChannelState.PAUSED, ChannelState.STOPPED)

log = structlog.get_logger(__name__)


class UnknownName(LookupError):
    """Nothing bears that name; the message is a sentence, `known` are those there are."""

    def __init__(self, noun: str, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f'there is no {noun} "{name}"{did_you_mean(name, known)}')
        self.known = known


def resume(parts: Parts, channel: str, *, by: str, reason: str) -> None:
    """The operator says that the channel is well. Raises UnknownName."""
    if channel not in parts.channels.names:
        raise UnknownName("channel", channel, parts.channels.names)
    before = parts.channels.standing(channel)
    parts.channels.resume(channel)
    log.info(
        "channel.resumed", channel=channel, was=before.state.value, why=before.reason, by=by, reason=reason
    )


async def test_message(
    parts: Parts,
    database: Database,
    clock: Clock,
    recipient_name: str,
    channel: str,
    *,
    by: str,
    await_s: float,
) -> Trial:
    """Sends a test message. Raises UnknownName, TrialRefused, StoreError."""
    recipient = parts.book.get(recipient_name)
    if recipient is None:
        raise UnknownName("recipient", recipient_name, parts.book.names)
    way = way_to(recipient, channel)
    standing = parts.channels.standing(way.channel)
    if standing.state in OFF:
        raise TrialRefused(
            f"{way.channel} is {standing.state.value} ({standing.reason}); once it is mended, resume it first"
        )

    async def grant() -> float:
        buckets = parts.buckets(
            channel=way.channel,
            address=way.address,
            lane=recipient.name,
            severity=Severity.INFO,
            room=Room.REPLY,
        )
        async with database.write() as connection:
            return await parts.limits.reserve(connection, buckets, Room.REPLY)

    return await send_test(
        recipient,
        way,
        parts.providers[way.channel],
        by=by,
        zone=ZoneInfo(parts.config.delivery.timezone),
        clock=clock,
        grant=grant,
        await_s=await_s,
    )
