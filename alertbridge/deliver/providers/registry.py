"""Every kind of channel: its section of the configuration, and what is made of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import aiohttp
from pydantic import Field

from alertbridge.deliver.providers.apprise.config import AppriseSection
from alertbridge.deliver.providers.apprise.provider import Apprise
from alertbridge.deliver.providers.base import Provider
from alertbridge.deliver.providers.bot.config import BotSection
from alertbridge.deliver.providers.bot.provider import Bot
from alertbridge.deliver.providers.cloud.config import CloudSection
from alertbridge.deliver.providers.cloud.provider import Cloud
from alertbridge.deliver.providers.console.config import ConsoleSection
from alertbridge.deliver.providers.console.provider import Console
from alertbridge.deliver.providers.evolution.config import EvolutionSection
from alertbridge.deliver.providers.evolution.provider import Evolution
from alertbridge.deliver.providers.file.config import FileSection
from alertbridge.deliver.providers.file.provider import JsonLines
from alertbridge.deliver.providers.gowa.config import GowaSection
from alertbridge.deliver.providers.gowa.provider import Gowa
from alertbridge.deliver.providers.section import ChannelBase
from alertbridge.deliver.providers.twilio.config import TwilioSection
from alertbridge.deliver.providers.twilio.provider import Twilio
from alertbridge.deliver.providers.waha.config import WahaSection
from alertbridge.deliver.providers.waha.provider import Waha
from alertbridge.deliver.providers.wuzapi.config import WuzapiSection
from alertbridge.deliver.providers.wuzapi.provider import Wuzapi
from runtime.clock import Clock

ChannelSection = Annotated[
    AppriseSection
    | BotSection
    | CloudSection
    | ConsoleSection
    | EvolutionSection
    | FileSection
    | GowaSection
    | TwilioSection
    | WahaSection
    | WuzapiSection,
    Field(discriminator="kind"),
]
"""One of `channels:`, whichever its `kind` says."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of channel."""

    section: type[ChannelBase]
    make: Callable[[Any, aiohttp.ClientSession, Clock], Provider]


KINDS: Mapping[str, Kind] = {
    "apprise": Kind(AppriseSection, lambda section, session, clock: Apprise(section)),
    "bot": Kind(BotSection, Bot),
    "cloud": Kind(CloudSection, Cloud),
    "console": Kind(ConsoleSection, lambda section, session, clock: Console(section)),
    "evolution": Kind(EvolutionSection, Evolution),
    "file": Kind(FileSection, lambda section, session, clock: JsonLines(section, clock)),
    "gowa": Kind(GowaSection, Gowa),
    "twilio": Kind(TwilioSection, Twilio),
    "waha": Kind(WahaSection, Waha),
    "wuzapi": Kind(WuzapiSection, Wuzapi),
}


def make_provider(section: ChannelBase, session: aiohttp.ClientSession, clock: Clock) -> Provider:
    """The provider of a channel. `session` stays the caller's, who closes it after the providers."""
    return KINDS[str(getattr(section, "kind", ""))].make(section, session, clock)
