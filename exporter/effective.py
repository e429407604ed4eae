"""The configuration as it is in force: presets and defaults filled in, secrets masked."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from exporter.config import CollectorDefaults, Config, RouterSection
from runtime.effective import plain

_SUBSCRIBER_KEYS = ("mode", "limit", "top")


def effective(config: Config, known: Mapping[str, CollectorDefaults]) -> dict[str, Any]:
    """`config` in the shape of its file, as plain values; what is not set and has no default is left out."""
    shown: dict[str, Any] = plain(config)
    for key, section, settings in (
        ("pool", config.pool, config.pool_settings()),
        ("breaker", config.breaker, config.breaker_settings()),
        ("retry", config.retry, config.retry_settings()),
    ):
        settled = asdict(settings)
        values = {name: settled[name] for name in type(section).model_fields if name in settled}
        shown[key] = shown[key] | plain(values)
    shown["modules"] = {name: _module(config, name, known) for name in config.module_names}
    shown["routers"] = [_router(config, router) for router in config.routers]
    return shown


def _module(config: Config, module: str, known: Mapping[str, CollectorDefaults]) -> dict[str, Any]:
    section = config.modules.get(module)
    asked = {"client_names": True} if section is not None and section.client_names else {}
    return {**asked, "collectors": _collectors(config, module, known)}


def _collectors(config: Config, module: str, known: Mapping[str, CollectorDefaults]) -> dict[str, Any]:
    return {
        name: {
            key: value
            for key, value in asdict(settings).items()
            if key != "client_names" and (known[name].modes or key not in _SUBSCRIBER_KEYS)
        }
        for name, settings in config.collectors(module, known).items()
    }


def _router(config: Config, router: RouterSection) -> dict[str, Any]:
    shown = {**plain(router), "port": config.target(router).effective_port}
    return {key: value for key, value in shown.items() if value != {}}
