"""The reference of a configuration file, from the JSON schema of its models."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Node = Mapping[str, Any]
Elsewhere = Callable[[str, str], str]
"""Path of a section and key -> how its default is told, when it does not stand in the schema; else empty."""


def sections(schema: Node, elsewhere: Elsewhere = lambda path, name: "") -> str:
    """A heading and a table for the file and each section in it."""
    found = [("", schema), *_sections(schema, schema, "")]
    return "\n".join(_section(path, node, schema, elsewhere) for path, node in found)


def _resolved(node: Node, schema: Node) -> Node:
    """`node` with what it refers to filled in; its own words come first."""
    reference = node.get("$ref")
    if reference is None:
        return node
    return {
        **schema["$defs"][str(reference).rpartition("/")[2]],
        **{k: v for k, v in node.items() if k != "$ref"},
    }


def _inner(node: Node, schema: Node) -> tuple[str, Node] | None:
    """The section inside `node`, in its own words, with what the way to it adds to the path; None without one."""
    if "$ref" in node:
        node = _resolved({"$ref": node["$ref"]}, schema)
    if "properties" in node:
        return "", node
    if isinstance(extra := node.get("additionalProperties"), Mapping) and (found := _inner(extra, schema)):
        return f".NAME{found[0]}", found[1]
    if "items" in node and (found := _inner(node["items"], schema)):
        return f"[]{found[0]}", found[1]
    for choice in node.get("anyOf", ()):
        if found := _inner(choice, schema):
            return found
    return None


def _sections(node: Node, schema: Node, path: str) -> Iterator[tuple[str, Node]]:
    """Every section below `node`, outer ones first, with its path."""
    for name, child in node["properties"].items():
        if (found := _inner(child, schema)) is None:
            continue
        below = f"{path}.{name}{found[0]}".lstrip(".")
        yield below, found[1]
        yield from _sections(found[1], schema, below)


def _section(path: str, node: Node, schema: Node, elsewhere: Elsewhere) -> str:
    title = f"## `{path}`" if path else "## The file"
    return "\n".join([title, "", node["description"], "", keys(node, schema, elsewhere, path)])


def keys(node: Node, schema: Node, elsewhere: Elsewhere = lambda path, name: "", path: str = "") -> str:
    """The table of a section's keys; `schema` is where it refers to."""
    lines = ["| key | type | default | meaning |", "|---|---|---|---|"]
    for name, child in node["properties"].items():
        resolved = _resolved(child, schema)
        cells = (
            f"`{name}`",
            _type(child, schema),
            _default(path, name, child, node.get("required", ()), elsewhere),
            str(child.get("description", resolved.get("description", ""))),
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _type(node: Node, schema: Node) -> str:
    node = _resolved(node, schema)
    if "anyOf" in node:
        return " or ".join(_type(choice, schema) for choice in node["anyOf"])
    if "enum" in node:
        return ", ".join(f"`{word}`" for word in node["enum"])
    kind = node.get("type")
    if kind == "object":
        if isinstance(extra := node.get("additionalProperties"), Mapping):
            return f"a {_type(extra, schema)} per name"
        return "section"
    if kind == "array":
        return f"list of {_type(node['items'], schema)}s"
    if kind == "string":
        return {"password": "secret text", "path": "path"}.get(str(node.get("format", "")), "text")
    if kind == "boolean":
        return "`true`, `false`"
    if kind == "null":
        return "nothing"
    return "whole number" + _bounds(node) if kind == "integer" else "number" + _bounds(node)


def _bounds(node: Node) -> str:
    words = {"exclusiveMinimum": "above", "minimum": "from", "exclusiveMaximum": "below", "maximum": "to"}
    found = [f"{word} {node[key]:,}".removesuffix(".0") for key, word in words.items() if key in node]
    return f" {' '.join(found)}" if found else ""


def _default(path: str, name: str, node: Node, required: object, elsewhere: Elsewhere) -> str:
    """The default in backquotes; for what the schema does not tell, what `elsewhere` does."""
    if isinstance(required, list | tuple) and name in required:
        return "required"
    if "default" in node:
        return f"`{plain(node['default'])}`"
    return elsewhere(path, name)


def plain(value: object) -> str:
    """A default as it would stand in the file."""
    return f"{value:g}" if isinstance(value, float) else json.dumps(value).strip('"')
