"""Rate limits in the configuration: of a channel, of a recipient, of a severity; and which apply to a message."""

from math import ceil
from typing import Any

from pydantic import Field
from pydantic_core import InitErrorDetails

from alertbridge.alerts import Severity
from alertbridge.deliver.limit.limits import Policy, Room, Window
from runtime.sections import Section, Surroundings, fault

MINUTE_S = 60.0
DAY_S = 86400.0


class ReservedSection(Section):
    """Room that only messages of one kind can use."""

    critical: int = Field(default=0, ge=0, le=10_000, description="Messages kept for critical alerts.")
    reply: int = Field(default=0, ge=0, le=10_000, description="Messages kept for answers to operators.")

    @property
    def rooms(self) -> dict[Room, int]:
        return {Room.CRITICAL: self.critical, Room.REPLY: self.reply}

    @property
    def total(self) -> int:
        return self.critical + self.reply


def _must_leave_room(
    cls: type[Section],
    given: dict[str, Any],
    counted: str,
    faults: list[InitErrorDetails],
) -> None:
    """At least one of `given[counted]` must be left to ordinary messages. Looks at values of the right type only."""
    count = given.get(counted, cls.model_fields[counted].default)
    reserved = given.get("reserved", {})
    default = cls.model_fields["reserved"].default
    if not isinstance(count, int) or not isinstance(reserved, dict | ReservedSection) or count < 1:
        return
    if isinstance(reserved, ReservedSection):
        kept = [reserved.total]
    elif "reserved" in given:
        kept = [value for key, value in reserved.items() if key in ReservedSection.model_fields]
    else:
        kept = [default.total]
    if all(isinstance(value, int) for value in kept) and sum(kept) >= count:
        faults.append(
            fault(f"keeps {sum(kept)} of {count} and must leave at least one to other messages", "reserved")
        )


class ChannelLimitsSection(Section):
    """How fast a channel may send. The defaults are for a number that is paired as a companion device (WAHA,
    Evolution, GOWA, wuzapi, a bot): such numbers are banned for sending in bulk."""

    spacing_s: float = Field(default=3.0, ge=0, le=3600, description="Least seconds between two messages.")
    per_minute: int = Field(default=20, ge=1, le=100_000, description="Most messages in any 60 seconds.")
    per_day: int = Field(
        default=0,
        ge=0,
        le=10_000_000,
        description="Most messages in any 24 hours; 0 for no such limit. The same share of it is reserved.",
    )
    address_spacing_s: float = Field(
        default=0.0, ge=0, le=3600, description="Least seconds between two messages to the same address."
    )
    reserved: ReservedSection = Field(
        default=ReservedSection(critical=5, reply=3), description="Share of `per_minute` that is kept free."
    )
    slack_s: float = Field(
        default=0.2,
        ge=0,
        le=30,
        description="How much later than allowed a message may leave; every limit is longer by it.",
    )

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        _must_leave_room(cls, given, "per_minute", faults)
        per_day = given.get("per_day", 0)
        if isinstance(per_day, int) and 0 < per_day < 10:
            faults.append(
                fault("must be 0 or at least 10, so that every kind of message has its share", "per_day")
            )
        return given

    @property
    def policy(self) -> Policy:
        """What the channel as a whole is held to."""
        windows = [Window(self.per_minute, MINUTE_S, self.reserved.rooms)]
        if self.per_day:
            windows.append(Window(self.per_day, DAY_S, self._of_a_day()))
        return Policy(self.spacing_s, tuple(windows), self.slack_s)

    @property
    def address_policy(self) -> Policy | None:
        """What each address of the channel is held to."""
        return Policy(self.address_spacing_s, (), self.slack_s) if self.address_spacing_s else None

    def _of_a_day(self) -> dict[Room, int]:
        """The share of a minute that is reserved, of a day; ordinary messages keep one at least."""
        shares = {
            room: ceil(self.per_day * count / self.per_minute) for room, count in self.reserved.rooms.items()
        }
        surplus = sum(shares.values()) - (self.per_day - 1)
        return (
            {room: count - max(0, ceil(surplus / 2)) for room, count in shares.items()}
            if surplus > 0
            else shares
        )


