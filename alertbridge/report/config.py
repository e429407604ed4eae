"""The `reports:` list: which reports there are, when they come, to whom, and what is in them."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import InitErrorDetails

from alertbridge.deliver.route.config import Language
from alertbridge.deliver.route.times import Name, Zone, one_or_more
from alertbridge.report.schedule import DEFAULT_CRON, Kind, Timetable, checked_cron
from runtime.sections import Section, fault
from runtime.wording import did_you_mean

SectionName = Literal[
    "availability", "traffic", "subscribers", "alerts", "recovery", "messages", "databases", "attention"
]
"""The values of report.model.Part, which a Literal must spell out; a test compares them."""

ALL_SECTIONS: tuple[SectionName, ...] = (
    "attention",
    "availability",
    "traffic",
    "subscribers",
    "alerts",
    "recovery",
    "messages",
    "databases",
)


class ReportEntry(Section):
    """One report: what it is about, when it comes and who gets it."""

    name: Name = Field(description="What it is called; who renames it begins anew.")
    kind: Literal["daily", "weekly", "monthly"] = Field(
        default="daily",
        description=(
            "The time it is about: the 24 hours until it is due, or the seven days or the month until the midnight "
            "before."
        ),
    )
    cron: Annotated[str, AfterValidator(checked_cron)] | None = Field(
        default=None,
        description=(
            'When it is due, as a cron expression: by default "0 9 * * *", for a weekly one "0 9 * * 1" and for a '
            'monthly one "0 9 1 * *".'
        ),
    )
    timezone: Zone | None = Field(
        default=None,
        description="Time zone of the cron expression and of days; that of `delivery` when left out.",
    )
    recipients: Annotated[tuple[Name, ...], BeforeValidator(one_or_more)] = Field(
        min_length=1, description="Recipients who get it, by name."
    )
    language: Language | None = Field(
        default=None, description="Language; that of each recipient when left out."
    )
    sections: Annotated[tuple[SectionName, ...], BeforeValidator(one_or_more)] = Field(
        default=ALL_SECTIONS, min_length=1, description="What is in it, in this order."
    )
    chart: Literal["traffic", "users", "none"] = Field(
        default="traffic", description="The picture; needs the extra `charts`."
    )
    top: int = Field(default=5, ge=1, le=20, description="How many of a kind are named.")
    late_within_h: float = Field(
        default=6.0,
        ge=0,
        le=48,
        description="A report that could not be sent in time is sent up to so many hours late, else given up.",
    )

    @property
    def what(self) -> Kind:
        return Kind(self.kind)

    def zone(self, default: ZoneInfo) -> ZoneInfo:
        """Of its times."""
        return default if self.timezone is None else ZoneInfo(self.timezone)

    def timetable(self, default: ZoneInfo) -> Timetable:
        """When it is due; `default` is the zone of `delivery`."""
        return Timetable(self.cron or DEFAULT_CRON[self.what], self.zone(default))


def report_faults(given: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    """Names that are used twice, and recipients that nothing bears. `given` is the joined configuration as it was
    written, which may be wrong in any other way; the joined configuration calls this in its `prepare`."""
    known = [str(one.get("name")) for one in _mappings(given.get("recipients"))]
    seen: dict[object, int] = {}
    for index, report in enumerate(_mappings(given.get("reports"))):
        name = report.get("name")
        if isinstance(name, str) and seen.setdefault(name, index) != index:
            yield fault(
                f"reports[{seen[name]}] has this name already; names must differ", "reports", index, "name"
            )
        yield from _unknown(report.get("recipients"), known, "reports", index, "recipients")
    deadman = given.get("deadman")
    if isinstance(deadman, Mapping):
        yield from _unknown(deadman.get("recipients"), known, "deadman", "recipients")
    if given.get("reports") and given.get("prometheus") is None:
        yield fault("needs the section prometheus, which reports are made from", "reports")


def _unknown(wanted: object, known: list[str], *place: str | int) -> Iterator[InitErrorDetails]:
    if isinstance(wanted, str) and wanted not in known:
        yield fault(f'there is no recipient "{wanted}"{did_you_mean(wanted, known)}', *place)
    if isinstance(wanted, list | tuple):
        for number, name in enumerate(wanted):
            if isinstance(name, str) and name not in known:
                yield fault(f'there is no recipient "{name}"{did_you_mean(name, known)}', *place, number)


def _mappings(value: object) -> list[Mapping[str, Any]]:
    if not isinstance(value, list | tuple):
        return []
    return [entry if isinstance(entry, Mapping) else {} for entry in value]
