"""A configuration in the shape of its file, as plain values: defaults filled in, secrets masked."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from runtime.logs import MASK


def plain(value: object) -> Any:
    """`value` as YAML can hold it, without what is not set."""
    match value:
        case SecretStr():
            return MASK
        case Path():
            return str(value)
        case date():
            return value.isoformat()
        case BaseModel():
            return plain(_without_copies(_fields(value)))
        case Mapping():
            return {key: plain(item) for key, item in value.items() if item is not None}
        case list() | tuple():
            return [plain(item) for item in value]
    return value


def _fields(section: BaseModel) -> dict[str, Any]:
    """By the keys that stand in the file."""
    return {field.alias or name: getattr(section, name) for name, field in type(section).model_fields.items()}


def _without_copies(fields: dict[str, Any]) -> dict[str, Any]:
    """`fields` without the secret that was read from the file or variable named beside it."""
    copies = {
        name
        for name in fields
        if any(fields.get(f"{name}{suffix}") is not None for suffix in ("_file", "_env"))
    }
    return {name: value for name, value in fields.items() if name not in copies}
