"""Every provider, by its prefix."""

from __future__ import annotations

from collections.abc import Mapping

from .base import Provider, SettingsError
from .botlink import BotLink
from .cloud import Cloud
from .evolution import Evolution
from .generic import Generic
from .gowa import Gowa
from .sink import Sink, Sms
from .twilio import Twilio
from .waha import Waha
from .wuzapi import Wuzapi

_KINDS: tuple[type[Provider], ...] = (
    Cloud,
    Waha,
    Evolution,
    Gowa,
    Wuzapi,
    Twilio,
    Generic,
    BotLink,
    Sms,
    Sink,
)
PROVIDERS: Mapping[str, type[Provider]] = {kind.name: kind for kind in _KINDS}

__all__ = ["PROVIDERS", "Cloud", "Provider", "SettingsError"]
