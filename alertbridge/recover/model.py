"""What a run of a recovery rule is, and the only ways in which its state can change. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from alertbridge.alerts import Severity


class RunState(Enum):
    """Where a run is. The first seven are under way, the others are its end."""

    PROPOSED = "proposed"  # decided, or about to try again
    AWAITING = "awaiting"  # a person must say yes
    PRECHECKED = "prechecked"  # the target was looked at; nothing was done in this try
    ACTING = "acting"  # written before the action begins; found after a crash, the outcome is unknown
    VERIFYING = "verifying"
    UNDO_DUE = "undo_due"  # what was changed is to be taken back; nothing was done about that yet
    UNDOING = "undoing"  # written before it is taken back; found after a crash, the outcome is unknown
    CURED = "cured"
    NOT_CURED = "not_cured"  # it acted, and nobody can tell whether it helped
    FAILED = "failed"  # it cannot be carried out at all
    EXHAUSTED = "exhausted"  # every try was made, or the last one that was allowed
    REFUSED = "refused"  # the target must not be acted upon: a person is needed
    CANCELLED = "cancelled"  # nobody wants it any more
    INTERRUPTED = "interrupted"  # a crash left an outcome that cannot be found out
    UNDONE = "undone"  # of a run that takes another one back: it did
    NOT_UNDONE = "not_undone"  # the same: it could not
    UNDO_LOST = "undo_lost"  # the same: nobody knows whether it did


UNDER_WAY = (
    RunState.PROPOSED,
    RunState.AWAITING,
    RunState.PRECHECKED,
    RunState.ACTING,
    RunState.VERIFYING,
    RunState.UNDO_DUE,
    RunState.UNDOING,
)
GAVE_UP = (
    RunState.NOT_CURED,
    RunState.FAILED,
    RunState.EXHAUSTED,
    RunState.REFUSED,
    RunState.INTERRUPTED,
)
"""Ends after which a rule does nothing more for that episode: a person was told."""


class RunEvent(Enum):
    """What happens to a run."""

    ASK = "ask"
    APPROVE = "approve"
    READY = "ready"
    ACT = "act"
    DONE = "done"
    LOST = "lost"  # the action began and nobody knows how it ended
    AGAIN = "again"  # the next try, or the next step
    RECHECK = "recheck"  # found after a crash before anything was done
    CURE = "cure"
    DOUBT = "doubt"
    GIVE_UP = "give_up"
    REFUSE = "refuse"
    CANCEL = "cancel"
    BREAK = "break"
    INTERRUPT = "interrupt"
    TAKE_BACK = "take_back"
    UNDO = "undo"
    UNDONE = "undone"
    UNDO_FAILED = "undo_failed"
    UNDO_LOST = "undo_lost"


TRANSITIONS: Mapping[tuple[RunState, RunEvent], RunState] = {
    (RunState.PROPOSED, RunEvent.ASK): RunState.AWAITING,
    (RunState.PROPOSED, RunEvent.READY): RunState.PRECHECKED,
    (RunState.PROPOSED, RunEvent.AGAIN): RunState.PROPOSED,
    (RunState.PROPOSED, RunEvent.CURE): RunState.CURED,  # between two tries
    (RunState.PROPOSED, RunEvent.GIVE_UP): RunState.EXHAUSTED,
    (RunState.PROPOSED, RunEvent.REFUSE): RunState.REFUSED,
    (RunState.PROPOSED, RunEvent.CANCEL): RunState.CANCELLED,
    (RunState.PROPOSED, RunEvent.BREAK): RunState.FAILED,
    (RunState.AWAITING, RunEvent.APPROVE): RunState.PROPOSED,
    (RunState.AWAITING, RunEvent.CANCEL): RunState.CANCELLED,
    (RunState.PRECHECKED, RunEvent.ACT): RunState.ACTING,
    (RunState.PRECHECKED, RunEvent.RECHECK): RunState.PROPOSED,
    (RunState.PRECHECKED, RunEvent.GIVE_UP): RunState.EXHAUSTED,
    (RunState.PRECHECKED, RunEvent.CANCEL): RunState.CANCELLED,
    (RunState.PRECHECKED, RunEvent.BREAK): RunState.FAILED,
    (RunState.ACTING, RunEvent.DONE): RunState.VERIFYING,
    (RunState.ACTING, RunEvent.LOST): RunState.VERIFYING,
    (RunState.ACTING, RunEvent.AGAIN): RunState.PROPOSED,
    (RunState.ACTING, RunEvent.GIVE_UP): RunState.EXHAUSTED,
    (RunState.ACTING, RunEvent.REFUSE): RunState.REFUSED,
    (RunState.VERIFYING, RunEvent.CURE): RunState.CURED,
    (RunState.VERIFYING, RunEvent.AGAIN): RunState.PROPOSED,
    (RunState.VERIFYING, RunEvent.GIVE_UP): RunState.EXHAUSTED,
    (RunState.VERIFYING, RunEvent.DOUBT): RunState.NOT_CURED,
    (RunState.VERIFYING, RunEvent.BREAK): RunState.FAILED,
    (RunState.VERIFYING, RunEvent.INTERRUPT): RunState.INTERRUPTED,
    (RunState.PROPOSED, RunEvent.TAKE_BACK): RunState.UNDO_DUE,
    (RunState.PRECHECKED, RunEvent.TAKE_BACK): RunState.UNDO_DUE,
    (RunState.ACTING, RunEvent.TAKE_BACK): RunState.UNDO_DUE,
    (RunState.VERIFYING, RunEvent.TAKE_BACK): RunState.UNDO_DUE,
    (RunState.UNDO_DUE, RunEvent.UNDO): RunState.UNDOING,
    (RunState.UNDO_DUE, RunEvent.CANCEL): RunState.CANCELLED,
    (RunState.UNDO_DUE, RunEvent.UNDO_FAILED): RunState.NOT_UNDONE,
    (RunState.UNDO_DUE, RunEvent.GIVE_UP): RunState.EXHAUSTED,
    (RunState.UNDOING, RunEvent.TAKE_BACK): RunState.UNDO_DUE,  # the one before it
    (RunState.UNDOING, RunEvent.AGAIN): RunState.PROPOSED,
    (RunState.UNDOING, RunEvent.GIVE_UP): RunState.EXHAUSTED,
    (RunState.UNDOING, RunEvent.INTERRUPT): RunState.INTERRUPTED,
    (RunState.UNDOING, RunEvent.UNDONE): RunState.UNDONE,
    (RunState.UNDOING, RunEvent.UNDO_FAILED): RunState.NOT_UNDONE,
    (RunState.UNDOING, RunEvent.UNDO_LOST): RunState.UNDO_LOST,
}


class Reason(Enum):
    """Why a rule acts on an alert, or does not. Words of metrics, of the store and of what people read."""

    ACT = "act"
    DISABLED = "disabled"
    OWN_ALERT = "own_alert"  # the bridge's alerts about itself: acting on them would go in circles
    RESOLVED_ALREADY = "resolved_already"
    TARGET_WELL = "target_well"  # the alert fires still, and the target says that all is well
    FLAPPING = "flapping"
    GAVE_UP = "exhausted"  # this rule had its tries on this episode
    PAUSED = "paused"
    OUTSIDE_WINDOW = "outside_window"
    DEPENDENCY = "dependency"
    NO_TARGET = "no_target"  # a label is missing, or the target is not in the configuration
    BUSY_TARGET = "busy_target"
    AWAITING_APPROVAL = "awaiting_approval"
    DECLINED = "declined"  # a person said no about this alert, or nothing
    COOLDOWN = "cooldown"
    HOURLY_CAP = "hourly_cap"
    DAILY_CAP = "daily_cap"
    PRECONDITION = "precondition"
    DRY_RUN = "dry_run"


@dataclass(frozen=True, slots=True)
class Decision:
    """What a rule makes of an alert; `detail` is a few words for people."""

    reason: Reason
    detail: str = ""

    @property
    def acts(self) -> bool:
        return self.reason is Reason.ACT


@dataclass(frozen=True, slots=True)
class Planned:
    """One step of a run as it will be carried out: parameters are rendered, `target` is the action's own key."""

    action: str
    settings: Mapping[str, object]
    target: str


