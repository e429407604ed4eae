"""Writes `docs/reference/configuration.md` and the JSON schema beside it from the models, or checks them."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from exporter.collectors import ALL
from exporter.config import json_schema
from exporter.presets import PRESETS
from runtime.docs.configpage import plain, sections
from runtime.docs.generated import run

PAGE = Path("docs/reference/configuration.md")
SCHEMA = Path("docs/reference/config.schema.json")

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
    return "\n".join([_INTRO, sections(json_schema(), _from_preset), _presets()])


def schema_text() -> str:
    """The schema as it is stored, the names of the collectors included."""
    return json.dumps(json_schema([collector.name for collector in ALL]), indent=2, ensure_ascii=False) + "\n"


def _from_preset(path: str, name: str) -> str:
    """The default preset's value, for what comes from it."""
    value = asdict(PRESETS["default"]).get(path, {}).get(name)
    return "" if value is None else f"`{plain(value)}` (preset)"


def _presets() -> str:
    lines = [_PRESETS_INTRO, f"| value | {' | '.join(PRESETS)} |", "|---" * (len(PRESETS) + 1) + "|"]
    shown = json_schema()["$defs"]
    for part, section in (("pool", "PoolValues"), ("breaker", "BreakerSection"), ("retry", "RetrySection")):
        for name in shown[section]["properties"]:
            values = [asdict(preset)[part][name] for preset in PRESETS.values()]
            if values[0] is not None:
                lines.append(f"| `{part}.{name}` | {' | '.join(map(plain, values))} |")
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if up to date (or now written), 1 if `--check` finds that something is not."""
    return run("exporter.configdoc", {PAGE: page, SCHEMA: schema_text}, arguments)


if __name__ == "__main__":
    sys.exit(main())
