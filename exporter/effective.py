"""The configuration as it is in force: presets and defaults filled in, secrets masked."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from exporter.config import CollectorDefaults, Config, RouterSection
from runtime.logs import MASK

_SUBSCRIBER_KEYS = ("mode", "limit", "top")


def effective(config: Config, known: Mapping[str, CollectorDefaults]) -> dict[str, Any]:
    """`config` in the shape of its file, as plain values; what is not set and has no default is left out."""
    shown: dict[str, Any] = _plain(config)
    for key, section, settings in (
        ("pool", config.pool, config.pool_settings()),
        ("breaker", config.breaker, config.breaker_settings()),
        ("retry", config.retry, config.retry_settings()),
    ):
        settled = asdict(settings)
        values = {name: settled[name] for name in type(section).model_fields if name in settled}
        shown[key] = shown[key] | _plain(values)
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
    shown = {**_plain(router), "port": config.target(router).effective_port}
    return {key: value for key, value in shown.items() if value != {}}


def _plain(value: object) -> Any:
    """`value` as YAML can hold it, without what is not set."""
    match value:
        case SecretStr():
            return MASK
        case Path():
            return str(value)
        case BaseModel():
            return _plain(_without_copies({name: getattr(value, name) for name in type(value).model_fields}))
        case Mapping():
            return {key: _plain(item) for key, item in value.items() if item is not None}
        case list() | tuple():
            return [_plain(item) for item in value]
    return value


def _without_copies(fields: dict[str, Any]) -> dict[str, Any]:
    """`fields` without the secret that was read from the file or variable named beside it."""
    copies = {
        name
        for name in fields
        if any(fields.get(f"{name}{suffix}") is not None for suffix in ("_file", "_env"))
    }
    return {name: value for name, value in fields.items() if name not in copies}
