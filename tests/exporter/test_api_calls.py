"""The JSON API over HTTP, on routers that do as the test says."""

import base64
from collections.abc import Iterator
from dataclasses import replace

import pytest

from exporter.serve import api
from routeros import (
    CommandFailed,
    ConnectionStats,
    ConnectionTest,
    LoginRefused,
    PermissionDenied,
    RouterUnreachable,
    UnreachableReason,
)
from tests.fakes.client import QUIET
from tests.fakes.fleet import Client, FakeFleet

TOKEN = "a-token-of-ours"
WITH_TOKEN = {"bearer": [{"name": "ops", "token": TOKEN}]}
BEARER = {"Authorization": f"Bearer {TOKEN}"}
REFUSED = RouterUnreachable("connection refused", reason=UnreachableReason.REFUSED, router="b")
ACTIONS = ("/api/v1/routers/a/test", "/api/v1/routers/a/reset")


async def problem(client: Client, method: str, path: str, status: int, **more: object) -> dict[str, object]:
    """The problem document that a request is answered with."""
    async with client.request(method, path, **more) as response:
        assert response.status == status
        assert response.content_type == "application/problem+json"
        found = await response.json()
    assert found["status"] == status
    assert found["title"]
    assert isinstance(found, dict)
    return found


async def answer(client: Client, path: str) -> dict[str, object]:
    """The JSON document that a GET is answered with."""
    async with client.get(path) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "application/json"
        found = await response.json()
    assert isinstance(found, dict)
    return found


def gets(path: str) -> Iterator[str]:
    """Paths of every GET, with a router's name in it."""
    return (
        operation.path.replace("{name}", path) for operation in api.OPERATIONS if operation.method == "GET"
    )


async def test_before_the_first_scrape_nothing_is_known() -> None:
    """Routers are listed as unknown with the reason, and nobody was asked for that."""
    fake = FakeFleet("a", "b")
    async with fake.serve() as client:
        found = await answer(client, "/api/v1/routers")
    assert found["totals"] == {
        "routers": 2, "healthy": 0, "unknown": 2, "warning": 0, "critical": 0, "offline": 0
    }  # fmt: skip
    first = found["routers"][0]
    assert (first["name"], first["state"], first["health"]) == ("a", "unknown", "unknown")
    assert [reason["code"] for reason in first["reasons"]] == ["never_asked"]
    unknown = ("identity", "board", "version", "uptime_s", "last_scrape", "slowest_collector", "last_error")
    assert [first[field] for field in unknown] == [None] * len(unknown)


async def test_a_router_that_answers_is_told_in_full() -> None:
    """After a scrape the list has address, facts, the scrape and the slowest collector."""
    fake = FakeFleet("a")
    await fake.scrape()
    fake.clock.advance(10)
    async with fake.serve() as client:
        (router,) = (await answer(client, "/api/v1/routers"))["routers"]
    assert router == {
        "name": "a",
        "address": "192.0.2.1",
        "port": 8728,
        "tls": False,
        "module": "default",
        "labels": {},
        "state": "up",
        "health": "healthy",
        "reasons": [],
        "breaker": {"state": "closed", "failures": 0, "retry_in_s": None, "why": ""},
        "identity": "a-identity",
        "board": "hAP ax3",
        "version": "7.16.2 (stable)",
        "uptime_s": 26 * 3600 + 10,
        "last_scrape": {"at": "2023-11-14T22:13:20Z", "duration_s": 0.0},
        "slowest_collector": router["slowest_collector"],
        "last_error": None,
    }
    assert router["slowest_collector"]["duration_s"] == 0.0


async def test_a_router_that_is_silent_is_offline_and_says_why() -> None:
    """The others stay healthy; the error is told without the router's name, and stays after the router is back."""
    fake = FakeFleet("a", "b")
    await fake.scrape()
    fake["b"].error = REFUSED
    fake.clock.advance(120)
    await fake.scrape()
    async with fake.serve() as client:
        a, b = (await answer(client, "/api/v1/routers"))["routers"]
        assert (a["health"], b["health"], b["state"]) == ("healthy", "offline", "down")
        assert b["reasons"] == [{"code": "unreachable", "text": "connection refused"}]
        assert b["last_error"]["failure_class"] == "unreachable"
        assert b["uptime_s"] is None
        assert b["version"] == "7.16.2 (stable)"
        fake["b"].error = None
        fake.clock.advance(120)
        await fake.scrape()
        _, b = (await answer(client, "/api/v1/routers"))["routers"]
    assert (b["health"], b["state"], b["reasons"]) == ("healthy", "up", [])
    assert b["last_error"]["at"] == "2023-11-14T22:15:20Z"


