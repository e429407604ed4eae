"""What the bridge's store says of recovery, read beside the running bridge; and the audit, held against the rules.

The reading knows nothing of the engine's code: an action is outside the rules, over a cap, at once with another or
repeated by what the entries of the audit say and what the configuration allowed.
"""

import json
import re
import sqlite3
import subprocess
import sys
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

UNDER_WAY = frozenset({"proposed", "awaiting", "prechecked", "acting", "verifying"})
ENDS = frozenset(
    {"cure", "doubt", "give_up", "refuse", "cancel", "break", "interrupt"},
)
HOUR_S, DAY_S = 3600.0, 86_400.0
SLACK_S = 0.05
"""Entries bear the wall clock; limits are held against the machine's own."""
_MATCHER = re.compile(r'\s*(\w+)\s*(=~|!~|!=|=)\s*"(.*)"\s*')
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """A run as the store has it. Times are Unix seconds."""

    id: int
    rule: str
    state: str
    acted: int
    reason: str
    labels: Mapping[str, str]
    ended_at_s: float | None

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it."""
        return self.state not in UNDER_WAY


class Ledger:
    """The store of a bridge that may be running, and may be killed meanwhile."""

    def __init__(self, store: Path) -> None:
        self._store = store

    def __repr__(self) -> str:
        return f"<Ledger {self._store}>"

    def newest_run(self) -> int:
        """The number of the latest run; 0 when there is none."""
        [(number,)] = self._read("SELECT coalesce(max(id), 0) FROM recovery_runs")
        return int(str(number))

    def runs(self, after: int, rule: str, labels: Mapping[str, str]) -> list[Run]:
        """Runs of a rule about something with these labels that have a higher number, oldest first."""
        rows = self._read(
            "SELECT id, rule, state, acted, reason, labels, ended_at FROM recovery_runs"
            " WHERE id > ? AND rule = ? ORDER BY id",
            after,
            rule,
        )
        found = [Run(row[0], row[1], row[2], row[3], row[4], json.loads(row[5]), row[6]) for row in rows]
        return [run for run in found if labels.items() <= run.labels.items()]

    def fires(self, alerts: Container[str], labels: Mapping[str, str]) -> bool:
        """Whether the bridge knows of one of these alerts with these labels that has not ended."""
        rows = self._read("SELECT name, labels FROM episodes WHERE status = 'open'")
        return any(name in alerts and labels.items() <= json.loads(text).items() for name, text in rows)

    def _read(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self._store}?mode=ro", uri=True, timeout=10)) as connection:
            return connection.execute(statement, values).fetchall()


# -- the audit


@dataclass(frozen=True, slots=True)
class Breaches:
    """How many actions there were, and how many of them were as they must never be."""

    actions: int = 0
    outside_rules: int = 0
    over_a_limit: int = 0
    twice_at_once: int = 0
    repeated: int = 0

    @property
    def any(self) -> bool:
        """Whether a rule was broken."""
        return any(getattr(self, one.name) for one in fields(self) if one.name != "actions")


def audit(config: Path, verb: str) -> "subprocess.CompletedProcess[str]":
    """What `tikwatch-alertbridge audit` says, as a person would ask, beside the running bridge."""
    command = [sys.executable, "-m", "alertbridge", "audit", verb, "--config", str(config)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def entries(exported: str) -> list[Json]:
    """The entries of an export, oldest first."""
    return [json.loads(line)["entry"] for line in exported.splitlines()]


def rules_of(config: Path) -> Mapping[str, Json]:
    """The recovery rules of a configuration, by name."""
    read = yaml.safe_load(config.read_text(encoding="utf-8"))
    return {rule["name"]: rule for rule in read["recovery"]["rules"]}


def breaches(told: Sequence[Json], rules: Mapping[str, Json]) -> Breaches:
    """Reads the audit from its beginning."""
    runs: dict[int, list[Json]] = defaultdict(list)
    for entry in told:
        if entry["run"] is not None:
            runs[entry["run"]].append(entry)
    acts = [entry for entry in told if entry["event"] == "act"]
    return Breaches(
        actions=len(acts),
        outside_rules=sum(not _allowed(runs[act["run"]], act, rules) for act in acts),
        over_a_limit=_over(acts, runs, rules),
        twice_at_once=_at_once(runs.values()),
        repeated=sum(_repeats(run) for run in runs.values()),
    )


def _rule_of(run: Sequence[Json], rules: Mapping[str, Json]) -> Json | None:
    """The rule that proposed a run."""
    kind, _, name = str(run[0]["actor"]).partition(":")
    return rules.get(name) if kind == "rule" and run[0]["event"] == "proposed" else None


def _allowed(run: Sequence[Json], act: Json, rules: Mapping[str, Json]) -> bool:
    """Whether a rule that matches the alert plans this action on this target, and a person agreed where one must."""
    rule = _rule_of(run, rules)
    if rule is None or rule["dry_run"]:
        return False
    proposed = run[0]["after"]
    planned = [(one["action"], one["target"]) for one in proposed["plan"]]
    before = [entry["event"] for entry in run[: run.index(act)]]
    return (
        _matches(rule["match"]["labels"], proposed["alert"])
        and (act["after"]["action"], act["target"]) in planned
        and act["after"]["action"] in [step["action"] for step in rule["steps"]]
        and (rule.get("approval", "auto") != "ask" or "approve" in before)
    )


def _matches(matchers: Iterable[str], labels: Mapping[str, str]) -> bool:
    for text in matchers:
        found = _MATCHER.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no matcher")
        name, operator, wanted = found.groups()
        has = labels.get(name, "")
        hit = re.fullmatch(wanted, has) is not None if "~" in operator else has == wanted
        if hit == operator.startswith("!"):
            return False
    return True


def _over(acts: Sequence[Json], runs: Mapping[int, Sequence[Json]], rules: Mapping[str, Json]) -> int:
    """Actions beyond a rule's tries, its caps by the hour and by the day, or within a cooldown."""
    found = 0
    for number, act in enumerate(acts):
        rule = _rule_of(runs[act["run"]], rules)
        if rule is None:
            continue  # counted already
        earlier = acts[:number]
        same_rule = [one for one in earlier if one["actor"] == act["actor"]]
        tries = sum(step.get("tries", 5) for step in rule["steps"])
        others = [
            one["at"]
            for one in earlier
            if one["run"] != act["run"]
            and (one["target"], one["after"]["action"]) == (act["target"], act["after"]["action"])
        ]
        found += (
            sum(one["run"] == act["run"] for one in earlier) + 1 > tries
            or sum(act["at"] - one["at"] < HOUR_S for one in same_rule) + 1 > rule["per_hour"]
            or sum(act["at"] - one["at"] < DAY_S for one in same_rule) + 1 > rule["per_day"]
            or act["at"] - max(others, default=0.0) < rule["cooldown_s"] - SLACK_S
        )
    return found


def _at_once(runs: Iterable[Sequence[Json]]) -> int:
    """Runs that begin while another one has the same target."""
    held: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for run in runs:
        ended = next((entry["at"] for entry in run if entry["event"] in ENDS), float("inf"))
        for target in {one["target"] for one in run[0]["after"]["plan"]}:
            held[target].append((run[0]["at"], ended))
    return sum(
        later[0] < earlier[1] - SLACK_S
        for spans in held.values()
        for earlier, later in zip(sorted(spans), sorted(spans)[1:], strict=False)
    )


def _repeats(run: Sequence[Json]) -> int:
    """Actions that begin though how the one before ended was never looked at."""
    found, open_act = 0, False
    for entry in run:
        if entry["event"] == "act":
            found += open_act
            open_act = True
        elif entry["event"] in ENDS | {"again"}:
            open_act = False
    return found
