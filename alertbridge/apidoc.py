"""Writes `docs/reference/bridge-api.md` from the tables of operations and the models, or checks it."""

import sys
from pathlib import Path

from alertbridge.serve import openapi
from runtime.docs.apipage import models, operations
from runtime.docs.generated import run

DOC = Path("docs/reference/bridge-api.md")

_INTRO = f"""\
# HTTP API of the alert bridge

Everything that can be asked of the bridge, generated from the tables that also give the routes. For programs the same
is served as OpenAPI 3.1 at `{openapi.PATH}`.

Durations are seconds (`_s`), times RFC 3339 in UTC; what is not known is null. Errors under `/api/` are problem
documents (`application/problem+json`, RFC 9457). Who may ask is settled in the configuration's `web` section. Calls
marked *login* change something: they always want a user of `web.basic_auth` or a token of `web.bearer`, a reason, and
JSON; who did it and why is kept. They are refused to pages of other sites.

```sh
curl -u budi -H "Content-Type: application/json" -d '{{"reason": "gateway is back"}}' \\
  http://127.0.0.1:9437/api/v1/dead-letters/ID/retry
```
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_INTRO, *operations(openapi.DOCUMENT), *models(openapi.DOCUMENT)])


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if up to date (or now written), 1 if `--check` finds that something is not."""
    return run("alertbridge.apidoc", {DOC: page}, arguments)


if __name__ == "__main__":
    sys.exit(main())
