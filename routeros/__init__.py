"""Client library for the RouterOS API: tagged commands, pooled connections, honest errors.

A `Router` is asked from any number of tasks; the questions share its connections and are answered side by side::

    import asyncio

    from routeros import CommandUnsupported, Router, RouterError, Target
    from routeros.values import parse_duration

    async def main() -> None:
        target = Target(name="core", address="192.168.88.1", username="monitor", password="secret")
        async with Router(target) as router:
            interfaces, leases = await asyncio.gather(
                router.print("/interface", proplist=("name", "rx-byte", "tx-byte"), deadline_s=5.0),
                router.count("/ip/dhcp-server/lease", queries=("?status=bound",)),
            )
            for row in interfaces:
                print(row["name"], row.get("rx-byte", "-"), row.get("tx-byte", "-"))
            print(leases, "leases")
            try:
                sessions = await router.print("/ppp/active", proplist=("name", "uptime"), large=True)
            except CommandUnsupported:
                sessions = []
            print(sorted(parse_duration(row["uptime"]) or 0.0 for row in sessions))

    try:
        asyncio.run(main())
    except RouterError as error:
        print(f"{error!r}")

Settings are frozen dataclasses (`PoolSettings`, `BreakerSettings`, `RetrySettings`, `TlsSettings`), errors a tree
(see `routeros.errors`), events go to an `Observer`. The layers below can be used alone: `routeros.words` and
`routeros.sentences` (bytes), `routeros.protocol` (the conversation without I/O), `routeros.values` (text to numbers).
"""

from routeros.breaker import Breaker, BreakerState
from routeros.client import Router
from routeros.errors import (
    FAILURE_CLASSES,
    BreakerOpen,
    CommandDeadline,
    CommandFailed,
    CommandUnsupported,
    LoginRefused,
    NotAttempted,
    PermissionDenied,
    PoolClosed,
    PoolExhausted,
    ProtocolViolation,
    RouterEnded,
    RouterError,
    RouterUnreachable,
    UnreachableReason,
    failure_class,
)
from routeros.observer import CLOSE_REASONS, NullObserver, Observer
from routeros.replies import ConnectionStats, ConnectionTest, Priority, Record, Reply, RouterStats
from routeros.settings import BreakerSettings, PoolSettings, RetrySettings, Target, TlsSettings

__all__ = [
    "CLOSE_REASONS",
    "FAILURE_CLASSES",
    "Breaker",
    "BreakerOpen",
    "BreakerSettings",
    "BreakerState",
    "CommandDeadline",
    "CommandFailed",
    "CommandUnsupported",
    "ConnectionStats",
    "ConnectionTest",
    "LoginRefused",
    "NotAttempted",
    "NullObserver",
    "Observer",
    "PermissionDenied",
    "PoolClosed",
    "PoolExhausted",
    "PoolSettings",
    "Priority",
    "ProtocolViolation",
    "Record",
    "Reply",
    "RetrySettings",
    "Router",
    "RouterEnded",
    "RouterError",
    "RouterStats",
    "RouterUnreachable",
    "Target",
    "TlsSettings",
    "UnreachableReason",
    "failure_class",
]
