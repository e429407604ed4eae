"""The guards let in whom the `web:` section names, as often and as many as it says; asked over real HTTP."""

import asyncio
import base64
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import structlog
from aiohttp import ClientSession, TCPConnector, web
from aiohttp.test_utils import TestClient, TestServer

from runtime.guards import PRINCIPAL, Guards, GuardSettings, Refusal, warn_if_exposed
from runtime.rates import RateTable, client_of
from runtime.web import WebSection
from tests.fakes.clock import FakeClock

USERS = {
    "basic_auth": [{"username": "prom", "password": "püss:word"}, {"username": "ops", "password": "other"}]
}
TOKENS = {"bearer": [{"name": "script", "token": "tok-12345678"}]}
SCRAPES = frozenset({"/metrics"})

Client = TestClient[web.Request, web.Application]
Connect = Callable[[Guards], Awaitable[Client]]


class Gate:
    """A handler that stays inside until it is let go."""

    def __init__(self) -> None:
        self.inside = asyncio.Semaphore(0)
        self.go = asyncio.Event()

    async def scrape(self, request: web.Request) -> web.Response:
        self.inside.release()
        await self.go.wait()
        return web.Response(text="metrics")


@pytest.fixture
async def gate() -> Gate:
    return Gate()


@pytest.fixture
async def connect(gate: Gate) -> AsyncIterator[Connect]:
    clients: list[Client] = []

    async def hello(request: web.Request) -> web.Response:
        principal = request[PRINCIPAL]
        return web.Response(text=f"{principal.scheme.value}:{principal.name}")

    async def connect(guards: Guards) -> Client:
        async def reset(request: web.Request) -> web.Response:
            return web.Response(text=guards.require_bearer(request).name)

        app = web.Application(middlewares=[guards.middleware])
        app.router.add_get("/", hello)
        app.router.add_get("/-/healthy", hello)
        app.router.add_get("/-/ready", hello)
        app.router.add_get("/metrics", gate.scrape)
        app.router.add_post("/reset", reset)
        client = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)
        return client

    yield connect
    gate.go.set()
    for client in clients:
        await client.close()


def settings(max_concurrent: int | None = None, **section: object) -> GuardSettings:
    return GuardSettings.of(WebSection.model_validate(section), max_concurrent=max_concurrent)


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def status(client: Client, path: str = "/", headers: dict[str, str] | None = None) -> int:
    async with client.get(path, headers=headers) as response:
        return response.status


async def test_without_settings_everybody_is_let_in(connect: Connect) -> None:
    """The defaults ask nobody who they are."""
    client = await connect(Guards(settings()))
    async with client.get("/") as response:
        assert (response.status, await response.text()) == (200, "none:")


