"""What each section of a report says: one function for each, from what was gathered to lines of text."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Final
from zoneinfo import ZoneInfo

from alertbridge.alerts import Severity
from alertbridge.deliver.render import humanise
from alertbridge.deliver.render.words import words
from alertbridge.report.ledger import CURED
from alertbridge.report.model import Answer, Gathered, Ledger, Missing, Part, Track
from alertbridge.report.questions import ATTENTIONS, PRESENT, Attention, Measure
from alertbridge.report.schedule import Kind
from alertbridge.report.words import ReportWords, report_words

WHOLE: Final = 0.98
"""What counts as measured throughout: a scrape that failed here and there is not worth a word."""

_SENT: Final = ("sent", "acked")
_FAILED: Final = ("failed", "dead")
_GAVE_UP: Final = ("not_cured", "failed", "exhausted", "refused", "interrupted")


@dataclass(frozen=True, slots=True)
class Writer:
    """What was gathered, and how numbers and times are written."""

    gathered: Gathered
    language: str
    zone: ZoneInfo

    @property
    def words(self) -> ReportWords:
        return report_words(self.language)

    def without(self, found: Answer | Track) -> list[str]:
        """The line for what is not known. That nobody answers at all is told above, once."""
        known_above = self.gathered.is_unreachable
        missing = Missing.NO_DATA if known_above or found.missing is None else found.missing
        return [self.words.missing[missing]]

    def count(self, value: float) -> str:
        """``12.345``, with the language's mark between thousands."""
        return f"{value:,.0f}".replace(",", "," if words(self.language).decimal == "." else ".")

    def share(self, ratio: float) -> str:
        """Per cent, never rounded up: 100% is said only where nothing is missing."""
        percent = math.floor(ratio * 10_000 + 1e-6) / 100
        return f"{percent:g}%".replace(".", words(self.language).decimal)

    def seen(self, coverage: float) -> list[str]:
        """How much was measured, where that is not all."""
        return [] if coverage >= WHOLE else [self.words.seen.format(f"{math.floor(coverage * 100)}%")]

    def duration(self, seconds: float) -> str:
        return humanise.duration(seconds, self.language)

    def rate(self, bits: float) -> str:
        return humanise.rate(bits, self.language)

    def size(self, amount_bytes: float) -> str:
        return humanise.size(amount_bytes, self.language)

    def time(self, at_s: float) -> str:
        until_s = self.gathered.period.until_s
        return humanise.time_of(at_s, self.zone, self.language, now_s=until_s, with_zone=False)

    def shortened(self, lines: list[str], limit: int) -> list[str]:
        """At most `limit` of `lines`, and how many more there are."""
        left = len(lines) - limit
        return lines if left <= 0 else [*lines[:limit], self.words.and_more.format(left)]


def _joined(*parts: Iterable[str]) -> str:
    return ", ".join(part for several in parts for part in several)


def availability(writer: Writer) -> list[str]:
    """The routers that were not up throughout, the worst first."""
    answer = writer.gathered.answer("availability")
    if answer.missing:
        return writer.without(answer)
    up = {router: ratio for (router,), ratio in answer.by("router").items()}
    coverage = {
        r: seen for (r,), seen in writer.gathered.answer("availability_coverage").by("router").items()
    }
    lines = []
    for router, ratio in sorted(up.items(), key=lambda item: (item[1], item[0])):
        seen = min(1.0, coverage.get(router, 1.0))
        if ratio >= 1 and seen >= WHOLE:
            continue
        down_s = (1 - ratio) * seen * writer.gathered.period.length_s
        if down_s > 60:
            down_s = round(down_s / 60) * 60  # as fine as it is measured
        down = [writer.words.down_for.format(writer.duration(down_s))] if down_s >= 1 else []
        lines.append(_joined([f"{router} {writer.share(ratio)}"], down, writer.seen(seen)))
    fine = writer.words.of_routers.format(len(up) - len(lines), len(up))
    return [fine, *writer.shortened(lines, writer.gathered.top)]


