"""Every provider, by its prefix."""

from __future__ import annotations

from collections.abc import Mapping

from .base import Provider, SettingsError
from .cloud import Cloud
from .sink import Sink, Sms
from .waha import Waha

PROVIDERS: Mapping[str, type[Provider]] = {kind.name: kind for kind in (Cloud, Waha, Sink, Sms)}

__all__ = ["PROVIDERS", "Cloud", "Provider", "SettingsError", "Sink", "Sms", "Waha"]
