"""PostgreSQL, the real one: its health is told truly, its faults by their names, and queries only ever read."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from exporter.config import DatabaseSection
from exporter.probes.database_faults import DatabaseFault, Fault
from exporter.probes.server_health import ServerHealth, ServerRows
from tests.fakes.database_servers import (
    PASSWORD,
    RunningServer,
    free_port,
    postgres,
    postgres_connection,
    postgres_replica,
)
from tests.fakes.measured import reasons, values
from tests.fakes.served import logged, until

pytestmark = pytest.mark.system("pg_ctlcluster")

MONITOR, STRANGER = "monitor", "stranger"
WRONG = "wr0ng-orchard"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with postgres() as server:
        with closing(postgres_connection(server.port)) as owner:
            owner.execute("CREATE DATABASE billing")
            owner.execute(f"CREATE ROLE {MONITOR} LOGIN PASSWORD '{PASSWORD}'")
            owner.execute(f"CREATE ROLE {STRANGER} LOGIN PASSWORD '{PASSWORD}'")
            owner.execute(f"GRANT pg_monitor, pg_read_all_data TO {MONITOR}")
        with closing(postgres_connection(server.port, database="billing")) as owner:
            owner.execute("CREATE TABLE customers (name text, active boolean, since date)")
            owner.execute("CREATE SEQUENCE numbers")
            owner.execute(
                "INSERT INTO customers SELECT 'c' || i, i % 3 > 0, '2024-01-01' FROM generate_series(1, 300) i"
            )
        yield server


def section(server: RunningServer, **more: object) -> DatabaseSection:
    given: dict[str, Any] = {
        "name": "billing", "kind": "postgresql", "address": "127.0.0.1", "port": server.port,
        "database": "billing", "username": MONITOR, "password": PASSWORD, "timeout_s": 5, **more,
    }  # fmt: skip
    return DatabaseSection.model_validate(given)


def fault_of(server: RunningServer, sql: str, *, timeout_s: float = 5, **more: object) -> DatabaseFault:
    with pytest.raises(DatabaseFault) as caught:
        ServerRows(section(server, **more)).rows(sql, timeout_s=timeout_s, limit=10)
    return caught.value


def sessions(server: RunningServer) -> int:
    """Our sessions that the server still has."""
    with closing(postgres_connection(server.port)) as owner:
        row = owner.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tikwatch'"
        ).fetchone()
    assert row is not None
    return int(str(row[0]))


def test_a_healthy_server_is_told_in_numbers(server: RunningServer) -> None:
    """Size, connections and their limit are the server's own; there is no transaction, and no replica."""
    found = values(ServerHealth(section(server)).measure())
    with closing(postgres_connection(server.port, database="billing")) as owner:
        row = owner.execute("SELECT pg_database_size('billing')").fetchone()
    assert row is not None
    assert found["tikwatch_database_up"] == 1
    assert found["tikwatch_database_size_bytes"] == pytest.approx(float(str(row[0])), rel=0.1)
    assert found["tikwatch_database_connections_limit"] == 10
    assert 1 <= found["tikwatch_database_connections"] < 10
    assert found["tikwatch_database_longest_transaction_seconds"] == 0
    assert found["tikwatch_database_replica"] == 0
    assert 0 < found["tikwatch_database_connect_duration_seconds"] < 5
    assert 0 < found["tikwatch_database_query_duration_seconds"] < 5
    assert not [key for key in found if key.startswith("tikwatch_database_replication_lag_seconds")]
    assert [key for key in found if key.startswith("tikwatch_database_info{kind=postgresql,version=")]


def test_the_longest_transaction_is_seen_by_those_who_may(server: RunningServer) -> None:
    """With pg_monitor its age is told; without, it is left out rather than made up, and the rest is there."""
    with closing(postgres_connection(server.port)) as owner:
        owner.execute("BEGIN")
        owner.execute("SELECT pg_sleep(0.3)")
        seen = values(ServerHealth(section(server)).measure())
        unseen = values(ServerHealth(section(server, username=STRANGER)).measure())
    assert seen["tikwatch_database_longest_transaction_seconds"] >= 0.3
    assert "tikwatch_database_longest_transaction_seconds" not in unseen
    assert unseen["tikwatch_database_up"] == 1
    assert unseen["tikwatch_database_connections"] >= 2


