"""Databases, their checks, queries and comparisons, as kinds of probe.

The drivers are loaded when the configuration names a server, not before: they cost a third of a second and 20 MB.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from exporter.config import Config, DatabaseSection
from exporter.probes import databases as metrics
from exporter.probes import drift, queries
from exporter.probes.base import Probe
from exporter.probes.drift import Drift, Secrets
from exporter.probes.queries import Query, Turns
from exporter.probes.registry import Planned, ProbeKind
from exporter.probes.rows import Database
from exporter.probes.sqlite_health import SqliteCheck, SqliteHealth
from exporter.probes.sqlite_rows import SqliteRows

LATE_MARGIN_S = 2.0
"""How long after its limit a measurement may still end before it counts as hanging."""
CHECK_RETRY_S = 600.0
"""How often it is tried again to check a file that could not be checked."""


def _health(section: DatabaseSection) -> Probe:
    if section.kind == "sqlite":
        return SqliteHealth(section)
    from exporter.probes.server_health import ServerHealth

    return ServerHealth(section)


def _rows(section: DatabaseSection) -> Database:
    if section.kind == "sqlite":
        return SqliteRows(Path(section.path or ""))
    from exporter.probes.server_health import ServerRows

    return ServerRows(section)


def _databases(config: Config) -> Iterator[Planned]:
    for section in config.databases:
        deadline_s = section.timeout_s + LATE_MARGIN_S
        yield Planned(section.name, section, section.ttl_s, deadline_s, _maker(_health, section))


def _checks(config: Config) -> Iterator[Planned]:
    for section in config.databases:
        check = section.quick_check
        if section.kind == "sqlite" and check.enabled is not False:
            settings = (section.name, section.path, check)
            deadline_s = check.timeout_s + LATE_MARGIN_S
            ttl_s = min(check.interval_s, CHECK_RETRY_S)
            yield Planned(section.name, settings, ttl_s, deadline_s, _maker(SqliteCheck, section))


def _maker(make: Callable[[DatabaseSection], Probe], section: DatabaseSection) -> Callable[[], Probe]:
    return lambda: make(section)


class _Queries:
    """Plans the queries; those of one database take turns."""

    def __init__(self) -> None:
        self._turns = Turns()

    def planned(self, config: Config) -> Iterator[Planned]:
        databases = {section.name: section for section in config.databases}
        self._turns.keep(databases)
        for query in config.queries:
            section = databases[query.database]
            yield Planned(
                f"{section.name}/{query.name}",
                (query, section),
                min(query.interval_s, queries.RETRY_S),
                2 * query.timeout_s + LATE_MARGIN_S,  # its turn, and the statement
                lambda query=query, section=section: Query(  # type: ignore[misc]  # defaults bind the loop's values
                    query, _rows(section), self._turns.of(section.name)
                ),
            )


def _comparisons(secrets: Secrets) -> Callable[[Config], Iterator[Planned]]:
    def planned(config: Config) -> Iterator[Planned]:
        databases = {section.name: section for section in config.databases}
        for comparison in config.drift:
            section = databases[comparison.database]
            yield Planned(
                comparison.router,
                (comparison, section),
                min(comparison.interval_s, drift.RETRY_S),
                comparison.timeout_s + LATE_MARGIN_S,
                lambda comparison=comparison, section=section: Drift(  # type: ignore[misc]  # as above
                    comparison, _rows(section), secrets
                ),
            )

    return planned


DATABASES = ProbeKind(
    "database",
    "Health of a database. Each series bears the label `database`, the name in the configuration. What a kind of "
    "database does not have, or the user may not see, gives no sample.",
    (*metrics.COMMON, *metrics.FILE, *metrics.SERVER),
    _databases,
)
CHECKS = ProbeKind(
    "database_check",
    "Structure of a SQLite file, checked on a private copy at long intervals. Each series bears the label `database`.",
    metrics.CHECK,
    _checks,
)


def kinds(secrets: Secrets) -> tuple[ProbeKind, ...]:
    """Every kind that has to do with databases; `secrets` reads those of routers."""
    return (
        DATABASES,
        CHECKS,
        ProbeKind(
            "query",
            "How the queries of the configuration go, beside the metrics that they give. Each series bears the label "
            "`database` as well.",
            queries.STATUS,
            _Queries().planned,
            queries.families,
        ),
        ProbeKind(
            "drift",
            "The accounts of a billing database compared with the PPP secrets of a router.",
            drift.FAMILIES,
            _comparisons(secrets),
        ),
    )
