"""Nothing that fails beside a request or an attempt is lost: it is logged and counted."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from alertbridge.accept.config import AcceptSection
from alertbridge.alerts import Alert
from alertbridge.deliver.asides import watched
from alertbridge.deliver.deliveryconfig import SendingSection
from alertbridge.deliver.lanes import Lane
from alertbridge.deliver.providers.base import Outgoing, Traits
from alertbridge.serve.alerts import ALERTS_DOOR, AlertsDoor, routes
from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from runtime.clock import SystemClock
from runtime.guards import Guards, GuardSettings
from runtime.web import WebSection
from tests.fakes.accepting import Tally, alert_values, body_of
from tests.fakes.delivery_bench import Bench, JumpingClock
from tests.fakes.whole_bridge import WholeBridge, until, whole_bridge

CONFIG = """
store: {{path: {folder}/bridge.db}}
channels:
  - {{name: wa, kind: file, path: {folder}/wa.jsonl}}
  - {{name: sms, kind: file, path: {folder}/sms.jsonl}}
recipients:
  - {{name: noc, channel: wa, to: noc, fallback: [{{channel: sms, to: noc}}]}}
"""


class BrokenLeases(Database):
    """Fails in a way that nobody foresaw, while it is told to."""

    broken = False

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        if self.broken:
            raise RuntimeError("a fault of ours")
        async with Database.write(self) as connection:
            yield connection


async def test_a_task_that_fails_is_logged_and_counted() -> None:
    """An exception that nobody awaits is told by name; a task that is cancelled is no fault."""
    counted: list[str] = []

    async def fail() -> None:
        raise RuntimeError("boom")

    with capture_logs() as logs:
        failing = watched(asyncio.create_task(fail()), "lease", counted.append)
        waiting = watched(asyncio.create_task(asyncio.sleep(60)), "store", counted.append)
        await asyncio.wait({failing})
        waiting.cancel()
        await asyncio.wait({waiting})
    assert counted == ["lease"]
    assert [(entry["event"], entry["task"]) for entry in logs] == [("task.failed", "lease")]


async def test_a_lease_that_cannot_be_renewed_costs_no_attempt(sqlite_section: StoreSection) -> None:
    """Whatever keeps the lane's lease from being renewed is counted, and what came of the attempt is written down."""
    database = BrokenLeases(sqlite_section)
    await (await Database.open(sqlite_section, JumpingClock())).close()
    bench = Bench(
        database,
        JumpingClock(),
        wa=Traits(text_limit=4096, acks_on_accept=True),
        section=SendingSection(lease_s=2.0),
    )

    async def counted() -> bool:
        return bench.counted.faults == ["lease"]

    def hang(_: Outgoing) -> "asyncio.Future[None]":
        async def until_counted() -> None:
            database.broken = True
            await until(counted)
            database.broken = False

        return asyncio.ensure_future(until_counted())

    bench.wa.before_answer = hang
    await bench.firing("CoreDown")
    await bench.delivery.turn(Lane("noc"))
    bench.clock.advance(5)
    await bench.delivery.turn(Lane("noc"))
    assert bench.counted.faults == ["lease"]
    assert await bench.notice_states() == {"delivered": 1}
    await database.close()


@pytest.fixture
async def full(tmp_path: Path) -> AsyncIterator[WholeBridge]:
    """A bridge whose store has room for a small row and not for a notification."""
    async with whole_bridge(tmp_path, CONFIG.format(folder=tmp_path)) as running:
        assert (await running.ready()) == (200, "serving\n")
        await pages(running, spare=1)
        yield running


async def pages(running: WholeBridge, *, spare: int) -> None:
    """Leaves the store so many pages."""
    async with running.bridge.database.write() as connection:
        used = (await connection.execute(sql("PRAGMA page_count"))).scalar_one()
        await connection.execute(sql(f"PRAGMA max_page_count = {used + spare}"))


def storm() -> list[dict[str, object]]:
    """Alerts that take some room."""
    return [alert_values(f"{number:016x}", annotations={"summary": "x" * 900}) for number in range(40)]


async def test_a_disk_that_is_full_for_alerts_is_not_ready(full: WholeBridge, tmp_path: Path) -> None:
    """A refused notification is told by `/-/ready` although a small row can still be written; what is critical goes
    out directly meanwhile, and once there is room again the bridge is ready."""
    assert await full.post(*storm()) == 503
    await full.bridge.database.prove_writable()
    status, why = await full.ready()
    assert status == 503
    assert "could not be stored" in why
    assert "disk_full" in why

    async def told() -> bool:
        return (tmp_path / "sms.jsonl").exists()

    await until(told)
    await pages(full, spare=10_000)
    assert await full.post(*storm()) == 200
    assert (await full.ready())[0] == 200


async def test_what_cannot_be_told_directly_is_counted(full: WholeBridge) -> None:
    """A fault in telling what could not be stored is not lost, and Alertmanager is told to come again all the same."""
    counted: list[str] = []

    async def fail(_: Sequence[Alert]) -> int:
        raise RuntimeError("a fault of ours")

    tally = Tally()
    door = AlertsDoor(
        full.bridge.intake, AcceptSection(), tally, SystemClock(), emergency=fail, faulted=counted.append
    )
    app = web.Application(middlewares=[Guards(GuardSettings.of(WebSection())).middleware])
    app[ALERTS_DOOR] = door
    app.add_routes(routes())
    with capture_logs() as logs:
        async with TestClient(TestServer(app)) as client:
            async with client.post("/webhook", data=body_of(*storm())) as response:
                assert response.status == 503
            await door.told()
    assert counted == ["emergency"]
    assert "task.failed" in [entry["event"] for entry in logs]
    door.close()
