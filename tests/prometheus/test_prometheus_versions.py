"""Rules, dashboards and prometheus.yml mean the same to Prometheus 2.42 and 3.x, by what the migration guide names."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from grafana.checks.reading import FOLDER, dashboards, spelled_out
from scripts.rulesfiles import all_rules, read_rules

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "prometheus" / "prometheus.yml"
SHORTEST_S = 60.0
"""Four scrapes: in 3.x a range is open at its left end, and one as long as two scrapes can hold a single sample."""

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_RANGE = re.compile(r"\[(\d+)([smhdw])(?::(?:(\d+)([smhdw]))?)?\]")
GONE_OR_CHANGED = {
    "holt_winters is double_exponential_smoothing": r"\bholt_winters\b",
    "bounds of buckets are written as floats": r"\b(?:le|quantile)\s*(?:=~?|!=|!~)",
    "a dot stands for a line break, too": r'[=!]~\s*"[^"]*\[\^\\n\]',
}
REMOVED_FLAGS = (
    "--storage.tsdb.allow-overlapping-blocks",
    "--alertmanager.timeout",
    "--storage.tsdb.retention ",
    "--storage.tsdb.retention=",
    "--enable-feature",
)


def _expressions() -> list[tuple[str, str]]:
    rules = [*all_rules(), *read_rules(ROOT / "prometheus" / "compat" / "mktxp.rules.yml")]
    asked = [
        (one.place, spelled_out(one.expr)) for board in dashboards(ROOT / FOLDER) for one in board.asked()
    ]
    return [(rule.place, rule.expression) for rule in rules] + asked


def _config() -> Any:
    return yaml.safe_load(CONFIG.read_text(encoding="utf-8"))


@pytest.mark.parametrize("what", GONE_OR_CHANGED)
def test_nothing_is_asked_that_3_answers_otherwise(what: str) -> None:
    """No rule and no panel uses what was renamed, or matches what is written differently."""
    wrong = re.compile(GONE_OR_CHANGED[what])
    assert [place for place, expression in _expressions() if wrong.search(expression)] == []


def test_ranges_hold_enough_samples_when_their_left_end_is_open() -> None:
    """The sample that 3.x leaves out at the very beginning of a range is never the one that matters."""
    short = [
        f"{place}: {found[0]}"
        for place, expression in _expressions()
        for found in _RANGE.finditer(expression)
        if int(found[1]) * _UNITS_S[found[2]] < SHORTEST_S
        or (found[3] and int(found[1]) * _UNITS_S[found[2]] < 4 * int(found[3]) * _UNITS_S[found[4]])
    ]
    assert short == []


def test_no_address_needs_a_port_that_3_does_not_add() -> None:
    """Every target says its port, and Alertmanager is spoken to by the API that 3.x still knows."""
    config = _config()
    groups = [group for job in config["scrape_configs"] for group in job.get("static_configs", ())]
    groups += [group for one in config["alerting"]["alertmanagers"] for group in one["static_configs"]]
    assert [
        target for group in groups for target in group["targets"] if not re.search(r":\d+$", target)
    ] == []
    assert all(one.get("api_version", "v2") == "v2" for one in config["alerting"]["alertmanagers"])


@pytest.mark.parametrize("file", ["docker-compose.yml", "prometheus/prometheus.yml", "docs/how-to/docker.md"])
def test_no_flag_is_given_that_3_refuses(file: str) -> None:
    """Flags that were removed are not used, and none of the features that are no features any more."""
    text = (ROOT / file).read_text(encoding="utf-8")
    assert [flag for flag in REMOVED_FLAGS if flag in text] == []


def test_labels_and_texts_hold_no_reference_to_the_environment() -> None:
    """3.x replaces $NAME in external labels; there is none in what is ready to be switched on."""
    found = re.findall(r"external_labels:.*", CONFIG.read_text(encoding="utf-8"))
    assert found
    assert not [line for line in found if "$" in line]
