"""Radios, uplinks, tunnels, routing protocols and layer 2, in a simulated router."""

from __future__ import annotations

import pytest

from tests.fakes.clock import FakeClock
from tests.simulator.conftest import Connect, Start
from tests.simulator.wireclient import WireClient, by_name


async def _monitor(client: WireClient, command: str, name: str, *words: str) -> dict[str, str]:
    (row,) = await client.rows(command, f"=numbers={name}", "=once=", *words)
    return row


async def test_stations_move_and_their_radio_counts_them(
    start: Start, connect: Connect, clock: FakeClock
) -> None:
    """Bytes of a station grow, sent ones first; the radio knows as many stations as its table has rows."""
    client = await connect(await start(clock, profile="home"))
    before = await client.rows("/interface/wifi/registration-table/print")
    clock.advance(60)
    after = await client.rows("/interface/wifi/registration-table/print")
    for old, new in zip(before, after, strict=True):
        pairs = zip(old["bytes"].split(","), new["bytes"].split(","), strict=True)
        assert all(int(now) > int(then) for then, now in pairs)
        sent, received = new["bytes"].split(",")
        assert int(sent) > int(received)
        assert -95 < int(new["signal"]) < -30
    radio = await _monitor(client, "/interface/wifi/monitor", "wifi1")
    assert int(radio["registered-peers"]) == sum(row["interface"] == "wifi1" for row in after)
    assert "name" not in radio


async def test_a_monitor_gives_what_the_proplist_names(start: Start, connect: Connect) -> None:
    """What a modem knows of its owner is left out when it is not asked for."""
    client = await connect(await start(profile="home"))
    assert "imei" in await _monitor(client, "/interface/lte/monitor", "lte1")
    row = await _monitor(client, "/interface/lte/monitor", "lte1", "=.proplist=status,rsrp")
    assert row.keys() == {"status", "rsrp"}


@pytest.mark.parametrize(
    ("version", "there", "gone"),
    [
        ("7.16.2", "/interface/wifi/print", "/interface/wifiwave2/print"),
        ("7.12", "/interface/wifiwave2/print", "/interface/wifi/print"),
    ],
)
async def test_wifi_has_had_two_names(
    start: Start, connect: Connect, version: str, there: str, gone: str
) -> None:
    """Until 7.12 `wifiwave2`, from 7.13 on `wifi`; never both."""
    client = await connect(await start(profile="home", version=version))
    assert by_name(await client.rows(there)).keys() == {"wifi1", "wifi2", "wifi2-tamu"}
    assert "no such command" in await client.trap(gone)


async def test_a_modem_is_asked_otherwise_before_version_7(start: Start, connect: Connect) -> None:
    """`info` with `number` then, `monitor` with `numbers` now."""
    old = await connect(await start(profile="home", version="6.49.10"))
    (row,) = await old.rows("/interface/lte/info", "=number=lte1", "=once=")
    assert row["status"] == "connected"
    assert await old.trap("/interface/lte/monitor", "=numbers=lte1", "=once=") == "no such command"


async def test_bgp_sessions_vanish_while_they_are_down(
    start: Start, connect: Connect, clock: FakeClock
) -> None:
    """One connection has no session at all; another loses its row now and then, and gets it back."""
    client = await connect(await start(clock, profile="isp"))
    connections = by_name(await client.rows("/routing/bgp/connection/print"))
    assert connections.keys() == {"transit", "ix", "lama"}
    seen = set()
    for _ in range(400):
        sessions = by_name(await client.rows("/routing/bgp/session/print"))
        seen.add(frozenset(sessions))
        clock.advance(60)
    assert seen == {frozenset({"transit-1", "ix-1"}), frozenset({"transit-1"})}


async def test_old_bgp_peers_keep_their_rows(start: Start, connect: Connect) -> None:
    """Before version 7 a peer that is down says so."""
    client = await connect(await start(profile="legacy"))
    states = {
        name: row["state"] for name, row in by_name(await client.rows("/routing/bgp/peer/print")).items()
    }
    assert states == {"transit": "established", "ix": "established", "lama": "active"}
    assert "uptime" not in by_name(await client.rows("/routing/bgp/peer/print"))["lama"]


async def test_a_bond_loses_the_member_whose_link_goes(start: Start, connect: Connect) -> None:
    """The monitor names the members by whether they carry traffic."""
    client = await connect(await start(profile="isp", policies=("api", "read", "write", "test")))
    bond = by_name(await client.rows("/interface/bonding/print"))["bond1"]
    lost, left = bond["slaves"].split(",")[0], bond["slaves"].split(",")[1]
    await client.rows("/interface/disable", f"=numbers={lost}")
    row = await _monitor(client, "/interface/bonding/monitor", "bond1")
    assert lost in row["inactive-ports"].split(",")
    assert lost not in row["active-ports"].split(",")
    assert left in row["active-ports"].split(",") + row["inactive-ports"].split(",")


async def test_keys_are_for_those_who_may_see_them(start: Start, connect: Connect) -> None:
    """WireGuard's private keys and the passwords of clients need the policy `sensitive`."""
    client = await connect(await start(profile="home"))
    for path in ("/interface/wireguard", "/interface/wireguard/peers", "/interface/l2tp-client"):
        rows = await client.rows(f"{path}/print")
        assert rows
        assert not any({"private-key", "preshared-key", "password"} & row.keys() for row in rows)


async def test_a_bridge_knows_its_root_and_its_hosts(start: Start, connect: Connect) -> None:
    """A switch below another has a root port; hosts are counted without a row."""
    client = await connect(await start(profile="hotspot"))
    row = await _monitor(client, "/interface/bridge/monitor", "bridge1")
    ports = await client.rows("/interface/bridge/port/print")
    assert row["root-bridge"] == "false"
    assert [port["interface"] for port in ports if port["role"] == "root-port"] == [row["root-port"]]
    assert int(row["port-count"]) == len(ports)
    hosts = await client.rows("/interface/bridge/host/print")
    assert len(hosts) > len(ports)