async def test_users_log_in_with_name_and_password(connect: Connect) -> None:
    """The right pair is let in and known by name, whatever letters it has; everything else gets 401."""
    guards = Guards(settings(**USERS))
    client = await connect(guards)
    for user, password in (("prom", "püss:word"), ("ops", "other")):
        async with client.get("/", headers=basic(user, password)) as response:
            assert (response.status, await response.text()) == (200, f"basic:{user}")
    wrong = [
        basic("prom", "other"),
        basic("nobody", "other"),
        basic("prom", ""),
        basic("", ""),
        {"Authorization": "Basic"},
        {"Authorization": "Basic ???"},
        {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe").decode()},
        {"Authorization": "Basic " + base64.b64encode(b"nocolon").decode()},
        {"Authorization": "Digest x"},
        bearer("tok-12345678"),
        {},
    ]
    for headers in wrong:
        assert await status(client, headers=headers) == 401
    assert guards.refused[Refusal.LOGIN] == len(wrong)


async def test_tokens_let_programs_in(connect: Connect) -> None:
    """A bearer token is enough where tokens are configured; the scheme's letters may be of any case."""
    client = await connect(Guards(settings(**TOKENS)))
    for headers in (bearer("tok-12345678"), {"Authorization": "bEARER tok-12345678"}):
        async with client.get("/", headers=headers) as response:
            assert (response.status, await response.text()) == (200, "bearer:script")
    for headers in (bearer("tok-1234567"), bearer(""), basic("script", "tok-12345678"), {}):
        assert await status(client, headers=headers) == 401


@pytest.mark.parametrize(
    ("section", "schemes"),
    [(USERS, ["Basic"]), (TOKENS, ["Bearer"]), (USERS | TOKENS, ["Basic", "Bearer"])],
)
async def test_a_refusal_tells_how_to_log_in(
    connect: Connect, section: dict[str, object], schemes: list[str]
) -> None:
    """401 comes with one challenge for each scheme that would be accepted."""
    client = await connect(Guards(settings(**section)))
    async with client.get("/") as response:
        challenges = response.headers.getall("WWW-Authenticate")
    assert [challenge.split()[0] for challenge in challenges] == schemes
    assert all('realm="tikwatch"' in challenge for challenge in challenges)


async def test_unknown_paths_tell_nothing_before_login(connect: Connect) -> None:
    """Somebody without a login cannot find out which paths exist."""
    client = await connect(Guards(settings(**USERS)))
    assert await status(client, "/no/such/path") == 401
    assert await status(client, "/no/such/path", basic("ops", "other")) == 404


async def test_health_is_open_without_login_but_not_to_every_address(connect: Connect) -> None:
    """Health and readiness need no login and have no rate; the allow list holds for them as well."""
    guards = Guards(settings(**USERS, rate_limit={"requests_per_s": 1, "burst": 1}), clock=FakeClock())
    client = await connect(guards)
    for _ in range(3):
        assert await status(client, "/-/healthy") == 200
        assert await status(client, "/-/ready") == 200
    guards.replace(settings(**USERS, allow=["10.0.0.0/8"]))
    assert await status(client, "/-/healthy") == 403


async def test_other_spellings_of_a_path_are_guarded_alike(connect: Connect, gate: Gate) -> None:
    """What decides is the route that answers, not how the client spelled its path."""
    gate.go.set()
    guards = Guards(settings(max_concurrent=1), scrape_paths=SCRAPES)
    client = await connect(guards)
    gate.go.clear()
    first = asyncio.create_task(status(client, "/metri%63s"))
    await gate.inside.acquire()
    assert guards.scrapes == 1
    assert await status(client, "/metrics") == 503
    gate.go.set()
    assert await first == 200


async def test_addresses_outside_the_list_are_refused(connect: Connect) -> None:
    """403 for an address outside every network, before any login is looked at."""
    guards = Guards(settings(allow=["10.0.0.0/8", "fd00::/8"], **USERS))
    client = await connect(guards)
    assert await status(client, headers=basic("ops", "other")) == 403
    guards.replace(settings(allow=["127.0.0.0/8"], **USERS))
    assert await status(client) == 401
    assert guards.refused == {Refusal.ADDRESS: 1, Refusal.RATE: 0, Refusal.LOGIN: 1, Refusal.BUSY: 0}


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("11.1.2.3", False),
        ("::ffff:11.1.2.3", False),
        ("fd00::1", True),
        ("fd00::1%eth0", True),
        ("fe80::1", False),
        ("", False),
        (None, False),
        ("/run/socket", False),
    ],
)
def test_which_addresses_a_list_allows(address: str | None, allowed: bool) -> None:
    """IPv4 in IPv6 clothes counts as IPv4; what is no address is outside."""
    assert settings(allow=["10.0.0.0/8", "fd00::/8"]).allows(address) is allowed


async def test_too_many_requests_are_told_when_to_come_back(connect: Connect) -> None:
    """After the burst comes 429 with Retry-After; when that time has passed the client is let in again."""
    clock = FakeClock()
    guards = Guards(settings(rate_limit={"requests_per_s": 0.5, "burst": 2}), clock=clock)
    client = await connect(guards)
    assert [await status(client) for _ in range(3)] == [200, 200, 429]
    async with client.get("/") as response:
        retry_after_s = int(response.headers["Retry-After"])
    assert retry_after_s == 2
    clock.advance(retry_after_s)
    assert [await status(client) for _ in range(2)] == [200, 429]
    assert guards.refused[Refusal.RATE] == 3


