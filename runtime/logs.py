"""Logging: events with key-value pairs on standard error, as logfmt lines or JSON, without secrets.

    redactor = Redactor(secret_values(config))
    configure(config.log, redactor)
    log = structlog.get_logger(__name__)
    log.info("scrape.finished", router="core", duration_s=0.21)

What libraries say through the standard library's logging takes the same way, and so loses its secrets too.
"""

import json
import logging
import re
import sys
import threading
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Literal, TextIO
from urllib.parse import quote

import structlog
from pydantic import Field

from runtime.secrets import names_a_secret
from runtime.sections import Section

MASK = "***"
_SHORTEST_INSIDE = 4
"""A shorter secret is masked only where it is the whole value: inside longer text it would mask half of the log."""

EventDict = MutableMapping[str, Any]


class LogSection(Section):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least severe level that is logged."
    )
    format: Literal["console", "json"] = Field(
        default="console", description="`console`: lines of key=value pairs; `json`: one object per line."
    )


class Redactor:
    """Masks secrets in log events: by the name of the key, and wherever a registered value occurs.

    Values may be registered at any time and from any thread; none is ever forgotten, since an old password may
    still turn up in an error after a reload.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._short: frozenset[str] = frozenset()
        self._long: frozenset[str] = frozenset()
        self._pattern: re.Pattern[str] | None = None
        self.register(secrets)

    def __repr__(self) -> str:
        return f"<Redactor secrets={len(self._short) + len(self._long)}>"

    def register(self, secrets: Iterable[str]) -> None:
        """Masks `secrets` from now on."""
        values = {secret for secret in secrets if secret}
        with self._lock:
            self._short |= {value for value in values if len(value) < _SHORTEST_INSIDE}
            self._long |= {value for value in values if len(value) >= _SHORTEST_INSIDE}
            forms = {form for value in self._long for form in _forms(value)}
            longest_first = sorted(forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def text(self, text: str) -> str:
        """`text` with each registered value masked."""
        if text in self._short:
            return MASK
        return self._pattern.sub(MASK, text) if self._pattern is not None else text

    def __call__(self, logger: object, method: str, event: EventDict) -> EventDict:
        """The structlog processor."""
        return {self.text(str(key)): self._value(key, value) for key, value in event.items()}

    def _value(self, key: object, value: object) -> object:
        if isinstance(key, str) and names_a_secret(key) and value is not None:
            return MASK
        match value:
            case None | bool() | int() | float():
                return value
            case str():
                return self.text(value)
            case Mapping():
                return {self.text(str(k)): self._value(k, v) for k, v in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._value(None, item) for item in value]
        shown = str(value) if isinstance(value, BaseException) else repr(value)
        return self.text(shown)


def _forms(secret: str) -> set[str]:
    """The ways in which text that passes through repr, JSON or a URL spells `secret`."""
    return {
        secret,
        repr(secret)[1:-1],
        repr(secret.encode("utf-8", "surrogatepass"))[2:-1],
        json.dumps(secret)[1:-1],
        quote(secret, safe="", errors="replace"),
    }


def configure(section: LogSection, redactor: Redactor, *, stream: TextIO | None = None) -> None:
    """Sends every log event of the process to `stream` (standard error) as `section` says; may be called again."""
    to_text: list[structlog.typing.Processor] = (
        [structlog.processors.JSONRenderer(ensure_ascii=False)]
        if section.format == "json"
        else [_printable, _logfmt]
    )
    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # so that a second call reaches loggers in use
    )
    handler = _SilentHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _time_first,
                redactor,
                *to_text,
            ],
        )
    )
    root = logging.getLogger()
    for old in [one for one in root.handlers if isinstance(one, _SilentHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(section.level.upper())


class _SilentHandler(logging.StreamHandler[TextIO]):
    """Says only that an event could not be logged; the standard library would print its arguments, unmasked."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  a name of the standard library
        kind = sys.exc_info()[0]
        try:
            self.stream.write(
                f"level=error event=log.failed logger={record.name} error={kind and kind.__name__}\n"
            )
        except (OSError, ValueError):
            return  # a closed pipe: nobody reads


def _time_first(logger: object, method: str, event: EventDict) -> EventDict:
    """The keys that every line has, first and always in this order."""
    first = {key: event.pop(key) for key in ("time", "level", "event", "logger") if key in event}
    return {**first, **event}


def _printable(logger: object, method: str, event: EventDict) -> EventDict:
    """No control characters, which could forge lines or steer a terminal, and no spaces in keys."""
    shown: EventDict = {}
    for key, value in event.items():
        name = re.sub(r"[^\w.\-*]", "_", key)
        keep = name == "exception" or value is None or isinstance(value, bool | int | float)
        shown[name] = value if keep else _escaped(value if isinstance(value, str) else repr(value))
    return shown


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


_pairs = structlog.processors.LogfmtRenderer(bool_as_flag=False)


def _logfmt(logger: Any, method: str, event: EventDict) -> str:
    """One line; below it, indented, the traceback if there is one."""
    trace = event.pop("exception", None)
    line = str(_pairs(logger, method, event))
    if not trace:
        return line
    return "\n  ".join([line, *[_escaped(part) for part in str(trace).split("\n")]])
