"""The filters of templates, in a language and for WhatsApp or plain text."""

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from jinja2 import pass_context
from jinja2.runtime import Context

from alertbridge.deliver.render import humanise
from alertbridge.deliver.render.characters import clean
from alertbridge.deliver.render.facts import cut
from alertbridge.deliver.render.sandbox import Filters, Marked, Sandbox
from alertbridge.deliver.render.text import escape


class _Style:
    """How values and emphasis are written: with WhatsApp's marks when `rich`, else bare."""

    def __init__(self, rich: bool) -> None:
        self._rich = rich

    def value(self, text: str) -> str:
        """`text` made harmless; a space at an end stays, since templates join words with such."""
        inner = escape(text) if self._rich else clean(text)
        before, after = " " * text.startswith(" "), " " * text.endswith(" ")
        return f"{before}{inner}{after}" if inner else inner

    def lines(self, text: str, limit: int = 600) -> Marked:
        """A text of several lines, at most `limit` characters."""
        text = cut(text, limit)
        return Marked(escape(text, lines=True) if self._rich else clean(text, lines=True))

    def bold(self, text: object) -> Marked:
        return self._between("*", text)

    def italic(self, text: object) -> Marked:
        return self._between("_", text)

    def mono(self, text: object) -> Marked:
        inner = clean(str(text)).replace("`", "'")
        return Marked(f"`{inner}`" if self._rich and inner else inner)

    def emoji(self, text: str) -> Marked:
        """A symbol and a space; nothing in plain text."""
        return Marked(f"{text} " if self._rich and text else "")

    def link(self, text: str) -> Marked:
        """An address as it is; nothing that could be taken for something else."""
        fits = text.startswith(("http://", "https://")) and text.isascii() and text.isprintable()
        return Marked(text) if fits and " " not in text else Marked(self.value(text))

    def _between(self, mark: str, text: object) -> Marked:
        if isinstance(text, Marked):
            return text
        value = self.value(str(text))
        return Marked(f"{mark}{value}{mark}" if self._rich and value else value)


def sandbox(language: str, zone: ZoneInfo, *, rich: bool) -> Sandbox:
    """Where templates of that language are compiled and rendered. Their context has `now_s`, in Unix seconds."""
    style = _Style(rich)
    filters = {**_plain_filters(style), **_human_filters(language, zone)}
    return Sandbox(filters, style.value)


def _plain_filters(style: _Style) -> Filters:
    return {
        "bold": style.bold,
        "italic": style.italic,
        "mono": style.mono,
        "emoji": style.emoji,
        "lines": style.lines,
        "link": style.link,
        "cut": cut,
        "join": _join,
        "count": len,
        "length": len,
        "first": _first,
        "upper": str.upper,
        "lower": str.lower,
        "trim": str.strip,
        "default": _default,
        "pairs": _pairs,
        "counts": lambda shares: ", ".join(f"{share.count} {share.name}" for share in shares),
        "shares": lambda shares: ", ".join(f"{share.name} {share.count}" for share in shares),
    }


def _human_filters(language: str, zone: ZoneInfo) -> Filters:
    @pass_context
    def time(context: Context, at_s: float) -> str:
        return humanise.time_of(at_s, zone, language, now_s=context["now_s"])

    @pass_context
    def clock(context: Context, at_s: float) -> str:
        return humanise.time_of(at_s, zone, language, now_s=context["now_s"], with_zone=False)

    return {
        "time": time,
        "clock": clock,
        "day": lambda at_s: humanise.day_of(at_s, zone, language),
        "duration": lambda seconds: humanise.duration(seconds, language),
        "number": lambda value: humanise.number(float(value), language),
        "rate": lambda value: humanise.rate(float(value), language),
        "size": lambda value: humanise.size(float(value), language),
        "percent": lambda value: humanise.percent(float(value), language),
    }


def _join(parts: Iterable[object], between: str = "") -> str:
    texts = list(parts)
    if any(not isinstance(text, str | int | float) for text in texts):
        raise TypeError("only texts and numbers can be joined")
    return between.join(map(str, texts))


def _first(parts: Sequence[object]) -> object:
    return parts[0] if parts else ""


def _default(value: object, otherwise: object) -> object:
    return value or otherwise


def _pairs(mapping: dict[str, str]) -> list[tuple[str, str]]:
    """Names and values of labels or annotations, by name."""
    return [(name, mapping[name]) for name in sorted(mapping)]
