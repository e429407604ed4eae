"""What an alert of a notification means for what is known of its fingerprint. Pure; times are Unix seconds.

The rules, and what was seen of real Alertmanagers (AM) that asks for them:

1. A firing opens an episode unless one is open for its fingerprint, whatever its startsAt: the whole group comes
   with every notification, the copies of a pair differ in milliseconds, and a second Prometheus shifts startsAt.
2. A resolved closes whatever is open. Its startsAt says nothing: an alert that comes back within one group interval
   is told firing at T1 and then resolved at T2, which nobody announced.
3. A word that belongs to the state before the last change, and comes no later than `late_copy_s` after that change,
   is the late copy of another AM. A firing belongs there when it begins before the last episode ended; a resolved
   when it ends before the open episode began. The same words later are real: after a partition, or with two
   Prometheus of which one still sees the fault, an AM tells firing again with the *old* startsAt. An AM tells a
   group's next change only a group interval after the last, while its peer gives up an old notification
   at the latest 15 s (for each place in the cluster) after its own next flush is due; `late_copy_s` lies between.
   externalURL cannot tell the two apart, since both members of a pair are often given the same one.
4. A resolved for which nothing is open is a copy when the last episode ended with it, else the end of something
   that was never told. It opens nothing, and is remembered for rule 3: its firing may still be on the way.
5. A firing of what is open is a repeat when AM says that its repeat interval elapsed, unless a notice was made within
   `copy_window_s` (the other AM of a pair); when AM names no reason (before 0.32), if the last notice is older than
   `repeat_after_s`; when it names another, `remind_after_s`. Everything else is a copy.

A clock that was set back must not silence anybody: what lies further away than the window, to either side, is
not within it.
"""

from dataclasses import dataclass
from enum import Enum

from alertbridge.alerts import Alert, AlertStatus

TOLERANCE_S = 1.0
"""Times of one moment differ by so much between the members of a cluster."""
REPEAT_REASON = "repeat interval elapsed"
UNNAMED_REASONS = frozenset({"", "unknown"})


class EpisodeStatus(Enum):
    """Whether an episode goes on."""

    OPEN = "open"
    CLOSED = "closed"


class Verdict(Enum):
    """What an alert of a notification is."""

    OPENS = "opens"
    CLOSES = "closes"
    REPEAT = "repeat"  # still firing, and to be told again
    COPY = "copy"  # known already
    LATE = "late"  # a copy of what was before the last change
    UNOPENED = "unopened"  # the end of something that was never told


@dataclass(frozen=True, slots=True)
class EpisodeRules:
    """The windows of the rules, in seconds; see `accept.config`."""

    repeat_after_s: float = 3600.0
    remind_after_s: float = 14_400.0
    copy_window_s: float = 120.0
    late_copy_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Open:
    """An episode that goes on."""

    starts_at_s: float  # by the word of Alertmanager that opened it
    opened_at_s: float  # by our clock
    noticed_at_s: float  # when a notice was last made of it


@dataclass(frozen=True, slots=True)
class Ended:
    """An episode that is over, or an end that nobody knew the beginning of."""

    ends_at_s: float
    closed_at_s: float


@dataclass(frozen=True, slots=True)
class History:
    """What is known of a fingerprint: the episode that is open, and the last one that ended."""

    open: Open | None = None
    ended: Ended | None = None


def judge(alert: Alert, history: History, *, reason: str, now_s: float, rules: EpisodeRules) -> Verdict:
    """What `alert` is, told now in a notification whose `notification_reason` is `reason`."""
    if alert.status is AlertStatus.FIRING:
        if history.open is not None:
            return _of_known(history.open, reason, now_s, rules)
        return Verdict.LATE if _late_firing(alert, history.ended, now_s, rules) else Verdict.OPENS
    if history.open is None:
        return Verdict.COPY if _same_end(alert, history.ended, now_s, rules) else Verdict.UNOPENED
    return Verdict.LATE if _late_end(alert, history, now_s, rules) else Verdict.CLOSES


def _of_known(known: Open, reason: str, now_s: float, rules: EpisodeRules) -> Verdict:
    if reason == REPEAT_REASON:
        wait_s = rules.copy_window_s
    else:
        wait_s = rules.repeat_after_s if reason in UNNAMED_REASONS else rules.remind_after_s
    return Verdict.COPY if abs(now_s - known.noticed_at_s) < wait_s else Verdict.REPEAT


def _late_firing(alert: Alert, ended: Ended | None, now_s: float, rules: EpisodeRules) -> bool:
    return (
        ended is not None
        and alert.starts_at_s <= ended.ends_at_s + TOLERANCE_S
        and abs(now_s - ended.closed_at_s) <= rules.late_copy_s
    )


def _late_end(alert: Alert, history: History, now_s: float, rules: EpisodeRules) -> bool:
    if history.open is None or history.ended is None or alert.ends_at_s is None:
        return False
    return (
        alert.ends_at_s + TOLERANCE_S < history.open.starts_at_s
        and abs(now_s - history.open.opened_at_s) <= rules.late_copy_s
    )


def _same_end(alert: Alert, ended: Ended | None, now_s: float, rules: EpisodeRules) -> bool:
    if ended is None:
        return False
    soon = abs(now_s - ended.closed_at_s) <= rules.late_copy_s
    return soon or end_of(alert, now_s) <= ended.ends_at_s + TOLERANCE_S


def end_of(alert: Alert, now_s: float) -> float:
    """When a resolved alert ended: by its own word, or now when it has none."""
    return now_s if alert.ends_at_s is None else alert.ends_at_s


def after(history: History, alert: Alert, verdict: Verdict, now_s: float) -> History:
    """What is known once `verdict` on `alert` took effect."""
    match verdict:
        case Verdict.OPENS:
            return History(Open(alert.starts_at_s, now_s, now_s), history.ended)
        case Verdict.CLOSES | Verdict.UNOPENED:
            return History(None, Ended(end_of(alert, now_s), now_s))
        case Verdict.REPEAT if history.open is not None:
            return History(Open(history.open.starts_at_s, history.open.opened_at_s, now_s), history.ended)
    return history
