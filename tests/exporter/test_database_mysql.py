"""MariaDB, the real one, over what speaks to MySQL: its health, its faults, and queries that only read."""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from exporter.config import DatabaseSection
from exporter.probes.database_faults import DatabaseFault, Fault
from exporter.probes.server_health import ServerHealth, ServerRows
from tests.fakes.database_servers import PASSWORD, RunningServer, mariadb, mariadb_connection
from tests.fakes.measured import reasons, values
from tests.fakes.served import logged, until

pytestmark = pytest.mark.system("mariadb-install-db")

MONITOR, STRANGER = "monitor", "stranger"
RIGHTS = {MONITOR: "SELECT, PROCESS, SLAVE MONITOR ON *.*", STRANGER: "SHOW VIEW ON billing.*"}
WRONG = "wr0ng-orchard"


@pytest.fixture(scope="module")
def server() -> Iterator[RunningServer]:
    with mariadb() as server:
        with closing(mariadb_connection(server.port)) as owner, owner.cursor() as cursor:
            cursor.execute("CREATE DATABASE billing")
            cursor.execute("USE billing")
            cursor.execute("CREATE TABLE customers (name VARCHAR(60), active BIT(1))")
            cursor.execute("INSERT INTO customers SELECT concat('c', seq), seq % 3 > 0 FROM seq_1_to_300")
            for user, rights in RIGHTS.items():
                cursor.execute(f"CREATE USER {user}@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'")
                cursor.execute(f"GRANT {rights} TO {user}@'127.0.0.1'")
        yield server


def section(server: RunningServer, **more: object) -> DatabaseSection:
    given: dict[str, Any] = {
        "name": "billing", "kind": "mysql", "address": "127.0.0.1", "port": server.port,
        "database": "billing", "username": MONITOR, "password": PASSWORD, "timeout_s": 5, **more,
    }  # fmt: skip
    return DatabaseSection.model_validate(given)


def fault_of(server: RunningServer, sql: str, *, timeout_s: float = 5, **more: object) -> DatabaseFault:
    with pytest.raises(DatabaseFault) as caught:
        ServerRows(section(server, **more)).rows(sql, timeout_s=timeout_s, limit=10)
    return caught.value


def sessions(server: RunningServer) -> list[int]:
    """Our sessions that the server still has."""
    with closing(mariadb_connection(server.port)) as owner, owner.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user = %s", (MONITOR,))
        return [int(row[0]) for row in cursor.fetchall()]


def test_a_healthy_server_is_told_in_numbers(server: RunningServer) -> None:
    """Size, connections, their limit, the oldest transaction, and that it is no replica."""
    with closing(mariadb_connection(server.port)) as owner, owner.cursor() as cursor:
        cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        cursor.execute("SELECT sleep(0.3)")
        found = values(ServerHealth(section(server)).measure())
    assert found["tikwatch_database_up"] == 1
    assert found["tikwatch_database_size_bytes"] >= 16384
    assert found["tikwatch_database_connections_limit"] == 12
    assert 2 <= found["tikwatch_database_connections"] <= 12
    assert found["tikwatch_database_longest_transaction_seconds"] >= 0.3
    assert found["tikwatch_database_replica"] == 0
    assert [key for key in found if key.startswith("tikwatch_database_info{kind=mysql,version=")]


def test_what_the_user_may_not_see_is_left_out(server: RunningServer) -> None:
    """Without PROCESS and SLAVE MONITOR the server is up, and two things are not told."""
    found = values(ServerHealth(section(server, username=STRANGER)).measure())
    assert found["tikwatch_database_up"] == 1
    assert "tikwatch_database_longest_transaction_seconds" not in found
    assert "tikwatch_database_replica" not in found
    assert found["tikwatch_database_connections"] >= 1


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"password": WRONG}, "login"),
        ({"database": "biling"}, "missing"),
        ({"database": "mysql", "username": STRANGER}, "denied"),
        ({"port": 1}, "unreachable"),
        ({"address": "no-such-host.invalid"}, "unreachable"),
        ({"address": "/nowhere/mysqld.sock"}, "unreachable"),
    ],
)
def test_a_server_that_lets_nobody_in_is_told(
    server: RunningServer, wrong: dict[str, object], reason: str
) -> None:
    """`up` is 0 with the reason; neither the log nor any message holds a password."""
    health = ServerHealth(section(server, **wrong))
    with logged() as log:
        measured = health.measure()
    assert values(measured)["tikwatch_database_up"] == 0
    assert reasons(measured) == [reason] or (reason == "missing" and reasons(measured) == ["denied"])
    for secret in (WRONG, PASSWORD):
        assert secret not in log.getvalue()
        assert secret not in str(measured)