async def test_failed_logins_count_against_the_rate(connect: Connect) -> None:
    """Guessing passwords is as limited as anything else."""
    guards = Guards(settings(**USERS, rate_limit={"requests_per_s": 1, "burst": 2}), clock=FakeClock())
    client = await connect(guards)
    guesses = [await status(client, headers=basic("ops", f"guess{n}")) for n in range(3)]
    assert guesses == [401, 401, 429]


async def test_scrapes_beyond_the_limit_are_refused(connect: Connect, gate: Gate) -> None:
    """One scrape too many gets 503 with Retry-After; other paths are free; room is given back."""
    guards = Guards(settings(max_concurrent=2), scrape_paths=SCRAPES)
    client = await connect(guards)
    under_way = [asyncio.create_task(status(client, "/metrics")) for _ in range(2)]
    await gate.inside.acquire()
    await gate.inside.acquire()
    assert guards.scrapes == 2
    async with client.get("/metrics") as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "1")
    assert await status(client, "/") == 200
    gate.go.set()
    assert await asyncio.gather(*under_way) == [200, 200]
    assert guards.scrapes == 0
    assert await status(client, "/metrics") == 200
    assert guards.refused[Refusal.BUSY] == 1


async def test_a_failing_scrape_gives_its_room_back(connect: Connect) -> None:
    """An exception in the handler leaves no scrape counted."""

    async def broken(request: web.Request) -> web.Response:
        raise web.HTTPBadGateway

    guards = Guards(settings(max_concurrent=1), scrape_paths=SCRAPES)
    app = web.Application(middlewares=[guards.middleware])
    app.router.add_get("/metrics", broken)
    async with TestClient(TestServer(app)) as client:
        for _ in range(3):
            async with client.get("/metrics") as response:
                assert response.status == 502
    assert guards.scrapes == 0


async def test_settings_are_replaced_for_the_next_request(connect: Connect, gate: Gate) -> None:
    """A scrape under way goes on under the old settings; the next request meets the new ones."""
    guards = Guards(settings(), scrape_paths=SCRAPES)
    client = await connect(guards)
    under_way = asyncio.create_task(status(client, "/metrics"))
    await gate.inside.acquire()
    guards.replace(settings(**USERS))
    assert await status(client) == 401
    gate.go.set()
    assert await under_way == 200


async def test_some_calls_want_a_token(connect: Connect) -> None:
    """A call marked so refuses users with a password, and everybody while no token is configured."""
    guards = Guards(settings(**USERS, **TOKENS))
    client = await connect(guards)
    async with client.post("/reset", headers=bearer("tok-12345678")) as response:
        assert (response.status, await response.text()) == (200, "script")
    async with client.post("/reset", headers=basic("ops", "other")) as response:
        assert response.status == 403
        assert "send one" in await response.text()
    guards.replace(settings())
    async with client.post("/reset", headers=bearer("tok-12345678")) as response:
        assert response.status == 403
        assert "none is configured" in await response.text()


async def test_refusals_are_logged_without_what_was_tried(connect: Connect) -> None:
    """The log names reason, client and path, and neither password, query nor header."""
    client = await connect(Guards(settings(**USERS)))
    with structlog.testing.capture_logs() as logs:
        assert await status(client, "/?token=s3cret", basic("ops", "gu3ss")) == 401
    assert [(entry["event"], entry["reason"], entry["path"]) for entry in logs] == [
        ("web.refused", "login", "/")
    ]
    assert "s3cret" not in str(logs)
    assert "gu3ss" not in str(logs)


async def test_ipv6_clients_are_known(connect: Connect) -> None:
    """A server on ::1 sees the client's IPv6 address and holds it against the list."""
    guards = Guards(settings(allow=["::1"]))
    app = web.Application(middlewares=[guards.middleware])
    server = TestServer(app, host="::1")
    try:
        await server.start_server()
    except OSError:
        pytest.skip("this machine has no IPv6")
    async with (
        ClientSession(connector=TCPConnector()) as session,
        session.get(server.make_url("/")) as response,
    ):
        assert response.status == 404
    await server.close()


