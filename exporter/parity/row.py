"""What another exporter calls a thing, and what we call it: rows of plain data.

A row names their metric and either ours or the reason why there is none. Where dashboards are to keep working, it
also bears a `Rule` that computes theirs from ours.
"""

from dataclasses import dataclass

Renames = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Join:
    """Labels that another family of ours brings: `labels` from `family`, matched `on` these and the router."""

    family: str
    on: str
    labels: str


@dataclass(frozen=True, slots=True)
class Rule:
    """PromQL of their value from ours, and their labels from ours in the order in which they are set.

    Where several label names give the same one, the last that is not empty counts. `system` adds the labels that
    mktxp puts on all of `system_*`.
    """

    expressions: tuple[str, ...]
    labels: Renames = ()
    join: Join | None = None
    system: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One metric of theirs. `why_not` is told where `ours` is empty; `note` tells where ours differs."""

    theirs: str
    ours: tuple[str, ...] = ()
    note: str = ""
    why_not: str = ""
    rule: Rule | None = None

    def __post_init__(self) -> None:
        if bool(self.ours) is bool(self.why_not):
            raise ValueError(f"{self.theirs}: either ours or why not")


@dataclass(frozen=True, slots=True)
class Peer:
    """Another exporter, as of one version, and all of its metrics."""

    name: str
    version: str
    address: str
    labels: str
    rows: tuple[Row, ...]


def has(theirs: str, *ours: str, note: str = "") -> Row:
    """Ours tells the same, without a rule."""
    return Row(theirs, ours, note)


def several(theirs: str, ours: str, *pairs: str, note: str = "") -> tuple[Row, ...]:
    """Rows without rules for names that begin alike: ``theirs=ours`` are their ends, after ``mikrotik_``."""
    ends = _renames(" ".join(pairs))
    return tuple(
        has(f"mikrotik_{theirs}{left}", f"mikrotik_{ours}{right}", note=note) for left, right in ends
    )


def lacks(theirs: str, why_not: str) -> Row:
    """We do not tell it."""
    return Row(theirs, why_not=why_not)


def same(
    theirs: str,
    *ours: str,
    labels: str = "",
    where: str = "",
    times: float = 1,
    join: Join | None = None,
    system: bool = False,
    note: str = "",
) -> Row:
    """Ours tells the same, perhaps in another unit; with a rule.

    `labels` is ``theirs=ours`` separated by blanks, `where` what stands between braces, `times` what ours is
    multiplied by. Of several families, the rule takes whatever there is.
    """
    selector = f"{{{where}}}" if where else ""
    scale = f" * {times:g}" if times != 1 else ""
    expressions = tuple(f"{name}{selector}{scale}" for name in ours)
    return Row(theirs, ours, note, rule=Rule(expressions, _renames(labels), join, system))


def made(theirs: str, *ours: str, by: str, labels: str = "", join: Join | None = None, note: str = "") -> Row:
    """Ours tells the same in another way; the rule is the PromQL in `by`."""
    return Row(theirs, ours, note, rule=Rule((by,), _renames(labels), join))


def _renames(text: str) -> Renames:
    pairs = [pair.split("=", 1) for pair in text.split()]
    return tuple((theirs, ours) for theirs, ours in pairs)
