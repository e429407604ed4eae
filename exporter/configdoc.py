"""Writes `docs/reference/configuration.md` and the JSON schema beside it from the models, or checks them."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from exporter.collectors import ALL
from exporter.config import json_schema
from exporter.presets import PRESETS

PAGE = Path("docs/reference/configuration.md")
SCHEMA = Path("docs/reference/config.schema.json")

Node = Mapping[str, Any]

_INTRO = """\
# Configuration

One YAML file, given with `--config`; generated from the models that read it. This is enough:

```yaml
web: {listen: 127.0.0.1:9436}
routers:
  - {name: core, address: 192.168.88.1, username: monitor, password_file: router-password}
```

- `tikwatch-exporter config --config FILE` checks a file and prints it as it is in force.
- For completion and checks in an editor, let it know [config.schema.json](config.schema.json); editors with the YAML
  language server take it from the first line of the file: `# yaml-language-server: $schema=config.schema.json`.
- A file is read anew on SIGHUP and `POST /-/reload`. One with mistakes is refused, all of them are told, and what was
  in force stays.
- Numbers whose key ends in `_s` are seconds. Relative paths start at the folder of the file. A key without a value
  counts as left out. `yes`, `no`, `on` and `off` are text where text is wanted and switches where a switch is.

## Secrets

A password or token stands in the file (`password`), in a file of its own (`password_file`, without its last line
break; nobody else should be able to read it) or in an environment variable (`password_env` names it). Exactly one of
the three is given. No secret is ever logged or shown.
"""

_PRESETS_INTRO = """\
## Presets

`pool.preset` chooses the values that `pool`, `breaker` and `retry` leave out.
"""


def page() -> str:
    """The whole page."""
    schema = json_schema()
    sections = [_section(path, node, schema) for path, node in [("", schema), *_sections(schema, schema, "")]]
    return "\n".join([_INTRO, *sections, _presets()])


def schema_text() -> str:
    """The schema as it is stored, the names of the collectors included."""
    return json.dumps(json_schema([collector.name for collector in ALL]), indent=2, ensure_ascii=False) + "\n"


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


def _section(path: str, node: Node, schema: Node) -> str:
    title = f"## `{path}`" if path else "## The file"
    lines = [title, "", node["description"], "", "| key | type | default | meaning |", "|---|---|---|---|"]
    for name, child in node["properties"].items():
        resolved = _resolved(child, schema)
        cells = (
            f"`{name}`",
            _type(child, schema),
            _default(path, name, child, node.get("required", ())),
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


def _default(path: str, name: str, node: Node, required: object) -> str:
    """The default in backquotes; for what comes from the preset, that of the default one."""
    if isinstance(required, list | tuple) and name in required:
        return "required"
    if "default" in node:
        return f"`{_plain(node['default'])}`"
    values = asdict(PRESETS["default"])
    if path in values and values[path].get(name) is not None:
        return f"`{_plain(values[path][name])}` (preset)"
    return ""


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else json.dumps(value).strip('"')


def _presets() -> str:
    lines = [_PRESETS_INTRO, f"| value | {' | '.join(PRESETS)} |", "|---" * (len(PRESETS) + 1) + "|"]
    shown = json_schema()["$defs"]
    for part, section in (("pool", "PoolValues"), ("breaker", "BreakerSection"), ("retry", "RetrySection")):
        for name in shown[section]["properties"]:
            values = [asdict(preset)[part][name] for preset in PRESETS.values()]
            if values[0] is not None:
                lines.append(f"| `{part}.{name}` | {' | '.join(map(_plain, values))} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if both files are (now) up to date, 1 if `--check` finds that one is not."""
    parser = argparse.ArgumentParser(prog="python -m exporter.configdoc", description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--write", action="store_true", help=f"write {PAGE} and {SCHEMA}")
    choice.add_argument("--check", action="store_true", help="fail unless both are up to date")
    given = parser.parse_args(arguments)
    stale = 0
    for path, text in ((PAGE, page()), (SCHEMA, schema_text())):
        if given.write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"{path} is not what the models give; run: make docs\n")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
