"""Parameters of actions and texts of one's own: templates over the labels of an alert, in the sandbox.

A label comes from whoever names routers, sessions and customers. So what is rendered must not be empty, is one line
of moderate length, and never becomes anything but a value: it is not parsed again.
"""

from collections.abc import Mapping
from functools import cache

from jinja2 import Template

from alertbridge.deliver.render.sandbox import FAILURES, Sandbox

Parameter = bool | int | float | str | list[bool | int | float | str] | None
VALUE_LIMIT = 500
OWN_TEXT_NAMES = frozenset(
    {"labels", "rule", "alert", "action", "target", "tries", "duration", "reason", "detail", "run", "number"}
)


class Unrendered(Exception):
    """A parameter cannot be made of this alert; the message is part of a sentence."""


@cache
def _box() -> Sandbox:
    return Sandbox({}, lambda text: text)


@cache
def _compiled(source: str) -> Template:
    return _box().compiled(source, "parameter")


def is_template(value: object) -> bool:
    """Whether labels take part in it."""
    if isinstance(value, list | tuple):
        return any(map(is_template, value))
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def template_complaint(source: str) -> str:
    """What is wrong with a template whatever the labels; empty when nothing is."""
    try:
        _compiled(source)
    except FAILURES as error:
        return f"is no template: {error}"
    return ""


def text_complaint(source: str) -> str:
    """What is wrong with a text of one's own: its syntax, or a name that is not there."""
    if complaint := template_complaint(source):
        return complaint
    try:
        rendered_text(source, dict.fromkeys(OWN_TEXT_NAMES, "x") | {"labels": _Anything()})
    except Unrendered as error:
        return f"{error}; there are {', '.join(sorted(OWN_TEXT_NAMES))}"
    return ""


def rendered(source: str, labels: Mapping[str, str]) -> str:
    """`source` with the labels of an alert. Raises Unrendered when one is missing or the value is not usable."""
    if not is_template(source):
        return source
    try:
        text = _box().rendered(_compiled(source), {"labels": dict(labels)}).strip()
    except FAILURES as error:
        raise Unrendered(f"{source} cannot be made of this alert: {error}") from error
    if not text:
        raise Unrendered(f"{source} is empty for this alert")
    if len(text) > VALUE_LIMIT or not text.isprintable():
        raise Unrendered(f"{source} becomes a text that is too long or not printable")
    return text


def rendered_all(parameters: Mapping[str, Parameter], labels: Mapping[str, str]) -> dict[str, object]:
    """Every parameter with the labels of an alert. Raises Unrendered."""

    def value(given: object) -> object:
        if isinstance(given, list | tuple):
            return [value(one) for one in given]
        return rendered(given, labels) if isinstance(given, str) else given

    return {name: value(given) for name, given in parameters.items() if given is not None}


def rendered_text(source: str, context: Mapping[str, object]) -> str:
    """A text of one's own. Raises Unrendered."""
    try:
        return _box().rendered(_compiled(source), context)
    except FAILURES as error:
        raise Unrendered(str(error)) from error


def rendered_expression(source: str, labels: Mapping[str, str]) -> str:
    """A PromQL expression with labels in it, as the inside of its quoted strings. Raises Unrendered."""
    if not is_template(source):
        return source
    return rendered(source, {name: _quotable(value) for name, value in labels.items() if "`" not in value})


def _quotable(value: str) -> str:
    """`value` as it stands between the quotes of PromQL."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'").replace("\n", "\\n")


class _Anything(dict[str, str]):
    """Labels that are all there."""

    def __missing__(self, name: str) -> str:
        return "x"


def stand_in(value: object) -> object:
    """Something in the place of a template, to check what stands beside it."""
    if isinstance(value, list | tuple):
        return [stand_in(one) for one in value]
    return "x" if is_template(value) else value
