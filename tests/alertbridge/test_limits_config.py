"""Limits in the configuration: defaults, mistakes with their places, and which buckets a message is held to."""

import pytest
from pydantic import ValidationError

from alertbridge.alerts import Severity
from alertbridge.deliver.limit.config import (
    ChannelLimitsSection,
    FallbackLimitsSection,
    OfficialLimitsSection,
    RecipientLimitsSection,
    ReservedSection,
    SeverityLimitsSection,
    channel_buckets,
    recipient_buckets,
)
from alertbridge.deliver.limit.limits import Room
from runtime.sections import Section


@pytest.mark.parametrize("section", [ChannelLimitsSection, OfficialLimitsSection, FallbackLimitsSection])
def test_the_defaults_make_policies(section: type[ChannelLimitsSection]) -> None:
    """Every kind's defaults leave each room something."""
    policy = section().policy
    assert all(window.share(room) > 0 for window in policy.windows for room in Room)


def test_a_companion_device_sends_20_a_minute_and_one_in_3_s() -> None:
    """The default of what gets numbers banned."""
    policy = ChannelLimitsSection().policy
    assert (policy.spacing_s, policy.windows[0].count, policy.windows[0].seconds) == (3.0, 20, 60.0)


@pytest.mark.parametrize(("per_day", "per_minute"), [(10, 20), (11, 9), (300, 20), (1_000, 10_000)])
def test_a_day_reserves_the_share_of_a_minute(per_day: int, per_minute: int) -> None:
    """Rounded up, and something is left to every room."""
    section = ChannelLimitsSection(per_day=per_day, per_minute=per_minute)
    day = section.policy.windows[1]
    assert day.count == per_day
    assert all(day.share(room) > 0 for room in Room)
    assert ChannelLimitsSection(per_day=300).policy.windows[1].reserved == {Room.CRITICAL: 75, Room.REPLY: 45}


@pytest.mark.parametrize(
    ("section", "given", "place"),
    [
        (ChannelLimitsSection, {"per_minute": 0}, "per_minute"),
        (ChannelLimitsSection, {"per_minute": 8}, "reserved"),
        (ChannelLimitsSection, {"reserved": {"critical": 15, "reply": 5}}, "reserved"),
        (ChannelLimitsSection, {"per_day": 5}, "per_day"),
        (ChannelLimitsSection, {"per_day": -1}, "per_day"),
        (ChannelLimitsSection, {"spacing_s": -1}, "spacing_s"),
        (ChannelLimitsSection, {"spacing_s": float("inf")}, "spacing_s"),
        (RecipientLimitsSection, {"count": 4}, "reserved"),
        (RecipientLimitsSection, {"count": 5, "reserved": {"critical": 9}}, "reserved"),
        (RecipientLimitsSection, {"seconds": 0}, "seconds"),
        (SeverityLimitsSection, {"warning": {"count": 0}}, "warning.count"),
    ],
)
def test_a_mistake_is_told_at_its_place(section: type[Section], given: dict[str, object], place: str) -> None:
    """None of them is found out only when a message is sent."""
    with pytest.raises(ValidationError) as caught:
        section.model_validate(given)
    places = [".".join(map(str, error["loc"])) for error in caught.value.errors()]
    assert places == [place]


def test_values_of_the_wrong_type_are_the_types_mistake() -> None:
    """A reserve that is no number is not counted, only told."""
    with pytest.raises(ValidationError) as caught:
        ChannelLimitsSection.model_validate({"per_minute": "many", "reserved": {"critical": "all"}})
    assert len(caught.value.errors()) == 2


def test_which_buckets_a_message_is_held_to() -> None:
    """Channel, address, recipient and severity; replies are counted apart."""
    limits, severities = RecipientLimitsSection(), SeverityLimitsSection()
    assert list(channel_buckets("wa", "62812", ChannelLimitsSection())) == ["channel:wa"]
    assert list(channel_buckets("meta", "62812", OfficialLimitsSection())) == [
        "channel:meta",
        "address:meta:62812",
    ]
    assert list(recipient_buckets("noc", Severity.INFO, Room.NORMAL, limits, severities)) == [
        "recipient:noc",
        "severity:info:noc",
    ]
    assert list(recipient_buckets("noc", Severity.CRITICAL, Room.CRITICAL, limits, severities)) == [
        "recipient:noc"
    ]
    assert list(recipient_buckets("noc", Severity.NONE, Room.REPLY, limits, severities)) == ["replies:noc"]
    assert ReservedSection(critical=2).rooms == {Room.CRITICAL: 2, Room.REPLY: 0}
