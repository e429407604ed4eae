"""What message to make of what waits in a lane, and what need not be told any more. Pure: states and times are given.

- An end whose beginning was never told cancels it: both expire. An end is never cancelled once the beginning may
  have been told.
- For one alert nothing overtakes what came before it: not in this lane, and a notice follows the one before it to
  the way on which that one still waits.
- Critical comes first. One group is one message; more groups than `digest_over`, or groups that had to wait for
  room, become one digest; a storm's digests keep growing pauses.
- What waited for too long is not poured out but told as one summary.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from alertbridge.alerts import Severity
from alertbridge.deliver.deliveryconfig import FoldingSection
from alertbridge.deliver.fallback import DEADLINE
from alertbridge.deliver.limit.limits import Room
from alertbridge.deliver.model import Kind, MessageKind, NoticeState
from alertbridge.deliver.outbox.rows import Head

FINISHED_TEXTS = frozenset({Kind.SYSTEM, Kind.REPORT, Kind.REPLY, Kind.PROBE})
"""Kinds that are told by themselves, each as it is."""

RESOLVED_BEFORE_TOLD = "resolved_before_told"
OVER = "over"
TOO_LATE = "too_late"

_age = attrgetter("id")
_Key = tuple[str, object]
"""What makes notices one group."""

STORM_LASTS_S = 450.0
"""Digests further apart than this do not belong to one storm."""

PAUSED_S = 5.0
"""What waits for so long during a storm was held up by its pauses."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A message of this lane: how many notices it told, one of them critical or not, and seconds since it was made."""

    age_s: float
    count: int
    critical: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """What a lane finds. `told`: for episodes whose end waits, whether the beginning may have been told; no entry
    when nothing is known of a beginning. `elsewhere`: what waits or is composed for the same recipient on other
    ways. `ages_s`: for how long each notice has waited. `recent`: what the lane sent lately, newest first.
    `waited`: there was no room when it was asked last. `full`: rooms that have no room just now. `over`: alerts that
    ended meanwhile without being told, looked up when what waits is stale."""

    now_s: float
    ages_s: Mapping[int, float]
    told: Mapping[int, bool]
    elsewhere: Sequence[Head] = ()
    recent: Sequence[Sent] = ()
    waited: bool = False
    full: Collection[Room] = ()
    over: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be made of `heads`."""

    kind: MessageKind
    heads: tuple[Head, ...]
    room: Room

    @property
    def severity(self) -> Severity:
        return min((head.severity for head in self.heads), key=lambda severity: severity.rank)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do: notices that expire, with the reason; notices that follow to another way; one message; seconds
    until it is worth looking again when there is no message, None when nothing waits."""

    expired: tuple[tuple[Head, str], ...] = ()
    following: tuple[tuple[Head, int], ...] = ()
    draft: Draft | None = None
    wait_s: float | None = None


def plan(waiting: Sequence[Head], situation: Situation, folding: FoldingSection) -> Plan:
    """What a lane does with what waits in it (oldest first) when it is free to send."""
    expired = _expired(waiting, situation)
    staying = _without({head.id for head, _ in expired}, waiting)
    following = _following(staying, situation.elsewhere)
    staying = _without({head.id for head, _ in following}, staying)
    held = [head for head in staying if head.not_before_s is not None and head.not_before_s > situation.now_s]
    due = _without({head.id for head in held}, staying)
    waits_s = [head.not_before_s - situation.now_s for head in held if head.not_before_s is not None]
    draft, wait_s = _drafted(_in_order(due, staying), situation, folding)
    if draft is None:
        found = [seconds for seconds in (*waits_s, wait_s) if seconds is not None and seconds > 0]
        wait_s = min(found, default=None)
    return Plan(tuple(expired), tuple(following), draft, None if draft else wait_s)


def _without(gone: Collection[int], heads: Sequence[Head]) -> Sequence[Head]:
    return [head for head in heads if head.id not in gone] if gone else heads


def storm_pause_s(recent: Sequence[Sent], folding: FoldingSection, *, critical: bool) -> float:
    """Seconds that a storm's next message must wait; 0 when there is no storm."""
    pauses = folding.critical_pauses_s if critical else folding.pauses_s
    digests = _storm(recent, folding)
    if not digests:
        return 0.0
    level = len(digests)
    step = level - 1
    if digests[0].count > folding.crowd_over:
        step = len(pauses) - 1 if critical else level + 1
    if critical and not digests[0].critical:
        step = 0  # what is critical now was not in the last one: it follows soon
    return max(0.0, pauses[min(step, len(pauses) - 1)] - digests[0].age_s)


