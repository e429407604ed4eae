"""Templates -> pages. Nothing on a page comes from elsewhere: style and script stand in it, allowed by their hash."""

import base64
import hashlib
from importlib.metadata import version
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from exporter.serve.wording import ago, clock_time, duration, span

_STATIC = files("exporter.serve") / "static"
STYLE = (_STATIC / "page.css").read_text(encoding="utf-8")
SCRIPT = (_STATIC / "refresh.js").read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src {_hash(STYLE)}",
        f"script-src {_hash(SCRIPT)}",
        "img-src data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
"""What every page is sent with."""


def code(text: str) -> Markup:
    """The text with what stands between backticks as code."""
    pieces = [escape(piece) for piece in text.split("`")]
    pieces[1::2] = [Markup("<code>{}</code>").format(piece) for piece in pieces[1::2]]
    return Markup("").join(pieces)


def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("exporter.serve"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.filters.update(ago=ago, clock_time=clock_time, code=code, duration=duration, span=span)
    found.globals.update(
        style=Markup(STYLE),  # noqa: S704  our own file, as the policy's hash knows it
        script=Markup(SCRIPT),  # noqa: S704  likewise
        version=version("tikwatch"),
    )
    return found


_ENVIRONMENT = _environment()


def page(template: str, **values: object) -> str:
    """The template with its values, each escaped."""
    return _ENVIRONMENT.get_template(template).render(values)
