"""The OpenAPI document of a service: generated from its models and from the table that also gives the routes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema

from runtime.serving.operation import JSON, Answer, Operation, Parameter

_REFERENCE = "#/components/schemas/{model}"

Json = dict[str, Any]  # what a JSON document holds is not known to the type checker


@dataclass(frozen=True)
class OpenApi:
    """One service's description. `tags` are pairs of a name and a sentence, in the order in which they are shown."""

    title: str
    about: str
    tags: Sequence[tuple[str, str]]
    operations: Sequence[Operation]

    @cached_property
    def text(self) -> str:
        """The document as JSON text."""
        return json.dumps(self.document(), indent=2, ensure_ascii=False) + "\n"

    def document(self) -> Json:
        """The OpenAPI document."""
        paths: Json = {}
        for operation in self.operations:
            paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
        return {
            "openapi": "3.1.0",
            "info": {
                "title": self.title,
                "version": version("tikwatch"),
                "description": self.about,
                "license": {"name": "GPL-2.0-or-later", "identifier": "GPL-2.0-or-later"},
            },
            "servers": [{"url": "/"}],
            "tags": [{"name": name, "description": text} for name, text in self.tags],
            "paths": paths,
            "components": {
                "schemas": self.schemas,
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer", "description": "A token of `web.bearer`."},
                    "basic": {
                        "type": "http",
                        "scheme": "basic",
                        "description": "A user of `web.basic_auth`.",
                    },
                },
            },
            "security": [{}, {"bearer": []}, {"basic": []}],
        }

    @cached_property
    def schemas(self) -> Mapping[str, Json]:
        """JSON schemas of every model that a request or an answer can hold, by name."""
        answers = [answer for operation in self.operations for answer in operation.answers]
        told = dict.fromkeys(answer.model for answer in answers if answer.model is not None)
        given = dict.fromkeys(operation.body for operation in self.operations if operation.body is not None)
        _, found = models_json_schema(
            [
                *((model, "serialization") for model in told),
                *((model, "validation") for model in given),
            ],
            ref_template=_REFERENCE,
        )
        definitions: Mapping[str, Json] = found.get("$defs", {})
        return definitions


def _operation(operation: Operation) -> Json:
    found: Json = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": {str(answer.status): _answer(answer) for answer in operation.answers},
    }
    if operation.text:
        found["description"] = operation.text
    if operation.parameters:
        found["parameters"] = [_parameter(parameter) for parameter in operation.parameters]
    if operation.body is not None:
        schema = {"$ref": _REFERENCE.format(model=operation.body.__name__)}
        found["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    if operation.bearer:
        found["security"] = [{"bearer": []}]
    elif operation.login:
        found["security"] = [{"bearer": []}, {"basic": []}]
    return found


def _parameter(parameter: Parameter) -> Json:
    schema: Json = {"type": parameter.type, **parameter.limits}
    if parameter.many:
        schema = {"type": "array", "items": schema}
    return {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.text,
        "required": parameter.required,
        "schema": schema,
    }


def _answer(answer: Answer) -> Json:
    schema: Json = {"type": "string"}
    if answer.model is not None:
        schema = {"$ref": _REFERENCE.format(model=answer.model.__name__)}
    elif answer.media == (JSON,):
        schema = {}
    return {
        "description": answer.text,
        "content": {media: {"schema": schema} for media in answer.media},
    }
