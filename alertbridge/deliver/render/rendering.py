"""Notices -> the text that a person reads, in Indonesian or English, for WhatsApp or as plain text."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

import structlog
from jinja2 import Template

from alertbridge.alerts import AlertStatus
from alertbridge.deliver.model import Kind, Notice
from alertbridge.deliver.render import contexts
from alertbridge.deliver.render.characters import clean, gsm_friendly
from alertbridge.deliver.render.contexts import AwaySummary, Context, Report
from alertbridge.deliver.render.facts import AlertFacts, cut, subjects_of
from alertbridge.deliver.render.sandbox import FAILURES
from alertbridge.deliver.render.styles import sandbox
from alertbridge.deliver.render.text import plain, shorten
from alertbridge.deliver.render.usertemplates import SINGLE_NAMES, Sources, built_in, read_folder, told
from alertbridge.deliver.render.words import LANGUAGES, words

__all__ = ["AwaySummary", "Renderer", "Report"]

DIGEST_CHARS = 1_500
TITLE_CHARS = 120

_EMPTY_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+\n")

log = structlog.get_logger(__name__)


class Renderer:
    """Makes texts. Pure but for a warning in the log when a template of the user's fails.

    Every method takes `language` (id, en), `now_s` (Unix seconds) and `rich`: WhatsApp's marks, or plain text (SMS,
    e-mail). Whether a message is late or may be a repeat is said when it is sent (see deliver.sending).
    A template of the user's that fails is replaced by the built-in one, the text says so, and `on_failure` is
    called with the template's name.
    """

    def __init__(
        self,
        zone: ZoneInfo,
        own: Sources | None = None,
        on_failure: Callable[[str], None] = lambda name: None,
    ) -> None:
        self._own = own or Sources({})
        self._built_in = built_in()
        self._on_failure = on_failure
        self._logged: set[tuple[str, str]] = set()
        self._compiled: dict[tuple[str, bool, str], Template] = {}
        self._boxes = {
            (language, rich): sandbox(language, zone, rich=rich)
            for language in LANGUAGES
            for rich in (True, False)
        }

    @classmethod
    def of(
        cls, timezone: str, templates: Path | None, on_failure: Callable[[str], None] = lambda name: None
    ) -> Self:
        """With the operator's own `templates`. Raises OSError when their folder can be read no more."""
        own = read_folder(templates) if templates is not None else None
        return cls(ZoneInfo(timezone), own, on_failure)

    def alert(
        self,
        notice: Notice,
        *,
        language: str,
        now_s: float,
        rich: bool = True,
    ) -> str:
        """The text of one notice; of one without a subject, its body."""
        if notice.subject is None:
            body = notice.body.text if notice.body else ""
            return body if rich else plain(body)
        kind = notice.kind if notice.kind.value in SINGLE_NAMES else Kind.FIRING
        context = contexts.of_one(notice.subject, kind, language, now_s)
        return self._rendered(kind.value, context, language, rich, notice.template)

    def group(
        self,
        notices: Sequence[Notice],
        *,
        language: str,
        now_s: float,
        rich: bool = True,
        truncated: int = 0,
    ) -> str:
        """Several notices of one Alertmanager group; `truncated` more were left out by Alertmanager."""
        context = contexts.of_many(
            subjects_of(notices), language, now_s, truncated=truncated, shown=contexts.GROUP_SHOWN
        )
        return self._rendered("group", context, language, rich)

    def digest(
        self,
        notices: Sequence[Notice],
        *,
        since_s: float,
        language: str,
        now_s: float,
        rich: bool = True,
        truncated: int = 0,
    ) -> str:
        """What had no room since `since_s` (Unix seconds), folded into at most 1,500 characters, worst first."""
        other = [notice.body.text for notice in notices if notice.subject is None and notice.body is not None]
        context = contexts.of_many(
            subjects_of(notices), language, now_s, since_s=since_s, truncated=truncated, other=other
        )
        return shorten(self._rendered("digest", context, language, rich), DIGEST_CHARS, language)

    def away(
        self,
        summary: AwaySummary,
        *,
        language: str,
        now_s: float,
        rich: bool = True,
    ) -> str:
        """What went on during an outage, as of now."""
        context = contexts.of_away(summary, language, now_s)
        return shorten(self._rendered("away", context, language, rich), DIGEST_CHARS, language)

    def report(self, report: Report, *, language: str, now_s: float, rich: bool = True) -> str:
        """A report, section by section."""
        return self._rendered("report", contexts.of_report(report, now_s), language, rich)

    def title(self, notice: Notice, language: str) -> str:
        """Severity, name and place in one plain line, for subjects of e-mails and fields of templates."""
        if notice.subject is None:
            text = plain(notice.body.text.partition("\n")[0]) if notice.body else ""
            return cut(clean(text), TITLE_CHARS)
        alert = AlertFacts.of(notice.subject, language, notice.created_at_s)
        over = notice.kind is Kind.RESOLVED and notice.subject.status is AlertStatus.RESOLVED
        first = words(language).resolved if over else alert.severity_word
        return cut(clean(" ".join((first, alert.name, *alert.place))), TITLE_CHARS)

    def _rendered(self, name: str, context: Context, language: str, rich: bool, template: str = "") -> str:
        language = language if language in LANGUAGES else LANGUAGES[0]
        failed = ""
        for own in _candidates(name, template):
            source = self._own.get(language, own)
            if source is None:
                continue
            try:
                text = self._filled(f"own {own}", source, context, language, rich)
            except FAILURES as error:
                self._tell(f"{language}/{own}", told(error))
                failed = own
                break
            # whoever wrote it may have written WhatsApp's marks by hand
            return text if rich else plain(text)
        text = self._filled(name, self._built_in.texts[language, name], context, language, rich)
        if failed:
            text = f"{text}\n{words(language).template_failed.format(failed)}"
        return text if rich else gsm_friendly(text)

    def _filled(self, name: str, source: str, context: Context, language: str, rich: bool) -> str:
        box = self._boxes[language, rich]
        template = self._compiled.get((language, rich, name))
        if template is None:
            template = self._compiled[language, rich, name] = box.compiled(source, name)
        text = _EMPTY_LINES.sub("\n\n", box.rendered(template, context)).strip()
        if not text:
            raise ValueError("it writes nothing")
        return text

    def _tell(self, name: str, error: str) -> None:
        self._on_failure(name)
        if (name, error) not in self._logged and len(self._logged) < 1_000:
            self._logged.add((name, error))
            log.warning("template.failed", template=name, error=error)


def _candidates(name: str, template: str) -> Iterator[str]:
    """The names that a user's template may have for that text, the most special first."""
    if template:
        yield f"{template}.{name}"
        yield template
    yield name
