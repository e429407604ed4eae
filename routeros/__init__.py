"""Client library for the RouterOS API: tagged commands, pooled connections, honest errors."""

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
