"""What accepting asks of the other parts, as the least that it needs of them."""

from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Protocol

from alertbridge.alerts import Alert
from alertbridge.deliver.model import Kind
from alertbridge.deliver.route.routing import Decision


class Deciding(Protocol):
    """Who is told of a change; `deliver.routing.Routes`. Pure and quick: it is asked within a transaction."""

    def decide(self, alert: Alert, kind: Kind, now_s: float, *, receiver: str = "") -> Decision:
        """For a beginning."""
        ...

    def follow(
        self, alert: Alert, recipients: Iterable[str], kind: Kind, now_s: float, *, receiver: str = ""
    ) -> Decision:
        """For what those must learn who were told before."""
        ...


@dataclass(frozen=True, slots=True)
class Change:
    """An episode that began, goes on after a repeat, or ended; committed when anybody hears of it.

    `kind` is FIRING, REPEAT or RESOLVED whatever people are told; `flapping` says that they may not be.
    """

    kind: Kind
    episode_id: int
    alert: Alert
    at_s: float
    group_key: str
    receiver: str
    external_url: str
    flapping: bool


class IntakeListener(Protocol):
    """Hears of what was committed. Called in the event loop: must be quick and raise nothing."""

    def notices_made(self, recipients: Set[str]) -> None:
        """These have something new to be told."""
        ...

    def episode_changed(self, change: Change) -> None:
        """An episode began, goes on or ended."""
        ...

    def watchdog_arrived(self, alert: Alert, at_s: float) -> None:
        """A watchdog alert came in at that Unix time; it is not stored and told to nobody."""
        ...
