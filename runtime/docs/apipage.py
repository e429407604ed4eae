"""The reference of an HTTP API, from the table of its operations and its models."""

from collections.abc import Iterator

from runtime.docs.generated import table
from runtime.serving.openapi import OpenApi
from runtime.serving.operation import Answer, Operation


def operations(api: OpenApi) -> Iterator[str]:
    """A heading for each operation, by tag."""
    tags = dict.fromkeys(operation.tag for operation in api.operations)
    for tag in tags:
        yield f"## {tag.capitalize()}\n"
        for operation in api.operations:
            if operation.tag == tag:
                yield from _operation(operation)


def _operation(operation: Operation) -> Iterator[str]:
    token = " (*token*)" if operation.bearer else " (*login*)" if operation.login else ""
    yield f"### `{operation.method} {operation.path}`{token}\n"
    yield f"{operation.summary}.{' ' if operation.text else ''}{operation.text}\n"
    if operation.parameters:
        yield table(
            ("parameter", "in", "needed", "meaning"),
            (
                (f"`{p.name}`", str(p.where), "yes" if p.required else "no", p.text)
                for p in operation.parameters
            ),
        )
    if operation.body is not None:
        yield f"Takes a {_model_link(operation.body.__name__)} as JSON.\n"
    yield table(
        ("status", "body", "meaning"),
        ((str(answer.status), _body(answer), answer.text) for answer in operation.answers),
    )


def _body(answer: Answer) -> str:
    return _model_link(answer.model.__name__) if answer.model else ", ".join(answer.media)


def models(api: OpenApi) -> Iterator[str]:
    """A table for each model."""
    yield "## Bodies\n"
    for name, schema in sorted(api.schemas.items()):
        yield f"### {name}\n"
        yield f"{' '.join(schema.get('description', '').split())}\n"
        if "enum" in schema:
            yield ", ".join(f"`{word}`" for word in schema["enum"]) + "\n"
            continue
        rows = (
            (f"`{field}`", _type(about), " ".join(about.get("description", "").split()))
            for field, about in schema["properties"].items()
        )
        yield table(("field", "type", "meaning"), rows)


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
