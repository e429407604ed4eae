"""One transaction of the intake: what several notifications change, in the order in which they came.

First everything is judged, in memory; then it is settled who is told; then all is written, kind by kind.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from alertbridge.accept.config import AcceptSection
from alertbridge.accept.episodes import Ended, EpisodeStatus, Verdict, after, judge
from alertbridge.accept.flapping import Flaps, Voice, changed
from alertbridge.accept.ledger import Ledger, flaps_of
from alertbridge.accept.notices import Notices
from alertbridge.accept.payload import Rejected
from alertbridge.accept.ports import Change, Deciding
from alertbridge.accept.records import Case, EpisodeRecord
from alertbridge.alerts import Alert, AlertStatus, Group
from alertbridge.deliver.model import Kind

SEEN_EVERY_S = 60.0
"""`last_seen_at` is as exact as that: the copies of a pair cost no writing."""
KINDS = {
    Verdict.OPENS: Kind.FIRING,
    Verdict.REPEAT: Kind.REPEAT,
    Verdict.CLOSES: Kind.RESOLVED,
}
_STATUS = {Verdict.OPENS: AlertStatus.FIRING, Verdict.CLOSES: AlertStatus.RESOLVED}

Breath = Callable[[], Awaitable[None]]
"""Awaited now and then during long work: lets the loop do something else when it is due."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Alerts of one notification that are stored together, and what of it could not be read."""

    group: Group
    alerts: tuple[Alert, ...]
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """A change of an episode, before it is told to anybody."""

    record: EpisodeRecord
    alert: Alert
    group: Group
    kind: Kind
    voice: Voice