def test_the_socket_serves_as_address(server: RunningServer) -> None:
    """An address that begins with a slash is a Unix socket; the user is another one there."""
    error = fault_of(server, "SELECT 1", address=str(server.folder / "socket"))
    assert error.fault is Fault.LOGIN


def test_rows_come_with_their_types(server: RunningServer) -> None:
    """Columns, numbers and percent signs as the statement gives them; a bit is bytes."""
    rows = ServerRows(section(server)).rows(
        "SELECT active, count(*) AS value, '100%s' AS text FROM customers GROUP BY 1 ORDER BY 1",
        timeout_s=5,
        limit=10,
    )
    assert rows.columns == ("active", "value", "text")
    assert [tuple(row) for row in rows.rows] == [(b"\0", 100, "100%s"), (b"\1", 200, "100%s")]


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("INSERT INTO customers VALUES ('x', 1)", Fault.WRITE_REFUSED),
        ("DELETE FROM customers", Fault.WRITE_REFUSED),
        ("SELECT 1; DELETE FROM customers", Fault.SQL),
        ("SELECT nosuch FROM customers", Fault.SQL),
        ("SELECT nosuch FROM nowhere", Fault.SQL),
    ],
)
def test_what_is_no_reading_is_refused(server: RunningServer, sql: str, fault: Fault) -> None:
    """Behind the check of the configuration stands the read-only transaction, also for the owner."""
    error = fault_of(server, sql, username="owner")
    assert error.fault is fault, str(error)
    rows = ServerRows(section(server)).rows("SELECT count(*) FROM customers", timeout_s=5, limit=1)
    assert rows.rows[0][0] == 300


def test_what_the_user_may_not_read_is_denied(server: RunningServer) -> None:
    """That is a fault of its own."""
    assert fault_of(server, "SELECT * FROM customers", username=STRANGER).fault is Fault.DENIED


def test_a_query_that_never_ends_is_broken_off_on_the_server(server: RunningServer) -> None:
    """It ends at its limit, and the server does not go on with it."""
    began_s = time.monotonic()
    sql = "SELECT count(*) AS value FROM seq_1_to_100000 a, seq_1_to_100000 b WHERE a.seq * b.seq > 5"
    error = fault_of(server, sql, timeout_s=0.4)
    assert error.fault is Fault.TIMEOUT
    assert 0.3 < time.monotonic() - began_s < 30


async def test_its_session_ends_with_it(server: RunningServer) -> None:
    """No session of ours is left."""
    fault_of(server, "SELECT sleep(20)", timeout_s=0.3)
    await until(lambda: sessions(server) == [])


def test_a_million_rows_are_bounded(server: RunningServer) -> None:
    """The server is not asked for more than are counted, since the driver would have to read them."""
    rows = ServerRows(section(server)).rows(
        "SELECT seq, 1 AS value FROM seq_1_to_1000000", timeout_s=20, limit=3
    )
    assert [row[0] for row in rows.rows] == [1, 2, 3]
    assert rows.left_out == 10_000


async def test_a_server_that_goes_in_the_middle_is_told(server: RunningServer) -> None:
    """A session that is killed is `gone`; the next one works."""
    faults: list[DatabaseFault] = []
    thread = threading.Thread(
        target=lambda: faults.append(fault_of(server, "SELECT sleep(20)", timeout_s=20))
    )
    thread.start()
    await until(lambda: len(sessions(server)) == 1)
    with closing(mariadb_connection(server.port)) as owner, owner.cursor() as cursor:
        for number in sessions(server):
            cursor.execute(f"KILL CONNECTION {number}")
    thread.join(60)
    assert [fault.fault for fault in faults] == [Fault.GONE]
    assert values(ServerHealth(section(server)).measure())["tikwatch_database_up"] == 1


async def test_a_server_that_freezes_in_the_middle_is_hung_up_on(server: RunningServer) -> None:
    """The server cannot end the statement itself, so the connection is cut a second later."""
    faults: list[DatabaseFault] = []
    thread = threading.Thread(target=lambda: faults.append(fault_of(server, "SELECT sleep(20)", timeout_s=4)))
    thread.start()
    await until(lambda: len(sessions(server)) == 1)
    server.freeze()
    try:
        thread.join(60)
    finally:
        server.thaw()
    assert not thread.is_alive()
    assert [fault.fault for fault in faults] == [Fault.TIMEOUT]