def traffic(writer: Writer) -> list[str]:
    """The total and its peak, then the busiest routers."""
    answer = writer.gathered.answer("traffic")
    if answer.missing:
        return writer.without(answer)
    total = {router: amount for (router,), amount in answer.by("router").items()}
    peaks = {router: bits for (router,), bits in writer.gathered.answer("traffic_peak").by("router").items()}
    coverage = min(1.0, *[1.0, *writer.gathered.answer("traffic_coverage").by().values()])
    first = [writer.words.total.format(writer.size(sum(total.values())))]
    if (peak := _peak(writer.gathered.track("traffic"))) is not None:
        at_s, bits = peak
        first.append(writer.words.peak_at.format(writer.rate(bits), writer.time(at_s)))
    busiest = sorted(total, key=lambda router: (-total[router], router))
    lines = [
        _joined(
            [f"{router} {writer.size(total[router])}"],
            [writer.words.peak.format(writer.rate(peaks[router]))] if router in peaks else [],
        )
        for router in busiest
    ]
    head = _joined(first, writer.seen(coverage))
    return [head, *(writer.shortened(lines, writer.gathered.top) if len(lines) > 1 else [])]


def subscribers(writer: Writer) -> list[str]:
    """The most that were active at once, and who moved the most data."""
    track, answer = writer.gathered.track("users"), writer.gathered.answer("busiest")
    lines = []
    if (peak := _peak(track)) is not None:
        at_s, users = peak
        lines.append(writer.words.peak_users.format(writer.count(users), writer.time(at_s)))
    else:
        lines += writer.without(track)
    head = writer.words.busiest
    if writer.gathered.kind is not Kind.DAILY:
        head = f"{head.removesuffix(':')} ({writer.words.estimate}):"
    if answer.missing:
        return [*lines, f"{head} {writer.without(answer)[0]}"] if answer.missing != track.missing else lines
    users_by = sorted(answer.by("user", "router").items(), key=lambda item: -item[1])
    return [
        *lines,
        head,
        *(f"{user} ({router}) {writer.size(amount)}" for (user, router), amount in users_by),
    ]


def alerts(writer: Writer) -> list[str]:
    """By severity, from our own store."""
    ledger = writer.gathered.ledger
    if ledger is None:
        return [writer.words.missing[Missing.NO_DATA]]
    lines = _kept(writer, ledger)
    if ledger.opened:
        lines.append(_by_severity(writer, ledger.opened))
        names = (f"{name} {writer.count(times)}×" for name, times in ledger.names)  # noqa: RUF001  a times sign
        lines.append(writer.words.frequent.format(", ".join(names)))
    else:
        lines.append(writer.words.no_alerts)
    still = _by_severity(writer, ledger.still_open)
    return [*lines, writer.words.still_open.format(still) if still else writer.words.none_open]


def recovery(writer: Writer) -> list[str]:
    """How often something was tried, how often it helped, and how soon."""
    ledger = writer.gathered.ledger
    if ledger is None:
        return [writer.words.missing[Missing.NO_DATA]]
    cured = ledger.recoveries.get(CURED, 0)
    not_cured = sum(ledger.recoveries.get(state, 0) for state in _GAVE_UP)
    if not cured + not_cured:
        return [writer.words.no_recoveries]
    share = writer.share(cured / (cured + not_cured))
    lines = [writer.words.recoveries.format(writer.count(cured + not_cured), writer.count(cured), share)]
    if times := ledger.times_to_recover_s:
        told = (writer.duration(median(times)), writer.duration(max(times)))
        lines.append(writer.words.recovered_in.format(*told))
    if not_cured:
        lines.append(writer.words.not_cured.format(writer.count(not_cured)))
    return lines


def messages(writer: Writer) -> list[str]:
    """What the bridge sent, and what the bots say of themselves."""
    ledger, said = writer.gathered.ledger, writer.words
    if ledger is None:
        lines = [said.missing[Missing.NO_DATA]]
    else:
        sent = sum(ledger.messages.get(state, 0) for state in _SENT)
        failed = sum(ledger.messages.get(state, 0) for state in _FAILED)
        lines = [
            _joined(
                [said.bridge_messages.format(writer.count(sent))],
                [said.bridge_failed.format(writer.count(failed))],
            )
        ]
    counts = {name: writer.gathered.answer(name) for name in ("bot_sent", "bot_failed", "bot_connected")}
    sent_by, failed_by, connected = (answer.by("bot") for answer in counts.values())
    if not sent_by and not connected:
        return [*lines, f"Bot: {writer.without(counts['bot_sent'])[0]}"]
    for (bot,) in sorted({*sent_by, *connected}):
        sent_here = sent_by.get((bot,))
        lines.append(
            _joined(
                [said.bot_messages.format(bot, writer.count(sent_here))]
                if sent_here is not None
                else [f"{bot}: {said.missing[Missing.NO_DATA]}"],
                [said.bot_failed.format(writer.count(failed_by[bot,]))] if (bot,) in failed_by else [],
                [said.connected.format(writer.share(connected[bot,]))] if (bot,) in connected else [],
            )
        )
    return lines