class Recording:
    """What one transaction makes of its pieces. `verdicts` has a count for each piece."""

    def __init__(
        self,
        ledger: Ledger,
        routes: Deciding,
        section: AcceptSection,
        *,
        now_s: float,
        unopened: Mapping[str, Ended],
        breath: Breath,
    ) -> None:
        self._ledger = ledger
        self._rules = section.rules
        self._flapping = section.flapping.rules
        self._now_s = now_s
        self._unopened = unopened
        self._breath = breath
        self._cases: dict[str, Case] = {}
        self._opened: list[EpisodeRecord] = []
        self._touched: dict[int, EpisodeRecord] = {}
        self._seen: set[int] = set()
        self._events: list[Event] = []
        self.notices = Notices(routes, section.deadlines, now_s)
        self.verdicts: list[Counter[Verdict]] = []
        self.unopened: dict[str, Ended] = {}
        self.latencies_s: list[float] = []

    @property
    def changes(self) -> list[Change]:
        """What listeners hear, once it is committed."""
        return [_change(event, self._now_s) for event in self._events]

    async def run(self, pieces: Sequence[Piece]) -> None:
        """Judges, tells and writes `pieces`."""
        await self._load({alert.fingerprint for piece in pieces for alert in piece.alerts})
        for piece in pieces:
            verdicts: Counter[Verdict] = Counter()
            for alert in piece.alerts:
                verdicts[self._take(alert, piece.group)] += 1
                await self._breath()
            self.verdicts.append(verdicts)
        await self._tell()
        await self._write([rejected for piece in pieces for rejected in piece.rejected])

    async def _load(self, fingerprints: set[str]) -> None:
        if not fingerprints:
            return
        self._cases = {fingerprint: Case() for fingerprint in fingerprints}
        rows = await self._ledger.latest(fingerprints)
        for row in sorted(rows, key=_is_open):  # the closed ones first
            case = self._cases[row.fingerprint]
            case.record = _record(row)
            case.history = case.record.history(case.history.ended)
            case.stored_flaps = row.changed_at is not None
            case.flaps = flaps_of(row) if case.stored_flaps else Flaps(case.flaps.changes + _changes(row))
        for fingerprint in self._unopened.keys() & fingerprints:
            self._cases[fingerprint].recall(self._unopened[fingerprint])

    def _take(self, alert: Alert, group: Group) -> Verdict:
        case = self._cases[alert.fingerprint]
        verdict = judge(alert, case.history, reason=group.reason, now_s=self._now_s, rules=self._rules)
        if verdict is Verdict.REPEAT and case.flaps.flapping:
            verdict = Verdict.COPY  # that it flaps was said; the calm will be said
        case.history = after(case.history, alert, verdict, self._now_s)
        match verdict:
            case Verdict.OPENS:
                case.record = EpisodeRecord.opened(alert, group, self._now_s)
                self._opened.append(case.record)
                self.latencies_s.append(max(0.0, self._now_s - alert.starts_at_s))
            case Verdict.CLOSES if case.record is not None:
                case.record.close(alert, self._now_s)
            case Verdict.REPEAT if case.record is not None:
                case.record.repeat(alert, self._now_s)
            case Verdict.UNOPENED if case.history.ended is not None:
                self.unopened[alert.fingerprint] = case.history.ended
        if case.record is not None:
            self._seen_again(case, case.record)
            if verdict in KINDS:
                self._note(case, case.record, alert, group, verdict)
        return verdict

    def _seen_again(self, case: Case, record: EpisodeRecord) -> None:
        long_ago = abs(self._now_s - record.last_seen_at_s) >= SEEN_EVERY_S
        if long_ago and record.id is not None and case.history.open is not None:
            self._seen.add(record.id)

    def _note(self, case: Case, record: EpisodeRecord, alert: Alert, group: Group, verdict: Verdict) -> None:
        voice = Voice.PLAIN
        if verdict in _STATUS:
            flaps, voice = changed(case.flaps, _STATUS[verdict], self._now_s, self._flapping)
            case.take_flaps(flaps)
        record.flapping = case.flaps.flapping
        self._events.append(Event(record, alert, group, KINDS[verdict], voice))
        if record.id is not None:
            self._touched[record.id] = record

    async def _tell(self) -> None:
        told = await self._ledger.told(self._touched)
        for identity, recipients in told.items():
            self._touched[identity].told |= recipients
        for event in self._events:
            kind = Kind.FLAPPING if event.voice is Voice.FLAPPING else event.kind
            silent = event.voice is Voice.SILENT
            self.notices.tell(event.record, event.alert, event.group, kind, silent=silent)
            await self._breath()

    async def _write(self, rejected: Sequence[Rejected]) -> None:
        await self._ledger.change_episodes(self._touched.values())  # first: only one may be open
        await self._ledger.add_episodes(self._opened)
        await self._ledger.seen(self._seen - self._touched.keys(), self._now_s)
        await self._ledger.add_notices(draft.row() for draft in self.notices.drafts)
        changed_flaps = {name: case.flaps for name, case in self._cases.items() if case.flaps_changed}
        await self._ledger.put_flaps(changed_flaps)
        await self._ledger.add_rejects(
            {"at": self._now_s, "path": found.path, "reason": found.reason} for found in rejected
        )


def _record(row: Row[Any]) -> EpisodeRecord:
    """A loaded episode; its labels come with the alert that changes it."""
    return EpisodeRecord(
        alert=Alert(row.fingerprint, AlertStatus.FIRING, {}, {}, row.starts_at),
        group=Group("", "", "", ()),
        starts_at_s=row.starts_at,
        opened_at_s=row.opened_at,
        last_seen_at_s=row.last_seen_at,
        last_noticed_at_s=row.last_noticed_at,
        id=row.id,
        status=EpisodeStatus(row.status),
        ends_at_s=row.ends_at,
        closed_at_s=row.closed_at,
        repeats=row.repeats,
        flapping=row.flapping,
    )


def _is_open(row: Row[Any]) -> bool:
    return bool(row.status == EpisodeStatus.OPEN.value)


def _changes(row: Row[Any]) -> tuple[float, ...]:
    return (row.opened_at,) if row.closed_at is None else (row.opened_at, row.closed_at)


def _change(event: Event, now_s: float) -> Change:
    return Change(
        kind=event.kind,
        episode_id=event.record.id or 0,
        alert=event.alert,
        at_s=now_s,
        group_key=event.group.key,
        receiver=event.group.receiver,
        external_url=event.group.external_url,
        flapping=event.voice is not Voice.PLAIN,
    )