async def test_a_refused_login_is_critical_while_the_breaker_is_open() -> None:
    """The reason is the refusal, not that the breaker opened because of it."""
    fake = FakeFleet("a")
    error = LoginRefused("the router refused the login", router="a")
    fake["a"].breaker.refused(fake["a"].breaker.admit(), error)
    fake["a"].error = error
    await fake.scrape()
    async with fake.serve() as client:
        found = await answer(client, "/api/v1/routers/a/health")
        opened = await answer(client, "/api/v1/routers/a/breaker")
    assert found["health"] == "critical"
    assert found["reasons"] == [
        {"code": "login_refused", "text": "the router refused the login; next try in 60 s"}
    ]
    assert opened["state"] == "open"
    assert opened["retry_in_s"] == 60.0
    assert "the login was refused" in opened["why"]


async def test_one_failing_collector_is_a_warning_and_later_critical() -> None:
    """While old results are served it is a warning; when nothing is left of them, it is critical."""
    fake = FakeFleet("a")
    await fake.scrape()
    for menu in ("/queue/simple", "/queue/tree"):
        fake["a"].errors[f"{menu}/print"] = CommandFailed("interrupted", path=menu, router="a")
    fake.clock.advance(60)
    await fake.scrape()
    async with fake.serve() as client:
        detail = await answer(client, "/api/v1/routers/a")
        assert detail["health"] == "warning"
        assert detail["reasons"] == [{"code": "collectors_failing", "text": "queue fails: interrupted"}]
        collectors = {collector["name"]: collector for collector in detail["collectors"]}
        assert collectors["queue"]["error"] == {"failure_class": "failed", "message": "interrupted"}
        assert collectors["queue"]["failures_total"] == {"failed": 2}
        assert collectors["interface"]["succeeded"] is True
        for _ in range(8):
            fake.clock.advance(60)
            await fake.scrape()
        found = await answer(client, "/api/v1/health")
    assert found["health"] == "critical"
    assert found["routers"][0]["reasons"] == [
        {"code": "collectors_gone", "text": "queue fails for 8 min and nothing is served (interrupted)"}
    ]


async def test_a_missing_policy_is_a_warning() -> None:
    """What the user may not read is named."""
    fake = FakeFleet("a")
    fake["a"].errors["/ip/hotspot/active/print"] = PermissionDenied(
        "not enough permissions (9)", path="/ip/hotspot/active", policy="read", router="a"
    )
    await fake.scrape()
    async with fake.serve() as client:
        found = await answer(client, "/api/v1/routers/a/health")
    assert found["health"] == "warning"
    assert [reason["code"] for reason in found["reasons"]] == ["permission_missing"]


async def test_health_of_all_is_the_worst_of_each() -> None:
    """One router offline makes the whole offline; the totals tell the rest."""
    fake = FakeFleet("a", "b", "c")
    fake["b"].error = REFUSED
    await fake.scrape()
    async with fake.serve() as client:
        found = await answer(client, "/api/v1/health")
    assert found["health"] == "offline"
    assert (found["totals"]["healthy"], found["totals"]["offline"]) == (2, 1)
    assert [router["health"] for router in found["routers"]] == ["healthy", "offline", "healthy"]


async def test_when_nobody_scrapes_any_more_nothing_is_known() -> None:
    """A router that was well long ago is not called healthy."""
    fake = FakeFleet("a")
    await fake.scrape()
    fake.clock.advance(3600)
    async with fake.serve() as client:
        found = await answer(client, "/api/v1/routers/a/health")
    assert found["health"] == "unknown"
    assert found["reasons"][0]["code"] == "not_asked_lately"


async def test_pool_and_connections_are_told() -> None:
    """The pool's numbers with its bounds, and each connection."""
    fake = FakeFleet("a", pool={"max_size": 4})
    connection = ConnectionStats("ready", 2, 61.5, 0.25, 40, 5000, 900)
    fake["a"].numbers = replace(
        QUIET,
        connections_busy=1,
        in_flight=2,
        waiting=3,
        limit=8.5,
        commands_total=40,
        connections=(connection,),
    )
    async with fake.serve() as client:
        pool = await answer(client, "/api/v1/routers/a/pool")
        both = await answer(client, "/api/v1/routers/a/connections")
    assert both["pool"] == pool
    wanted = {
        "router": "a",
        "min_size": 1,
        "max_size": 4,
        "in_flight_limit": 8.5,
        "waiting": 3,
        "commands_total": 40,
    }
    assert {key: pool[key] for key in wanted} == wanted
    assert both["connections"] == [
        {
            "state": "ready",
            "in_flight": 2,
            "age_s": 61.5,
            "idle_s": 0.25,
            "commands_total": 40,
            "bytes_received_total": 5000,
            "bytes_sent_total": 900,
        }
    ]


