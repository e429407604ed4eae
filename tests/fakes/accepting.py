"""What stands around the intake in tests: routes that name fixed recipients, a tally, a listener, payloads."""

import json
from collections import Counter
from collections.abc import Iterable, Set
from datetime import UTC, datetime

from alertbridge.accept.ports import Change
from alertbridge.alerts import Alert, AlertStatus, Group
from alertbridge.deliver.model import Kind
from alertbridge.deliver.route.routing import Decision, Target

Values = dict[str, object]


class FixedRoutes:
    """Tells whoever is named in `recipients` at the moment; those who went away are not followed."""

    def __init__(self, *recipients: str) -> None:
        self.recipients = list(recipients)
        self.gone: set[str] = set()
        self.suppressed = "muted"
        self.not_before_s: float | None = None
        self.fault: Exception | None = None
        self.faulty: str | None = None  # the fingerprint that the fault is raised for; None: every one
        self.asked: list[Kind] = []

    def decide(self, alert: Alert, kind: Kind, now_s: float, *, receiver: str = "") -> Decision:
        return self._decision(alert, kind, self.recipients)

    def follow(
        self, alert: Alert, recipients: Iterable[str], kind: Kind, now_s: float, *, receiver: str = ""
    ) -> Decision:
        return self._decision(alert, kind, [name for name in recipients if name not in self.gone])

    def _decision(self, alert: Alert, kind: Kind, recipients: Iterable[str]) -> Decision:
        self.asked.append(kind)
        if self.fault is not None and self.faulty in (None, alert.fingerprint):
            raise self.fault
        targets = tuple(Target(name, "en", "", self.not_before_s) for name in recipients)
        return Decision(targets, (), "" if targets else self.suppressed)


class Tally:
    """Counts as the bridge's metrics do."""

    def __init__(self) -> None:
        self.codes: Counter[int] = Counter()
        self.received: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self.deduplicated: Counter[str] = Counter()
        self.cut = 0
        self.latencies_s: list[float] = []
        self.durations_s: list[float] = []
        self.made: Counter[str] = Counter()
        self.suppressed: Counter[str] = Counter()
        self.watchdog_at_s: float | None = None

    def webhook_answered(self, code: int, duration_s: float) -> None:
        self.codes[code] += 1
        self.durations_s.append(duration_s)

    def alerts_received(self, status: AlertStatus, count: int) -> None:
        self.received[status.value] += count

    def alerts_rejected(self, reason: str, count: int) -> None:
        self.rejected[reason] += count

    def alerts_deduplicated(self, reason: str, count: int) -> None:
        self.deduplicated[reason] += count

    def values_cut(self, count: int) -> None:
        self.cut += count

    def alert_accepted(self, latency_s: float) -> None:
        self.latencies_s.append(latency_s)

    def notices_made(self, kind: Kind, count: int) -> None:
        self.made[kind.value] += count

    def notices_suppressed(self, reason: str, count: int) -> None:
        self.suppressed[reason] += count

    def watchdog_arrived(self, at_s: float) -> None:
        self.watchdog_at_s = at_s


class Ear:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.woken: list[Set[str]] = []
        self.changes: list[Change] = []
        self.watchdogs: list[Alert] = []

    def notices_made(self, recipients: Set[str]) -> None:
        self.woken.append(recipients)

    def episode_changed(self, change: Change) -> None:
        self.changes.append(change)

    def watchdog_arrived(self, alert: Alert, at_s: float) -> None:
        self.watchdogs.append(alert)


def firing(fingerprint: str, starts_at_s: float, **labels: str) -> Alert:
    """A firing alert."""
    named = {"alertname": "Down", "severity": "critical", "instance": fingerprint} | labels
    return Alert(fingerprint, AlertStatus.FIRING, named, {"summary": "it is down"}, starts_at_s)


def resolved(fingerprint: str, starts_at_s: float, ends_at_s: float, **labels: str) -> Alert:
    """A resolved alert."""
    named = {"alertname": "Down", "severity": "critical", "instance": fingerprint} | labels
    return Alert(fingerprint, AlertStatus.RESOLVED, named, {"summary": "it was down"}, starts_at_s, ends_at_s)


def group(*alerts: Alert, reason: str = "", external_url: str = "http://am-1:9093") -> Group:
    """A notification of these alerts."""
    return Group('{}:{alertname="Down"}', "bridge", external_url, alerts, reason=reason)


def moment(seconds: float) -> str:
    """A time as Go writes it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def alert_values(fingerprint: str = "8a07086b74f3ba78", **changed: object) -> Values:
    """An alert of a webhook's body, as Alertmanager 0.25 sends it."""
    values: Values = {
        "status": "firing",
        "labels": {"alertname": "Down", "severity": "critical", "instance": fingerprint},
        "annotations": {"summary": "it is down"},
        "startsAt": moment(1_700_000_000.0),
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.net:9090/graph?g0.expr=up",
        "fingerprint": fingerprint,
    }
    return values | changed


def body_of(*alerts: object, **changed: object) -> bytes:
    """A webhook's body, as Alertmanager 0.25 sends it."""
    values: Values = {
        "receiver": "bridge",
        "status": "firing",
        "alerts": list(alerts),
        "groupLabels": {"alertname": "Down"},
        "commonLabels": {"alertname": "Down"},
        "commonAnnotations": {},
        "externalURL": "http://am-1.example.net:9093",
        "version": "4",
        "groupKey": '{}:{alertname="Down"}',
        "truncatedAlerts": 0,
    }
    return json.dumps(values | changed).encode()
