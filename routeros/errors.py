"""Every failure of a router is one of these; the class answers who must act and whether to retry.

    RouterError                  .router is the target's name, "" when unknown; no message ever holds a secret
      RouterUnreachable          .reason: refused, reset, no_route, name, deadline, tls, closed; retry
        RouterEnded              the router said `!fatal` and hung up
        CommandDeadline          one command passed its deadline; the connection lives
      LoginRefused               wrong user, password or policy: a fault of the configuration, do not hammer
      CommandFailed              .path, .category: `!trap`; this command failed, the connection lives
        CommandUnsupported       no such command: board, version or package; ask again much later
        PermissionDenied         .policy: what the user's group lacks
      ProtocolViolation          bytes that cannot be right: the connection is dropped
      NotAttempted               .retry_in_s: nothing was sent
        BreakerOpen              the router failed too often or refused the login
        PoolExhausted            no free slot in time
        PoolClosed               the router object was closed

Where librouteros has an exception for the same thing, ours is one of its kind as well, so code written for
librouteros catches it: every `RouterError` is a `LibRouterosError`, `CommandFailed` a `TrapError`,
`ProtocolViolation` a `ProtocolError`, `RouterEnded` a `FatalError`.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Self

from librouteros.exceptions import FatalError, LibRouterosError, ProtocolError, TrapError


class UnreachableReason(Enum):
    """Why no answer came; the value is a stable word for labels."""

    REFUSED = "refused"
    RESET = "reset"
    NO_ROUTE = "no_route"
    NAME = "name"
    DEADLINE = "deadline"
    TLS = "tls"
    CLOSED = "closed"


class RouterError(LibRouterosError):
    """Anything that went wrong with one router; `sent` tells whether a command had gone out."""

    def __init__(self, message: str, *, router: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.router = router
        self.sent = False

    def again(self) -> Self:
        """The same error as an object of its own, so that each of several callers gets its own traceback."""
        twin = type(self).__new__(type(self))
        twin.args = self.args
        twin.__dict__.update(self.__dict__)
        twin.__cause__ = self.__cause__
        return twin

    def __str__(self) -> str:
        return f"{self.router}: {self.message}" if self.router else self.message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class RouterUnreachable(RouterError):
    """The router did not answer; `reason` says how that showed."""

    def __init__(
        self, message: str, *, reason: UnreachableReason, router: str = "", sent: bool = False
    ) -> None:
        super().__init__(message, router=router)
        self.reason = reason
        self.sent = sent


class RouterEnded(RouterUnreachable, FatalError):
    """The router ended the connection with `!fatal`."""

    def __init__(self, message: str, *, router: str = "", sent: bool = False) -> None:
        super().__init__(message, reason=UnreachableReason.CLOSED, router=router, sent=sent)


class CommandDeadline(RouterUnreachable):
    """A command was sent and got no complete answer in time; it was cancelled and the connection lives."""

    def __init__(self, message: str, *, path: str, allowed_s: float, router: str = "") -> None:
        super().__init__(message, reason=UnreachableReason.DEADLINE, router=router, sent=True)
        self.path = path
        self.allowed_s = allowed_s


class LoginRefused(RouterError):
    """The router answered the login with a refusal; trying again with the same credentials is pointless."""


class CommandFailed(RouterError, TrapError):
    """The router answered a command with `!trap`; `category` is its number, or None when it gave none."""

    def __init__(self, message: str, *, path: str, category: int | None = None, router: str = "") -> None:
        RouterError.__init__(self, message, router=router)
        self.path = path
        self.category = category

    def __str__(self) -> str:
        return RouterError.__str__(self)

    def __repr__(self) -> str:
        return RouterError.__repr__(self)


class CommandUnsupported(CommandFailed):
    """The router has no such command: another board or version, or a package is missing."""


class PermissionDenied(CommandFailed):
    """The user may not do this; `policy` names what is most likely missing from its group."""

    def __init__(
        self, message: str, *, path: str, policy: str, category: int | None = None, router: str = ""
    ) -> None:
        super().__init__(message, path=path, category=category, router=router)
        self.policy = policy


class ProtocolViolation(RouterError, ProtocolError):
    """Bytes that no RouterOS sends: the stream cannot be followed any more."""


class NotAttempted(RouterError):
    """Nothing was sent; `retry_in_s` tells when a try makes sense, None when nobody knows."""

    def __init__(self, message: str, *, router: str = "", retry_in_s: float | None = None) -> None:
        super().__init__(message, router=router)
        self.retry_in_s = retry_in_s


class BreakerOpen(NotAttempted):
    """The router failed too often, or refused the login, and is left alone for a while."""


class PoolExhausted(NotAttempted):
    """No connection or no slot under the in-flight limit came free in time."""


class PoolClosed(NotAttempted):
    """The router object was closed; it sends nothing any more."""


# Most special first: the first class that fits gives the word.
_FAILURE_CLASSES: tuple[tuple[type[BaseException], str], ...] = (
    (CommandDeadline, "deadline"),
    (RouterUnreachable, "unreachable"),
    (LoginRefused, "login_refused"),
    (CommandUnsupported, "unsupported"),
    (PermissionDenied, "permission"),
    (CommandFailed, "failed"),
    (ProtocolViolation, "protocol"),
    (BreakerOpen, "breaker_open"),
    (PoolExhausted, "pool_exhausted"),
    (PoolClosed, "pool_closed"),
    (NotAttempted, "not_attempted"),
    (asyncio.CancelledError, "cancelled"),
)

FAILURE_CLASSES: tuple[str, ...] = (*(word for _, word in _FAILURE_CLASSES), "internal")
"""Every word that `failure_class` can give, so that counters can start at zero."""


def failure_class(error: BaseException) -> str:
    """The stable snake_case word under which this error is counted; "internal" for a fault of our own."""
    for kind, word in _FAILURE_CLASSES:
        if isinstance(error, kind):
            return word
    return "internal"