async def test_performance_tells_rate_quantiles_queue_and_utilisation() -> None:
    """Numbers over the recent window, and of this moment."""
    fake = FakeFleet("a")
    fake["a"].numbers = replace(QUIET, connections_busy=2, in_flight=3, waiting=7, limit=6.0)
    for n in range(1, 101):
        fake.performance.command_finished("a", "/x", "deadline" if n == 100 else "ok", n / 100, 1)
    async with fake.serve() as client:
        found = await answer(client, "/api/v1/routers/a/performance")
    assert (found["commands"], found["success_ratio"], found["queue_length"]) == (100, 0.99, 7)
    assert found["latency"] == {"p50_s": 0.5, "p95_s": 0.95, "p99_s": 0.99}
    assert found["pool_utilisation_ratio"] == 0.4
    assert found["in_flight_utilisation_ratio"] == 0.5


async def test_performance_without_commands_has_no_numbers() -> None:
    """No command, no ratio: null and not zero."""
    async with FakeFleet("a").serve() as client:
        found = await answer(client, "/api/v1/routers/a/performance")
    assert found["success_ratio"] is None
    assert found["latency"] == {"p50_s": None, "p95_s": None, "p99_s": None}


@pytest.mark.parametrize("path", sorted(set(gets("core-1"))))
async def test_every_question_is_answered_for_a_name_with_a_space(path: str) -> None:
    """Names stand in paths as configured, percent-encoded."""
    async with FakeFleet("core 1").serve() as client:
        await answer(client, path.replace("core-1", "core%201"))


@pytest.mark.parametrize("path", sorted({path for path in gets("cora") if "cora" in path}))
async def test_an_unknown_router_is_told_with_those_there_are(path: str) -> None:
    """404 as a problem document with the known names and a guess."""
    async with FakeFleet("core", "edge").serve() as client:
        found = await problem(client, "GET", path, 404)
    assert found["known"] == ["core", "edge"]
    assert found["detail"] == "there is no router 'cora'; did you mean \"core\"?"


async def test_unknown_paths_and_methods_are_problems_too() -> None:
    """What aiohttp itself refuses has the same form; a wrong method names the right ones."""
    async with FakeFleet("a").serve() as client:
        found = await problem(client, "GET", "/api/v1/rooters", 404)
        assert found["detail"] == "nothing lives at /api/v1/rooters"
        found = await problem(client, "DELETE", "/api/v1/routers", 405)
        assert "allowed: GET,HEAD" in str(found["detail"])


@pytest.mark.parametrize("path", ACTIONS)
async def test_actions_need_a_configured_token(path: str) -> None:
    """Without any token in the configuration nobody may act, not even from the loopback address."""
    fake = FakeFleet("a")
    async with fake.serve() as client:
        found = await problem(client, "POST", path, 403)
        assert "bearer" in str(found["detail"])
        assert "token_file" in str(found["detail"])
        found = await problem(client, "POST", path, 403, headers=BEARER)
    assert fake["a"].resets == 0
    assert fake["a"].test_deadline_s is None


@pytest.mark.parametrize("path", ACTIONS)
@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong-token"}, {"Authorization": f"Basic {TOKEN}"}]
)
async def test_actions_refuse_a_missing_or_wrong_token(path: str, headers: dict[str, str]) -> None:
    """401 with the challenge, and nothing was done."""
    fake = FakeFleet("a", web=WITH_TOKEN)
    async with fake.serve() as client:
        await problem(client, "POST", path, 401, headers=headers)
        async with client.post(path, headers=headers) as response:
            assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert fake["a"].resets == 0
    assert fake["a"].test_deadline_s is None


@pytest.mark.parametrize("path", ACTIONS)
async def test_a_password_does_not_let_anybody_act(path: str) -> None:
    """A user who may read with a password is told that this wants a token."""
    fake = FakeFleet("a", web={**WITH_TOKEN, "basic_auth": [{"username": "ann", "password": "reading-only"}]})
    password = {"Authorization": f"Basic {base64.b64encode(b'ann:reading-only').decode()}"}
    async with fake.serve() as client:
        async with client.get("/api/v1/routers", headers=password) as response:
            assert response.status == 200
        found = await problem(client, "POST", path, 401, headers=password)
    assert "bearer tokens" in str(found["detail"])
    assert fake["a"].resets == 0


