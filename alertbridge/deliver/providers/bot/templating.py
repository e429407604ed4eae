"""Templates of a bot's requests, in Jinja2's sandbox: a value that is missing is a mistake, not an empty text."""

from collections.abc import Mapping
from functools import cache

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

SAMPLE: Mapping[str, object] = {
    "to": "6281200000001",
    "digits": "6281200000001",
    "jid": "6281200000001@s.whatsapp.net",
    "text": "text",
    "id": "0" * 32,
    "quote_id": "",
    "severity": "critical",
    "title": "title",
    "is_group": False,
    "image": "",
}
"""What templates know, and of which type it is."""

_environment = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined,
    autoescape=False,
    keep_trailing_newline=True,
)

RENDER_ERRORS = (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError)
"""What a template can raise when it is rendered."""


@cache
def _compiled(source: str) -> Template:
    return _environment.from_string(source)


def check_template(source: str) -> str:
    """`source`, when it can be rendered. Raises ValueError."""
    try:
        _compiled(source).render(SAMPLE)
    except RENDER_ERRORS as error:
        raise ValueError(f"is not a template that can be filled in: {error}") from None
    return source


def render(source: str, values: Mapping[str, object]) -> str:
    """The text of a template. Raises one of `RENDER_ERRORS`."""
    return _compiled(source).render(values)


def render_json(value: object, values: Mapping[str, object]) -> object:
    """JSON with every text in it rendered. Raises one of `RENDER_ERRORS`."""
    if isinstance(value, str):
        return render(value, values)
    if isinstance(value, dict):
        return {key: render_json(item, values) for key, item in value.items()}
    return [render_json(item, values) for item in value] if isinstance(value, list) else value
