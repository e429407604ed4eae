"""A real Alertmanager, and a pair of them, post to the real webhook: every episode is told once, and ends once."""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import Table, select

from alertbridge.accept.config import AcceptSection
from alertbridge.accept.intake import Intake
from alertbridge.serve import alerts
from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from alertbridge.store.schema import episodes, notices
from runtime.clock import SystemClock
from runtime.guards import Guards, GuardSettings
from runtime.web import WebSection
from tests.fakes.accepting import FixedRoutes, Tally
from tests.fakes.alertmanager_process import Alertmanager, alertmanager
from tests.fakes.database_servers import free_port

pytestmark = [pytest.mark.system("prometheus-alertmanager", "amtool"), pytest.mark.timeout(300)]

DEADLINE_S = 60.0
TOKEN = "tok-12345678"
CONFIG = """
route:
  receiver: web.hook
  group_by: [alertname]
  group_wait: 200ms
  group_interval: 1s
  repeat_interval: 3s
receivers:
  - name: web.hook
    webhook_configs:
      - url: {url}
        http_config:
          authorization: {{type: Bearer, credentials: {token}}}
"""
SECTION = AcceptSection(repeat_after_s=3.0, late_copy_s=0.5, copy_window_s=1.0)
"""The windows as short as the intervals of this Alertmanager."""
Rows = list[dict[str, Any]]


@dataclass
class Webhook:
    """The webhook, served, with its store."""

    url: str
    database: Database
    tally: Tally
    file: Path

    async def rows(self, table: Table = episodes) -> Rows:
        async with self.database.read() as connection:
            found = await connection.execute(select(table).order_by(table.c.id))
            return [dict(row) for row in found.mappings()]

    async def until(self, table: Table, holds: Callable[[Rows], bool]) -> Rows:
        """The rows of a table once they are as wanted. Raises AssertionError with them."""
        found: Rows = []
        try:
            async with asyncio.timeout(DEADLINE_S):
                while not holds(found := await self.rows(table)):  # noqa: ASYNC110  another program changes them
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(f"{found} {vars(self.tally)}") from None
        return found

    async def told(self) -> Counter[tuple[str, str]]:
        """How often each alert was told in each way."""
        names = {row["id"]: row["labels"]["instance"] for row in await self.rows()}
        return Counter((names[row["episode_id"]], row["kind"]) for row in await self.rows(notices))


@pytest.fixture
async def webhook(sqlite_section: StoreSection) -> AsyncIterator[Webhook]:
    clock, tally = SystemClock(), Tally()
    section = sqlite_section.model_copy(update={"busy_timeout_s": 0.2})
    database = await Database.open(section, clock)
    intake = Intake(database, FixedRoutes("noc"), SECTION, tally, clock)
    known = WebSection.model_validate(
        {"bearer": [{"name": "am", "token": TOKEN}], "rate_limit": {"requests_per_s": 0.01, "burst": 1}}
    )
    guards = Guards(GuardSettings.of(known), patient_paths=alerts.PATHS)
    app = web.Application(middlewares=[alerts.count_webhooks, guards.middleware])
    door = app[alerts.ALERTS_DOOR] = alerts.AlertsDoor(intake, SECTION, tally, clock)
    app.add_routes(alerts.routes())
    server = TestServer(app)
    await server.start_server()
    yield Webhook(str(server.make_url("/api/v1/alerts")), database, tally, section.path)
    await server.close()
    await intake.close()
    door.close()
    await database.close()


Start = Callable[..., Awaitable[Alertmanager]]


@pytest.fixture
async def start(webhook: Webhook, tmp_path: Path) -> AsyncIterator[Start]:
    async with AsyncExitStack() as stack:

        async def start(name: str, **options: Any) -> Alertmanager:
            config = CONFIG.format(url=webhook.url, token=TOKEN)
            return await stack.enter_async_context(
                alertmanager(
                    tmp_path / name, config, external_url=f"http://{name}.example.net:9093", **options
                )
            )

        yield start


def labels(instance: str) -> dict[str, str]:
    return {"alertname": "RouterDown", "severity": "critical", "instance": instance}


async def test_groups_repeats_and_ends_of_a_real_alertmanager(webhook: Webhook, start: Start) -> None:
    """Two alerts of a group begin, one ends, the other is repeated; nothing is told twice."""
    manager = await start("am")
    began_s = time.time()
    await manager.tell(labels("tower-1"), began_s)
    await manager.tell(labels("tower-2"), began_s)
    found = await webhook.until(episodes, lambda rows: len(rows) == 2)
    assert {row["receiver"] for row in found} == {"web.hook"}
    assert {row["external_url"] for row in found} == {"http://am.example.net:9093"}
    assert all(abs(row["starts_at"] - began_s) < 0.001 for row in found)
    await manager.tell(labels("tower-1"), began_s, time.time())
    await webhook.until(episodes, lambda rows: any(row["status"] == "closed" for row in rows))
    await webhook.until(notices, lambda rows: any(row["kind"] == "repeat" for row in rows))
    told = await webhook.told()
    assert told[("tower-1", "firing")] == told[("tower-1", "resolved")] == told[("tower-2", "firing")] == 1
    assert told[("tower-2", "repeat")] == 1
    assert told[("tower-2", "resolved")] == told[("tower-1", "repeat")] == 0
    assert set(webhook.tally.codes) == {200}


