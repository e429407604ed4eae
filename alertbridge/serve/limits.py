"""What the rate limits let through now."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Severity
from alertbridge.deliver.limit.config import channel_bucket, recipient_buckets
from alertbridge.deliver.limit.limits import Policy, Room
from alertbridge.parts import Parts


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one bucket takes at once: `left` of `most` ordinary messages, and `critical_left` critical ones.

    None where only the spacing counts.
    """

    bucket: str
    about: str
    left: int | None
    most: int | None
    critical_left: int | None
    per_s: float

    @property
    def ratio(self) -> float:
        """What is left, as a part of the most; 1.0 where nothing is counted."""
        return 1.0 if self.left is None or not self.most else min(1.0, self.left / self.most)


async def of_channels(connection: AsyncConnection, parts: Parts) -> dict[str, Allowance]:
    """By name of the channel."""
    policies = parts.channel_policies()
    normal = await parts.limits.left(connection, policies, Room.NORMAL)
    critical = await parts.limits.left(connection, policies, Room.CRITICAL)
    return {
        name: _allowance(bucket, name, policies[bucket], normal[bucket], critical[bucket])
        for name in parts.channels.names
        if (bucket := channel_bucket(name)) in policies
    }


async def of_recipients(connection: AsyncConnection, parts: Parts) -> list[Allowance]:
    """The limit of each recipient, least left first."""
    limits = parts.config.limits
    ordinary: dict[str, Policy] = {}
    urgent: dict[str, Policy] = {}
    names: dict[str, str] = {}
    for recipient in parts.book:
        bucket = f"recipient:{recipient.name}"
        for room, policies in ((Room.NORMAL, ordinary), (Room.CRITICAL, urgent)):
            found = recipient_buckets(
                recipient.name, Severity.WARNING, room, limits.recipient, limits.severity
            )
            policies[bucket] = found[bucket]
        names[bucket] = recipient.name
    normal = await parts.limits.left(connection, ordinary, Room.NORMAL)
    critical = await parts.limits.left(connection, urgent, Room.CRITICAL)
    found_all = [
        _allowance(bucket, names[bucket], ordinary[bucket], normal[bucket], critical[bucket])
        for bucket in ordinary
    ]
    return sorted(found_all, key=lambda one: (one.ratio, one.about))


def _allowance(
    bucket: str, about: str, policy: Policy, left: int | None, critical_left: int | None
) -> Allowance:
    """The window that gives least at once is the one to tell."""
    tightest = min(policy.windows, key=lambda window: window.share(Room.NORMAL), default=None)
    return Allowance(
        bucket,
        about,
        left,
        None if tightest is None else tightest.share(Room.NORMAL),
        critical_left,
        0.0 if tightest is None else tightest.seconds,
    )
