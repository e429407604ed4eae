"""Clients that we did not write find a router in what the simulator says: librouteros and RouterOS-api."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import librouteros
import pytest
import routeros_api
import trustme
from librouteros.exceptions import FatalError, LibRouterosError, TrapError
from librouteros.login import plain, token
from librouteros.query import Key
from routeros_api.exceptions import RouterOsApiCommunicationError, RouterOsApiError

from simulator import Device, TlsFiles
from tests.fakes.clock import FakeClock
from tests.simulator.conftest import Start


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[TlsFiles, ssl.SSLContext]:
    """A certificate of 127.0.0.1, and a context that trusts its issuer."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    issued.private_key_pem.write_to_path(str(key))
    for blob in issued.cert_chain_pems:
        blob.write_to_path(str(chain), append=True)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return TlsFiles(str(chain), str(key)), context


def _librouteros(device: Device, login: object = plain, password: str = "secret") -> librouteros.Api:
    return librouteros.connect(
        "127.0.0.1", "monitor", password, port=device.port, login_method=login, encoding="utf-8", timeout=10
    )


async def test_librouteros_reads_every_menu(start: Start, clock: FakeClock) -> None:
    """Each menu of an isp router is read, and the number of rows is what count-only says."""
    device = await start(
        clock, profile="isp", policies=("api", "read", "test")
    )  # nobody comes or goes meanwhile
    paths = [path for path, menu in device.world.menus.items() if not menu.commands_only]

    def read() -> dict[str, tuple[int, int]]:
        api = _librouteros(device)
        try:
            return {
                path: (
                    len(list(api.path(path))),
                    int(next(iter(api(f"{path}/print", **{"count-only": ""})))["ret"]),
                )
                for path in paths
            }
        finally:
            api.close()

    counts = await asyncio.to_thread(read)
    assert counts["/ppp/active"][0] == 200
    assert counts["/ip/hotspot/active"][0] == 300
    assert counts["/queue/simple"][0] == 520
    logs = counts.pop("/log")  # the login itself writes rows
    assert all(rows == counted for rows, counted in counts.values())
    assert logs[0] >= 500


async def test_librouteros_logs_in_by_challenge(start: Start) -> None:
    """The older login works, and a wrong password does not."""
    device = await start(profile="ancient")

    def read() -> list[dict[str, object]]:
        api = _librouteros(device, token)
        try:
            return list(api.path("/system/resource"))
        finally:
            api.close()

    assert (await asyncio.to_thread(read))[0]["board-name"] == "RB951G-2HnD"
    with pytest.raises(TrapError, match="cannot log in"):
        await asyncio.to_thread(_librouteros, device, token, "wrong")


async def test_librouteros_queries_select_and_write(start: Start) -> None:
    """Its query builder, its errors and its writes meet what they expect."""
    device = await start(policies=("api", "read", "write"))
    name, kind = Key("name"), Key("type")

    def work() -> None:
        api = _librouteros(device)
        try:
            interfaces = api.path("/interface")
            found = list(interfaces.select(name).where(kind == "bridge"))
            assert found == [{"name": "bridge"}]
            queues = api.path("/queue/simple")
            new = queues.add(name="one more", target="10.1.1.1/32")
            queues.update(**{".id": new, "comment": "changed"})
            assert next(iter(queues.select(Key("comment")).where(name == "one more"))) == {
                "comment": "changed"
            }
            queues.remove(new)
            assert "one more" not in [row["name"] for row in queues]
            with pytest.raises(TrapError, match="no such item"):
                queues.remove("*FFFFF")
            with pytest.raises(TrapError, match="not enough permissions"):
                list(api("/system/reboot"))
        finally:
            api.close()

    await asyncio.to_thread(work)


async def test_librouteros_over_tls(start: Start, certificate: tuple[TlsFiles, ssl.SSLContext]) -> None:
    """api-ssl with a certificate that is verified."""
    files, context = certificate
    device = await start(tls=files)

    def read() -> list[dict[str, object]]:
        api = librouteros.connect(
            "127.0.0.1", "monitor", "secret", port=device.port,
            ssl_wrapper=lambda sock: context.wrap_socket(sock, server_hostname="127.0.0.1"),
        )  # fmt: skip
        try:
            return list(api.path("/interface"))
        finally:
            api.close()

    assert len(await asyncio.to_thread(read)) == 14


async def test_librouteros_sees_fatal(start: Start) -> None:
    """A fatal sentence ends its connection with its own error."""
    device = await start()

    def read() -> None:
        api = _librouteros(device)
        try:
            list(api.path("/interface"))
        finally:
            api.close()

    device.faults.set("fatal", reason="out of memory")
    with pytest.raises((FatalError, LibRouterosError), match="out of memory"):
        await asyncio.to_thread(read)


@pytest.mark.parametrize("profile", ["home", "legacy", "ancient"])
async def test_routeros_api_logs_in_and_reads(start: Start, profile: str) -> None:
    """RouterOS-api logs in both ways and reads tables, with its own tags."""
    device = await start(profile=profile)

    def read() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        pool = routeros_api.RouterOsApiPool(
            "127.0.0.1", "monitor", "secret", port=device.port, plaintext_login=profile != "ancient"
        )
        try:
            api = pool.get_api()
            rows = api.get_resource("/interface").get(type="ether")
            return rows, api.get_resource("/system/resource").get()
        finally:
            pool.disconnect()

    rows, resource = await asyncio.to_thread(read)
    assert [row["default-name"] for row in rows] == [f"ether{number}" for number in range(1, 6)]
    assert resource[0]["version"].startswith(device.spec.version)


async def test_routeros_api_writes_and_is_refused(start: Start) -> None:
    """Its set and remove act; what the policy forbids is its error."""
    device = await start(policies=("api", "read", "write"))

    def work() -> None:
        pool = routeros_api.RouterOsApiPool(
            "127.0.0.1", "monitor", "secret", port=device.port, plaintext_login=True
        )
        try:
            api = pool.get_api()
            queues = api.get_resource("/queue/simple")
            first = queues.get()[0]
            queues.set(id=first["id"], comment="from outside")
            assert queues.get(comment="from outside")[0]["id"] == first["id"]
            queues.remove(id=first["id"])
            assert not queues.get(comment="from outside")
            with pytest.raises(RouterOsApiCommunicationError, match="not enough permissions"):
                api.get_binary_resource("/system").call("reboot")
        finally:
            pool.disconnect()

    await asyncio.to_thread(work)


async def test_routeros_api_over_tls_and_with_a_wrong_password(
    start: Start, certificate: tuple[TlsFiles, ssl.SSLContext]
) -> None:
    """RouterOS-api reads over api-ssl, and says that a password is wrong."""
    files, context = certificate
    device = await start(tls=files)

    def identity(password: str) -> list[dict[str, str]]:
        pool = routeros_api.RouterOsApiPool(
            "127.0.0.1", "monitor", password, port=device.port, plaintext_login=True, ssl_context=context
        )
        try:
            return pool.get_api().get_resource("/system/identity").get()
        finally:
            pool.disconnect()

    assert await asyncio.to_thread(identity, "secret") == [{"name": "core"}]
    with pytest.raises(RouterOsApiError, match="invalid user name or password"):
        await asyncio.to_thread(identity, "wrong")
