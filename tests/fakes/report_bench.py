"""Reports on a bench: what Prometheus answers is written down, what is sent is kept, and the clock is driven."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Severity
from alertbridge.deliver.model import Body, Kind
from alertbridge.deliver.outbox import notices as notice_rows
from alertbridge.deliver.render.rendering import Renderer
from alertbridge.deliver.route.addressbook import AddressBook, Recipient, Way
from alertbridge.prometheus import PrometheusUnavailable, Series, Value
from alertbridge.report.composing import Composer
from alertbridge.report.config import ReportEntry
from alertbridge.report.gathering import Gathering
from alertbridge.report.lines import NoCharts
from alertbridge.report.reporter import Reporter
from alertbridge.store.database import Database
from alertbridge.store.schema import notices
from alertbridge.store.schema_report import report_occurrences
from tests.fakes.clock import FakeClock

JAKARTA = ZoneInfo("Asia/Jakarta")
BOOK = AddressBook(
    [
        Recipient("noc", "wa", "62812000000001", "id", (Way("sms", "62812000000002"),)),
        Recipient("boss", "wa", "62812000000003", "en"),
    ]
)


@dataclass
class ScriptedPrometheus:
    """Knows one value for everything, or is away."""

    away: bool = False
    asked: int = 0

    async def query(self, expression: str, *, at_s: float | None = None) -> list[Value]:
        self.asked += 1
        if self.away:
            raise PrometheusUnavailable("cannot be reached")
        return [Value({"router": "core-1"}, 1.0)]

    async def query_range(
        self, expression: str, *, start_s: float, end_s: float, step_s: float
    ) -> list[Series]:
        if self.away:
            raise PrometheusUnavailable("cannot be reached")
        return [Series({"router": "core-1"}, ((start_s, 1.0), (end_s, 2.0)))]


@dataclass
class StoringSender:
    """Makes real notices; wakes nobody."""

    clock: FakeClock
    woken: list[str] = field(default_factory=list)
    fails: bool = False

    async def enqueue(
        self,
        kind: Kind,
        recipient: str,
        body: Body,
        *,
        severity: Severity = Severity.INFO,
        deadline_s: float | None = None,
        language: str = "",
        episode_id: int | None = None,
        connection: AsyncConnection | None = None,
    ) -> int:
        assert connection is not None, "reports are made within the transaction that claims them"
        now_s = self.clock.time()
        made = await notice_rows.add(
            connection,
            kind=kind,
            recipient=recipient,
            severity=severity,
            body=body,
            created_at_s=now_s,
            deadline_at_s=now_s + (deadline_s or 0.0),
            language=language,
        )
        if self.fails:
            raise ConnectionAbortedError("killed in the middle of the transaction")
        return made

    def notices_made(self, recipients: Iterable[str]) -> None:
        self.woken += recipients


@dataclass
class Counted:
    """Counts."""

    reports: list[tuple[str, str]] = field(default_factory=list)
    up: list[bool] = field(default_factory=list)

    def reported(self, kind: str, outcome: str) -> None:
        self.reports.append((kind, outcome))

    def watchdog(self, *, up: bool) -> None:
        self.up.append(up)


def entry(**given: object) -> ReportEntry:
    """A daily report to `noc`, or what is `given`."""
    return ReportEntry.model_validate({"name": "pagi", "recipients": ["noc"], "chart": "none"} | given)


class ReportBench:
    """One replica that sends `entries`; others share its database, clock and sender."""

    def __init__(self, database: Database, clock: FakeClock, *entries: ReportEntry) -> None:
        self.database = database
        self.clock = clock
        self.prometheus = ScriptedPrometheus()
        self.sender = StoringSender(clock)
        self.counted = Counted()
        self.entries = entries or (entry(),)

    def replica(self) -> Reporter:
        """A process that has just started."""
        gathering = Gathering(self.prometheus, self.database, self.clock, kept_s=30 * 86_400)
        composer = Composer(gathering, NoCharts(), Renderer(JAKARTA), JAKARTA, self.clock)
        return Reporter(
            self.entries,
            database=self.database,
            clock=self.clock,
            composer=composer,
            sending=self.sender,
            book=BOOK,
            counts=self.counted,
        )

    async def told(self) -> list[tuple[str, str]]:
        """Recipients and texts of all notices, in order."""
        return await told(self.database)

    async def outcomes(self) -> dict[str, str]:
        """What became of each occurrence."""
        async with self.database.read() as connection:
            found = await connection.execute(
                select(report_occurrences.c.occurrence, report_occurrences.c.outcome)
            )
            return {row.occurrence: row.outcome for row in found}


async def told(database: Database) -> list[tuple[str, str]]:
    """Recipients and texts of all notices, in order."""
    async with database.read() as connection:
        found = await connection.execute(select(notices.c.recipient, notices.c.body).order_by(notices.c.id))
        return [(row.recipient, row.body["text"]) for row in found]
