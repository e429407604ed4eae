"""Templates -> pages. Nothing on a page comes from elsewhere: style and script stand in it, allowed by their hash."""

from importlib.metadata import version
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from exporter.serve.wording import ago, clock_time, duration, span
from runtime.serving.pagepolicy import headers

_STATIC = files("exporter.serve") / "static"


def static(name: str) -> str:
    """The text of one of our own styles or scripts, as it stands in pages."""
    return (_STATIC / name).read_text(encoding="utf-8")


STYLE = static("page.css")
SCRIPT = static("refresh.js")


HEADERS = headers(styles=[STYLE], scripts=[SCRIPT])
"""What every page but the live one is sent with."""


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


def error_page(status: int, title: str, detail: str) -> str:
    """What a browser gets in place of what it asked for."""
    return page("error.html", status=status, title=title, detail=detail)
