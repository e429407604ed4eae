"""Writes `docs/reference/bridge-configuration.md` and the JSON schema beside it from the models, or checks them."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from alertbridge.config import json_schema
from alertbridge.deliver.providers.registry import KINDS
from alertbridge.deliver.providers.section import ChannelBase
from runtime.docs.configpage import Node, sections
from runtime.docs.generated import run
from runtime.editorschema import editor_schema

PAGE = Path("docs/reference/bridge-configuration.md")
SCHEMA = Path("docs/reference/bridge.schema.json")

_INTRO = """\
# Configuration of the alert bridge

One YAML file, given with `--config`; generated from the models that read it. This is enough to try it out:

```yaml
channels: [{name: screen, kind: console}]
recipients: [{name: noc, channel: screen, to: "0812000000001"}]
```

- `tikwatch-alertbridge check --config FILE` checks a file and everything that it names; with `--offline` the file
  alone. `tikwatch-alertbridge config --config FILE` prints it as it is in force.
- For completion and checks in an editor, let it know [bridge.schema.json](bridge.schema.json); editors with the YAML
  language server take it from the first line of the file: `# yaml-language-server: $schema=bridge.schema.json`.
- A file is read anew on SIGHUP and `POST /-/reload`. One with mistakes is refused, all of them are told, and what was
  in force stays.
- Numbers whose key ends in `_s` are seconds. Relative paths start at the folder of the file. A key without a value
  counts as left out. Put phone numbers in quotes.
- Secrets stand in the file (`api_key`), in a file of their own (`api_key_file`) or in an environment variable
  (`api_key_env` names it). None is ever logged or shown.

What the parts are for: [a first bridge](../how-to/bridge-quickstart.md), [providers](../how-to/providers.md),
[routes, quiet hours, rotas and templates](../how-to/routing.md), [dead letters](../how-to/dead-letters.md).
"""
_CHANNELS = """\
## Channels by kind

`channels[]` is one of these, whichever its `kind` says. What every kind has, and is told once:
"""
_SECTION = "\n## `"


def page() -> str:
    """The whole page."""
    schema = json_schema()
    common = _parts(ChannelBase)
    kinds = [_kind(kind, common) for kind in KINDS]
    shared = _joined("every kind", {name: text for name, text in common.items() if name})
    return "\n".join([_INTRO, sections(_without_kinds(schema)), _CHANNELS, shared, *kinds])


def _without_kinds(schema: Node) -> Node:
    """The schema with channels left plain: each kind has a part of the page of its own."""
    channels = {**schema["properties"]["channels"], "items": {"type": "object"}}
    return {**schema, "properties": {**schema["properties"], "channels": channels}}


def _kind(kind: str, common: Mapping[str, str]) -> str:
    """The keys of one kind of channel, with the sections inside it that are not as in every kind."""
    own = _parts(KINDS[kind].section)
    told = {name: text for name, text in own.items() if not name or common.get(name) != text}
    return f"### `{kind}`\n{told.pop('')}\n{_joined(kind, told)}"


def _parts(model: type[ChannelBase]) -> dict[str, str]:
    """The text of each section of a channel by its path, without headings."""
    head, *others = f"\n{sections(editor_schema(model, ''))}".split(_SECTION)
    named = {name: text for name, _, text in (other.partition("`\n") for other in others)}
    return {"": head.partition("## The file\n")[2], **named}


def _joined(kind: str, parts: Mapping[str, str]) -> str:
    return "".join(f"#### `{kind}: {name}`\n{text}\n" for name, text in parts.items())


def schema_text() -> str:
    """The schema as it is stored."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if up to date (or now written), 1 if `--check` finds that something is not."""
    return run("alertbridge.configdoc", {PAGE: page, SCHEMA: schema_text}, arguments)


if __name__ == "__main__":
    sys.exit(main())
