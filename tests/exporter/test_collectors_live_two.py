"""The collectors of radios, uplinks, tunnels, routing protocols and layer 2, against simulated routers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from exporter.cardinality import Cardinality, Mode
from exporter.collectors import BY_NAME
from exporter.collectors.reader import Reader, Reading
from exporter.collectors.table import Facts
from routeros import PoolSettings, Router, Target
from simulator import Network, RouterSpec

NAMES = (
    *(
        "wireless",
        "wifi",
        "capsman",
        "w60g",
        "lte",
        "ppp_client",
        "wireguard",
        "tunnel",
        "ipsec",
        "bgp",
        "ospf",
    ),
    *("bfd", "routing_stats", "bridge", "vlan", "bonding", "switch"),
)
PLACES = {
    "wireless": ("legacy",),
    "wifi": ("home", "hotspot"),
    "capsman": ("legacy",),
    "w60g": ("link",),
    "lte": ("home",),
    "ppp_client": ("hotspot",),
    "bgp": ("isp", "legacy"),
}
"""Where a collector has something to tell, if not on the router of a provider."""

UNSEEN = {
    *("mikrotik_lte_nr_rsrp_dbm", "mikrotik_lte_nr_rsrq_db", "mikrotik_lte_nr_sinr_db"),
    *("mikrotik_lte_rscp_dbm", "mikrotik_lte_ecio_db", "mikrotik_capsman_station_transmit_signal_dbm"),
}
"""What only routers tell that the simulated ones here are not; the golden texts have it."""

NOT_THERE = {
    "isp": {"wireless", "wifi", "capsman", "w60g", "lte"},
    "home": {"wireless", "w60g"},
    "legacy": {"wifi", "w60g", "lte", "wireguard", "routing_stats"},
}


@asynccontextmanager
async def simulated(profile: str, **settings: str) -> AsyncIterator[Router]:
    """A client of a simulated router."""
    async with Network([RouterSpec("core", profile=profile, **settings)]) as network:  # type: ignore[arg-type]  # any field of the spec
        device = network["core"]
        spec = device.spec
        target = Target("core", spec.host, device.port, spec.username, spec.password)
        router = Router(target, pool=PoolSettings(acquire_timeout_s=60.0))
        try:
            yield router
        finally:
            await router.close()


def reader(router: Router, name: str, mode: Mode = Mode.FULL) -> Reader:
    facts = Facts(gmt_offset_s=7 * 3600.0)
    return Reader(BY_NAME[name], router, facts, router_label='router="core"', cardinality=Cardinality(mode))


def families(reading: Reading) -> set[str]:
    return {name for part in reading.parts.values() for name, block in part.blocks.items() if block}


def text(reading: Reading) -> str:
    return b"".join(block for part in reading.parts.values() for block in part.blocks.values()).decode()


@pytest.mark.parametrize("name", NAMES)
async def test_each_has_something_to_tell_of_a_router_that_has_it(name: str) -> None:
    """A collector succeeds, reads every value, and gives all of its families, at the first reading and later."""
    seen: set[str] = set()
    for profile in PLACES.get(name, ("isp",)):
        async with simulated(profile) as router:
            reads = reader(router, name)
            first, reading = await reads.read(), await reads.read()
        assert families(first) == families(reading)
        assert reading.succeeded, reading.failures
        assert {n: part.unparsable for n, part in reading.parts.items() if part.unparsable} == {}
        assert sum(part.duplicates for part in reading.parts.values()) == 0
        seen |= families(reading)
    assert {family.name for family in BY_NAME[name].families} - seen - UNSEEN == set()


@pytest.mark.parametrize("profile", NOT_THERE)
async def test_each_succeeds_or_is_known_not_to_be_there(profile: str) -> None:
    """Whatever the router, no collector fails: it gives what there is, or its menus do not exist."""
    async with simulated(profile) as router:
        for name in NAMES:
            reading = await reader(router, name).read()
            assert reading.succeeded, (name, reading.failures)
            assert {n: part.unparsable for n, part in reading.parts.items() if part.unparsable} == {}
            assert reading.supported is (name not in NOT_THERE[profile]), name


@pytest.mark.parametrize(
    ("name", "version"),
    [("wifi", "7.12"), ("lte", "6.49.10")],
)
async def test_older_menus_stand_in(name: str, version: str) -> None:
    """`wifiwave2` gives what `wifi` would, and `info` what `monitor` would."""
    async with simulated("home") as router:
        now = families(await reader(router, name).read())
    async with simulated("home", version=version) as router:
        reading = await reader(router, name).read()
    assert reading.succeeded
    assert families(reading) == now


async def test_a_session_that_is_down_is_told_from_what_is_set_up() -> None:
    """The row of a session is gone while it is down; its connection still says that there should be one."""
    async with simulated("isp") as router:
        lines = text(await reader(router, "bgp").read())
    assert 'mikrotik_bgp_established{router="core",peer="transit",remote_address="203.0.113.9"} 1' in lines
    assert 'mikrotik_bgp_established{router="core",peer="lama",remote_address="203.0.113.17"} 0' in lines


@pytest.mark.parametrize(
    ("name", "profile"), [("wireless", "legacy"), ("wifi", "home"), ("capsman", "legacy")]
)
async def test_stations_are_summed_unless_asked_for(name: str, profile: str) -> None:
    """By default nobody's device has a series of its own: counts, signals by interface and sums tell of all."""
    assert BY_NAME[name].mode == "aggregate"
    for mode in (Mode.AGGREGATE, Mode.OFF):
        async with simulated(profile) as router:
            reading = await reader(router, name, mode).read()
        lines = text(reading)
        assert "02:00:50:" not in lines
        assert f"mikrotik_{name}_stations_worst_signal_dbm" in lines
        assert f"mikrotik_{name}_stations{{" in lines
        assert ('mac_address="_rest"' in lines) is (mode is Mode.AGGREGATE)
