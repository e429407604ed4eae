"""What a metric family is: a name, a kind and a help text. Plain data, no rendering."""

from dataclasses import dataclass
from enum import Enum

Sample = tuple[str, str]
"""Label text without braces (``router="core",interface="ether1"``) and value text, both ready for a line."""


class Kind(Enum):
    """Kinds of family that the exporter serves; the value is the word in a ``# TYPE`` line of the text format."""

    GAUGE = "gauge"
    COUNTER = "counter"
    INFO = "info"
    STATE_SET = "stateset"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family.

    `name` is the name of its samples, so a counter's ends in ``_total`` and an info's in ``_info``;
    `source` names the menu and field it is read from, for the docs and the end of the HELP line.
    """

    name: str
    kind: Kind
    help: str
    source: str = ""
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.kind is Kind.COUNTER) is not self.name.endswith("_total"):
            raise ValueError(f"{self.name}: a counter, and nothing else, ends in _total")
        if (self.kind is Kind.INFO) is not self.name.endswith("_info"):
            raise ValueError(f"{self.name}: an info, and nothing else, ends in _info")
        if not self.help.endswith("."):
            raise ValueError(f"{self.name}: a help text is a sentence and ends in a full stop")

    @property
    def help_text(self) -> str:
        """Help with its origin at the end."""
        return f"{self.help} [{self.source}]" if self.source else self.help