@dataclass(frozen=True, slots=True)
class Run:
    """One go at curing one episode by one rule. Times are Unix seconds.

    `step` counts from 0, `attempt` the tries of that step so far, `acted` the actions that were begun over all
    steps. `fence` grows with each owner: who holds an older one must not write. `undoes` is the run that this one
    takes back, where it does.
    """

    id: int
    rule: str
    episode_id: int | None
    fingerprint: str
    alert: str
    severity: Severity
    labels: Mapping[str, str]
    summary: str
    starts_at_s: float
    plan: tuple[Planned, ...]
    state: RunState
    owner: str
    fence: int
    proposed_at_s: float
    step: int = 0
    attempt: int = 0
    acted: int = 0
    reason: str = ""
    detail: str = ""
    asks: bool = False
    requested_by: str = ""
    approved_by: str = ""
    next_at_s: float | None = None
    acted_at_s: float | None = None
    ended_at_s: float | None = None
    lost: bool = False  # how the last action ended is not known
    undoes: int | None = None
    evidence: Mapping[str, object] = field(default_factory=dict)

    @property
    def under_way(self) -> bool:
        return self.state in UNDER_WAY

    @property
    def now(self) -> Planned:
        """The step that it is at."""
        return self.plan[self.step]

    @property
    def targets(self) -> tuple[str, ...]:
        """Everything that it may act upon, each once, sorted."""
        return tuple(sorted({one.target for one in self.plan}))
