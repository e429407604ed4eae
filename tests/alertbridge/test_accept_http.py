"""The webhook over real HTTP: who is let in, how much, and what is answered when something is in the way."""

import asyncio
import base64
import gzip
import json
import socket
import sqlite3
import ssl
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import structlog
import trustme
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import func, select

from alertbridge.accept.config import AcceptSection
from alertbridge.accept.intake import Intake
from alertbridge.serve import alerts
from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from alertbridge.store.schema import episodes, rejects
from runtime.guards import Guards, GuardSettings
from runtime.serving.faults import contain_faults
from runtime.serving.problems import problems
from runtime.tls import server_context
from runtime.web import WebSection
from tests.fakes.accepting import FixedRoutes, Tally, alert_values, body_of
from tests.fakes.clock import FakeClock

PATH = "/api/v1/alerts"
BEARER = {"Authorization": "Bearer tok-12345678"}
BASIC = {"Authorization": "Basic " + base64.b64encode(b"alertmanager:orchid").decode()}
KNOWN: dict[str, Any] = {
    "basic_auth": [{"username": "alertmanager", "password": "orchid"}],
    "bearer": [{"name": "alertmanager", "token": "tok-12345678"}],
}
Client = TestClient[web.Request, web.Application]


class Served:
    """The webhook's application, with what stands around it."""

    def __init__(self, database: Database, clock: FakeClock) -> None:
        self.database = database
        self.clock = clock
        self.tally = Tally()
        self.routes = FixedRoutes("noc")

    def app(self, web_section: dict[str, Any], accept: dict[str, Any]) -> web.Application:
        section = AcceptSection.model_validate(accept)
        guards = Guards(
            GuardSettings.of(WebSection.model_validate(web_section)),
            patient_paths=alerts.PATHS,
            clock=self.clock,
        )
        app = web.Application(
            middlewares=[
                problems(lambda status, title, detail: "", {}),
                alerts.count_webhooks,
                contain_faults("bridge", lambda: None),
                guards.middleware,
            ]
        )
        intake = Intake(self.database, self.routes, section, self.tally, self.clock)
        door = alerts.AlertsDoor(intake, section, self.tally, self.clock)
        app[alerts.ALERTS_DOOR] = door
        app.add_routes(alerts.routes())

        async def shut(_: web.Application) -> None:
            await intake.close()
            door.close()

        app.on_cleanup.append(shut)
        return app

    async def count(self, table: Any = episodes) -> int:
        async with self.database.read() as connection:
            found: int = (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            return found


Connect = Callable[..., Awaitable[Client]]


@pytest.fixture
async def served(sqlite_section: StoreSection, clock: FakeClock) -> AsyncIterator[Served]:
    section = sqlite_section.model_copy(update={"busy_timeout_s": 2.0})
    database = await Database.open(section, clock)
    yield Served(database, clock)
    await database.close()


@pytest.fixture
async def connect(served: Served) -> AsyncIterator[Connect]:
    clients: list[Client] = []

    async def connect(web_section: dict[str, Any] | None = None, **accept: Any) -> Client:
        client = TestClient(TestServer(served.app(KNOWN if web_section is None else web_section, accept)))
        await client.start_server()
        clients.append(client)
        return client

    yield connect
    for client in clients:
        await client.close()


async def post(client: Client, body: bytes, headers: dict[str, str] | None = None, path: str = PATH) -> int:
    async with client.post(
        path, data=BytesIO(body), headers=BEARER if headers is None else headers
    ) as response:
        return response.status


async def problem(client: Client, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, str]:
    async with client.post(
        PATH, data=BytesIO(body), headers=BEARER if headers is None else headers
    ) as response:
        return response.status, (await response.json())["detail"]


async def test_a_notification_is_taken_under_both_paths(connect: Connect, served: Served) -> None:
    """200 says how many alerts are stored, and they are."""
    client = await connect()
    for number, path in enumerate((PATH, "/webhook")):
        body = body_of(alert_values(f"a{number}"))
        async with client.post(path, data=body, headers=BEARER) as response:
            assert response.status == 200
            assert await response.json() == {"accepted": 1, "rejected": [], "rejected_total": 0}
    assert await served.count() == 2
    assert served.tally.codes == {200: 2}
    assert len(served.tally.durations_s) == 2


async def test_an_odd_alert_is_named_and_its_neighbours_are_taken(connect: Connect, served: Served) -> None:
    """The answer, the log and the store name what was not taken, with its path."""
    client = await connect()
    odd = alert_values("odd", startsAt="yesterday")
    with structlog.testing.capture_logs() as logs:
        async with client.post(
            PATH, data=body_of(alert_values("a"), odd, alert_values("b")), headers=BEARER
        ) as response:
            answer = await response.json()
    assert (response.status, answer["accepted"], answer["rejected_total"]) == (200, 2, 1)
    assert answer["rejected"][0]["path"] == "alerts[1].startsAt"
    assert [entry["path"] for entry in logs if entry["event"] == "alerts.rejected"] == ["alerts[1].startsAt"]
    assert (await served.count(), await served.count(rejects)) == (2, 1)
    assert served.tally.rejected == {"time": 1}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (BEARER, 200),
        (BASIC, 200),
        ({}, 401),
        ({"Authorization": "Bearer tok-12345679"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Basic " + base64.b64encode(b"alertmanager:wrong").decode()}, 401),
        ({"Authorization": "Basic " + base64.b64encode(b"tok-12345678").decode()}, 401),
        ({"Authorization": "tok-12345678"}, 401),
    ],
)
async def test_who_is_let_in(connect: Connect, served: Served, headers: dict[str, str], status: int) -> None:
    """A token or a password that is right; everything else gets 401, is counted, and stores nothing."""
    client = await connect()
    assert await post(client, body_of(alert_values()), headers) == status
    assert served.tally.codes == {status: 1}
    assert await served.count() == (1 if status == 200 else 0)


async def test_an_address_that_is_not_allowed_gets_403(connect: Connect, served: Served) -> None:
    """Also with the right token."""
    client = await connect({**KNOWN, "allow": ["10.0.0.0/8"]})
    assert await post(client, body_of(alert_values())) == 403
    assert served.tally.codes == {403: 1}


async def test_a_known_peer_is_never_told_429(connect: Connect, served: Served) -> None:
    """The rate limit holds for strangers alone: Alertmanager drops what gets 429."""
    client = await connect({**KNOWN, "rate_limit": {"requests_per_s": 1, "burst": 2}})
    body = body_of(alert_values())
    assert {await post(client, body) for _ in range(10)} == {200}
    assert [await post(client, body, {}) for _ in range(4)] == [401, 401, 429, 429]
    assert await post(client, body, BASIC, "/webhook") == 200
    assert served.tally.codes == {200: 11, 401: 2, 429: 2}


async def test_a_client_certificate_proves_who_asks(served: Served, tmp_path: Path, clock: FakeClock) -> None:
    """With a verified certificate neither login nor rate nor the strangers' body limit stands in the way."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    own = authority.issue_cert("127.0.0.1")
    own.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    own.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    files = {f"{name}_file": str(tmp_path / f"{name}.pem") for name in ("cert", "key")}
    section = {
        **KNOWN,
        "tls": {**files, "client_ca_file": str(tmp_path / "ca.pem")},
        "rate_limit": {"requests_per_s": 1, "burst": 1},
    }
    server = TestServer(served.app(section, {}), scheme="https")
    await server.start_server(
        ssl=server_context(tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "ca.pem")
    )
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    authority.issue_cert("alertmanager@example.net").configure_cert(context)
    long = body_of(alert_values(), filler="x" * 100_000)
    async with aiohttp.ClientSession() as session:
        for _ in range(3):
            async with session.post(server.make_url(PATH), data=long, ssl=context) as response:
                assert response.status == 200
        stranger = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        with pytest.raises(aiohttp.ClientError):
            await session.post(server.make_url(PATH), data=long, ssl=stranger)
    await server.close()


async def test_how_long_a_body_may_be_depends_on_who_sends_it(connect: Connect, served: Served) -> None:
    """64 KiB from strangers, the configured limit from known peers; beyond it 413, also without a length."""
    body = body_of(alert_values(), filler="x" * 70_000)

    async def in_chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 8192):
            yield body[start : start + 8192]

    open_to_all = await connect({})
    assert await problem(open_to_all, body, {}) == (
        413,
        "the body is longer than 65536 bytes; a peer that logs in may send more",
    )
    async with open_to_all.post(PATH, data=in_chunks()) as response:
        assert response.status == 413
    known = await connect(limits={"body_bytes": 1 << 20})
    assert await post(known, body) == 200
    assert await problem(known, body_of(filler="x" * (1 << 20))) == (
        413,
        "the body is longer than 1048576 bytes",
    )
    assert served.tally.codes == {413: 3, 200: 1}


async def test_5000_alerts_in_one_post(connect: Connect, served: Served) -> None:
    """All are stored, and the loop is held up for a part of that at most: its thread's own time counts."""
    client = await connect(limits={"store_s": 60})
    body = body_of(*(alert_values(f"f{number:04}") for number in range(5000)))
    longest_s, done = 0.0, asyncio.Event()

    async def watch() -> None:
        nonlocal longest_s
        while not done.is_set():
            since_s = time.thread_time()
            await asyncio.sleep(0)
            longest_s = max(longest_s, time.thread_time() - since_s)

    began_s = time.thread_time()
    watching = asyncio.create_task(watch())
    assert await post(client, body) == 200
    done.set()
    await watching
    took_s = time.thread_time() - began_s
    assert await served.count() == 5000
    assert longest_s < took_s / 2


async def test_a_packed_bomb_does_not_unfold(connect: Connect, served: Served) -> None:
    """A packed body counts by what it unpacks to; a gigabyte of nothing costs a few megabytes."""
    client = await connect(limits={"body_bytes": 1 << 20})
    small = gzip.compress(body_of(alert_values()))
    assert await post(client, small, {**BEARER, "Content-Encoding": "gzip"}) == 200
    bomb = gzip.compress(b" " * (256 << 20), 9)
    tracemalloc.start()
    try:
        assert await post(client, bomb, {**BEARER, "Content-Encoding": "gzip"}) == 413
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    assert await post(client, b"not gzip", {**BEARER, "Content-Encoding": "gzip"}) == 400
    assert await served.count() == 1


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff\xfe{}", "not UTF-8"),
        (b'{"version": "4", "alerts": [' + b"[" * 100_000, "nested too deep"),
        (body_of(version="3"), "payload:"),
        (json.dumps({"text": "hello"}).encode(), "payload:"),
        (body_of(alerts={}), "no list of alerts"),
    ],
)
async def test_a_body_that_can_never_be_right_gets_400(
    connect: Connect, served: Served, body: bytes, sentence: str
) -> None:
    """With a sentence that says what is wrong."""
    client = await connect()
    with structlog.testing.capture_logs() as logs:
        status, detail = await problem(client, body)
    assert status == 400
    assert sentence in detail
    assert [(entry["event"], entry["reason"]) for entry in logs] == [("alerts.refused", detail)]
    assert served.tally.codes == {400: 1}


