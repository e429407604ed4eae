"""What templates can say: facts about one alert or many, counted and sorted beforehand, so that templates stay dumb."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest

from alertbridge.alerts import AlertStatus, Severity
from alertbridge.deliver.model import Notice, Subject
from alertbridge.deliver.render.words import SYMBOLS, words

_DEVICES = ("router", "bot", "database", "host", "device", "target")
"""Labels that name what an alert is about; the first that is there counts, `instance` when none is."""
_PARTS = (
    "interface",
    "peer",
    "neighbor",
    "queue",
    "pool",
    "server",
    "service",
    "probe",
    "session",
    "channel",
    "mount",
    "sensor",
    "container",
    "certificate",
    "site",
)
"""Labels that name a part of it, or where it stands."""
_DULL = frozenset(
    {
        "alertname",
        "severity",
        "job",
        "team",
        "prometheus",
        "replica",
        "monitor",
        "cluster",
        "alertstate",
        "instance",
    }
)
_SHOWN_LABELS = 5
_VALUE_CHARS = 60
_PLACE_CHARS = 30
_SHOWN_PLACES = 4
_URL_CHARS = 500
_LINKS = ("http://", "https://")


class Labels(Mapping[str, str]):
    """Labels by name; one that is not there is empty. A label may be called `items`: only its value can be had."""

    __slots__ = ("_labels",)

    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = labels

    def __getitem__(self, name: str) -> str:
        return self._labels.get(name, "")

    def __contains__(self, name: object) -> bool:
        return name in self._labels

    def __iter__(self) -> Iterator[str]:
        return iter(self._labels)

    def __len__(self) -> int:
        return len(self._labels)


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """One alert as templates see it. Times are Unix seconds; `lasted_s` is until its end, or until now."""

    id: int
    name: str
    severity: str  # critical, warning, info, none
    severity_word: str
    symbol: str
    resolved: bool
    place: tuple[str, ...]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    more_labels: tuple[str, ...]  # `name=value` of those that neither name, severity nor place tell
    summary: str
    description: str
    runbook_url: str
    dashboard_url: str
    starts_at_s: float
    ends_at_s: float | None
    lasted_s: float
    acknowledged_by: str

    @classmethod
    def of(cls, subject: Subject, language: str, now_s: float) -> "AlertFacts":
        ends_at_s = subject.ends_at_s if subject.status is AlertStatus.RESOLVED else None
        summary = _annotation(subject, "summary", language)
        description = _annotation(subject, "description", language)
        place_labels = _place_labels(subject.labels)
        return cls(
            id=subject.episode_id,
            name=cut(subject.name, _VALUE_CHARS),
            severity=subject.severity.value,
            severity_word=words(language).severities[subject.severity],
            symbol=SYMBOLS[subject.severity],
            resolved=subject.status is AlertStatus.RESOLVED,
            place=tuple(cut(subject.labels[name], _VALUE_CHARS) for name in place_labels),
            labels=Labels(subject.labels),
            annotations=Labels(subject.annotations),
            more_labels=_more_labels(subject.labels, place_labels),
            summary=summary,
            description="" if description == summary else description,
            runbook_url=_link(subject.annotations, "runbook_url", "runbook"),
            dashboard_url=_link(subject.annotations, "dashboard_url", "dashboard"),
            starts_at_s=subject.starts_at_s,
            ends_at_s=ends_at_s,
            lasted_s=max((now_s if ends_at_s is None else ends_at_s) - subject.starts_at_s, 0.0),
            acknowledged_by=cut(subject.acknowledged_by, _VALUE_CHARS),
        )


@dataclass(frozen=True, slots=True)
class Share:
    """How many alerts have something in common."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Sort:
    """Alerts of one name and severity that fire: how many, and where; the one alert itself when there is but one."""

    name: str
    severity_word: str
    symbol: str
    count: int
    places: tuple[str, ...]  # the first few, each once
    places_more: int
    only: AlertFacts | None


@dataclass(frozen=True, slots=True)
class ManyFacts:
    """Several alerts: the worst of them, the first of those that fire and that are over, and how many there are."""

    worst: AlertFacts | None
    total: int
    firing: tuple[AlertFacts, ...]  # worst first, then oldest
    firing_count: int
    sorts: tuple[Sort, ...]  # those that fire, by severity and name
    sorts_more: int  # alerts of the sorts that are not shown
    resolved: tuple[AlertFacts, ...]
    resolved_count: int
    severities: tuple[Share, ...]  # `name` in words, worst first
    routers: tuple[Share, ...]  # or what else the alerts are about, the most frequent first
    routers_count: int
    one_name: str  # the name that all of them have, if they have one
    other: tuple[str, ...]  # first lines of what is not about alerts


