"""A channel of each kind, with secrets that must turn up nowhere."""

from collections.abc import Mapping

import aiohttp
from pydantic import ConfigDict, TypeAdapter

from alertbridge.deliver.providers.base import Provider
from alertbridge.deliver.providers.registry import ChannelSection, make_provider
from alertbridge.deliver.providers.section import ChannelBase
from runtime.clock import Clock

KEY = "planted-key-7f3a"
WEBHOOK = "planted-webhook-secret-91c"
HANDSHAKE = "planted-verify-token-5d2"
SECRETS = (KEY, WEBHOOK, HANDSHAKE)
ACCOUNT = "AC0123456789abcdef0123456789abcdef"
CONTENT = "HX0123456789abcdef0123456789abcdef"

_CHANNELS: TypeAdapter[ChannelBase] = TypeAdapter(
    ChannelSection, config=ConfigDict(hide_input_in_errors=True)
)

SECTIONS: Mapping[str, Mapping[str, object]] = {
    "waha": {"kind": "waha", "api_key": KEY, "webhook": {"secret": WEBHOOK}},
    "evolution": {"kind": "evolution", "api_key": KEY, "instance": "noc", "webhook": {"secret": WEBHOOK}},
    "gowa": {
        "kind": "gowa",
        "username": "noc",
        "password": KEY,
        "device": "org_2",
        "webhook": {"secret": WEBHOOK},
    },
    "wuzapi": {"kind": "wuzapi", "token": KEY, "webhook": {"secret": WEBHOOK}},
    "bot": {"kind": "bot", "token": KEY, "webhook": {"secret": WEBHOOK}},
    "rickicode": {"kind": "bot", "preset": "rickicode", "token": KEY, "webhook": {"secret": WEBHOOK}},
    "cloud": {
        "kind": "cloud",
        "token": KEY,
        "phone_number_id": "106540352242922",
        "template": {"name": "noc_alert", "language": "id"},
        "plain_template": {"name": "noc_plain", "language": "id", "parameters": ["text"]},
        "webhook": {"secret": WEBHOOK},
        "handshake": {"token": HANDSHAKE},
    },
    "twilio": {
        "kind": "twilio",
        "account_sid": ACCOUNT,
        "auth_token": KEY,
        "sender": "+6281200000001",
        "content": {"sid": CONTENT},
        "webhook_url": "https://bridge.example.net/webhooks/twilio",
    },
    "sms": {
        "kind": "twilio",
        "service": "sms",
        "account_sid": ACCOUNT,
        "auth_token": KEY,
        "sender": "+15005550006",
    },
}
"""Without name, url and time-out, which `section_of` adds. Those that speak HTTP."""


def section_of(name: str, url: str, *, timeout_s: float = 5.0, **changes: object) -> ChannelBase:
    """The section of a channel called `name`, at `url`."""
    given = {**SECTIONS[name], "name": name, "url": url, "timeout_s": timeout_s, **changes}
    return _CHANNELS.validate_python(given)


def channel_of(given: Mapping[str, object]) -> ChannelBase:
    """Any section. Raises pydantic's ValidationError."""
    return _CHANNELS.validate_python(dict(given))


def provider_of(
    name: str,
    url: str,
    session: aiohttp.ClientSession,
    clock: Clock,
    *,
    timeout_s: float = 5.0,
    **changes: object,
) -> Provider:
    """The provider of such a channel."""
    return make_provider(section_of(name, url, timeout_s=timeout_s, **changes), session, clock)