def test_settings_do_not_show_secrets() -> None:
    """Neither password nor token, nor their digests, stand in the repr."""
    shown = repr(settings(**USERS, **TOKENS)) + repr(Guards(settings(**USERS, **TOKENS)))
    assert "other" not in shown
    assert "tok-" not in shown
    assert "users" not in shown


def test_the_rate_table_is_bounded_and_forgets_the_quietest() -> None:
    """More clients than it has room for push out the one that asked longest ago, and nobody else."""
    table = RateTable(size=2)
    assert table.wait_s("a", 1, 1, 0) == 0
    assert table.wait_s("b", 1, 1, 0) == 0
    assert table.wait_s("a", 1, 1, 0) > 0
    assert table.wait_s("c", 1, 1, 0) == 0
    assert repr(table) == "<RateTable clients=2/2>"
    assert table.wait_s("a", 1, 1, 0) > 0
    assert table.wait_s("b", 1, 1, 0) == 0


def test_rates_survive_a_clock_that_jumps_and_a_smaller_burst() -> None:
    """Time that seems to go back gives nothing, and a burst lowered by a reload holds at once."""
    table = RateTable()
    assert table.wait_s("a", 1, 10, 100) == 0
    assert table.wait_s("a", 1, 1, 50) == 0
    assert table.wait_s("a", 1, 1, 50) == 1


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (None, ""),
        ("/run/socket", "/run/socket"),
    ],
)
def test_for_whom_a_rate_counts(address: str | None, client: str) -> None:
    """One IPv4 address is one client; so is one IPv6 /64, of which a single host has every address."""
    assert client_of(address) == client
    if client.endswith("/64"):
        assert ipaddress.ip_address(address or "") in ipaddress.ip_network(client)


@pytest.mark.parametrize(
    ("section", "events"),
    [
        ({"listen": "127.0.0.1:9436"}, []),
        ({"listen": "[::1]:9436"}, []),
        ({"listen": "localhost:9436"}, []),
        ({"listen": ":9436"}, ["web.open_to_everyone"]),
        ({"listen": "0.0.0.0:9436"}, ["web.open_to_everyone"]),
        ({"listen": "10.0.0.1:9436", "allow": ["10.0.0.0/8"]}, ["web.open_to_everyone"]),
        ({"listen": ":9436", **USERS}, ["web.passwords_unencrypted"]),
        ({"listen": ":9436", **TOKENS}, ["web.passwords_unencrypted"]),
    ],
)
def test_listening_beyond_this_machine_is_warned_about(section: dict[str, object], events: list[str]) -> None:
    """On loopback nothing is said; elsewhere the log warns of missing logins and of logins in the clear."""
    with structlog.testing.capture_logs() as logs:
        warn_if_exposed(WebSection.model_validate(section))
    assert [entry["event"] for entry in logs] == events
    assert all(entry["log_level"] == "warning" for entry in logs)


async def test_on_patient_paths_only_strangers_have_a_rate(connect: Connect) -> None:
    """A known peer is never told 429 there, however often it asks; elsewhere, and for others, the rate holds."""
    guards = Guards(
        settings(**USERS, **TOKENS, rate_limit={"requests_per_s": 1, "burst": 2}),
        patient_paths=frozenset({"/"}),
        clock=FakeClock(),
    )
    client = await connect(guards)
    for headers in (bearer("tok-12345678"), basic("ops", "other")):
        assert [await status(client, "/", headers) for _ in range(5)] == [200] * 5
    assert [await status(client, "/", bearer("wrong-token")) for _ in range(4)] == [401, 401, 429, 429]
    assert await status(client, "/", basic("ops", "other")) == 200
    assert await status(client, "/metrics", basic("ops", "other")) == 429


async def test_on_patient_paths_nobody_is_known_where_nobody_is_asked(connect: Connect) -> None:
    """Without users, tokens and certificates everybody is a stranger, who has a rate there as well."""
    guards = Guards(
        settings(rate_limit={"requests_per_s": 1, "burst": 2}),
        patient_paths=frozenset({"/"}),
        clock=FakeClock(),
    )
    client = await connect(guards)
    assert [await status(client) for _ in range(3)] == [200, 200, 429]
