"""Alerts and notices with everything but the interesting part filled in."""

from collections.abc import Mapping
from datetime import datetime

from alertbridge.alerts import Alert, AlertStatus, Severity
from alertbridge.deliver.limit.limits import Room
from alertbridge.deliver.model import Body, Kind, MessageKind, MessageState, Notice, Subject
from alertbridge.deliver.outbox.rows import Extra, Message

NOW_S = datetime.fromisoformat("2026-02-03T14:32:00+07:00").timestamp()
"""A Tuesday afternoon in Jakarta."""


def moment(text: str) -> float:
    """Unix seconds of an ISO moment; in Jakarta when it names no zone."""
    return datetime.fromisoformat(text if text[-6] in "+-" else f"{text}+07:00").timestamp()


def alert(severity: str = "critical", status: AlertStatus = AlertStatus.FIRING, **labels: str) -> Alert:
    """An alert with these labels."""
    named = {"alertname": "RouterDown", "severity": severity, **labels}
    return Alert("00000000000000aa", status, named, {}, NOW_S - 180)


def notice(
    kind: Kind = Kind.FIRING,
    *,
    number: int = 481,
    name: str = "RouterDown",
    severity: str = "critical",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    began_s: float = 180,
    ended_s: float | None = None,
    acknowledged_by: str = "",
    template: str = "",
) -> Notice:
    """A notice about an alert that began `began_s` seconds before NOW_S and, if so, ended `ended_s` before it."""
    named = {
        "alertname": name,
        "severity": severity,
        **(labels if labels is not None else {"router": "core-1"}),
    }
    subject = Subject(
        episode_id=number,
        fingerprint=f"{number:016x}",
        status=AlertStatus.FIRING if ended_s is None else AlertStatus.RESOLVED,
        name=name,
        severity=Severity.of(named),
        labels=named,
        annotations=annotations or {},
        starts_at_s=NOW_S - began_s,
        ends_at_s=None if ended_s is None else NOW_S - ended_s,
        acknowledged_by=acknowledged_by,
    )
    return Notice(
        id=number,
        kind=kind,
        recipient="noc",
        severity=subject.severity,
        created_at_s=NOW_S,
        deadline_at_s=NOW_S + 45,
        subject=subject,
        template=template,
    )


def plain_notice(text: str) -> Notice:
    """A notice that is not about an alert."""
    return Notice(1, Kind.SYSTEM, "noc", Severity.WARNING, NOW_S, NOW_S, body=Body(text))


def told_message(
    text: str, *, language: str = "en", title: str = "", waited_s: float = 0.0, repeated: bool = False
) -> Message:
    """A message that says `text` and is about to leave."""
    return Message(
        id="0" * 32,
        bundle="0" * 32,
        recipient="noc",
        channel="wa",
        address="62812000000001",
        kind=MessageKind.SINGLE,
        room=Room.CRITICAL,
        severity=Severity.CRITICAL,
        text=text,
        state=MessageState.SENDING,
        created_at_s=NOW_S,
        accepted_at_s=NOW_S,
        deadline_at_s=NOW_S + 45,
        repeated=repeated,
        extra=Extra(language=language, title=title, waited_s=waited_s),
    )
