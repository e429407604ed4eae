"""Firewall, routes, RADIUS and the services around them, in a simulated router."""

from __future__ import annotations

import pytest

from tests.fakes.clock import FakeClock
from tests.simulator.conftest import Connect, Start
from tests.simulator.wireclient import by_name


async def test_rules_count_what_they_match(start: Start, connect: Connect, clock: FakeClock) -> None:
    """Counters of a rule grow and fall back at a reboot; rules of the hotspot are dynamic."""
    device = await start(clock, profile="isp")
    client = await connect(device)
    before = await client.rows("/ip/firewall/filter/print", "?comment=established")
    clock.advance(60)
    after = await client.rows("/ip/firewall/filter/print", "?comment=established")
    assert [row[".id"] for row in before] == [row[".id"] for row in after]
    assert all(int(a["bytes"]) > int(b["bytes"]) for a, b in zip(after, before, strict=True))
    dynamic = await client.rows("/ip/firewall/filter/print", "?dynamic=true")
    assert {row["chain"] for row in dynamic} >= {"hs-unauth", "hs-auth"}
    static = await client.rows("/ip/firewall/filter/print", "?dynamic=true", "?#!")
    assert not any(row["chain"].startswith("hs-") for row in static)
    device.world.reboot(clock())
    clock.advance(1)
    reset = await client.rows("/ip/firewall/filter/print", "?comment=established")
    assert all(int(a["bytes"]) < int(b["bytes"]) for a, b in zip(reset, after, strict=True))


async def test_ipv6_needs_its_package_before_version_7(start: Start, connect: Connect) -> None:
    """RouterOS 6 without the package has no /ipv6 at all."""
    old, new = await connect(await start(profile="legacy")), await connect(await start(profile="isp"))
    assert (await new.rows("/ipv6/firewall/filter/print"))[0]["chain"]
    assert await old.trap("/ipv6/firewall/filter/print") == "no such command prefix"


@pytest.mark.parametrize("profile", ["isp", "legacy"])
async def test_false_flags_of_routes_are_left_out(start: Start, connect: Connect, profile: str) -> None:
    """A flag that holds is there, on RouterOS 7 perhaps without a value; one that does not hold is absent."""
    client = await connect(await start(profile=profile))
    routes = await client.rows("/ip/route/print")
    assert len({row[".id"] for row in routes}) == len(routes)
    said = {row["active"] for row in routes if "active" in row}
    assert said == ({"true", ""} if profile == "isp" else {"true"})
    backup = next(row for row in routes if row["distance"] == "10")
    assert "active" not in backup
    assert int(await client.ret("/ip/route/print", "?active", "=count-only=")) == len(routes) - sum(
        "active" not in row for row in routes
    )


async def test_sessions_are_routes(start: Start, connect: Connect) -> None:
    """Every PPP session brings a connected route."""
    client = await connect(await start(profile="isp"))
    sessions = int(await client.ret("/ppp/active/print", "=count-only="))
    assert int(await client.ret("/ip/route/print", "?connect", "=count-only=")) == sessions + 1


async def test_radius_counters_do_not_say_whose_they_are(
    start: Start, connect: Connect, clock: FakeClock
) -> None:
    """A monitor over two servers gives two rows without name or id; what was asked is accepted or not."""
    client = await connect(await start(clock, profile="isp"))
    servers = await client.rows("/radius/print")
    assert [row["address"] for row in servers] == ["10.0.0.3", "10.0.0.4"]
    assert "secret" not in servers[0]
    numbers = ",".join(row[".id"] for row in servers)
    first, second = await client.rows("/radius/monitor", f"=numbers={numbers}", "=once=")
    assert {".id", "name", "address"} & first.keys() == set()
    assert int(first["requests"]) == sum(int(first[key]) for key in ("accepts", "rejects", "timeouts"))
    assert second["requests"] == "0"
    clock.advance(3600)
    later = (await client.rows("/radius/monitor", f"=numbers={numbers}", "=once="))[0]
    assert int(later["requests"]) > int(first["requests"])
    incoming = (await client.rows("/radius/incoming/monitor", "=once="))[0]
    assert int(incoming["requests"]) == int(incoming["acks"]) + int(incoming["naks"])


async def test_time_is_told_by_other_names_before_version_7(start: Start, connect: Connect) -> None:
    """RouterOS 7 has a status and an offset, RouterOS 6 a server and an adjustment."""
    old, new = await connect(await start(profile="legacy")), await connect(await start(profile="isp"))
    modern = (await new.rows("/system/ntp/client/print"))[0]
    assert modern["status"] == "synchronized"
    assert "last-adjustment" not in modern
    ancient = (await old.rows("/system/ntp/client/print"))[0]
    assert ancient["active-server"] == ancient["last-update-from"]
    assert "status" not in ancient


async def test_a_scheduled_script_runs_for_a_while(start: Start, connect: Connect, clock: FakeClock) -> None:
    """A job is there after the scheduler has started it, and gone when it is done."""
    client = await connect(await start(clock, profile="home"))
    assert await client.rows("/system/script/job/print") == []
    clock.advance(1800 + 5)
    assert [row["script"] for row in await client.rows("/system/script/job/print")] == ["backup nightly"]
    clock.advance(60)
    assert await client.rows("/system/script/job/print") == []


async def test_packages_bring_their_menus(start: Start, connect: Connect) -> None:
    """Containers and UPS are there where their package is."""
    home, isp = await connect(await start(profile="home")), await connect(await start(profile="isp"))
    assert by_name(await home.rows("/container/print"))["adguard"]["status"] == "running"
    assert await home.trap("/system/ups/print") == "no such command or directory (ups)"
    ups = (await isp.rows("/system/ups/print"))[0]
    state = (await isp.rows("/system/ups/monitor", f"=numbers={ups['.id']}", "=once="))[0]
    assert state["on-line"] == "true"
    assert await isp.trap("/container/print") == "no such command or directory (container)"
