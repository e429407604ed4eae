"""The `web:` section holds for everything that is served: login, addresses, rate, room, HTTPS."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import trustme
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from exporter.config import ExporterWebSection
from exporter.selfmetrics import SelfMetrics
from runtime.guards import warn_if_exposed
from runtime.serving.faults import contain_faults
from simulator import Network, RouterSpec
from tests.fakes.served import PASSWORD, config_text, logged, router_of, served, until

PATHS = ("/metrics", "/probe?target=hut", "/sd", "/", "/api/v1/routers", "/nothing")
TOKEN = "orchid-99-tango"


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with Network([RouterSpec("hut", password=PASSWORD)]) as network:
        yield network


async def test_whoever_cannot_say_who_they_are_sees_nothing(network: Network, tmp_path: Path) -> None:
    """With users or tokens every path asks for one, except health and readiness; the log has no password."""
    web_section = {
        "basic_auth": [{"username": "ana", "password": "plum-77-sierra"}],
        "bearer": [{"name": "prometheus", "token": TOKEN}],
    }
    with logged() as log:
        async with served(tmp_path, config_text([router_of(network["hut"])], web=web_section)) as exporter:
            for path in PATHS:
                page = await exporter.get(path)
                assert page.status == 401, path
                assert "hut" not in page.text
            assert (await exporter.get("/metrics", Authorization="Bearer wrong-guess")).status == 401
            assert (await exporter.get("/metrics", Authorization=f"Bearer {TOKEN}")).status == 200
            ana = aiohttp.encode_basic_auth("ana", "plum-77-sierra")
            assert (await exporter.get("/sd", Authorization=ana)).status == 200
            assert (await exporter.get("/nothing", Authorization=ana)).status == 404
            for path in ("/-/healthy", "/-/ready"):
                assert (await exporter.get(path)).status == 200
            page = await exporter.get("/metrics", Authorization=ana)
            assert page.value("tikwatch_requests_refused_total", reason="login") == len(PATHS) + 1
    for secret in (PASSWORD, "plum-77-sierra", TOKEN, "wrong-guess", ana):
        assert secret not in log.getvalue()
        assert secret not in page.text


async def test_reloading_needs_a_login_as_well(network: Network, tmp_path: Path) -> None:
    """Without one nobody can make the exporter read its configuration."""
    text = config_text([router_of(network["hut"])], web={"bearer": [{"name": "ci", "token": TOKEN}]})
    async with served(tmp_path, text) as exporter:
        assert (await exporter.reload()).status == 401
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with exporter.client.post(exporter.url + "/-/reload", headers=headers) as response:
            assert response.status == 200


async def test_addresses_outside_the_list_are_refused(network: Network, tmp_path: Path) -> None:
    """Who is not in `web.allow` gets 403, whatever they ask for."""
    text = config_text([router_of(network["hut"])], web={"allow": ["10.0.0.0/8"]})
    async with served(tmp_path, text) as exporter:
        assert {(await exporter.get(path)).status for path in (*PATHS, "/-/healthy")} == {403}


async def test_too_many_requests_are_refused(network: Network, tmp_path: Path) -> None:
    """Beyond the rate an address gets 429 and is told when to come again."""
    web_section = {"rate_limit": {"requests_per_s": 0.01, "burst": 2}}
    async with served(tmp_path, config_text([router_of(network["hut"])], web=web_section)) as exporter:
        pages = [await exporter.get("/sd") for _ in range(3)]
    assert [page.status for page in pages] == [200, 200, 429]
    assert int(pages[2].headers["Retry-After"]) > 10


async def test_no_more_scrapes_than_allowed_at_once(network: Network, tmp_path: Path) -> None:
    """One more scrape of all routers than the limit is refused with 503; other paths are served."""
    network["hut"].faults.set("hang")
    text = config_text([router_of(network["hut"])], web={"max_concurrent_scrapes": 1})
    async with served(tmp_path, text) as exporter:
        slow = asyncio.create_task(exporter.get("/metrics", X_Prometheus_Scrape_Timeout_Seconds="2"))
        await until(lambda: bool(network["hut"].log))
        page = await exporter.get("/metrics")
        assert (page.status, page.headers["Retry-After"]) == (503, "1")
        assert (await exporter.get("/sd")).status == 200
        assert (await slow).status == 200


async def test_https_is_served_and_its_certificate_renewed(network: Network, tmp_path: Path) -> None:
    """With `web.tls` only HTTPS is answered, and a reload takes a renewed certificate, or refuses a broken one."""

    def write(authority: trustme.CA) -> ssl.SSLContext:
        certificate = authority.issue_cert("127.0.0.1", "localhost")
        certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
        (tmp_path / "cert.pem").write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
        context = ssl.create_default_context()
        authority.configure_trust(context)
        return context

    async def status(url: str, trust: ssl.SSLContext) -> int:
        connector = aiohttp.TCPConnector(ssl=trust, force_close=True)
        async with aiohttp.ClientSession(connector=connector) as client, client.get(url) as response:
            return response.status

    old = write(trustme.CA())
    text = config_text(
        [router_of(network["hut"])], web={"tls": {"cert_file": "cert.pem", "key_file": "key.pem"}}
    )
    async with served(tmp_path, text) as exporter:
        url = exporter.url.replace("http:", "https:")
        assert await status(url + "/-/ready", old) == 200
        new = write(trustme.CA())
        async with exporter.client.post(url + "/-/reload", ssl=old) as response:
            assert response.status == 200
        assert await status(url + "/-/ready", new) == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await status(url + "/-/ready", old)
        (tmp_path / "key.pem").write_text("no key at all", encoding="utf-8")
        async with aiohttp.ClientSession() as client, client.post(url + "/-/reload", ssl=new) as response:
            assert response.status == 500
            assert "do not hold a certificate and its key" in await response.text()
        assert await status(url + "/-/ready", new) == 200


@pytest.mark.parametrize(
    ("section", "event"),
    [
        ({"listen": "127.0.0.1:9436"}, None),
        ({"listen": "[::1]:9436"}, None),
        ({"listen": ":9436"}, "web.open_to_everyone"),
        ({"listen": "192.0.2.1:9436"}, "web.open_to_everyone"),
        (
            {"listen": ":9436", "bearer": [{"name": "p", "token": TOKEN}]},
            "web.passwords_unencrypted",
        ),
    ],
)
def test_listening_to_others_without_a_login_is_said_loudly(
    section: dict[str, object], event: str | None
) -> None:
    """A warning, with what to do, when not only this machine can ask."""
    with logged("warning") as log:
        warn_if_exposed(ExporterWebSection.model_validate(section))
    if event is None:
        assert log.getvalue() == ""
    else:
        assert f"event={event}" in log.getvalue()
        assert "remedy=" in log.getvalue()


async def test_a_fault_of_ours_is_contained() -> None:
    """A handler that fails costs its client a 500 without details; log and count tell us, and others go on."""

    async def broken(request: web.Request) -> web.Response:
        raise KeyError("the-inner-name")

    async def fine(request: web.Request) -> web.Response:
        return web.Response(text="fine")

    metrics = SelfMetrics(process=False)
    app = web.Application(middlewares=[contain_faults("exporter", metrics.request_faults.inc)])
    app.add_routes([web.get("/broken", broken), web.get("/fine", fine)])
    with logged() as log:
        server = TestServer(app)
        await server.start_server(access_log=None)
        async with TestClient(server) as client:
            async with client.get("/broken?token=hidden-word") as response:
                assert response.status == 500
                assert await response.text() == "internal error; the exporter's log tells what happened\n"
            async with client.get("/fine") as response:
                assert response.status == 200
            async with client.get("/missing") as response:
                assert response.status == 404
    assert metrics.registry.get_sample_value("tikwatch_request_faults_total") == 1
    assert "event=request.failed" in log.getvalue()
    assert "path=/broken" in log.getvalue()
    assert "the-inner-name" in log.getvalue()
    assert "hidden-word" not in log.getvalue()
