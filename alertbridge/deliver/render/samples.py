"""Made-up alerts that templates are tried with before they are used: plain, bare, and hostile."""

from collections.abc import Iterator, Mapping

from alertbridge.alerts import AlertStatus, Severity
from alertbridge.deliver.model import Kind, Subject
from alertbridge.deliver.render.contexts import (
    AwaySummary,
    Context,
    Report,
    ReportSection,
    of_away,
    of_many,
    of_one,
    of_report,
)

_NOW_S = 1_767_250_800.0  # 2026-01-01 14:00 in Jakarta
_ONE_NAMES: Mapping[str, Kind] = {
    kind.value: kind
    for kind in (Kind.FIRING, Kind.RESOLVED, Kind.REPEAT, Kind.FLAPPING, Kind.CALM, Kind.ESCALATION)
}


def _subject(
    number: int, status: AlertStatus, labels: Mapping[str, str], notes: Mapping[str, str]
) -> Subject:
    return Subject(
        episode_id=480 + number,
        fingerprint=f"{number:016x}",
        status=status,
        name=labels.get("alertname", "-"),
        severity=Severity.of(labels),
        labels=labels,
        annotations=notes,
        starts_at_s=_NOW_S - 180,
        ends_at_s=_NOW_S - 20 if status is AlertStatus.RESOLVED else None,
    )


def _subjects(status: AlertStatus) -> tuple[Subject, ...]:
    full = {
        "alertname": "RouterDown",
        "severity": "critical",
        "router": "core-1",
        "site": "pop-1",
        "zone": "a",
    }
    notes = {
        "summary": "Router core-1 does not answer",
        "summary_id": "Router core-1 tidak menjawab",
        "description": "No answer for three minutes.",
        "runbook_url": "https://noc.example.net/runbooks#routerdown",
        "dashboard_url": "https://grafana.example.net/d/router",
    }
    hostile = {"alertname": "*_~`\n\u202e", "severity": "?", "router": "\u05e9" * 400}
    return (
        _subject(1, status, full, notes),
        _subject(2, status, {}, {}),
        _subject(3, status, hostile, {"summary": "{{ 1/0 }}"}),
    )


def sample_contexts(name: str, language: str) -> Iterator[Context]:
    """Contexts for the template `name`; for one that is not built in, those of every kind of notice."""
    firing, resolved = _subjects(AlertStatus.FIRING), _subjects(AlertStatus.RESOLVED)
    many = [*firing, *resolved]
    if name in ("group", "digest"):
        for subjects in (many, firing[:1]):
            yield of_many(subjects, language, _NOW_S, since_s=_NOW_S - 300, truncated=2)
    elif name == "away":
        for still in (firing, ()):
            yield of_away(
                AwaySummary(41, still, _NOW_S - 43_200, unknown=True, told_elsewhere=3), language, _NOW_S
            )
    elif name == "report":
        section = ReportSection("Router", ("core-1: 99,9%", "core-2: 98%"))
        yield of_report(Report("Laporan harian", _NOW_S - 86_400, _NOW_S, (section,)), _NOW_S)
    else:
        kinds = [_ONE_NAMES[name]] if name in _ONE_NAMES else list(_ONE_NAMES.values())
        for kind in kinds:
            for subject in resolved if kind is Kind.RESOLVED else firing:
                yield of_one(subject, kind, language, _NOW_S)
