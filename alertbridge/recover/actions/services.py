"""What every service can be asked, whoever keeps it running: how it is, to stop, to start, to start anew."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from alertbridge.recover.actions.base import Fact


@dataclass(frozen=True, slots=True)
class Condition:
    """How a service is at one moment.

    `running` is None while it is between two states. `incarnation` is another text each time that another process
    stands in its place, and empty when there is none. `complaint` is what its keeper holds against it although it
    runs, such as ``unhealthy``. `restarts` counts those that nobody asked for; None when the keeper does not count.
    """

    running: bool | None
    incarnation: str = ""
    pids: tuple[int, ...] = ()
    restarts: int | None = None
    complaint: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)


class ServiceFailed(Exception):
    """A service could not be asked or told. `reason` is a short stable word, the message a sentence without secrets.

    `changed` is None when nobody knows whether it was done.
    """

    def __init__(self, reason: str, detail: str, *, changed: bool | None = False) -> None:
        super().__init__(detail)
        self.reason = reason
        self.changed = changed


class Service(Protocol):
    """One service of the allow list. Every method raises ServiceFailed, and ends within the entry's `timeout_s`."""

    @property
    def name(self) -> str:
        """Its name in the configuration."""
        ...

    @property
    def target(self) -> str:
        """Key of what it is, such as ``systemd:bot.service``; entries for the same thing have the same."""
        ...

    async def condition(self) -> Condition:
        """How it is now."""
        ...

    async def restart(self) -> None:
        """It was told to begin anew, and its keeper says that this was done."""
        ...

    async def stop(self) -> None:
        """It is not running."""
        ...

    async def start(self) -> None:
        """It was started."""
        ...

    async def last_lines(self, count: int) -> str:
        """The end of its log; empty when there is none to be had."""
        ...