def many(
    subjects: Iterable[Subject], language: str, now_s: float, *, shown: int, other: Sequence[str] = ()
) -> ManyFacts:
    """Facts about `subjects`; of one episode the last one counts. At most `shown` of each state are told one by one."""
    latest = list({(one.episode_id, one.fingerprint): one for one in subjects}.values())
    firing = [one for one in latest if one.status is AlertStatus.FIRING]
    over = [one for one in latest if one.status is AlertStatus.RESOLVED]
    first_firing = [AlertFacts.of(one, language, now_s) for one in nsmallest(shown, firing, key=_urgency)]
    first_over = [AlertFacts.of(one, language, now_s) for one in nsmallest(shown, over, key=_urgency)]
    sorts = tuple(_sorts(firing, language, now_s, shown))
    by_severity = Counter(one.severity for one in latest)
    by_router = Counter(place for one in latest if (place := _device(one.labels)))
    names = {one.name for one in latest}
    counted = words(language).counted_severities
    return ManyFacts(
        worst=next(iter((*first_firing, *first_over)), None),
        total=len(latest),
        firing=tuple(first_firing),
        firing_count=len(firing),
        sorts=sorts,
        sorts_more=len(firing) - sum(sort.count for sort in sorts),
        resolved=tuple(first_over),
        resolved_count=len(over),
        severities=tuple(
            Share(counted[severity][by_severity[severity] != 1], by_severity[severity])
            for severity in Severity
            if by_severity[severity]
        ),
        routers=tuple(Share(cut(name, _PLACE_CHARS), count) for name, count in by_router.most_common(5)),
        routers_count=len(by_router),
        one_name=cut(names.pop(), _VALUE_CHARS) if len(names) == 1 else "",
        other=tuple(cut(text.partition("\n")[0], 2 * _VALUE_CHARS) for text in other[:shown]),
    )


def _sorts(firing: Iterable[Subject], language: str, now_s: float, shown: int) -> Iterator[Sort]:
    """What fires, by severity and then by how many there are of a name."""
    by_name: dict[tuple[Severity, str], list[Subject]] = {}
    for subject in firing:
        by_name.setdefault((subject.severity, subject.name), []).append(subject)
    worst = nsmallest(shown, by_name.items(), key=lambda item: (item[0][0].rank, -len(item[1]), item[0][1]))
    for (severity, name), subjects in worst:
        places = dict.fromkeys(place for one in subjects if (place := _device(one.labels)))
        yield Sort(
            name=cut(name, _VALUE_CHARS),
            severity_word=words(language).severities[severity],
            symbol=SYMBOLS[severity],
            count=len(subjects),
            places=tuple(cut(place, _PLACE_CHARS) for place in list(places)[:_SHOWN_PLACES]),
            places_more=max(len(places) - _SHOWN_PLACES, 0),
            only=AlertFacts.of(subjects[0], language, now_s) if len(subjects) == 1 else None,
        )


def subjects_of(notices: Iterable[Notice]) -> Iterator[Subject]:
    """What the notices are about, in their order."""
    return (notice.subject for notice in notices if notice.subject is not None)


def cut(value: str, limit: int) -> str:
    """`value`, or its first characters and an ellipsis: `limit` characters at most."""
    return value if len(value) <= limit else f"{value[: limit - 1].rstrip()}\N{HORIZONTAL ELLIPSIS}"


def _urgency(subject: Subject) -> tuple[int, float, int]:
    return subject.severity.rank, subject.starts_at_s, subject.episode_id


def _device(labels: Mapping[str, str]) -> str:
    return next((labels[name] for name in (*_DEVICES, "instance") if labels.get(name)), "")


def _place_labels(labels: Mapping[str, str]) -> tuple[str, ...]:
    device = next((name for name in (*_DEVICES, "instance") if labels.get(name)), None)
    parts = tuple(name for name in _PARTS if labels.get(name))
    return parts if device is None else (device, *parts)


def _more_labels(labels: Mapping[str, str], told: Sequence[str]) -> tuple[str, ...]:
    more = sorted(name for name in labels if name not in _DULL and name not in told and labels[name])
    return tuple(f"{cut(name, 40)}={cut(labels[name], _VALUE_CHARS)}" for name in more[:_SHOWN_LABELS])


def _annotation(subject: Subject, name: str, language: str) -> str:
    """The annotation in that language (`summary_id`), else the one without a language."""
    return subject.annotations.get(f"{name}_{language}") or subject.annotations.get(name, "")


def _link(annotations: Mapping[str, str], *names: str) -> str:
    """The first of these annotations that is a link that can be written as it is."""
    links = (annotations.get(name, "").strip() for name in names)
    fitting = (
        link
        for link in links
        if link.startswith(_LINKS) and link.isascii() and link.isprintable() and " " not in link
    )
    return next((link for link in fitting if len(link) <= _URL_CHARS), "")
