"""What each template can say, by name: one function per kind of text."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from alertbridge.deliver.model import Kind, Subject
from alertbridge.deliver.render.facts import AlertFacts, many
from alertbridge.deliver.render.words import RESOLVED_SYMBOL

Context = dict[str, object]

SYMBOLS = MappingProxyType(
    {
        "resolved": RESOLVED_SYMBOL,
        "escalation": "\N{POLICE CARS REVOLVING LIGHT}",
        "report": "\N{BAR CHART}",
    }
)
GROUP_SHOWN = 15
DIGEST_SHOWN = 8


@dataclass(frozen=True, slots=True)
class AwaySummary:
    """What went on while nothing could be sent: `total` alerts since `since_s` (Unix seconds).

    Those that ended meanwhile count, told or not. `unknown`: Alertmanager could not be asked, `still_firing` is as
    last heard. `told_elsewhere`: so many others went out over a fallback.
    """

    total: int
    still_firing: Sequence[Subject]
    since_s: float
    unknown: bool = False
    told_elsewhere: int = 0


@dataclass(frozen=True, slots=True)
class ReportSection:
    """A heading and lines under it."""

    heading: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A report on the time from `since_s` to `until_s` (Unix seconds), as `span` in words where it has such.

    `notes` say what is to be known of the report itself.
    """

    title: str
    since_s: float
    until_s: float
    sections: tuple[ReportSection, ...]
    notes: tuple[str, ...] = ()
    span: str = ""


def of_one(subject: Subject, kind: Kind, language: str, now_s: float) -> Context:
    """For the templates of one alert."""
    return {
        "alert": AlertFacts.of(subject, language, now_s),
        "kind": kind.value,
        "language": language,
        "now_s": now_s,
        "symbols": SYMBOLS,
    }


def of_many(
    subjects: Iterable[Subject],
    language: str,
    now_s: float,
    *,
    since_s: float | None = None,
    truncated: int = 0,
    shown: int = DIGEST_SHOWN,
    other: Sequence[str] = (),
) -> Context:
    """For `group` and `digest`; `truncated` more alerts are known by their number only."""
    return {
        "all": many(subjects, language, now_s, shown=shown, other=other),
        "truncated": truncated,
        "span_s": now_s - (now_s if since_s is None else since_s),
        "language": language,
        "now_s": now_s,
        "symbols": SYMBOLS,
    }


def of_away(summary: AwaySummary, language: str, now_s: float) -> Context:
    """For `away`."""
    context = of_many(summary.still_firing, language, now_s, since_s=summary.since_s)
    return context | {"summary": summary, "over_count": max(summary.total - len(summary.still_firing), 0)}


def of_report(report: Report, now_s: float) -> Context:
    """For `report`."""
    return {"report": report, "now_s": now_s, "symbols": SYMBOLS}
