"""A configuration model -> the JSON schema that an editor completes and checks a YAML file with."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def editor_schema(model: type[BaseModel], title: str) -> Schema:
    """The schema of `model` with the noise taken out: generated titles, and null for what may be left out."""
    cleaned = _clean(model.model_json_schema())
    definitions = cleaned.pop("$defs", {})
    return {"$schema": DIALECT, "title": title, **cleaned, "$defs": definitions}


def _clean(node: Any) -> Any:
    if isinstance(node, list):
        return [_clean(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {key: value for key, value in node.items() if not (key == "title" and isinstance(value, str))}
    if kept.get("default", "") in (None, [], {}) or isinstance(kept.get("default"), dict):
        del kept["default"]  # nothing, or what the section's own keys say one by one
    cleaned: Schema = {
        key: _named(value) if key in ("properties", "$defs") else _clean(value) for key, value in kept.items()
    }
    choices = [choice for choice in cleaned.pop("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        only: Schema = choices[0]
        return only | cleaned
    return {"anyOf": choices, **cleaned} if choices else cleaned


def _named(nodes: Mapping[str, Any]) -> Schema:
    """Properties by name; one of them may be called title."""
    return {name: _clean(node) for name, node in nodes.items()}
