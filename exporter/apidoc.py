"""Writes `docs/reference/api.md` from the table of operations and the models, or checks that it is up to date."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from exporter.judgement import RULES
from exporter.serve import openapi
from exporter.serve.operation import Answer, Operation

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
    return "\n".join([_INTRO, *_operations(), *_health(), *_models()])


def _operations() -> Iterator[str]:
    tags = dict.fromkeys(operation.tag for operation in openapi.OPERATIONS)
    for tag in tags:
        yield f"## {tag.capitalize()}\n"
        for operation in openapi.OPERATIONS:
            if operation.tag == tag:
                yield from _operation(operation)


def _operation(operation: Operation) -> Iterator[str]:
    token = " (*token*)" if operation.bearer else ""
    yield f"### `{operation.method} {operation.path}`{token}\n"
    yield f"{operation.summary}.{' ' if operation.text else ''}{operation.text}\n"
    if operation.parameters:
        yield _table(
            ("parameter", "in", "needed", "meaning"),
            (
                (f"`{p.name}`", str(p.where), "yes" if p.required else "no", p.text)
                for p in operation.parameters
            ),
        )
    yield _table(
        ("status", "body", "meaning"),
        ((str(answer.status), _body(answer), answer.text) for answer in operation.answers),
    )


def _body(answer: Answer) -> str:
    return _model_link(answer.model.__name__) if answer.model else ", ".join(answer.media)


def _health() -> Iterator[str]:
    yield "## Why a router is not healthy\n"
    yield "A router's health is the worst that any of these says; with none it is `healthy`.\n"
    yield _table(
        ("reason", "health", "when"),
        ((f"`{rule.code}`", rule.health.value, rule.meaning) for rule in RULES),
    )


def _models() -> Iterator[str]:
    yield "## Bodies\n"
    for name, schema in sorted(openapi.schemas().items()):
        yield f"### {name}\n"
        yield f"{' '.join(schema.get('description', '').split())}\n"
        if "enum" in schema:
            yield ", ".join(f"`{word}`" for word in schema["enum"]) + "\n"
            continue
        rows = (
            (f"`{field}`", _type(about), " ".join(about.get("description", "").split()))
            for field, about in schema["properties"].items()
        )
        yield _table(("field", "type", "meaning"), rows)


def _type(schema: object) -> str:
    """A schema in a word or two."""
    match schema:
        case {"$ref": str(reference)}:
            return _model_link(reference.rpartition("/")[2])
        case {"anyOf": [*choices]}:
            return " or ".join(_type(choice) for choice in choices)
        case {"type": "array", "items": dict(items)}:
            return f"list of {_type(items)}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"map to {_type(values)}"
        case {"type": "string", "format": str(form)}:
            return form
        case {"type": str(word)}:
            return word
    return "anything"


def _model_link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if the page is (now) up to date, 1 if `--check` finds it is not."""
    parser = argparse.ArgumentParser(prog="python -m exporter.apidoc", description=__doc__)
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument("--write", action="store_true", help=f"write {DOC}")
    choice.add_argument("--check", action="store_true", help=f"fail unless {DOC} is up to date")
    given = parser.parse_args(arguments)
    text = page()
    if given.write:
        DOC.parent.mkdir(parents=True, exist_ok=True)
        DOC.write_text(text, encoding="utf-8")
        return 0
    if DOC.exists() and DOC.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{DOC} is not what the tables give; run: make docs\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