class OfficialLimitsSection(ChannelLimitsSection):
    """For an official API, which allows much and yet only one message in 6 s to the same person."""

    spacing_s: float = Field(default=0.1, ge=0, le=3600, description="Least seconds between two messages.")
    per_minute: int = Field(default=300, ge=1, le=100_000, description="Most messages in any 60 seconds.")
    address_spacing_s: float = Field(
        default=6.0, ge=0, le=3600, description="Least seconds between two messages to the same address."
    )
    reserved: ReservedSection = Field(
        default=ReservedSection(critical=60, reply=30), description="Share of `per_minute` that is kept free."
    )


class FallbackLimitsSection(ChannelLimitsSection):
    """For what is no WhatsApp number: SMS, e-mail, Telegram, a file."""

    spacing_s: float = Field(default=1.0, ge=0, le=3600, description="Least seconds between two messages.")


class RecipientLimitsSection(Section):
    """How many messages a person or group gets, over all channels. What is over it is folded into a digest."""

    count: int = Field(default=10, ge=1, le=100_000, description="Most messages in any `seconds`.")
    seconds: float = Field(default=300.0, ge=1, le=DAY_S, description="Length of the window in seconds.")
    reserved: ReservedSection = Field(
        default=ReservedSection(critical=4),
        description="Messages that are kept free. Answers to operators are counted apart, so `reply` is 0 as a rule.",
    )
    burst: int = Field(
        default=3,
        ge=0,
        le=100_000,
        description="After so many the rest is spread evenly over the window; 0 spends them as they come.",
    )
    replies: int = Field(
        default=30, ge=1, le=100_000, description="Most answers to this recipient in any `seconds`."
    )

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        _must_leave_room(cls, given, "count", faults)
        return given

    def policy(self, room: Room) -> Policy:
        """What a message of `room` is held to."""
        if room is Room.REPLY:
            return Policy(windows=(Window(self.replies, self.seconds),))
        return Policy(windows=(Window(self.count, self.seconds, self.reserved.rooms, self.burst or None),))


class SeverityLimitSection(Section):
    """How many messages of one severity a recipient gets."""

    count: int = Field(ge=1, le=100_000, description="Most messages in any `seconds`.")
    seconds: float = Field(default=300.0, ge=1, le=DAY_S, description="Length of the window in seconds.")

    @property
    def policy(self) -> Policy:
        return Policy(windows=(Window(self.count, self.seconds),))


class SeverityLimitsSection(Section):
    """Limits by severity, for each recipient. A severity without one has only the recipient's limit."""

    critical: SeverityLimitSection | None = Field(default=None, description="Limit of critical messages.")
    warning: SeverityLimitSection | None = Field(default=None, description="Limit of warnings.")
    info: SeverityLimitSection | None = Field(
        default=SeverityLimitSection(count=3), description="Limit of messages for information."
    )
    none: SeverityLimitSection | None = Field(
        default=SeverityLimitSection(count=3), description="Limit of messages without a severity."
    )

    def policy(self, severity: Severity) -> Policy | None:
        """What a message of `severity` is held to, besides the rest."""
        section: SeverityLimitSection | None = getattr(self, severity.value)
        return section.policy if section is not None else None


def channel_bucket(channel: str) -> str:
    """The bucket of everything that a channel sends."""
    return f"channel:{channel}"


def channel_buckets(channel: str, address: str, limits: ChannelLimitsSection) -> dict[str, Policy]:
    """What holds for any message of `channel` to `address`, probes and announcements too."""
    found = {channel_bucket(channel): limits.policy}
    if (policy := limits.address_policy) is not None:
        found[f"address:{channel}:{address}"] = policy
    return found


def recipient_buckets(
    recipient: str,
    severity: Severity,
    room: Room,
    limits: RecipientLimitsSection,
    severities: SeverityLimitsSection,
) -> dict[str, Policy]:
    """What holds for a message to `recipient`, whichever way it goes. Answers have a limit of their own."""
    if room is Room.REPLY:
        return {f"replies:{recipient}": limits.policy(room)}
    found = {f"recipient:{recipient}": limits.policy(room)}
    if (policy := severities.policy(severity)) is not None:
        found[f"severity:{severity.value}:{recipient}"] = policy
    return found
