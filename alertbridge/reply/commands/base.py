"""What a command is: a row with its words, its use, the role that it needs, and what it does."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from alertbridge.reply.acks import Acks
from alertbridge.reply.config import RepliesSection
from alertbridge.reply.model import Answer, Outcome, Question, Role
from alertbridge.reply.parsing import Grammar
from alertbridge.reply.ports import ChannelWords, Recovery, Reports
from alertbridge.reply.sources import Metrics, Source, SourceAway
from alertbridge.reply.texts import Phrase, say
from alertbridge.report.lines import Charts, NoCharts
from alertbridge.store.database import Database
from runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Means:
    """What commands may use."""

    section: RepliesSection
    database: Database
    clock: Clock
    zone: ZoneInfo
    metrics: Metrics
    acks: Acks
    recovery: Recovery | None = None
    charts: Charts = field(default_factory=NoCharts)
    reports: Reports | None = None
    channels: ChannelWords = dict

    def needed_recovery(self) -> Recovery:
        """Raises SourceAway."""
        if self.recovery is None:
            raise SourceAway(Source.RECOVERY, configured=False)
        return self.recovery

    def needed_reports(self) -> Reports:
        """Raises SourceAway."""
        if self.reports is None:
            raise SourceAway(Source.REPORTS, configured=False)
        return self.reports


Run = Callable[[Question, Means], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the table. `run` raises SourceAway, StoreError. `is_slow` may take as long as a picture does."""

    grammar: Grammar
    usage: Phrase
    does: Phrase
    role: Role
    run: Run
    is_slow: bool = False

    @property
    def name(self) -> str:
        return self.grammar.name

    @property
    def changes(self) -> bool:
        """Whether it does more than tell."""
        return self.grammar.exact


def wrong_use(language: str, name: str, /, **values: object) -> Answer:
    """An answer that says how it is meant."""
    return Answer(say(language, name, **values), Outcome.WRONG_USE)


def not_found(language: str, name: str, /, **values: object) -> Answer:
    """An answer that says that there is no such thing."""
    return Answer(say(language, name, **values), Outcome.NOT_FOUND)
