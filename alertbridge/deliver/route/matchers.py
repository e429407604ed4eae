r"""Label matchers in Alertmanager's own syntax: ``team="noc"``, ``router=~"core.*"``, ``site!="lab"``.

A label that is missing counts as empty, and a regular expression must fit the whole value, as in Alertmanager.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from alertbridge.deliver.route.patterns import compile_pattern, matches

_MATCHER = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)
_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}


class Operator(Enum):
    """How a matcher compares."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCH = "=~"
    NOT_MATCH = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label. `pattern` is there for the two that take a regular expression."""

    label: str
    operator: Operator
    value: str
    pattern: re.Pattern[str] | None = field(default=None, repr=False)

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with `labels` fits."""
        value = labels.get(self.label, "")
        same = value == self.value if self.pattern is None else matches(self.pattern, value)
        return same is (self.operator in (Operator.EQUAL, Operator.MATCH))

    def __str__(self) -> str:
        return f'{self.label}{self.operator.value}"{self.value}"'


def parse_matcher(text: str) -> Matcher:
    """The matcher that `text` spells. Raises ValueError with what is wrong with it."""
    found = _MATCHER.fullmatch(text)
    if not found:
        raise ValueError('must be a label, one of = != =~ !~ and a value, such as router=~"core.*"')
    label, operator, value = found[1], Operator(found[2]), found[3]
    if value.startswith('"'):
        quoted = _QUOTED.fullmatch(value)
        if not quoted:
            raise ValueError("has a quote that is not closed, or something after it")
        value = _unescaped(quoted[1])
    elif re.search(r'["{},]', value):
        raise ValueError('must have the value in quotes, such as router="core-1"; one matcher to each entry')
    if operator in (Operator.MATCH, Operator.NOT_MATCH):
        return Matcher(label, operator, value, compile_pattern(value))
    return Matcher(label, operator, value)


def _unescaped(text: str) -> str:
    r"""`text` without Alertmanager's escapes; a backslash before anything else stands for itself (``\.``)."""
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), text, flags=re.DOTALL)
