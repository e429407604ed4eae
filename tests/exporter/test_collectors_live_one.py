"""The collectors of address services, firewall, monitoring and upkeep, against simulated routers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from exporter.cardinality import Cardinality
from exporter.collectors import BY_NAME
from exporter.collectors.reader import Reader, Reading
from exporter.collectors.table import Facts
from routeros import PoolSettings, Router, Target
from simulator import Network, RouterSpec

NAMES = (
    *("dhcp", "pool", "arp", "route", "dns", "neighbor", "firewall", "connection_tracking", "address_list"),
    *("netwatch", "radius", "user", "certificate", "scheduler", "log", "container", "ups", "ntp", "cloud"),
    *("device_mode", "disk", "kid_control"),
)
PLACES = {"container": ("home",), "kid_control": ("home",)}
"""Where a collector has something to tell, if not on the router of a provider."""

UNSEEN = {
    *("mikrotik_netwatch_tcp_connect_seconds", "mikrotik_netwatch_http_response_seconds"),
    *("mikrotik_netwatch_http_status_code", "mikrotik_container_healthy", "mikrotik_container_cpu_ratio"),
    *("mikrotik_container_restarts_total", "mikrotik_ntp_last_update_timestamp_seconds"),
}
"""What only routers tell that the simulated ones here are not; the golden texts have it."""

ABSENT_ON_V6 = {"ups", "container", "device_mode"}


@asynccontextmanager
async def simulated(profile: str) -> AsyncIterator[Router]:
    """A client of a simulated router."""
    async with Network([RouterSpec("core", profile=profile)]) as network:
        device = network["core"]
        spec = device.spec
        target = Target("core", spec.host, device.port, spec.username, spec.password)
        router = Router(target, pool=PoolSettings(acquire_timeout_s=60.0))
        try:
            yield router
        finally:
            await router.close()


async def read(router: Router, name: str) -> Reading:
    facts = Facts(gmt_offset_s=7 * 3600.0)
    return await Reader(
        BY_NAME[name], router, facts, router_label='router="core"', cardinality=Cardinality()
    ).read()


@pytest.mark.parametrize("name", NAMES)
async def test_each_has_something_to_tell_of_a_router_that_has_it(name: str) -> None:
    """On RouterOS 7 a collector succeeds, reads every value, and gives all of its families."""
    seen: set[str] = set()
    for profile in PLACES.get(name, ("isp",)):
        async with simulated(profile) as router:
            reading = await read(router, name)
        assert reading.succeeded, reading.failures
        assert {n: part.unparsable for n, part in reading.parts.items() if part.unparsable} == {}
        assert sum(part.duplicates for part in reading.parts.values()) == 0
        seen |= {family for part in reading.parts.values() for family in part.blocks}
    assert {family.name for family in BY_NAME[name].families} - seen - UNSEEN == set()


async def test_each_succeeds_on_an_old_router_or_is_known_not_to_be_there() -> None:
    """On RouterOS 6 no collector fails: it gives what there is, or its menus do not exist."""
    async with simulated("legacy") as router:
        for name in NAMES:
            reading = await read(router, name)
            assert reading.succeeded, (name, reading.failures)
            assert {n: part.unparsable for n, part in reading.parts.items() if part.unparsable} == {}
            assert reading.supported is (name not in ABSENT_ON_V6), name


async def test_old_routers_count_what_they_do_not_tell() -> None:
    """The size and use of a pool are the same, told or counted."""

    async def told(profile: str) -> dict[str, str]:
        async with simulated(profile) as router:
            reading = await read(router, "pool")
        blocks = reading.parts["pools"].blocks
        lines = [
            line
            for name, block in blocks.items()
            if "info" not in name
            for line in block.decode().splitlines()
        ]
        return dict(line.rsplit(" ", 1) for line in lines)

    old = await told("legacy")
    assert old['mikrotik_ip_pool_addresses{router="core",pool="pppoe-pool"}'] == "40"
    assert old['mikrotik_ip_pool_used_addresses{router="core",pool="pppoe-pool"}'] == "20"
    assert old['mikrotik_ip_pool_available_addresses{router="core",pool="pppoe-pool"}'] == "20"
    new = await told("isp")
    assert new['mikrotik_ip_pool_addresses{router="core",pool="pppoe-pool"}'] == "500"
    assert old.keys() <= new.keys()


async def test_log_lines_are_counted_as_they_come() -> None:
    """A login that fails shows in the next reading."""
    async with Network([RouterSpec("core", profile="isp")]) as network:
        device = network["core"]
        spec = device.spec
        router = Router(Target("core", spec.host, device.port, spec.username, spec.password))
        reader = Reader(BY_NAME["log"], router, Facts(), router_label="", cardinality=Cardinality())
        try:
            before = await reader.read()
            device.world.log("system,error,critical", "login failure for user root")
            after = await reader.read()
        finally:
            await router.close()

    def critical(reading: Reading) -> str:
        lines = reading.parts["log"].blocks["mikrotik_log_lines_total"].decode().splitlines()
        return next(line for line in lines if 'topic="system",severity="critical"' in line).rpartition(" ")[2]

    assert critical(before) == "0"
    assert critical(after) == "1"
