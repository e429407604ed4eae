"""Looks at the demo from outside: values and alerts in Prometheus, the phone, and what the bridge counts."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scripts.demo.calls import fetch, get
from scripts.demo.state import State

Json = dict[str, Any]
_SAMPLE = re.compile(r"^(?P<name>\w+)\{(?P<labels>.*)\} (?P<value>\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert of Prometheus that is pending or firing; `active_at_s` is when its expression began to hold."""

    firing: bool
    active_at_s: float
    severity: str


@dataclass(frozen=True, slots=True)
class Watcher:
    """Asks the programs of a running demo. Every method raises calls.Unreachable."""

    state: State

    def has(self, expression: str) -> bool:
        """Whether PromQL gives anything now."""
        answer = get(f"{self.state.urls['prometheus']}/api/v1/query", {"query": expression})
        return bool(answer["data"]["result"])

    def alert(self, name: str, labels: Mapping[str, str]) -> Alert | None:
        """The alert as Prometheus has it; of several severities one that fires."""
        alerts = get(f"{self.state.urls['prometheus']}/api/v1/alerts")["data"]["alerts"]
        wanted = {"alertname": name, **labels}
        found = [
            Alert(one["state"] == "firing", _moment(one["activeAt"]), one["labels"].get("severity", ""))
            for one in alerts
            if wanted.items() <= one["labels"].items()
        ]
        return max(found, key=lambda one: one.firing, default=None)

    def at_alertmanager(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether Alertmanager has the alert."""
        wanted = {"alertname": name, **labels}
        alerts = get(f"{self.state.urls['alertmanager']}/api/v2/alerts")
        return any(wanted.items() <= alert["labels"].items() for alert in alerts)

    def messages(self, *, since: int = 0) -> list[Json]:
        """What was sent to the phone after the message number `since`, oldest first."""
        query = {"since": str(since), "direction": "out"}
        found: list[Json] = get(f"{self.state.urls['phone']}/phone/messages", query)
        return found

    def counts(self, rule: str) -> dict[str, float]:
        """What the bridge counts of a recovery rule: `attempts`, and each outcome of its runs."""
        text = fetch("GET", f"{self.state.urls['bridge']}/metrics", token=self.state.token).decode()
        found: dict[str, float] = {}
        for name, labels, value in samples(text):
            if labels.get("rule") != rule:
                continue
            if name == "alertbridge_recovery_attempts_total":
                found["attempts"] = found.get("attempts", 0.0) + value
            if name == "alertbridge_recovery_runs_total":
                found[labels["outcome"]] = value
        return found


def samples(text: str) -> Iterable[tuple[str, dict[str, str], float]]:
    """Name, labels and value of each line of a metrics page that has labels."""
    for found in _SAMPLE.finditer(text):
        yield found["name"], dict(_LABEL.findall(found["labels"])), float(found["value"])


def _moment(text: str) -> float:
    """Unix seconds of RFC 3339 with up to nine digits behind the point."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text)).timestamp()
