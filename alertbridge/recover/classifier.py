"""Known symptoms, by the words that bots and libraries write and by the names of alerts: one declarative table.

A symptom that is recognised becomes the label `symptom` of the alert, so that rules can match it:
``labels: 'symptom="sqlite_busy"'``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from alertbridge.alerts import Alert

LABEL = "symptom"
TEXT_LIMIT = 4000
_ANNOTATIONS = ("description", "summary", "error", "log")


@dataclass(frozen=True, slots=True)
class Symptom:
    """`words` are looked for in log lines and annotations, `alerts` are names of alerts that mean the same.

    `rule` names the rule of examples/recovery.yml that is meant for it; empty where only a person can help.
    """

    name: str
    about: str
    words: tuple[str, ...]
    alerts: tuple[str, ...] = ()
    rule: str = ""

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(self.words), re.IGNORECASE)


SYMPTOMS: tuple[Symptom, ...] = (
    Symptom(
        "logged_out",
        "WhatsApp ended the session; only pairing again helps.",
        (r"\bloggedOut\b", r"\blogged[ _]out\b", r"DisconnectReason\D{0,12}401", r"statusCode\W{0,4}401"),
        ("BotLoggedOut",),
    ),
    Symptom(
        "banned",
        "WhatsApp locked or banned the number.",
        (
            r"\bbanned\b",
            r"statusCode\W{0,4}40[236]\b",
            r"reach-?out ?time ?lock",
            r"\bforbidden\b.{0,40}account",
        ),
        ("BotSendingBarred",),
    ),
    Symptom(
        "connection_replaced",
        "A second process uses the same login; find it, since reconnecting makes it worse.",
        (r"connectionReplaced", r"statusCode\W{0,4}440", r"stream:?error.{0,20}conflict"),
    ),
    Symptom(
        "session_closed",
        "The bot's connection to WhatsApp is closed.",
        (r"connectionClosed", r"connectionLost", r"statusCode\W{0,4}(?:428|408|503)\b", r"Connection Closed"),
        ("BotDisconnected",),
        "bot-disconnected",
    ),
    Symptom(
        "bad_session",
        "The session's keys may be broken.",
        (r"badSession", r"\bBad MAC\b", r"statusCode\W{0,4}500\b.{0,40}session"),
        (),
        "bot-restart",
    ),
    Symptom(
        "queue_overflow",
        "The bot takes more than it can send.",
        (r"queue (?:is )?(?:full|overflow)", r"antrean penuh", r"too many (?:pending|queued) messages"),
        ("BotQueueStuck", "BotQueueGrowing"),
        "bot-queue-stuck",
    ),
    Symptom(
        "sqlite_busy",
        "Somebody holds the lock of a SQLite file.",
        (r"SQLITE_BUSY", r"database is locked", r"SQLITE_LOCKED"),
        ("DatabaseLocked",),
        "database-locked",
    ),
    Symptom(
        "sqlite_corrupt",
        "The structure of a SQLite file is broken.",
        (r"SQLITE_CORRUPT", r"SQLITE_NOTADB", r"malformed database", r"disk image is malformed"),
        ("DatabaseCorrupt",),
        "database-corrupt",
    ),
    Symptom(
        "disk_full",
        "No space is left.",
        (r"\bENOSPC\b", r"no space left on device", r"SQLITE_FULL", r"disk (?:is )?full"),
        ("HostDiskLow", "DatabaseDiskLow"),
    ),
    Symptom(
        "router_timeout",
        "A router does not answer in time.",
        (r"router.{0,60}(?:timed? ?out|timeout)", r"RouterOS.{0,60}(?:timed? ?out|timeout)"),
        ("RouterBreakerOpen",),
        "router-pool",
    ),
    Symptom(
        "connection_refused",
        "Nobody listens where something should.",
        (r"\bECONNREFUSED\b", r"connection refused"),
        ("BotDown", "DatabaseDown"),
        "bot-down",
    ),
    Symptom(
        "out_of_memory",
        "A process grew too large.",
        (r"heap out of memory", r"\bENOMEM\b", r"out of memory", r"Cannot allocate memory"),
        ("HostMemoryHigh",),
    ),
)
"""In the order in which they are looked for: what must not be acted upon comes first."""

_COMPILED = tuple((symptom, symptom.pattern) for symptom in SYMPTOMS)
_BY_ALERT: Mapping[str, Symptom] = {name: symptom for symptom in SYMPTOMS for name in symptom.alerts}


def of_text(text: str) -> Symptom | None:
    """The symptom that a log line or a description tells of."""
    head = text[:TEXT_LIMIT]
    return next((symptom for symptom, pattern in _COMPILED if pattern.search(head)), None)


def of_alert(alert: Alert) -> Symptom | None:
    """The symptom of an alert: by its name, else by what its annotations say."""
    found = _BY_ALERT.get(alert.name)
    if found is not None:
        return found
    return _first(alert.annotations.get(name, "") for name in _ANNOTATIONS)


def with_symptom(alert: Alert) -> Alert:
    """`alert` with the label `symptom`, where one is recognised and the alert has none of its own."""
    if LABEL in alert.labels or (found := of_alert(alert)) is None:
        return alert
    return replace(alert, labels={**alert.labels, LABEL: found.name})


def _first(texts: Iterable[str]) -> Symptom | None:
    return next((found for text in texts if text and (found := of_text(text)) is not None), None)
