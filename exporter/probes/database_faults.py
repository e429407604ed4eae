"""Why a database gave nothing: a fault from a list, and a message without any secret."""

from collections.abc import Iterator
from enum import StrEnum

from exporter.probes.base import Measured
from exporter.samples import Family

MESSAGE_LIMIT_CHARS = 300


class Fault(StrEnum):
    """Why a database or query gave nothing; the value is a stable word for labels."""

    MISSING = "missing"
    """No such file, or no such database on the server."""
    UNREADABLE = "unreadable"
    """The exporter's user may not read the file."""
    NOT_A_DATABASE = "not_a_database"
    CORRUPT = "corrupt"
    LOCKED = "locked"
    """Somebody else held it locked for as long as we were willing to wait."""
    UNRECOVERED = "unrecovered"
    """Its last owner died in the middle of a write; whoever may write must open it once."""
    WOULD_BLOCK = "would_block"
    """Reading on would keep the owner from writing, and the file is too large to be copied."""
    TOO_LARGE = "too_large"
    """The file is larger than is checked."""
    UNREACHABLE = "unreachable"
    LOGIN = "login"
    """User, password, host-based rules or a missing right to connect."""
    FULL = "full"
    """The server takes no more connections."""
    GONE = "gone"
    """The connection was lost on the way."""
    TIMEOUT = "timeout"
    WRITE_REFUSED = "write_refused"
    """The statement wanted to change something."""
    DENIED = "denied"
    """The user may not read what the statement names."""
    SQL = "sql"
    """The statement is wrong, or does not give the columns that are wanted."""
    TOO_MANY = "too_many"
    """More rows than may be compared."""
    ROUTER = "router"
    """The router that the accounts are compared with gave none."""
    OTHER = "other"


class DatabaseFault(Exception):
    """A database gave nothing; `fault` says why, the message is one line for the operator."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(" ".join(message.split())[:MESSAGE_LIMIT_CHARS])
        self.fault = fault


def faults(
    family: Family, current: Fault | None, among: tuple[Fault, ...] = tuple(Fault)
) -> Iterator[Measured]:
    """1 for the `current` fault, 0 for each other of `among`."""
    return (Measured(family, int(fault is current), {"reason": fault.value}) for fault in among)
