"""Templates -> pages. Nothing on a page comes from elsewhere: style and script stand in it, allowed by their hash."""

import re
from importlib.metadata import version
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from alertbridge.deliver.render.characters import clean
from runtime.serving.pagepolicy import headers

_STATIC = files("alertbridge.serve") / "static"


def _static(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")


STYLE = _static("page.css")
SCRIPT = _static("refresh.js")
HEADERS = {**headers(styles=[STYLE], scripts=[SCRIPT]), "Referrer-Policy": "same-origin"}
"""What every page is sent with. Without any referrer a browser would not say where our own forms come from."""


_BOLD = re.compile(r"(?<![\w*])\*(?=\S)([^*\n]{1,500}?)(?<=\S)\*(?![\w*])")


def _whatsapp(text: str) -> Markup:
    """A message as its reader sees it: bold is bold, and what does not show or turns others around is left out."""
    pieces = _BOLD.split(clean(text, lines=True))
    marked = [Markup("<b>{}</b>").format(one) if odd % 2 else escape(one) for odd, one in enumerate(pieces)]
    return Markup("").join(marked)


def _first_line(text: str) -> str:
    return next((line for line in text.split("\n") if line.strip()), "")


def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("alertbridge.serve"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    found.filters.update(clean=clean, first_line=_first_line, whatsapp=_whatsapp)
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
    return page("error.html", status=status, title=title, detail=detail, lang="en")