def _storm(recent: Sequence[Sent], folding: FoldingSection) -> list[Sent]:
    """The digests of the storm that is on, newest first; none when there is no storm."""
    found: list[Sent] = []
    last_s = 0.0
    for sent in recent:
        if sent.count <= folding.digest_over or sent.age_s < 0:
            continue
        if sent.age_s - last_s > STORM_LASTS_S:
            break
        found.append(sent)
        last_s = sent.age_s
    return found


def _is_pressing(alerts: Sequence[Head]) -> bool:
    return any(head.why == DEADLINE and head.severity is Severity.CRITICAL for head in alerts)


def _expired(waiting: Sequence[Head], situation: Situation) -> list[tuple[Head, str]]:
    """What need not be told any more."""
    ended = {
        head.episode_id for head in waiting if head.kind is Kind.RESOLVED and head.episode_id is not None
    }
    if not ended and not any(head.kind is Kind.REPLY for head in waiting):
        return []  # as it is while a storm grows
    held = {
        head.episode_id
        for head in situation.elsewhere
        if head.kind in (Kind.FIRING, Kind.REPEAT) and head.episode_id is not None
    }
    beginning = {
        head.episode_id
        for head in waiting
        if head.kind in (Kind.FIRING, Kind.REPEAT, Kind.FLAPPING, Kind.ESCALATION)
    }
    flapping = {head.episode_id for head in waiting if head.kind in (Kind.FLAPPING, Kind.ESCALATION)}
    found: list[tuple[Head, str]] = []
    for head in waiting:
        if (
            head.kind is Kind.REPLY
            and situation.ages_s.get(head.id, 0.0) > head.deadline_at_s - head.created_at_s + 60
        ):
            found.append((head, TOO_LATE))
            continue
        episode = head.episode_id
        if episode is None or episode not in ended:
            continue
        known = episode in situation.told or episode in beginning
        if situation.told.get(episode, not known):
            if head.kind is Kind.REPEAT:
                found.append((head, OVER))
        elif episode not in held and head.kind in (Kind.FIRING, Kind.REPEAT, Kind.RESOLVED):
            if head.kind is Kind.RESOLVED and episode in flapping:
                continue
            found.append((head, RESOLVED_BEFORE_TOLD))
    return found


def _following(staying: Sequence[Head], elsewhere: Sequence[Head]) -> list[tuple[Head, int]]:
    """Those before which something of the same alert still waits on another way, and that way."""
    if not elsewhere:
        return []
    before: dict[str, Head] = {}
    for other in elsewhere:
        if other.fingerprint:
            known = before.get(other.fingerprint)
            if known is None or other.id > known.id:
                before[other.fingerprint] = other
    found = []
    for head in staying:
        earlier = before.get(head.fingerprint)
        if earlier is not None and earlier.id < head.id and earlier.way != head.way:
            found.append((head, earlier.way))
    return found


def _in_order(due: Sequence[Head], staying: Sequence[Head]) -> list[Head]:
    """Those of `due` that overtake nothing of the same alert among `staying` by being told."""
    if len(due) == len(staying):
        return sorted(due, key=_age)
    ready = {head.id for head in due}
    blocked: set[str] = set()
    found = []
    for head in sorted(staying, key=_age):
        if head.id in ready and head.fingerprint not in blocked:
            found.append(head)
        elif head.fingerprint:
            blocked.add(head.fingerprint)
    return found


def _drafted(
    due: Sequence[Head], situation: Situation, folding: FoldingSection
) -> tuple[Draft | None, float | None]:
    """The next message, or the seconds until there may be one."""
    texts = sorted((head for head in due if head.kind in FINISHED_TEXTS), key=_urgency)
    alerts = [head for head in due if head.kind not in FINISHED_TEXTS]
    draft, wait_s = _of_alerts(alerts, texts, situation, folding)
    if draft is not None and draft.room not in situation.full and draft.severity is Severity.CRITICAL:
        return draft, None
    for text in texts:
        room = _room(text.severity, text.kind)
        if room not in situation.full:
            return Draft(MessageKind.PLAIN, (text,), room), None
    if draft is not None and draft.room not in situation.full:
        return draft, None
    return None, wait_s