async def test_a_store_that_cannot_be_written_gets_503(
    connect: Connect, served: Served, sqlite_section: StoreSection
) -> None:
    """In plain words and with Retry-After; when the store is free again the same body is taken."""
    client = await connect()
    with closing(sqlite3.connect(sqlite_section.path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        async with client.post(PATH, data=body_of(alert_values()), headers=BEARER) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "1")
            assert "locked" in (await response.json())["detail"]
    assert await post(client, body_of(alert_values())) == 200
    assert served.tally.codes == {503: 1, 200: 1}


async def test_what_takes_too_long_to_store_gets_503(
    connect: Connect, served: Served, sqlite_section: StoreSection
) -> None:
    """The sender is answered within the limit, whatever the store does."""
    client = await connect(limits={"store_s": 0.05})
    with closing(sqlite3.connect(sqlite_section.path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        assert await problem(client, body_of(alert_values())) == (
            503,
            "it could not be stored within 0.05 s",
        )


async def test_too_many_at_once_get_503_and_never_429(
    connect: Connect, served: Served, sqlite_section: StoreSection
) -> None:
    """Beyond the requests in flight, and beyond the bytes that are held, known peers come again."""
    client = await connect(limits={"requests": 2})
    with closing(sqlite3.connect(sqlite_section.path, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        codes = await asyncio.gather(*(post(client, body_of(alert_values(f"f{n}"))) for n in range(5)))
    assert set(codes) == {503}
    assert await post(client, body_of(alert_values())) == 200
    narrow = await connect(limits={"requests_bytes": 1 << 20})
    status, detail = await problem(narrow, body_of(filler="x" * (2 << 20)))
    assert (status, "too many bytes" in detail) == (503, True)
    assert await post(narrow, body_of(alert_values())) == 200


async def test_a_body_that_is_slow_or_breaks_off_gives_its_room_back(
    connect: Connect, served: Served
) -> None:
    """A sender that stops in the middle is told 503 after the deadline; one that goes away costs nothing."""
    client = await connect(limits={"body_s": 0.2, "requests": 1})
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer tok-12345678\r\n"
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
    assert (await reader.readline()).startswith(b"HTTP/1.1 503")
    writer.close()
    with closing(socket.create_connection((client.host, client.port))) as sender:
        sender.sendall(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
    async with asyncio.timeout(60):
        while await post(client, body_of(alert_values())) != 200:  # noqa: ASYNC110  nobody tells when it is gone
            await asyncio.sleep(0.02)
    assert await served.count() == 1


async def test_a_fault_of_our_own_is_500_and_tried_again(connect: Connect, served: Served) -> None:
    """Alertmanager sends again after any 5xx; nothing of the fault is told, and nothing is half stored."""
    client = await connect()
    served.routes.fault = ZeroDivisionError("secret")
    status, detail = await problem(client, body_of(alert_values()))
    assert (status, "secret" in detail) == (500, False)
    assert await served.count() == 0
    served.routes.fault = None
    assert await post(client, body_of(alert_values())) == 200
    assert served.tally.codes == {500: 1, 200: 1}
