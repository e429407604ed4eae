"""Which notices a change makes: one for each recipient, or one that says why there is none."""

from collections import Counter
from dataclasses import dataclass

from alertbridge.accept.config import DeadlineSection
from alertbridge.accept.ledger import Values
from alertbridge.accept.ports import Deciding
from alertbridge.accept.records import EpisodeRecord
from alertbridge.alerts import Alert, AlertStatus, Group
from alertbridge.deliver.model import Kind, NoticeState
from alertbridge.deliver.route.routing import Decision, Target

FLAPPING = "flapping"
UNTOLD = "untold"
"""Nobody was told of the beginning, so nobody needs to hear of the end."""
NOBODY = "nobody"
"""Who was told of the beginning is no longer in the configuration."""
REASON_CHARS = 40
_FOR_ALL = frozenset({Kind.FLAPPING, Kind.CALM})
"""Concern those who were told before as well as those who would be told now."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A row of `notices` whose episode may not have its id yet."""

    record: EpisodeRecord
    values: Values

    def row(self) -> Values:
        return {"episode_id": self.record.id} | self.values


class Notices:
    """The notices of one transaction. `recipients` have something new to be told."""

    def __init__(self, routes: Deciding, deadlines: DeadlineSection, now_s: float) -> None:
        self._routes = routes
        self._deadlines = deadlines
        self._now_s = now_s
        self.drafts: list[Draft] = []
        self.recipients: set[str] = set()
        self.made: Counter[Kind] = Counter()
        self.suppressed: Counter[str] = Counter()

    def tell(
        self, record: EpisodeRecord, alert: Alert, group: Group, kind: Kind, *, silent: bool = False
    ) -> None:
        """Drafts the notices of a change that `alert` brought. `silent`: the flapping message stands for them."""
        decision = self._decision(record, alert, group.receiver, kind)
        if not decision.targets:
            reason = (decision.suppressed or NOBODY)[:REASON_CHARS]
            self._draft(record, alert, group, kind, Target("", ""), NoticeState.SUPPRESSED, reason)
            self.suppressed[reason] += 1
        for target in decision.targets:
            record.told.add(target.recipient)
            if silent:
                self._draft(record, alert, group, kind, target, NoticeState.MERGED, FLAPPING)
                self.suppressed[FLAPPING] += 1
            else:
                self._draft(record, alert, group, kind, target, NoticeState.PENDING, "")
                self.recipients.add(target.recipient)
                self.made[kind] += 1

    def _decision(self, record: EpisodeRecord, alert: Alert, receiver: str, kind: Kind) -> Decision:
        for_all = kind in _FOR_ALL
        if kind is Kind.RESOLVED and not record.told:
            return Decision((), (), UNTOLD)
        if kind is Kind.CALM and alert.status is AlertStatus.FIRING:
            kind = Kind.REPEAT  # calm and still firing is no end, whatever routes say of ends
        followed = Decision((), ())
        if for_all or kind is Kind.RESOLVED:
            followed = self._routes.follow(alert, sorted(record.told), kind, self._now_s, receiver=receiver)
        if kind is Kind.RESOLVED:
            return followed
        decided = self._routes.decide(alert, kind, self._now_s, receiver=receiver)
        known = {target.recipient for target in decided.targets}
        more = tuple(target for target in followed.targets if target.recipient not in known)
        return Decision(decided.targets + more, decided.reasons, decided.suppressed)

    def _draft(
        self,
        record: EpisodeRecord,
        alert: Alert,
        group: Group,
        kind: Kind,
        target: Target,
        state: NoticeState,
        reason: str,
    ) -> None:
        from_s = max(self._now_s, target.not_before_s or 0.0)
        values: Values = {
            "kind": kind.value,
            "state": state.value,
            "reason": reason,
            "recipient": target.recipient,
            "severity": alert.severity.value,
            "language": target.language,
            "template": target.template,
            "group_key": group.key,
            "created_at": self._now_s,
            "not_before_at": target.not_before_s,
            "deadline_at": from_s + self._deadlines.of(alert.severity),
            "settled_at": None if state is NoticeState.PENDING else self._now_s,
        }
        self.drafts.append(Draft(record, values))