def test_a_replica_and_its_lag_are_told(server: RunningServer) -> None:
    """The primary tells the lag by the replica's name, the replica its own, and that it is one."""
    with postgres_replica(server) as replica:
        until_s = time.monotonic() + 60
        key = "tikwatch_database_replication_lag_seconds{replica=standby}"
        while key not in (found := values(ServerHealth(section(server)).measure())):
            assert time.monotonic() < until_s
        assert 0 <= found[key] < 100
        own = values(ServerHealth(section(replica)).measure())
    assert own["tikwatch_database_replica"] == 1
    assert 0 <= own["tikwatch_database_replication_lag_seconds"] < 100


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"password": WRONG}, "login"),
        ({"username": "nobody"}, "login"),
        ({"database": "biling"}, "missing"),
        ({"port": 1}, "unreachable"),
        ({"address": "no-such-host.invalid"}, "unreachable"),
    ],
)
def test_a_server_that_lets_nobody_in_is_told(
    server: RunningServer, wrong: dict[str, object], reason: str
) -> None:
    """`up` is 0 with the reason; neither the log nor any message holds a password."""
    health = ServerHealth(section(server, **wrong))
    with logged() as log:
        for _ in range(2):
            measured = health.measure()
            assert reasons(measured) == [reason]
            assert values(measured)["tikwatch_database_up"] == 0
    assert log.getvalue().count("event=database.failed") == 1
    for secret in (WRONG, PASSWORD):
        assert secret not in log.getvalue()
        assert secret not in str(measured)
        assert secret not in repr(health)
    error = fault_of(server, "SELECT 1", **wrong)
    assert error.fault == reason
    assert error.__cause__ is None


def test_a_full_server_is_told(server: RunningServer) -> None:
    """When the server takes no more connections, that is the reason, and afterwards all is well."""
    held = []
    try:
        with pytest.raises(DatabaseFault) as caught:  # noqa: PT012  the last one of many is refused
            for _ in range(12):
                held.append(postgres_connection(server.port, MONITOR))
                ServerRows(section(server)).rows("SELECT 1", timeout_s=5, limit=1)
    finally:
        for connection in held:
            connection.close()
    assert caught.value.fault is Fault.FULL


