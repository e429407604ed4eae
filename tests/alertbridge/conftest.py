"""An open store for each test: on SQLite, and on a real PostgreSQL that is started once."""

import gc
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from tests.fakes.clock import FakeClock
from tests.fakes.database_servers import PASSWORD, PgConnection, RunningServer, postgres, postgres_connection

ON_BOTH = [
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgresql", id="postgresql", marks=pytest.mark.system("pg_ctlcluster")),
]


@pytest.fixture(scope="session")
def store_server() -> Iterator[RunningServer]:
    """A PostgreSQL server for every test of the session."""
    with postgres(connections=60) as server:
        yield server


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands still until the test moves it."""
    return FakeClock()


@pytest.fixture
def postgresql_section(store_server: RunningServer) -> Iterator[StoreSection]:
    """Where an empty PostgreSQL database is that is this test's own."""
    name = f"bridge_{secrets.token_hex(6)}"
    with closing(postgres_connection(store_server.port)) as owner:
        owner.execute(f"CREATE DATABASE {name}")
        yield StoreSection(
            url=f"postgresql://owner:{PASSWORD}@127.0.0.1:{store_server.port}/{name}",
            statement_timeout_s=120,  # a test that waits for the processor is not to lose its transaction
            connections=3,
        )
        _drop(owner, name)


def _drop(owner: PgConnection, name: str) -> None:
    """Drops a database. Connecting that a test cancelled half-way holds it until the garbage is collected."""
    owner.execute("SET statement_timeout = '2s'")
    for _ in range(3):
        try:
            owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
        except psycopg.errors.QueryCanceled:
            gc.collect()
        else:
            return
    raise AssertionError(f"somebody still holds {name}")


@pytest.fixture
def sqlite_section(tmp_path: Path) -> StoreSection:
    """Where a SQLite file may be made that is this test's own."""
    return StoreSection(path=tmp_path / "store" / "alertbridge.db")


@pytest.fixture(params=ON_BOTH)
def store_section(request: pytest.FixtureRequest) -> StoreSection:
    """An empty store of each kind in turn, not open: for tests that open it themselves, perhaps twice."""
    section = request.getfixturevalue(f"{request.param}_section")
    assert isinstance(section, StoreSection)
    return section


@pytest.fixture
async def database(store_section: StoreSection, clock: FakeClock) -> AsyncIterator[Database]:
    """An open store of each kind in turn."""
    opened = await Database.open(store_section, clock)
    yield opened
    await opened.close()
