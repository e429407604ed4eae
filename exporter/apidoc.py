"""Writes `docs/reference/api.md` from the table of operations and the models, or checks that it is up to date."""

import sys
from collections.abc import Iterator
from pathlib import Path

from exporter.judgement import RULES
from exporter.serve import openapi
from runtime.docs.apipage import models, operations
from runtime.docs.generated import run, table

DOC = Path("docs/reference/api.md")

_INTRO = f"""\
# HTTP API

Everything that can be asked of the exporter, generated from the table that also gives the routes. For programs the
same is served as OpenAPI 3.1 at `{openapi.PATH}`, and for people at `/api`.

Durations are seconds (`_s`), ratios 0 to 1, times RFC 3339 in UTC; what is not known is null. Errors under `/api/` are
problem documents (`application/problem+json`, RFC 9457); where a value was not among those that exist, `known` names
them. Who may ask is settled in the configuration's `web` section. Calls marked *token* act on a router and always need
`Authorization: Bearer ...` with a token of `web.bearer`, on the loopback address too:

```sh
curl -X POST -H "Authorization: Bearer $TOKEN" http://127.0.0.1:9436/api/v1/routers/core/test
```
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_INTRO, *operations(openapi.DOCUMENT), *_health(), *models(openapi.DOCUMENT)])


def _health() -> Iterator[str]:
    yield "## Why a router is not healthy\n"
    yield "A router's health is the worst that any of these says; with none it is `healthy`.\n"
    yield table(
        ("reason", "health", "when"),
        ((f"`{rule.code}`", rule.health.value, rule.meaning) for rule in RULES),
    )


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if up to date (or now written), 1 if `--check` finds that something is not."""
    return run("exporter.apidoc", {DOC: page}, arguments)


if __name__ == "__main__":
    sys.exit(main())
