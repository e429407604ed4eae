"""What a request asks for: its query and its body, checked; what is wrong is told as a problem."""

from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from alertbridge.alerts import Severity
from alertbridge.serve.fate import FILTERS, Fate
from runtime.serving.operation import JSON
from runtime.serving.problems import refusal
from runtime.wording import did_you_mean

Model = TypeVar("Model", bound=BaseModel)
WORDS_LIMIT_CHARS = 200
LIMIT_DEFAULT = 50
LIMIT_MOST = 500


def number(request: web.Request, name: str, *, default: int, least: int = 0, most: int) -> int:
    """A whole number of the query. Raises HTTPBadRequest."""
    text = request.query.get(name, "")
    if not text:
        return default
    if text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most:
        return int(text)
    raise refusal(web.HTTPBadRequest, f"{name} must be a whole number from {least} to {most}")


def severity(request: web.Request) -> Severity | None:
    """The severity that the query names; None when it names none. Raises HTTPBadRequest."""
    text = request.query.get("severity", "")
    known = [one.value for one in Severity]
    if not text:
        return None
    if text not in known:
        raise refusal(
            web.HTTPBadRequest, f'there is no severity "{text[:40]}"{did_you_mean(text, known)}', known=known
        )
    return Severity(text)


def fate(request: web.Request) -> Fate | None:
    """The fate that the query names; None when it names none. Raises HTTPBadRequest."""
    text = request.query.get("fate", "")
    known = [one.value for one in FILTERS]
    if not text:
        return None
    if text not in known:
        raise refusal(
            web.HTTPBadRequest, f'there is no fate "{text[:40]}"{did_you_mean(text, known)}', known=known
        )
    return Fate(text)


def words(request: web.Request) -> str:
    """What is searched for."""
    return request.query.get("q", "")[:WORDS_LIMIT_CHARS].strip()


async def body(request: web.Request, model: type[Model]) -> Model:
    """The request's JSON. Raises HTTPUnsupportedMediaType, HTTPBadRequest with all that is wrong."""
    if request.content_type != JSON:
        raise refusal(web.HTTPUnsupportedMediaType, f"send JSON, with Content-Type: {JSON}")
    try:
        return model.model_validate_json(await request.read())
    except ValidationError as error:
        told = [
            ": ".join(part for part in (".".join(map(str, one["loc"])), one["msg"]) if part)
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise refusal(web.HTTPBadRequest, "; ".join(told)) from error