@pytest.mark.parametrize("path", ACTIONS)
async def test_actions_are_never_a_get(path: str) -> None:
    """A link cannot act, with a token or without."""
    fake = FakeFleet("a", web=WITH_TOKEN)
    async with fake.serve() as client:
        found = await problem(client, "GET", path, 405, headers=BEARER)
    assert "allowed: POST" in str(found["detail"])
    assert fake["a"].resets == 0


async def test_a_connection_test_tells_its_stages() -> None:
    """With the token a fresh connection is made within the given time, and each stage is timed."""
    fake = FakeFleet("a", web=WITH_TOKEN)
    fake["a"].test_result = ConnectionTest("office", 0.01, 0.04, 0.02, 0.03)
    path = "/api/v1/routers/a/test?timeout_s=2.5"
    async with fake.serve() as client, client.post(path, headers=BEARER) as response:
        assert response.status == 200
        found = await response.json()
    assert fake["a"].test_deadline_s == 2.5
    assert found["total_s"] == pytest.approx(0.1)
    assert found == {
        "router": "a",
        "ok": True,
        "identity": "office",
        "stages": {"connect_s": 0.01, "tls_s": 0.04, "login_s": 0.02, "command_s": 0.03},
        "total_s": found["total_s"],
        "error": None,
    }


async def test_a_connection_test_that_fails_tells_why() -> None:
    """That the router failed is the answer to the question, so the status is 200."""
    fake = FakeFleet("a", web=WITH_TOKEN)
    fake["a"].test_result = LoginRefused("wrong user name or password", router="a")
    async with fake.serve() as client, client.post("/api/v1/routers/a/test", headers=BEARER) as response:
        assert response.status == 200
        found = await response.json()
    assert found["ok"] is False
    assert found["error"] == {"failure_class": "login_refused", "message": "wrong user name or password"}
    assert found["stages"] is None
    assert fake["a"].test_deadline_s == api.TEST_TIMEOUT_S


@pytest.mark.parametrize("given", ["0", "-1", "61", "nan", "inf", "soon", ""])
async def test_a_test_takes_a_sensible_time_only(given: str) -> None:
    """What is no time, or too long, is a bad request that says what would do."""
    fake = FakeFleet("a", web=WITH_TOKEN)
    async with fake.serve() as client:
        found = await problem(
            client, "POST", f"/api/v1/routers/a/test?timeout_s={given}", 400, headers=BEARER
        )
    assert "up to 60" in str(found["detail"])
    assert fake["a"].test_deadline_s is None


async def test_a_reset_closes_connections_and_breaker() -> None:
    """What was closed is told, with the breaker before and after."""
    fake = FakeFleet("a", web=WITH_TOKEN)
    fake["a"].numbers = replace(QUIET, connections_open=3)
    fake["a"].breaker.refused(fake["a"].breaker.admit(), LoginRefused("no"))
    async with fake.serve() as client, client.post("/api/v1/routers/a/reset", headers=BEARER) as response:
        assert response.status == 200
        found = await response.json()
    assert found == {
        "router": "a",
        "connections_closed": 3,
        "breaker_before": "open",
        "breaker": {"state": "closed", "failures": 0, "retry_in_s": None, "why": ""},
    }
    assert fake["a"].resets == 1


@pytest.mark.parametrize("path", ["/api/v1/routers/zz/test", "/api/v1/routers/zz/reset"])
async def test_acting_on_an_unknown_router_is_refused_with_the_known_ones(path: str) -> None:
    """With a token, a name that is none gives 404; without one it does not tell which names there are."""
    async with FakeFleet("a", web=WITH_TOKEN).serve() as client:
        assert (await problem(client, "POST", path, 404, headers=BEARER))["known"] == ["a"]
        assert (await problem(client, "POST", path, 401))["known"] == []


async def test_passwords_and_tokens_are_in_no_answer() -> None:
    """No call tells a secret."""
    fake = FakeFleet("a", web=WITH_TOKEN)
    await fake.scrape()
    async with fake.serve() as client:
        for path in [*gets("a"), "/", "/api"]:
            async with client.get(path, headers=BEARER) as response:
                text = await response.text()
            assert response.status == 200
            assert TOKEN not in text
            assert "secret" not in text