async def test_what_comes_back_with_an_earlier_start_is_ended(webhook: Webhook, start: Start) -> None:
    """A second Prometheus knew of it before: Alertmanager's end has another startsAt than its beginning."""
    manager = await start("am")
    began_s = time.time()
    await manager.tell(labels("tower-1"), began_s)
    await webhook.until(episodes, lambda rows: len(rows) == 1)
    await manager.tell(labels("tower-1"), began_s - 300)
    await manager.tell(labels("tower-1"), began_s - 300, time.time())
    (found,) = await webhook.until(episodes, lambda rows: rows[0]["status"] == "closed")
    assert abs(found["starts_at"] - began_s) < 0.001
    assert await webhook.told() == {("tower-1", "firing"): 1, ("tower-1", "resolved"): 1}


async def test_what_fires_again_is_a_new_episode(webhook: Webhook, start: Start) -> None:
    """Each round is told once, in its order."""
    manager = await start("am")
    for number in range(1, 3):
        began_s = time.time()
        await manager.tell(labels("tower-1"), began_s)
        await webhook.until(episodes, lambda rows, n=number: len(rows) == n)  # type: ignore[misc]
        await manager.tell(labels("tower-1"), began_s, time.time())
        await webhook.until(episodes, lambda rows: {row["status"] for row in rows} == {"closed"})
    assert [row["kind"] for row in await webhook.rows(notices)] == ["firing", "resolved"] * 2


async def test_a_return_within_a_group_interval_leaves_nothing_open(webhook: Webhook, start: Start) -> None:
    """What Alertmanager then tells depends on the moment; every beginning that was told is told to be over."""
    manager = await start("am")
    began_s = time.time()
    await manager.tell(labels("tower-1"), began_s)
    await webhook.until(episodes, lambda rows: len(rows) == 1)
    await manager.tell(labels("tower-1"), began_s, time.time())
    again_s = time.time()
    await manager.tell(labels("tower-1"), again_s)
    await manager.tell(labels("tower-1"), again_s, time.time())
    await webhook.until(episodes, lambda rows: {row["status"] for row in rows} == {"closed"})
    told = await webhook.told()
    assert told[("tower-1", "firing")] == told[("tower-1", "resolved")]
    assert webhook.tally.deduplicated["unopened"] == 0


async def test_nothing_is_lost_while_the_store_is_locked(webhook: Webhook, start: Start) -> None:
    """503 makes Alertmanager try again; when the lock is gone the alert is taken, once."""
    manager = await start("am")
    with closing(sqlite3.connect(webhook.file, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        await manager.tell(labels("tower-1"), time.time())
        async with asyncio.timeout(DEADLINE_S):
            while webhook.tally.codes[503] < 2:  # noqa: ASYNC110  another program posts
                await asyncio.sleep(0.05)
        assert await webhook.rows() == []
    await webhook.until(episodes, lambda rows: len(rows) == 1)
    assert (await webhook.told())[("tower-1", "firing")] == 1


@pytest.mark.parametrize("joined", [True, False], ids=["cluster", "split"])
async def test_a_pair_of_alertmanagers_tells_each_episode_once(
    webhook: Webhook, start: Start, joined: bool
) -> None:
    """In a cluster one of them posts, after a split both do: for people there is no difference."""
    ports = [free_port(), free_port()] if joined else []
    pair = [await start("am-1", cluster=ports), await start("am-2", cluster=ports[::-1])]
    if joined:
        await asyncio.gather(*(member.until_peers(2) for member in pair))
    began_s = time.time()
    for name in ("tower-1", "tower-2", "tower-3"):
        await asyncio.gather(*(member.tell(labels(name), began_s) for member in pair))
    await webhook.until(episodes, lambda rows: len(rows) == 3)
    if not joined:
        await webhook.until(episodes, lambda _: webhook.tally.deduplicated["copy"] >= 3)
    ended_s = time.time()
    for name in ("tower-1", "tower-2", "tower-3"):
        await asyncio.gather(*(member.tell(labels(name), began_s, ended_s) for member in pair))
    await webhook.until(episodes, lambda rows: {row["status"] for row in rows} == {"closed"})
    if not joined:
        async with asyncio.timeout(DEADLINE_S):
            while webhook.tally.received["resolved"] < 6:  # noqa: ASYNC110  both have said so
                await asyncio.sleep(0.1)
    told = await webhook.told()
    for name in ("tower-1", "tower-2", "tower-3"):
        assert told[(name, "firing")] == told[(name, "resolved")] == 1
    assert len(await webhook.rows()) == 3
