"""What recovery needs of its neighbours, as protocols: who they are is decided where the bridge is put together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from alertbridge.alerts import Severity
from alertbridge.deliver.model import Body, Kind
from alertbridge.prometheus import Value
from alertbridge.recover.actions.base import About, Action
from runtime.sections import Section


class NoSuchTarget(Exception):
    """An action cannot be made: what it would act upon is not configured. The message is a sentence."""


@dataclass(frozen=True, slots=True)
class KnownAction:
    """A kind of action: what its parameters are and what it does, without a target."""

    name: str
    settings: type[Section]
    about: About
    repeatable: bool


class ActionMaker(Protocol):
    """Makes actions; see actions/registry.py."""

    @property
    def known(self) -> Mapping[str, KnownAction]:
        """Every kind of action by name."""
        ...

    def make(self, name: str, settings: Section, *, run_id: str = "") -> Action:
        """An action with parameters that are rendered and checked. Raises NoSuchTarget. Pure and quick.

        `run_id` is the same for every object that stands for one run, also after a restart.
        """
        ...

    def can_undo(self, name: str, settings: Mapping[str, object]) -> bool:
        """Whether an action with these rendered parameters can be taken back. Pure and quick."""
        ...


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
    ) -> int:
        """Within the transaction of `connection` when there is one; call `notices_made` after its commit."""
        ...

    def notices_made(self, recipients: Iterable[str]) -> None:
        """These have something new to be told."""
        ...


@dataclass(frozen=True, slots=True)
class Person:
    """A recipient, and the language that it is told in."""

    name: str
    language: str


class People(Protocol):
    """Who bears a name now; see people.py."""

    def of(self, names: Iterable[str], now_s: float) -> Sequence[Person]:
        """Recipients and rotas by name, each recipient once; names that are not known are left out."""
        ...


class Asking(Protocol):
    """Asks Prometheus; `prometheus.Prometheus`."""

    async def query(self, expression: str, *, at_s: float | None = None) -> list[Value]:
        """Raises PrometheusError."""
        ...


class RecoveryCounts(Protocol):
    """What is counted; `selfmetrics.SelfMetrics`."""

    def decided(self, rule: str, reason: str) -> None: ...
    def attempted(self, rule: str, action: str) -> None: ...
    def run_ended(
        self, rule: str, outcome: str, duration_s: float, fault_to_verified_s: float | None
    ) -> None: ...
    def exhausted(self, rule: str, *, is_exhausted: bool) -> None: ...
    def recovering(self, running: int, *, paused: bool) -> None: ...
