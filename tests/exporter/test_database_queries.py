"""The user's SQL becomes metrics: bounded in time, rows and rights, and clear about what went wrong."""

import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from exporter.config import QuerySection
from exporter.probes.database_faults import DatabaseFault, Fault
from exporter.probes.queries import Query, Turns, label, number
from exporter.probes.rows import COUNTED_LIMIT, Cell, Rows
from exporter.probes.sqlite_rows import SqliteRows
from tests.fakes.clock import FakeClock
from tests.fakes.measured import reasons, values
from tests.fakes.served import logged

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) AS value FROM n"
MILLION = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
SELECT i, 1 AS value FROM n
"""


def section(sql: str, **more: object) -> QuerySection:
    return QuerySection.model_validate(
        {"name": "customers", "database": "billing", "help": "Customers", "sql": sql, **more}
    )


class Answers:
    """A database that gives what a test says."""

    def __init__(self, *answers: Rows | DatabaseFault) -> None:
        self.answers = list(answers)
        self.asked = 0

    def rows(self, sql: str, *, timeout_s: float, limit: int) -> Rows:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, DatabaseFault):
            raise answer
        return answer


def query(database: Answers, clock: FakeClock | None = None, **more: object) -> Query:
    clock = clock or FakeClock()
    return Query(
        section("SELECT 1", **more), database, threading.Semaphore(1), clock=clock, wall_clock=clock.time
    )


@pytest.fixture(params=["wal", "delete"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "billing.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as owner:
        owner.execute(f"PRAGMA journal_mode={request.param}")
        owner.execute("PRAGMA synchronous=OFF")
        owner.execute("CREATE TABLE customers (name TEXT, active INTEGER)")
        owner.executemany("INSERT INTO customers VALUES (?, ?)", [(f"c{i}", i % 3 > 0) for i in range(300)])
        yield path


def test_rows_become_samples(path: Path) -> None:
    """Columns named as labels become labels, the value column the value, each row a series."""
    sql = "SELECT CASE active WHEN 1 THEN 'yes' ELSE 'no' END AS active, count(*) AS n FROM customers GROUP BY 1"
    one = Query(section(sql, labels=["active"], value="n"), SqliteRows(path), threading.Semaphore(1))
    found = values(one.measure())
    assert found["customers{active=no}"] == 100
    assert found["customers{active=yes}"] == 200
    assert found["tikwatch_query_success{query=customers}"] == 1
    assert found["tikwatch_query_rows{query=customers}"] == 2
    assert found["tikwatch_query_rows_left_out{query=customers}"] == 0
    assert one.labels == {"database": "billing"}


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("INSERT INTO customers VALUES ('x', 1)", Fault.WRITE_REFUSED),
        ("DROP TABLE customers", Fault.WRITE_REFUSED),
        ("PRAGMA journal_mode=delete", Fault.WRITE_REFUSED),
        ("ATTACH DATABASE '/etc/passwd' AS other", Fault.WRITE_REFUSED),
        ("SELECT load_extension('x') AS value", Fault.SQL),
        ("SELECT nosuch FROM customers", Fault.SQL),
        ("SELECT 1; SELECT 2", Fault.SQL),
        ("SELECT FROM", Fault.SQL),
        ("SELECT zeroblob(100000000) AS value", Fault.SQL),
    ],
)
def test_what_is_no_reading_is_refused(path: Path, sql: str, fault: Fault) -> None:
    """Behind the check of the configuration stands SQLite itself: nothing is written, attached or loaded."""
    before = path.read_bytes()
    with pytest.raises(DatabaseFault) as caught:
        SqliteRows(path).rows(sql, timeout_s=5, limit=10)
    assert caught.value.fault is fault
    assert path.read_bytes() == before


def test_a_query_that_never_ends_is_broken_off(path: Path) -> None:
    """It ends at its limit, whether its owner could write meanwhile or not."""
    began_s = time.monotonic()
    with pytest.raises(DatabaseFault) as caught:
        SqliteRows(path).rows(ENDLESS, timeout_s=0.3, limit=10)
    assert caught.value.fault is Fault.TIMEOUT
    assert 0.2 < time.monotonic() - began_s < 30


def test_a_million_rows_are_bounded(path: Path) -> None:
    """The first rows are kept, those beyond are counted up to a limit, and the rest is not asked for."""
    rows = SqliteRows(path).rows(MILLION, timeout_s=20, limit=3)
    assert [row[0] for row in rows.rows] == [1, 2, 3]
    assert rows.left_out == COUNTED_LIMIT


def test_a_missing_or_broken_file_is_told(tmp_path: Path) -> None:
    """A query knows the same faults of a file as its health."""
    with pytest.raises(DatabaseFault) as caught:
        SqliteRows(tmp_path / "none.db").rows("SELECT 1", timeout_s=1, limit=1)
    assert caught.value.fault is Fault.MISSING
    (tmp_path / "text.db").write_text("hello " * 1000)
    with pytest.raises(DatabaseFault) as caught:
        SqliteRows(tmp_path / "text.db").rows("SELECT 1", timeout_s=1, limit=1)
    assert caught.value.fault is Fault.NOT_A_DATABASE


def test_a_long_query_on_a_rollback_journal_runs_on_a_copy(tmp_path: Path) -> None:
    """Its owner goes on writing meanwhile; a file too large for a copy is told to be in the way."""
    path = tmp_path / "billing.db"
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0.2)) as owner:
        owner.execute("CREATE TABLE t (i INTEGER)")
        owner.executemany("INSERT INTO t VALUES (?)", [(i,) for i in range(1000)])
        sql = "SELECT count(*) AS value FROM t a, t b, t c WHERE a.i + b.i + c.i > 10 AND a.i < 4"
        answer: list[Rows] = []
        thread = threading.Thread(
            target=lambda: answer.append(SqliteRows(path).rows(sql, timeout_s=30, limit=1))
        )
        thread.start()
        written = 0
        while thread.is_alive():
            owner.execute("UPDATE t SET i = i WHERE i = 1")
            written += 1
            time.sleep(0.02)
        thread.join()
        assert written > 3
        assert answer[0].rows == owner.execute(sql).fetchall()
    with pytest.raises(DatabaseFault) as caught:
        SqliteRows(path, copy_limit_bytes=1000).rows(sql, timeout_s=30, limit=1)
    assert caught.value.fault is Fault.WOULD_BLOCK
    assert "WAL" in str(caught.value)


def test_rows_that_make_no_series_are_counted() -> None:
    """Without a number, or with labels that were there before, a row gives nothing; text that is a number is one."""
    rows = Rows(
        ("value", "who"),
        [(1, "a"), (None, "b"), ("x", "c"), (2, "a"), ("3.5", "d"), (float("nan"), "e"), (Decimal(4), None)],
        left_out=5,
    )
    found = values(query(Answers(rows), labels=["who"]).measure())
    assert found["customers{who=a}"] == 1
    assert found["customers{who=d}"] == 3.5
    assert found["customers{who=}"] == 4
    assert found["tikwatch_query_rows{query=customers}"] == 3
    assert found["tikwatch_query_rows_unusable{query=customers}"] == 4
    assert found["tikwatch_query_rows_left_out{query=customers}"] == 5


def test_a_counter_is_never_negative() -> None:
    """A negative number is no value of a counter."""
    rows = Rows(("value",), [(-1,)], 0)
    found = values(query(Answers(rows), name="sent_total", type="counter").measure())
    assert "sent_total" not in found
    assert found["tikwatch_query_rows_unusable{query=sent_total}"] == 1


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        (True, "true"),
        (3.0, "3"),
        (2.5, "2.5"),
        (b"caf\xc3\xa9 \xff", "café \N{REPLACEMENT CHARACTER}"),
        ("a\nb\x00c", "a b c"),
        ("x" * 500, "x" * 200),
        (Decimal("1.50"), "1.50"),
    ],
)
def test_values_as_labels(cell: Cell, text: str) -> None:
    """Whatever a driver gives becomes printable text of a bounded length."""
    assert label(cell) == text


@pytest.mark.parametrize("cell", [None, "", "many", b"1", float("inf"), [1], "9" * 999])
def test_what_is_no_number(cell: Cell) -> None:
    """Nothing is made up of what is no finite number."""
    assert number(cell) is None


def test_a_column_that_is_not_there_is_named() -> None:
    """The log says which column is missing and which there are."""
    with logged() as log:
        measured = query(Answers(Rows(("count", "who"), [(1, "a")], 0)), labels=["branch"]).measure()
    assert reasons(measured) == ["sql"]
    assert "gives no column value and no branch; it gives count, who" in log.getvalue()


def test_a_query_keeps_its_own_interval_and_a_failed_one_is_tried_again() -> None:
    """Within the interval the rows are told again; after a failure the metric is gone and the next try comes soon."""
    clock = FakeClock()
    database = Answers(
        Rows(("value",), [(1,)], 0), DatabaseFault(Fault.LOCKED, "locked"), Rows(("value",), [(2,)], 0)
    )
    one = query(database, clock, interval_s=300)
    first = values(one.measure())
    clock.advance(299)
    assert values(one.measure()) == first
    assert database.asked == 1
    clock.advance(1)
    with logged() as log:
        failed = one.measure()
        assert reasons(failed) == ["locked"]
        assert "customers" not in values(failed)
        assert values(failed)["tikwatch_query_success{query=customers}"] == 0
        clock.advance(15)
        again = values(one.measure())
        assert log.getvalue().count("event=query.failed") == 1
        assert log.getvalue().count("event=query.recovered") == 1
    assert again["customers"] == 2
    assert again["tikwatch_query_last_success_timestamp_seconds{query=customers}"] == clock.time()


def test_the_queries_of_a_database_take_turns() -> None:
    """One that waits in vain for its turn says so and does not reach the database; turns are given back."""
    turns = Turns(1)
    shared = turns.of("billing")
    database = Answers(Rows(("value",), [(1,)], 0))
    waiting = Query(section("SELECT 1", timeout_s=0.01), database, shared)
    with shared:
        assert reasons(waiting.measure()) == ["timeout"]
    assert database.asked == 0
    assert reasons(waiting.measure()) == []
    assert turns.of("billing") is shared
    turns.keep(["other"])
    assert turns.of("billing") is not shared


def test_silence_is_a_timeout() -> None:
    """A query that hangs beyond its limit has no value and that reason."""
    measured: Sequence[object] = query(Answers(Rows((), [], 0))).silent()
    assert len(measured) > 1
    assert reasons(query(Answers(Rows((), [], 0))).silent()) == ["timeout"]
