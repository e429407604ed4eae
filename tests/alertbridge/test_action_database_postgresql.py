"""Idle transactions, against a real PostgreSQL: only those end that may."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from alertbridge.recover.actions.base import Stage, Verdict
from alertbridge.recover.actions.config import ActionsSection
from tests.fakes.database_servers import PASSWORD, PgConnection, RunningServer, postgres_connection
from tests.fakes.recovering import complaints, failing, recovering

pytestmark = pytest.mark.system("pg_ctlcluster")

Session = Callable[..., PgConnection]


class Place:
    """A database of one test, with a role that runs the application and one that may end sessions."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.name = f"act_{secrets.token_hex(4)}"
        self.app, self.ender = f"{self.name}_app", f"{self.name}_ender"

    def url(self, user: str, password: str = PASSWORD) -> str:
        """How to connect as somebody."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.server.port}/{self.name}"

    def entry(self, user: str = "", **given: Any) -> dict[str, Any]:
        """A listed database."""
        return {"name": "billing", "kind": "postgresql", "url": self.url(user or self.ender), **given}


@pytest.fixture
def place(store_server: RunningServer) -> Iterator[Place]:
    """An empty database and its two roles; all gone afterwards."""
    made = Place(store_server)
    names = {
        "db": sql.Identifier(made.name),
        "app": sql.Identifier(made.app),
        "ender": sql.Identifier(made.ender),
    }
    with closing(postgres_connection(store_server.port)) as owner:
        for statement in (
            "CREATE DATABASE {db}",
            "CREATE ROLE {app} LOGIN PASSWORD {password}",
            "CREATE ROLE {ender} LOGIN PASSWORD {password} IN ROLE pg_signal_backend, pg_read_all_stats",
        ):
            owner.execute(sql.SQL(statement).format(**names, password=sql.Literal(PASSWORD)))
        try:
            yield made
        finally:
            for statement in ("DROP DATABASE {db} WITH (FORCE)", "DROP ROLE {app}", "DROP ROLE {ender}"):
                owner.execute(sql.SQL(statement).format(**names))


@pytest.fixture
def session(place: Place) -> Iterator[Session]:
    """Opens sessions; `idle` leaves one in a transaction."""
    with ExitStack() as stack:

        def opened(user: str = "", *, idle: bool = True) -> PgConnection:
            who = user or place.app
            connection = stack.enter_context(
                closing(psycopg.connect(place.url(who), autocommit=not idle, application_name="shop"))
            )
            connection.execute("SELECT 'secret of a customer'")
            return connection

        yield opened


async def idle_for(place: Place, pid: int, seconds: float) -> None:
    """Waits until the server itself says that the session has been idle for so long."""

    def look() -> float:
        with closing(postgres_connection(place.server.port)) as owner:
            query = (
                "SELECT extract(epoch FROM clock_timestamp() - state_change)::float8 FROM pg_stat_activity"
            )
            row = owner.execute(f"{query} WHERE pid = %s", (pid,)).fetchone()
            assert row is not None
            return float(str(row[0]))

    for _ in range(400):
        if await asyncio.to_thread(look) >= seconds:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it was never idle for so long")


def lives(connection: PgConnection) -> bool:
    """Whether a session still answers."""
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


async def test_sessions_idle_in_a_transaction_for_too_long_are_ended(place: Place, session: Session) -> None:
    """Those over the limit, and no others: not the busy, not the young, not our own."""
    old, resting = session(), session(idle=False)
    await idle_for(place, old.info.backend_pid, 1.2)
    young = session()
    async with recovering(databases=[place.entry()]) as make:
        action = make("postgresql_end_idle", database="billing", idle_s=1)
        assert action.target == f"postgresql:127.0.0.1/{place.server.port}/{place.name}"
        assert await action.verify() is Verdict.FAILS
        before = await action.before()
        assert before.facts["sessions"] == 1
        assert before.facts["who"] == f"{place.app} ({old.info.backend_pid}) shop"
        assert "customer" not in repr(before)
        done = await action.run()
        assert (done.changed, done.evidence.facts["sessions"]) == (True, 1)
        assert await make("postgresql_end_idle", database="billing", idle_s=1).verify() is Verdict.HOLDS
        failed = await failing(make("postgresql_end_idle", database="billing", idle_s=600).before())
        assert (failed.stage, failed.reason, failed.changed) == (Stage.PRECHECK, "none_idle", False)
        assert (await failing(action.undo())).reason == "not_undoable"
    assert [lives(each) for each in (old, resting, young)] == [False, True, True]


async def test_superusers_and_replication_are_left_alone_unless_allowed(
    place: Place, session: Session
) -> None:
    """The entry decides, not the rule."""
    boss = session("owner")
    await idle_for(place, boss.info.backend_pid, 1.2)
    async with recovering(databases=[place.entry("owner")]) as make:
        action = make("postgresql_end_idle", database="billing", idle_s=1)
        assert (await failing(action.before())).reason == "none_idle"
        assert (await action.run()).changed is False
        assert lives(boss)
    boss.rollback()
    boss.execute("SELECT 1")
    await idle_for(place, boss.info.backend_pid, 1.2)
    async with recovering(databases=[place.entry("owner", allow_superusers=True)]) as make:
        action = make("postgresql_end_idle", database="billing", idle_s=1)
        assert (await action.run()).changed
        assert await action.verify() is Verdict.HOLDS
    assert not lives(boss)


async def test_only_the_roles_of_the_entry_and_no_more_than_allowed(place: Place, session: Session) -> None:
    """The longest idle first."""
    first, second = session(), session()
    await idle_for(place, second.info.backend_pid, 1.2)
    async with recovering(databases=[place.entry(roles=["somebody_else"])]) as make:
        assert (
            await failing(make("postgresql_end_idle", database="billing", idle_s=1).before())
        ).reason == "none_idle"
    async with recovering(databases=[place.entry(roles=[place.app])]) as make:
        action = make("postgresql_end_idle", database="billing", idle_s=1, at_most=1)
        assert (await action.run()).evidence.facts["sessions"] == 1
        verifying = make("postgresql_end_idle", database="billing", idle_s=1)
        assert await verifying.verify() is Verdict.HOLDS
    assert [lives(first), lives(second)] == [False, True]


@pytest.mark.parametrize("lacking", ["pg_signal_backend", "pg_read_all_stats"])
async def test_a_role_without_a_right_is_told_what_it_lacks(
    place: Place, session: Session, lacking: str
) -> None:
    """Nothing was changed then; and what it cannot see does not count as well."""
    old = session()
    with closing(postgres_connection(place.server.port)) as owner:
        names = sql.Identifier(lacking), sql.Identifier(place.ender)
        owner.execute(sql.SQL("REVOKE {} FROM {}").format(*names))
    await idle_for(place, old.info.backend_pid, 1.2)
    async with recovering(databases=[place.entry()]) as make:
        action = make("postgresql_end_idle", database="billing", idle_s=1)
        failed = await failing(action.run())
        assert (failed.stage, failed.reason, failed.changed) == (Stage.RUN, "no_permission", False)
        assert lacking in str(failed)
        assert await action.verify() is not Verdict.HOLDS
    assert lives(old)


async def test_a_server_that_cannot_be_asked_gives_no_verdict(place: Place) -> None:
    """A wrong password and a closed port; neither is told with the password."""
    entries = [
        place.entry() | {"url": place.url(place.ender, "orchard-19")},
        {
            "name": "gone",
            "kind": "postgresql",
            "url": "postgresql://x:orchard-19@127.0.0.1:1/x",
            "timeout_s": 2,
        },
    ]
    async with recovering(databases=entries) as make:
        for name in ("billing", "gone"):
            action = make("postgresql_end_idle", database=name)
            failed = await failing(action.before())
            assert (failed.stage, failed.reason, failed.changed) == (Stage.PRECHECK, "unreachable", False)
            assert "orchard" not in str(failed)
            assert "orchard" not in repr(action)
            assert await action.verify() is Verdict.UNKNOWN


async def test_a_server_that_stands_still_is_not_waited_for(place: Place, session: Session) -> None:
    """The deadline is ours: a frozen server keeps none."""
    session()
    async with recovering(databases=[place.entry(timeout_s=0.5)]) as make:
        action = make("postgresql_end_idle", database="billing", idle_s=1)
        place.server.freeze()
        try:
            failed = await failing(action.before())
            assert failed.reason in ("timeout", "unreachable")
            assert await action.verify() is Verdict.UNKNOWN
        finally:
            place.server.thaw()


def test_the_url_is_checked_without_being_told(tmp_path: Path) -> None:
    """It may stand in a file; what is wrong with it never repeats it."""
    file = tmp_path / "url"
    file.write_text("postgresql://app:orchard-19@db/billing\n")
    file.chmod(0o600)
    good = {"name": "billing", "kind": "postgresql", "url_file": str(file)}
    section = ActionsSection.model_validate({"databases": [good]})
    assert "orchard" not in repr(section)
    for url in (
        "mysql://app:orchard-19@db/x",
        "postgresql://app:orchard-19@db",
        "postgresql://app:orchard-19@db/x?no=1",
    ):
        found = complaints(ActionsSection, {"databases": [{"name": "b", "kind": "postgresql", "url": url}]})
        assert len(found) == 1
        assert "orchard" not in repr(found)
