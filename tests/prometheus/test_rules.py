"""The rules of prometheus/: valid, tested, documented; what is broken is told with file and line."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts import rulescheck, rulesmetrics, rulesthresholds
from scripts.rulesfiles import Rule, all_rules, read_expectations, unit_test_files

ROOT = Path(__file__).resolve().parents[2]
UNIT_TESTS = sorted((ROOT / "prometheus" / "tests").glob("*.test.yml"))


@pytest.fixture(scope="module")
def rules() -> list[Rule]:
    return all_rules()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the check reads, to break."""
    for folder in ("prometheus", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    """`python -m scripts.rulescheck` in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "scripts.rulescheck"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.system("promtool", "amtool")
def test_nothing_is_wrong_with_the_rules() -> None:
    """Names, labels, texts, runbooks, coverage and generated pages are in order; promtool and amtool agree."""
    assert list(rulescheck.complaints()) == []


@pytest.mark.system("promtool")
@pytest.mark.parametrize("file", UNIT_TESTS, ids=lambda file: file.name.removesuffix(".test.yml"))
def test_rules_do_what_their_tests_say(file: Path) -> None:
    """promtool's unit tests of a subject pass."""
    ended = subprocess.run(
        ["promtool", "test", "rules", file.name], cwd=file.parent, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_labels_and_annotations_are_spelled_out_for_every_subject(rules: list[Rule]) -> None:
    """For one alert of each rule file at least, a test says every label and every word."""
    spelled = {
        expectation.expression.split('"')[1]
        for file in unit_test_files()
        for expectation in read_expectations(file)
        if expectation.annotated
    }
    subjects = {rule.file for rule in rules if rule.is_alert}
    assert {rule.file for rule in rules if rule.name in spelled} == subjects


def test_the_two_languages_name_the_same_things(rules: list[Rule]) -> None:
    """What an English text fills in, the Indonesian one does too."""
    for rule in rules:
        for text in ("summary", "description"):
            english, indonesian = rule.annotations.get(text, ""), rule.annotations.get(f"{text}_id", "")
            assert sorted(_fillings(english)) == sorted(_fillings(indonesian)), (
                f"{rule.place} {rule.name} {text}"
            )


def _fillings(text: str) -> set[str]:
    return {piece.split("}}")[0].strip() for piece in text.split("{{")[1:]}


BREAKS: dict[str, tuple[str, Callable[[str], str], str]] = {
    "a metric that nothing exports": (
        "prometheus/rules/bot.rules.yml",
        lambda text: text.replace("whatsapp_bot_up == 0", "whatsapp_bot_alive == 0"),
        "prometheus/rules/bot.rules.yml:26: BotDown reads whatsapp_bot_alive",
    ),
    "YAML that cannot be read": (
        "prometheus/rules/host.rules.yml",
        lambda text: text.replace("groups:", "groups: ["),
        "prometheus/rules/host.rules.yml:",
    ),
    "an unknown severity": (
        "prometheus/rules/meta.rules.yml",
        lambda text: text.replace("severity: none", "severity: urgent"),
        "Watchdog has no known severity",
    ),
    "a language left out": (
        "prometheus/rules/meta.rules.yml",
        lambda text: text.replace("summary_id: Jalur alert berfungsi", "note: Jalur alert berfungsi"),
        "Watchdog has no annotation summary_id",
    ),
    "a runbook left out": (
        "docs/runbooks/bot.md",
        lambda text: text.replace("## BotDown", "## BotGone"),
        "the runbook of BotDown has no heading",
    ),
    "a threshold taken away": (
        "prometheus/rules/thresholds.rules.yml",
        lambda text: text.replace("tikwatch:threshold:host_cpu", "tikwatch:threshold:host_load"),
        "HostCpuHigh uses the threshold host_cpu",
    ),
    "an alert without a test": (
        "prometheus/tests/queues.test.yml",
        lambda text: text.replace('alertname="QueueSaturated"', 'alertname="QueueFull"'),
        "no unit test sees QueueSaturated (info) fire",
    ),
    "a page that is late": (
        "docs/reference/alerts.md",
        lambda text: text + "more\n",
        "out of date: python -m scripts.rulesdoc --write",
    ),
    "a name that is no record's": (
        "prometheus/rules/host.rules.yml",
        lambda text: text.replace("record: host_mount:inodes_free:ratio", "record: inodes_free"),
        "inodes_free is not named level:metric:operation",
    ),
}


@pytest.mark.parametrize("what", BREAKS)
def test_what_is_broken_is_told(copy: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind of mistake is told with its place by reading alone, without promtool."""
    path, damage, complaint = BREAKS[what]
    file = copy / path
    before = file.read_text(encoding="utf-8")
    file.write_text(damage(before), encoding="utf-8")
    assert file.read_text(encoding="utf-8") != before
    monkeypatch.chdir(copy)
    monkeypatch.setenv("PATH", "")
    assert [told for told in rulescheck.complaints() if complaint in told]


@pytest.mark.system("promtool")
def test_an_expression_that_cannot_be_parsed_is_told_with_its_line(copy: Path) -> None:
    """promtool's complaint comes through with file, line and column, and nothing beside it."""
    file = copy / "prometheus/rules/bot.rules.yml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("whatsapp_bot_up == 0", "whatsapp_bot_up == = 0"),
        encoding="utf-8",
    )
    ended = check(copy)
    assert ended.returncode == 1
    assert "prometheus/rules/bot.rules.yml: 27:15" in ended.stderr
    assert "SUCCESS" not in ended.stderr


OVERRIDE = """\
      - record: tikwatch:threshold:cpu_warning
        expr: 0.85
        labels: {router: core}
"""
OVERRIDE_TEST = """\
rule_files: [thresholds.rules.yml, thresholds-by-router.rules.yml]
evaluation_interval: 15s
group_eval_order: [tikwatch_router_thresholds, tikwatch_thresholds_by_router]
tests:
  - interval: 15s
    input_series:
      - {series: 'mikrotik_up{router="core"}', values: 1x8}
      - {series: 'mikrotik_up{router="hut"}', values: 0x8}
    promql_expr_test:
      - expr: router:threshold:cpu_warning
        eval_time: 1m
        exp_samples:
          - {labels: 'router:threshold:cpu_warning{router="core"}', value: 0.85}
          - {labels: 'router:threshold:cpu_warning{router="hut"}', value: 0.7}
"""


@pytest.mark.system("promtool")
def test_a_router_may_have_a_threshold_of_its_own(copy: Path) -> None:
    """The record once more with a router's label holds for that router alone, and the check has nothing against it."""
    folder = copy / "prometheus" / "rules"
    file = folder / "thresholds.rules.yml"
    file.write_text(file.read_text(encoding="utf-8") + OVERRIDE, encoding="utf-8")
    assert check(copy).stderr == ""
    (folder / "override.test.yml").write_text(OVERRIDE_TEST, encoding="utf-8")
    ended = subprocess.run(
        ["promtool", "test", "rules", "override.test.yml"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_metrics_of_an_expression_are_found() -> None:
    """Functions, labels, durations and words of the language are no metrics."""
    expression = (
        'sum by (router) (rate(a_total{x=~"b_total|c"}[5m] offset 1w)) / on (router) group_left (site) d:e:f\n'
        "or scalar(tikwatch:threshold:g) and bool_h > 1e6 unless 8 * i"
    )
    assert rulesmetrics.named(expression) == {"a_total", "d:e:f", "tikwatch:threshold:g", "bool_h", "i"}


def test_every_router_threshold_is_worked_out_for_each_router(rules: list[Rule]) -> None:
    """The generated file has one rule for each name of the operator's group."""
    worked_out = [
        rule.name.removeprefix("router:threshold:") for rule in rules if "router:threshold:" in rule.name
    ]
    assert worked_out == rulesthresholds.names()
