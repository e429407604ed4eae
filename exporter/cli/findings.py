"""What `check` found out: plain frozen data, and how single verdicts add up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from exporter.cli.advice import Advice
from exporter.cli.setupcommands import Access
from routeros import ConnectionTest, LoginRefused, PermissionDenied, RouterError


class Verdict(Enum):
    """How a table, a collector or a router came out; the value is what is shown."""

    WORKS = "works"
    UNSUPPORTED = "unsupported"
    PARTLY = "partly"
    NO_PERMISSION = "no permission"
    FAILED = "failed"
    NOT_ASKED = "not asked"

    @property
    def is_trouble(self) -> bool:
        """Whether somebody should do something. A menu that a board does not have is none."""
        return self not in (Verdict.WORKS, Verdict.UNSUPPORTED)


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """One verdict for several: `partly` where some work and some are in trouble."""
    found = set(verdicts) - {Verdict.UNSUPPORTED}
    if not found:
        return Verdict.UNSUPPORTED
    if len(found) == 1:
        return found.pop()
    if Verdict.WORKS in found or Verdict.PARTLY in found:
        return Verdict.PARTLY
    return Verdict.FAILED


@dataclass(frozen=True, slots=True)
class TableFinding:
    """How one command came out. `duration_s` is None when it was not sent."""

    name: str
    menu: str
    verdict: Verdict
    rows: int = 0
    duration_s: float | None = None
    error: RouterError | None = None

    @property
    def policy(self) -> str:
        """The policy that the user's group lacks, if that is what is wrong."""
        return self.error.policy if isinstance(self.error, PermissionDenied) else ""


@dataclass(frozen=True, slots=True)
class CollectorFinding:
    """How one collector came out, and which fields held what could not be read, with an example."""

    name: str
    tables: tuple[TableFinding, ...] = ()
    duration_s: float | None = None
    unparsable: tuple[tuple[str, str], ...] = ()
    missed: str = ""
    """Why it was not asked."""

    @property
    def verdict(self) -> Verdict:
        return Verdict.NOT_ASKED if self.missed else together(table.verdict for table in self.tables)

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def differing(self) -> tuple[TableFinding, ...]:
        """The tables that came out otherwise than the collector as a whole."""
        return tuple(table for table in self.tables if table.verdict is not self.verdict)


@dataclass(frozen=True, slots=True)
class RouterFinding:
    """How one router came out. `trouble` and its `advice` are set when no connection came about."""

    name: str
    where: str
    access: Access
    test: ConnectionTest | None = None
    version: str = ""
    board: str = ""
    collectors: tuple[CollectorFinding, ...] = field(default=())
    trouble: RouterError | None = None
    advice: Advice | None = None

    @property
    def verdict(self) -> Verdict:
        if self.trouble is not None:
            return Verdict.FAILED
        return together(collector.verdict for collector in self.collectors)

    @property
    def is_fine(self) -> bool:
        """Whether everything works that this router has."""
        return self.trouble is None and not self.verdict.is_trouble

    @property
    def is_reachable(self) -> bool:
        """Whether a RouterOS answers there, even if it lets nobody in."""
        return self.trouble is None or isinstance(self.trouble, LoginRefused)

    @property
    def policies(self) -> tuple[str, ...]:
        """Policies that the user's group lacks."""
        lacking = (table.policy for collector in self.collectors for table in collector.tables)
        return tuple(sorted({policy for policy in lacking if policy}))

    @property
    def needs_setup(self) -> bool:
        """Whether the commands that set a router up would help."""
        return bool(self.policies) or (self.advice is not None and self.advice.needs_setup)


def accesses(findings: Sequence[RouterFinding]) -> dict[Access, list[str]]:
    """The different commands that are needed, and for which routers."""
    found: dict[Access, list[str]] = {}
    for finding in findings:
        if finding.needs_setup:
            found.setdefault(finding.access, []).append(finding.name)
    return found