def test_a_server_that_accepts_and_says_nothing_costs_the_limit(server: RunningServer) -> None:
    """A port that is open and silent is a timeout."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        began_s = time.monotonic()
        error = fault_of(server, "SELECT 1", port=silent.getsockname()[1], timeout_s=2)
    assert error.fault is Fault.TIMEOUT
    assert time.monotonic() - began_s < 30


def test_rows_come_with_their_types(server: RunningServer) -> None:
    """Columns, numbers, text and percent signs as the statement gives them."""
    rows = ServerRows(section(server)).rows(
        "SELECT active, count(*) AS value, '100%s' AS text FROM customers GROUP BY 1 ORDER BY 1;".rstrip(";"),
        timeout_s=5,
        limit=10,
    )
    assert rows.columns == ("active", "value", "text")
    assert [tuple(row) for row in rows.rows] == [(False, 100, "100%s"), (True, 200, "100%s")]


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        (
            "WITH gone AS (DELETE FROM customers RETURNING 1) SELECT count(*) AS value FROM gone",
            Fault.WRITE_REFUSED,
        ),
        ("SELECT nextval('numbers') AS value", Fault.WRITE_REFUSED),
        ("SELECT name FROM customers FOR UPDATE", Fault.WRITE_REFUSED),
        ("SELECT 1; DELETE FROM customers", Fault.SQL),
        ("INSERT INTO customers VALUES ('x')", Fault.SQL),
        ("SELECT nosuch FROM customers", Fault.SQL),
        ("SELECT 1 / 0 AS value", Fault.SQL),
    ],
)
def test_what_is_no_reading_is_refused(server: RunningServer, sql: str, fault: Fault) -> None:
    """Behind the check of the configuration stand the read-only transaction and the cursor, also for the owner."""
    error = fault_of(server, sql, username="owner")
    assert error.fault is fault, str(error)
    with closing(postgres_connection(server.port, database="billing")) as owner:
        assert owner.execute("SELECT count(*) FROM customers").fetchone() == (300,)


def test_what_gets_past_every_fence_is_rolled_back(server: RunningServer) -> None:
    """Older servers let a large object be made in a read-only transaction; it does not outlive ours."""
    ServerRows(section(server, username="owner")).rows(
        "SELECT 1 AS value, lo_create(0)", timeout_s=5, limit=1
    )
    with closing(postgres_connection(server.port, database="billing")) as owner:
        assert owner.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone() == (0,)


def test_what_the_user_may_not_read_is_denied(server: RunningServer) -> None:
    """The message names the table."""
    error = fault_of(server, "SELECT * FROM customers", username=STRANGER)
    assert error.fault is Fault.DENIED
    assert str(error) == "permission denied for table customers"


async def test_a_query_that_never_ends_is_broken_off_on_the_server(server: RunningServer) -> None:
    """It ends at its limit, and the server does not go on with it."""
    began_s = time.monotonic()
    error = fault_of(server, "SELECT count(*) AS value FROM generate_series(1, 100000000000)", timeout_s=0.4)
    assert error.fault is Fault.TIMEOUT
    assert 0.3 < time.monotonic() - began_s < 30
    await until(lambda: sessions(server) == 0)


def test_rows_that_never_end_are_bounded(server: RunningServer) -> None:
    """A million rows are kept up to the limit, counted up to another, and then not asked for."""
    rows = ServerRows(section(server)).rows(
        "SELECT i, i AS value FROM generate_series(1, 1000000) i", timeout_s=20, limit=3
    )
    assert [row[0] for row in rows.rows] == [1, 2, 3]
    assert rows.left_out == 10_000
    error = fault_of(server, "SELECT pg_sleep(0.001) FROM generate_series(1, 1000000)", timeout_s=0.5)
    assert error.fault is Fault.TIMEOUT


def test_a_lock_that_somebody_holds_costs_the_limit(server: RunningServer) -> None:
    """A table under ALTER is not waited for longer than the statement may take."""
    with closing(postgres_connection(server.port, database="billing")) as owner:
        owner.execute("BEGIN")
        owner.execute("LOCK TABLE customers IN ACCESS EXCLUSIVE MODE")
        error = fault_of(server, "SELECT count(*) AS value FROM customers", timeout_s=0.4)
        owner.execute("ROLLBACK")
    assert error.fault in (Fault.TIMEOUT, Fault.LOCKED)


async def test_a_server_that_goes_in_the_middle_is_told(server: RunningServer) -> None:
    """A session that the server ends is `gone`; the next one works."""
    faults: list[DatabaseFault] = []
    thread = threading.Thread(
        target=lambda: faults.append(fault_of(server, "SELECT pg_sleep(20)", timeout_s=20))
    )
    thread.start()
    await until(lambda: sessions(server) == 1)
    with closing(postgres_connection(server.port)) as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tikwatch'"
        )
    thread.join(60)
    assert [fault.fault for fault in faults] == [Fault.GONE]
    assert values(ServerHealth(section(server)).measure())["tikwatch_database_up"] == 1


async def test_a_server_that_freezes_in_the_middle_is_hung_up_on(server: RunningServer) -> None:
    """The server cannot end the statement itself, so the connection is cut a second later."""
    faults: list[DatabaseFault] = []
    thread = threading.Thread(
        target=lambda: faults.append(fault_of(server, "SELECT pg_sleep(20)", timeout_s=4))
    )
    thread.start()
    await until(lambda: sessions(server) == 1)
    server.freeze()
    try:
        thread.join(60)
    finally:
        server.thaw()
    assert not thread.is_alive()
    assert [fault.fault for fault in faults] == [Fault.TIMEOUT]


def test_nothing_is_left_behind_in_a_session(server: RunningServer) -> None:
    """Limits end with the transaction: a pooler that hands the connection on hands on nothing of them."""
    from exporter.probes.server_connection import Server
    from exporter.probes.server_postgresql import PostgreSql

    with Server(section(server), PostgreSql()).session(timeout_s=5) as session:
        with session.reading() as connection:
            inside = connection.exec_driver_sql("SHOW statement_timeout").scalar()
            assert connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "on"
        after = session.connection.exec_driver_sql("SHOW statement_timeout").scalar()
        assert session.connection.exec_driver_sql("SHOW transaction_read_only").scalar() == "off"
    assert inside != after == "0"


def test_nobody_listens(server: RunningServer) -> None:
    """A port without a server is unreachable at once."""
    began_s = time.monotonic()
    assert fault_of(server, "SELECT 1", port=free_port()).fault is Fault.UNREACHABLE
    assert time.monotonic() - began_s < 20


def test_silence_is_a_timeout(server: RunningServer) -> None:
    """A measurement that does not end is told as one."""
    assert reasons(ServerHealth(section(server)).silent()) == ["timeout"]
