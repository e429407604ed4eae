"""Accounts that the billing has and the router has not, or the other way round: `billing_router_drift`."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from exporter.collectors.table import Record
from exporter.config import DriftSection
from exporter.probes.base import Measured, gauge
from exporter.probes.database_faults import DatabaseFault, Fault, faults
from exporter.probes.queries import label
from exporter.probes.rows import Cell, Database, Rows
from exporter.samples import Family
from routeros import RouterError, failure_class
from routeros.values import parse_bool

KINDS = ("only_in_billing", "only_on_router", "disabled_differs")
NAMED_LIMIT = 10
"""Accounts of a kind that the log names."""
RETRY_S = 30.0
"""A comparison that failed is made again after this, or after its own interval if that is shorter."""

DRIFT = gauge(
    "billing_router_drift",
    "Accounts that differ between the billing database and the PPP secrets of a router, by kind: only_in_billing, "
    "only_on_router, disabled_differs (enabled in one of the two only).",
    "router",
    "kind",
)
SUCCESS = gauge(
    "tikwatch_drift_success",
    "1 if the latest comparison was made; 0 if not, see tikwatch_drift_failure. The drift is then absent.",
    "router",
)
FAILURE = gauge(
    "tikwatch_drift_failure",
    "1 for the reason why no comparison was made, 0 for the others.",
    "router",
    "reason",
)
IN_BILLING = gauge("tikwatch_drift_accounts_in_billing", "Accounts that the database gave.", "router")
ON_ROUTER = gauge("tikwatch_drift_accounts_on_router", "PPP secrets that the router gave.", "router")

FAMILIES: tuple[Family, ...] = (DRIFT, SUCCESS, FAILURE, IN_BILLING, ON_ROUTER)

_log = structlog.stdlib.get_logger("exporter.probes")

Accounts = Mapping[str, bool | None]
"""Name to whether it is disabled; None where that is not known."""


class Secrets(Protocol):
    """Who reads the PPP secrets of a router."""

    def __call__(self, router: str, *, within_s: float) -> Sequence[Record]:
        """Rows with name and disabled. Blocks, no longer than `within_s`. Raises RouterError."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Names of accounts that differ, sorted, by kind; a kind that cannot be told is left out."""

    by_kind: Mapping[str, tuple[str, ...]]

    @classmethod
    def between(cls, billing: Accounts, router: Accounts) -> "Difference":
        """What differs. `disabled_differs` only if the billing knows of any account whether it is disabled."""
        found = {
            "only_in_billing": tuple(sorted(billing.keys() - router.keys())),
            "only_on_router": tuple(sorted(router.keys() - billing.keys())),
        }
        if any(disabled is not None for disabled in billing.values()):
            both = sorted(billing.keys() & router.keys())
            found["disabled_differs"] = tuple(
                name for name in both if billing[name] is not None and billing[name] != bool(router[name])
            )
        return cls(found)


class Drift:
    """The comparison for one router, as a probe."""

    def __init__(
        self,
        section: DriftSection,
        database: Database,
        secrets: Secrets,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = section.router
        self.labels: Mapping[str, str] = {"router": section.router}
        self._section = section
        self._database = database
        self._secrets = secrets
        self._clock = clock
        self._compared_s: float | None = None
        self._last: list[Measured] = []
        self._told: object = None

    def __repr__(self) -> str:
        return f"<Drift {self.name}>"

    def measure(self) -> Sequence[Measured]:
        """See `exporter.probes.base.Probe`. What was compared within the interval is told again."""
        section = self._section
        began_s = self._clock()
        if self._compared_s is not None and began_s - self._compared_s < section.interval_s:
            return self._last
        until_s = began_s + section.timeout_s
        try:
            rows = self._database.rows(section.sql, timeout_s=section.timeout_s, limit=section.account_limit)
            billing = accounts_of(rows, section.account_limit)
            records = self._ask_router(max(0.1, until_s - self._clock()))
        except DatabaseFault as fault:
            self._compared_s = None
            self._tell(("drift.failed", fault.fault), reason=fault.fault.value, error=str(fault))
            return [*_failed(fault.fault)]
        router = {r["name"]: parse_bool(r.get("disabled", "")) is True for r in records if "name" in r}
        difference = Difference.between(billing, router)
        counts = {kind: len(names) for kind, names in difference.by_kind.items()}
        named = {kind: list(names[:NAMED_LIMIT]) for kind, names in difference.by_kind.items() if names}
        self._tell(("drift.changed", difference), **counts, accounts=named)
        self._compared_s = began_s
        self._last = [
            Measured(SUCCESS, 1),
            *faults(FAILURE, None),
            *(Measured(DRIFT, count, {"kind": kind}) for kind, count in counts.items()),
            Measured(IN_BILLING, len(billing)),
            Measured(ON_ROUTER, len(router)),
        ]
        return self._last

    def silent(self) -> Sequence[Measured]:
        """See `exporter.probes.base.Probe`."""
        return [*_failed(Fault.TIMEOUT)]

    def _ask_router(self, within_s: float) -> Sequence[Record]:
        try:
            return self._secrets(self._section.router, within_s=within_s)
        except RouterError as error:
            raise DatabaseFault(Fault.ROUTER, f"{failure_class(error)}: {error}") from error

    def _tell(self, what: tuple[str, object], **about: object) -> None:
        """Log a change."""
        if what != self._told:
            self._told = what
            _log.info(what[0], router=self.name, **about)


def _failed(fault: Fault) -> Iterator[Measured]:
    yield Measured(SUCCESS, 0)
    yield from faults(FAILURE, fault)


def accounts_of(rows: Rows, limit: int) -> Accounts:
    """Accounts by name. Raises DatabaseFault when there are too many to compare, or no column `name`."""
    if rows.left_out:
        raise DatabaseFault(Fault.TOO_MANY, f"gives more than {limit} accounts, which is account_limit")
    if "name" not in rows.columns:
        raise DatabaseFault(Fault.SQL, f"gives no column name; it gives {', '.join(rows.columns[:20])}")
    name_at = rows.columns.index("name")
    disabled_at = rows.columns.index("disabled") if "disabled" in rows.columns else None
    found: dict[str, bool | None] = {}
    for row in rows.rows:
        if name := label(row[name_at]):
            found[name] = None if disabled_at is None else _switch(row[disabled_at])
    return found


_TRUE, _FALSE = ("1", "t", "true", "y", "yes", "on"), ("0", "f", "false", "n", "no", "off", "")


def _switch(cell: Cell) -> bool | None:
    """What billing systems write for true and false; None for NULL and for words that are neither."""
    if cell is None:
        return None
    word = label(cell).strip().lower() if not isinstance(cell, bytes) else str(int.from_bytes(cell, "big"))
    return True if word in _TRUE else False if word in _FALSE else None
