"""What a reply is: who asks, what for, and what comes back. Plain data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from alertbridge.alerts import Severity


class Role(Enum):
    """What somebody may do; each may what the one before may."""

    VIEWER = "viewer"  # reads
    OPERATOR = "operator"  # acknowledges, silences, runs actions
    ADMIN = "admin"  # stops recovery, and runs what must be asked for

    def may(self, needed: "Role") -> bool:
        """Whether this role is enough."""
        return _RANKS[self] >= _RANKS[needed]


_RANKS = {role: rank for rank, role in enumerate(Role)}


class Outcome(Enum):
    """What became of a message; words of the metric `alertbridge_replies_total`."""

    DONE = "done"
    ASKED = "asked"  # a code must be sent back first
    NOT_FOUND = "not_found"
    WRONG_USE = "wrong_use"
    NOT_UNDERSTOOD = "not_understood"
    FORBIDDEN = "forbidden"
    WRONG_CODE = "wrong_code"
    REFUSED = "refused"  # whoever was asked says no
    UNAVAILABLE = "unavailable"  # whoever was asked does not answer
    TOO_SLOW = "too_slow"
    TOO_MANY = "too_many"  # more than one person may write in a minute
    FAILED = "failed"  # a fault of ours


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the list. `language` is settled."""

    name: str
    role: Role
    language: str

    @property
    def author(self) -> str:
        """How silences and the audit call this person."""
        return f"wa:{self.name}"


@dataclass(frozen=True, slots=True)
class Order:
    """A command as it was understood. `duration_s` is infinite for "for ever"; `surplus` are words that it has
    no use for."""

    command: str
    episodes: tuple[int, ...] = ()
    everything: bool = False  # "all", "semua"
    duration_s: float | None = None
    names: tuple[str, ...] = ()
    code: str = ""
    surplus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """An order, who gave it, and what was quoted: the episodes that the quoted message told of."""

    person: Person
    channel: str
    chat: str
    order: Order
    quoted: tuple[int, ...] = ()
    in_group: bool = False

    @property
    def language(self) -> str:
        return self.person.language


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said. `after` is what the audit learns of what was changed, None when nothing was. `whole`: however
    long it is, nothing of it is left out."""

    text: str
    outcome: Outcome = Outcome.DONE
    image_png: bytes | None = field(default=None, repr=False)
    after: Mapping[str, str | int | float | bool | None] | None = None
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode as answers need it. Times are Unix seconds."""

    id: int
    fingerprint: str
    is_open: bool
    name: str
    severity: Severity
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at_s: float
    receiver: str = ""
    group_key: str = ""
    external_url: str = ""
    generator_url: str = ""
    acknowledged_by: str = ""
