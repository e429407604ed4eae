"""A declarative route: one row gives the routing, the OpenAPI document and the reference page."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web
from pydantic import BaseModel

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

JSON = "application/json"
PROBLEM = "application/problem+json"
TEXT = "text/plain"
HTML = "text/html"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a route; `many` may be given more than once. `limits` are keywords of JSON schema."""

    name: str
    where: Literal["path", "query", "header"]
    text: str
    type: Literal["string", "number"] = "string"
    required: bool = False
    many: bool = False
    limits: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """One status that a route answers with. Without `model` the body is text of the media type."""

    status: int
    text: str
    model: type[BaseModel] | None = None
    media: tuple[str, ...] = (JSON,)


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path. Without `handler` the route is made elsewhere, and only described here."""

    method: Literal["GET", "POST", "PUT"]
    path: str
    id: str
    tag: str
    summary: str
    answers: tuple[Answer, ...]
    handler: Handler | None = None
    text: str = ""
    parameters: tuple[Parameter, ...] = ()
    body: type[BaseModel] | None = None
    """What the request's JSON is."""
    bearer: bool = False
    """Always asks for a bearer token, also where nothing else asks who it is."""
    login: bool = False
    """Always asks who it is: for a bearer token, or a user with a password."""


def route_table(operations: Iterable[Operation]) -> list[web.RouteDef]:
    """The routes of the operations that have a handler."""
    return [
        web.get(operation.path, operation.handler, allow_head=True)
        if operation.method == "GET"
        else web.route(operation.method, operation.path, operation.handler)
        for operation in operations
        if operation.handler is not None
    ]