def _of_alerts(
    alerts: Sequence[Head], texts: Sequence[Head], situation: Situation, folding: FoldingSection
) -> tuple[Draft | None, float | None]:
    if not alerts:
        return None, None
    oldest_s = max(situation.ages_s.get(head.id, 0.0) for head in alerts)
    critical = any(head.severity is Severity.CRITICAL for head in alerts)
    room = Room.CRITICAL if critical else Room.NORMAL
    if (
        len(alerts) + situation.over > folding.stale_over
        and _waited_s(alerts, situation) > folding.stale_after_s
    ):
        old = [
            head
            for head in texts
            if head.kind is Kind.SYSTEM and situation.ages_s.get(head.id, 0.0) > folding.stale_after_s
        ]
        return Draft(MessageKind.SUMMARY, (*alerts, *old), room), None
    if oldest_s < folding.gather_s:
        return None, folding.gather_s - oldest_s
    pause_s = storm_pause_s(situation.recent, folding, critical=critical)
    if pause_s > 0:
        return None, pause_s
    # what waited out a storm's pause, or came here since its time was over, has no time to go one by one
    paused = oldest_s >= folding.gather_s + PAUSED_S and bool(_storm(situation.recent, folding))
    waited = situation.waited or paused or _is_pressing(alerts)
    groups = _groups(alerts)
    if len(groups) == 1:
        return _of_group(groups[0]), None
    if len(groups) <= folding.digest_over and not waited:
        return _of_group(groups[0]), None
    urgent = [group for group in groups if _is_critical(group)]
    if (
        urgent
        and len(alerts) <= folding.crowd_over
        and len(urgent) <= folding.digest_over
        and Room.CRITICAL not in situation.full
        and not waited
    ):
        return _of_group(urgent[0]), None
    return Draft(MessageKind.DIGEST, tuple(alerts), room), None


def _waited_s(alerts: Sequence[Head], situation: Situation) -> float:
    """How long the one that has been due for longest waits; quiet hours are no outage."""
    return max(
        min(
            situation.ages_s.get(head.id, 0.0),
            situation.now_s - head.not_before_s if head.not_before_s is not None else float("inf"),
        )
        for head in alerts
    )


def _groups(alerts: Sequence[Head]) -> list[tuple[Head, ...]]:
    """By group, the critical ones first, then by age; none overtakes what came before it of the same alert.

    One pass, since a storm's notices are thousands, each of them perhaps a group of its own.
    """
    whole: dict[_Key, list[Head]] = {}
    unbroken: dict[_Key, list[Head]] = {}
    # of each fingerprint the group that has all of it so far; None: several have
    keys_of: dict[str, _Key | None] = {}
    for head in alerts:
        key = ("group", head.group_key) if head.group_key else ("alone", head.fingerprint or head.id)
        whole.setdefault(key, []).append(head)
        if head.fingerprint and keys_of.setdefault(head.fingerprint, key) != key:
            keys_of[head.fingerprint] = None
        else:
            unbroken.setdefault(key, []).append(head)
    order = sorted(unbroken, key=lambda key: (not _is_critical(whole[key]), whole[key][0].id))
    return [tuple(unbroken[key]) for key in order]


def _of_group(group: tuple[Head, ...]) -> Draft:
    kind = MessageKind.SINGLE if len(group) == 1 else MessageKind.GROUP
    return Draft(kind, group, Room.CRITICAL if _is_critical(group) else Room.NORMAL)


def _is_critical(group: Sequence[Head]) -> bool:
    return any(head.severity is Severity.CRITICAL for head in group)


def _room(severity: Severity, kind: Kind) -> Room:
    if kind in (Kind.REPLY, Kind.PROBE):
        return Room.REPLY
    return Room.CRITICAL if severity is Severity.CRITICAL else Room.NORMAL


def _urgency(head: Head) -> tuple[int, bool, int]:
    return (0 if head.kind is Kind.REPLY else 1, head.severity is not Severity.CRITICAL, head.id)


def open_elsewhere(heads: Sequence[Head], way: int) -> list[Head]:
    """Those that wait on another way than `way`, or are in a message there that has not left."""
    return [head for head in heads if head.way != way]


def waiting_here(heads: Sequence[Head], way: int) -> list[Head]:
    """Those that wait for `way`."""
    return [head for head in heads if head.way == way and head.state is NoticeState.PENDING]
