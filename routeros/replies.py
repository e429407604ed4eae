"""What a caller gets back: records, replies, and the numbers a router object tells about itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

Record = dict[str, str]
"""One row as the router said it: every value is text, decoded as UTF-8, else cp1252, else latin-1."""


class Priority(IntEnum):
    """Who goes first when commands wait: strict by class, first come first served within one."""

    CRITICAL = 0
    HIGH = 1
    NORMAL = 2
    LOW = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """The whole answer to one command: its rows, and the value of `=ret=` on `!done` when there was one."""

    records: list[Record] = field(default_factory=list)
    ret: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """How a fresh connection went, stage by stage; `tls_s` is None on the plain port."""

    identity: str
    connect_s: float
    tls_s: float | None
    login_s: float
    command_s: float

    @property
    def total_s(self) -> float:
        return self.connect_s + (self.tls_s or 0.0) + self.login_s + self.command_s


@dataclass(frozen=True, slots=True)
class ConnectionStats:
    """One connection of a pool at this moment."""

    state: str
    in_flight: int
    age_s: float
    idle_s: float
    commands_total: int
    bytes_received_total: int
    bytes_sent_total: int


@dataclass(frozen=True, slots=True)
class RouterStats:
    """One router object at this moment; the totals cover all its connections, also those long closed."""

    connections_open: int
    connections_busy: int
    connections_opening: int
    in_flight: int
    waiting: int
    limit: float
    connects_total: int
    connect_failures_total: int
    login_failures_total: int
    commands_total: int
    bytes_received_total: int
    bytes_sent_total: int
    rows_received_total: int
    unknown_tags_total: int
    unknown_replies_total: int
    discarded_rows_total: int
    connections: tuple[ConnectionStats, ...] = ()
