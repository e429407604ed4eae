"""What an action is to the engine: something with a target, a look before, a deed, a look after, and a way back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import ClassVar, Protocol

from runtime.sections import Section

Fact = str | int | float | bool | None


class Verdict(Enum):
    """What a target says of itself when it is asked."""

    HOLDS = "holds"  # it is as it should be
    FAILS = "fails"  # it is not
    UNKNOWN = "unknown"  # it could not be asked, or cannot know yet


class Stage(Enum):
    """Where an action failed; tells what may have changed."""

    PRECHECK = "precheck"  # nothing was changed
    RUN = "run"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a target looked like, for the audit: plain values without secrets."""

    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did. `changed` is False when there was nothing to do."""

    changed: bool
    evidence: Evidence = field(default_factory=Evidence)
    detail: str = ""


FINAL_REASONS = frozenset(
    {
        "logged_out", "banned", "timelocked", "needs_pairing", "misconfigured",
        "disabled", "invalid_script", "no_poe", "no_such_interface", "no_such_lease", "no_such_queue",
        "no_such_script", "not_allowed", "not_listed", "own_interface", "own_interface_unknown", "poe_off",
        "program_refused", "static_lease",
        "holder_not_allowed", "no_good_backup", "no_such_file", "not_configured", "not_wal",
    }
)  # fmt: skip
"""Reasons that do not go away by trying again: a person is told instead, and nothing more is done."""


class ActionFailed(Exception):
    """An action could not be done. `reason` is a short stable word, the message a sentence without secrets.

    `changed` tells whether the target was changed; None when nobody knows, because no answer came.
    """

    @property
    def final(self) -> bool:
        """Whether trying again is pointless or harmful."""
        return self.reason in FINAL_REASONS and self.changed is False

    def __init__(self, stage: Stage, reason: str, detail: str = "", *, changed: bool | None = False) -> None:
        super().__init__(detail or reason)
        self.stage = stage
        self.reason = reason
        self.changed = changed


class Undoable(Enum):
    """Whether an action can be taken back; the value is the word of the reference."""

    NO = "no"
    YES = "yes"
    CONFIGURED = "where configured"  # some targets have a way back


@dataclass(frozen=True, slots=True)
class About:
    """What the documentation and a confirmation say of an action."""

    changes: str
    verified: str
    undone: str
    ask_only: bool = False  # never without a person's yes, whatever the rule says
    opposes: tuple[str, ...] = ()  # actions that take the same target the other way
    undoable: Undoable = Undoable.NO


class Action(Protocol):
    """One deed on one target. Made anew for each run; every method has its own deadline from the engine."""

    name: ClassVar[str]
    about: ClassVar[About]
    repeatable: ClassVar[bool]
    """Whether it does no harm to do it once more when nobody knows whether it was done."""

    @property
    def target(self) -> str:
        """Key of what it acts upon, such as ``router:core/interface:ether5``: at most one action at a time."""
        ...

    async def before(self) -> Evidence:
        """How the target is now. Raises ActionFailed when acting would be wrong or cannot work."""
        ...

    async def run(self) -> Done:
        """Does it. Raises ActionFailed."""
        ...

    async def verify(self) -> Verdict:
        """Asks the target itself whether it is as it should be. Raises nothing but CancelledError."""
        ...

    async def undo(self) -> Done:
        """Takes it back, where that is a thing; called only when the run's actions changed something, or may have.

        Another object of the same run did it, perhaps before a restart. Raises ActionFailed.
        """
        ...


class NoSettings(Section):
    """Parameters of an action that has none."""
