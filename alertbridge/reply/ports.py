"""What answering needs of its neighbours, as protocols: who they are is decided where the bridge is put together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alertmanager import ActiveAlert, Matcher, Silence
from alertbridge.alerts import Group, Severity
from alertbridge.deliver.model import Body, Kind
from alertbridge.prometheus import Series, Value

Fact = str | int | float | bool | None


class AuditTrail(Protocol):
    """Keeps what was done for good; recover/audit.py."""

    async def append(
        self,
        *,
        who: str,
        what: str,
        why: str,
        before: Mapping[str, Fact] | None = None,
        after: Mapping[str, Fact] | None = None,
    ) -> None:
        """Returns when it is on the disk. Raises StoreError."""
        ...


class RunRefused(Exception):
    """Recovery will not do it. `reason` is its word for why, `detail` a few words for people, perhaps none."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class UndoRefused(Exception):
    """A run is not taken back; `reason` is the name of a refusal of recovery, `run` and `other` are runs."""

    def __init__(self, reason: str, run: int, other: int = 0) -> None:
        super().__init__(f"{reason}: run {run}")
        self.reason = reason
        self.run = run
        self.other = other


class NoSuchOffer(Exception):
    """There is nothing of that name to be run."""


class CodeAnswer(Enum):
    """What became of a code."""

    TAKEN = "taken"
    WRONG = "wrong"  # there is no such code, or it is somebody else's
    EXPIRED = "expired"
    USED = "used"
    FOR_ADMINS = "for_admins"


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that a person may ask for by `name`; `does` is for people. `asks`: only an admin may."""

    name: str
    does: str
    asks: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that waits for `code`, which only who asked for it can send, once, within `valid_s` seconds. `does` says
    what it will do, where the asker did not."""

    run: str
    code: str = field(repr=False)
    valid_s: float
    does: str = ""


@dataclass(frozen=True, slots=True)
class RecoveryState:
    """How recovery stands; `paused_by` is empty while it goes on."""

    paused_by: str = ""
    running: int = 0
    awaiting: int = 0


class Recovery(Protocol):
    """Recovery as an operator can use it; see bench.py for the engine's. Everything raises StoreError."""

    async def state(self) -> RecoveryState: ...

    def offers(self) -> Sequence[Offer]:
        """What can be run by hand."""
        ...

    async def request(self, name: str, labels: Mapping[str, str], *, by: str) -> Waiting:
        """Prepares a run on what `labels` name. Raises NoSuchOffer, RunRefused."""
        ...

    async def undo(self, number: int, *, by: str) -> Waiting:
        """Prepares taking back what a run changed. Raises UndoRefused."""
        ...

    async def answer(self, code: str, *, by: str, yes: bool, is_admin: bool) -> CodeAnswer:
        """Lets the run that waits for `code` begin, or ends it. A code is good for one answer."""
        ...

    async def pause(self, *, by: str) -> None:
        """No further step begins."""
        ...

    async def resume(self, *, by: str) -> None:
        """Steps may begin again."""
        ...


class Reports(Protocol):
    """Makes a report now."""

    async def now(self, language: str) -> Body:
        """The daily report as of now. Raises PrometheusError, StoreError."""
        ...


class ReplyCounts(Protocol):
    """What is counted; `selfmetrics.SelfMetrics`."""

    def replied(self, command: str, outcome: str) -> None: ...


class Teller(Protocol):
    """Puts a finished text before somebody; `deliver.worker.Delivery`."""

    async def enqueue(
        self,
        kind: Kind,
        recipient: str,
        body: Body,
        *,
        severity: Severity = ...,
        deadline_s: float | None = ...,
        language: str = ...,
        episode_id: int | None = ...,
        connection: AsyncConnection | None = ...,
    ) -> int: ...


class Asking(Protocol):
    """`prometheus.Prometheus`."""

    async def query(self, expression: str, *, at_s: float | None = None) -> list[Value]: ...

    async def query_range(
        self, expression: str, *, start_s: float, end_s: float, step_s: float
    ) -> list[Series]: ...


class Silencing(Protocol):
    """`alertmanager.Alertmanager`."""

    async def alerts(self, *, silenced: bool = False, inhibited: bool = False) -> list[ActiveAlert]: ...

    async def silences(self) -> list[Silence]: ...

    async def add_silence(
        self,
        matchers: Sequence[Matcher],
        *,
        starts_at_s: float,
        ends_at_s: float,
        created_by: str,
        comment: str,
        silence_id: str = "",
    ) -> str: ...

    async def expire_silence(self, silence_id: str) -> None: ...


class Taking(Protocol):
    """`accept.intake.Intake`: what Alertmanager would have said comes in the same way."""

    async def take(self, group: Group) -> object: ...


class ChannelWords(Protocol):
    """How each channel stands, in one word, by name."""

    def __call__(self) -> Mapping[str, str]: ...