def databases(writer: Writer) -> list[str]:
    """Each one, whether it could be reached, its size and its backup."""
    answer, said = writer.gathered.answer("database_up"), writer.words
    if answer.missing:
        return writer.without(answer)
    sizes, ages, sound = (
        writer.gathered.answer(name).by("database")
        for name in ("database_size", "backup_age", "database_sound")
    )
    return [
        _joined(
            [f"{database}: {said.reachable.format(writer.share(ratio))}"],
            [said.damaged] if sound.get((database,)) == 0 else [],
            [writer.size(sizes[database,])] if (database,) in sizes else [],
            [
                said.backup_old.format(writer.duration(ages[database,]))
                if (database,) in ages
                else said.no_backup
            ],
        )
        for (database,), ratio in sorted(answer.by("database").items())
    ]


def attention(writer: Writer) -> list[str]:
    """What is beyond a threshold, and what nobody measures."""
    lines: list[str] = []
    unmeasured: list[str] = []
    for row in ATTENTIONS:
        answer = writer.gathered.answer(row.name)
        if answer.missing:
            unmeasured.append(writer.words.attention_names[row.name])
        lines += writer.shortened(_beyond(writer, row, answer), writer.gathered.top)
    if len(unmeasured) == len(ATTENTIONS):
        return writer.without(writer.gathered.answer(ATTENTIONS[0].name))
    gaps = [writer.words.not_measured.format(", ".join(unmeasured))] if unmeasured else []
    return [*(lines or [writer.words.nothing_wrong]), *gaps]


def _beyond(writer: Writer, row: Attention, answer: Answer) -> list[str]:
    found = [one for one in answer.values if PRESENT not in one.labels]
    found.sort(key=lambda one: one.value if row.below else -one.value)
    return [
        writer.words.attention[row.name].format(
            " ".join(filter(None, (one.labels.get(label, "") for label in row.labels))),
            _measured(writer, row.measure, one.value),
        )
        for one in found
    ]


def _measured(writer: Writer, measure: Measure, value: float) -> str:
    match measure:
        case Measure.USED | Measure.FREE:
            return humanise.percent(value, writer.language)
        case Measure.FREE_BYTES:
            return writer.size(value)
        case Measure.AGE:
            return writer.duration(value)
        case Measure.LEFT:
            told = writer.words.runs_out if value > 0 else writer.words.ran_out
            return told.format(writer.duration(abs(value)))
        case Measure.DEGREES:
            return f"{humanise.number(value, writer.language)} °C"
        case Measure.FLAG:
            return ""


def _by_severity(writer: Writer, counts: Mapping[Severity, int]) -> str:
    table = words(writer.language).counted_severities
    return ", ".join(
        f"{writer.count(counts[severity])} {table[severity][counts[severity] != 1]}"
        for severity in Severity
        if counts.get(severity)
    )


def _kept(writer: Writer, ledger: Ledger) -> list[str]:
    """A note where retention has taken some of the period."""
    if ledger.kept_since_s <= writer.gathered.period.since_s:
        return []
    return [
        writer.words.kept_since.format(humanise.day_of(ledger.kept_since_s, writer.zone, writer.language))
    ]


def _peak(track: Track) -> tuple[float, float] | None:
    """When, and how much."""
    points = [point for series in track.series for point in series.points]
    return max(points, key=lambda point: point[1], default=None)


SECTIONS: Final[Mapping[Part, Callable[[Writer], list[str]]]] = {
    Part.AVAILABILITY: availability,
    Part.TRAFFIC: traffic,
    Part.SUBSCRIBERS: subscribers,
    Part.ALERTS: alerts,
    Part.RECOVERY: recovery,
    Part.MESSAGES: messages,
    Part.DATABASES: databases,
    Part.ATTENTION: attention,
}
