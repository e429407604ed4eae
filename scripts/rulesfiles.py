"""The rule files and their tests as data, each rule with its line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

FOLDER = Path("prometheus")
RULES = FOLDER / "rules"
TESTS = FOLDER / "tests"
RUNBOOKS = Path("docs/runbooks")
THRESHOLDS = RULES / "thresholds.rules.yml"
BY_ROUTER = RULES / "thresholds-by-router.rules.yml"
ROUTER_THRESHOLDS = "tikwatch_router_thresholds"
THRESHOLD_PREFIX = "tikwatch:threshold:"

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Rule:
    """One recording rule or alert. `duration` and `keep` are as written, such as `5m`; empty where nothing is said."""

    file: Path
    line: int
    group: str
    name: str
    is_alert: bool
    expression: str
    comment: str = ""
    duration: str = ""
    keep: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """File and line, as compilers tell them."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a test says of an expression at a time: the label sets of the samples it must give."""

    file: Path
    expression: str
    samples: tuple[str, ...]
    annotated: bool = False
    """All labels and annotations are spelled out."""


def rule_files() -> list[Path]:
    """Every rule file, in the order of names."""
    return sorted(RULES.glob("*.rules.yml"))


def unit_test_files() -> list[Path]:
    """Every file of unit tests, in the order of names."""
    return sorted(TESTS.glob("*.test.yml"))


def read_rules(file: Path) -> list[Rule]:
    """The rules of a file in their order. Raises OSError, yaml.YAMLError."""
    with file.open(encoding="utf-8") as stream:  # from the stream, so that errors name the file
        root = yaml.compose(stream, Loader=_Loader)
    return list(_rules(file, root, file.read_text(encoding="utf-8").splitlines()))


def all_rules() -> list[Rule]:
    """The rules of every file. Raises OSError, yaml.YAMLError."""
    return [rule for file in rule_files() for rule in read_rules(file)]


def _rules(file: Path, root: yaml.Node | None, lines: list[str]) -> Iterator[Rule]:
    for group in _items(_entry(root, "groups")):
        name = _text(_entry(group, "name"))
        for node in _items(_entry(group, "rules")):
            first = node.start_mark.line
            alert = _text(_entry(node, "alert"))
            yield Rule(
                file=file,
                line=first + 1,
                group=name,
                name=alert or _text(_entry(node, "record")),
                is_alert=bool(alert),
                expression=_text(_entry(node, "expr")),
                comment=_comment_above(lines, first),
                duration=_text(_entry(node, "for")),
                keep=_text(_entry(node, "keep_firing_for")),
                labels=_texts(_entry(node, "labels")),
                annotations=_texts(_entry(node, "annotations")),
            )


def _comment_above(lines: list[str], first: int) -> str:
    """The comment right above a rule, if there is one."""
    above = lines[first - 1].strip() if first else ""
    return above.removeprefix("#").strip() if above.startswith("#") else ""


def _entry(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _text(node: yaml.Node | None) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _texts(node: yaml.Node | None) -> dict[str, str]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {str(name.value): _text(value) for name, value in node.value}


def read_expectations(file: Path) -> list[Expectation]:
    """What a file of unit tests expects. Raises OSError, yaml.YAMLError."""
    with file.open(encoding="utf-8") as stream:
        content = yaml.load(stream, Loader=_Loader)  # noqa: S506  a safe loader, in C if there
    return [found for test in content["tests"] for found in _expectations(file, test)]


def _expectations(file: Path, test: Mapping[str, list[Mapping[str, object]]]) -> Iterator[Expectation]:
    for case in test.get("promql_expr_test", ()):
        samples = case.get("exp_samples")
        labels = [str(sample["labels"]) for sample in samples] if isinstance(samples, list) else []
        yield Expectation(file, str(case["expr"]), tuple(labels))
    for case in test.get("alert_rule_test", ()):
        alerts = case.get("exp_alerts")
        found = alerts if isinstance(alerts, list) else []
        for severity in {str(alert["exp_labels"].get("severity")) for alert in found}:
            yield Expectation(
                file,
                f'ALERTS{{alertname="{case["alertname"]}", severity="{severity}", alertstate="firing"}}',
                tuple(str(alert["exp_labels"]) for alert in found),
                annotated=all(alert.get("exp_annotations") for alert in found),
            )
