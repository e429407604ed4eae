"""Which interfaces our own session needs: found in rows of every make, and unknown rather than guessed."""

import pytest

from alertbridge.recover.actions.carriers import Wiring, addresses_of, prefix_queries
from alertbridge.recover.actions.interfaces import InterfaceAction
from tests.fakes.acting import acting

TYPES = {
    "ether1": "ether",
    "ether2": "ether",
    "ether3": "ether",
    "ether4": "ether",
    "sfp1": "ether",
    "bond1": "bond",
    "bridge1": "bridge",
    "vlan 10": "vlan",
    "vlan20": "vlan",
    "pppoe-wan": "pppoe-out",
    "wg0": "wg",
}
WIRING = Wiring(
    interfaces=[{"name": name, "type": kind} for name, kind in TYPES.items()],
    vlans=[{"name": "vlan 10", "interface": "bridge1"}, {"name": "vlan20", "interface": "vlan 10"}],
    bonds=[{"name": "bond1", "slaves": "ether3,ether4"}],
    ports=[{"interface": "ether2", "bridge": "bridge1"}, {"interface": "bond1", "bridge": "bridge1"}],
    clients=[{"name": "pppoe-wan", "interface": "ether1"}],
    addresses=[
        {"address": "10.30.0.1/16", "interface": "bridge1"},
        {"address": "10.30.7.1/24", "interface": "vlan 10"},
        {"address": "not one", "interface": "ether1"},
    ],
)


@pytest.mark.parametrize(
    ("names", "hosts", "needed"),
    [
        (["ether1"], [], {"ether1"}),
        (["pppoe-wan"], [], {"pppoe-wan", "ether1"}),
        (["vlan20"], [], {"vlan20", "vlan 10", "bridge1", "ether2", "bond1", "ether3", "ether4"}),
        (["bridge1"], [{"bridge": "bridge1", "on-interface": "ether2"}], {"bridge1", "ether2"}),
        (
            ["vlan 10"],
            [{"bridge": "bridge1", "interface": "bond1"}],
            {"vlan 10", "bridge1", "bond1", "ether3", "ether4"},
        ),
        (
            ["bridge1"],
            [{"bridge": "other", "on-interface": "sfp1"}],
            {"bridge1", "ether2", "bond1", "ether3", "ether4"},
        ),
        (["", "gone"], [], {"gone"}),
    ],
)
def test_everything_beneath_is_needed(
    names: list[str], hosts: list[dict[str, str]], needed: set[str]
) -> None:
    """VLANs stand on bridges, bridges on the port behind which we are, or on every port when that is not known."""
    assert WIRING.needed_by(names, hosts) == needed


def test_wirings_that_go_round_end() -> None:
    """A VLAN on itself is nonsense, and no reason to hang."""
    odd = Wiring(
        interfaces=[],
        vlans=[{"name": "a", "interface": "b"}, {"name": "b", "interface": "a"}],
        bonds=[],
        ports=[],
        clients=[],
        addresses=[],
    )
    assert odd.needed_by(["a"]) == {"a", "b"}


def route(dst: str, **fields: str) -> dict[str, str]:
    return {
        "dst-address": dst,
        "active": "true",
        **{key.replace("_", "-"): value for key, value in fields.items()},
    }


@pytest.mark.parametrize(
    ("routes", "way"),
    [
        ([route("0.0.0.0/0", gateway="192.0.2.1", immediate_gw="192.0.2.1%ether1")], "ether1"),
        (
            [route("0.0.0.0/0", gateway="192.0.2.1", gateway_status="192.0.2.1 reachable via  vlan 10")],
            "vlan 10",
        ),
        ([route("10.0.0.0/8", gateway="vlan20")], "vlan20"),
        ([route("10.0.0.0/8", gateway="10.30.7.9")], "vlan 10"),
        ([route("0.0.0.0/0", gateway="ether1"), route("203.0.113.0/24", gateway="wg0")], "wg0"),
        (
            [route("0.0.0.0/0", gateway="ether1"), {"dst-address": "203.0.113.0/24", "gateway": "wg0"}],
            "ether1",
        ),
        ([route("0.0.0.0/0", gateway="198.51.100.1")], ""),
        ([], ""),
    ],
)
def test_the_way_out_is_that_of_the_most_special_active_route(routes: list[dict[str, str]], way: str) -> None:
    """In the words of RouterOS 6 and 7, by interface or by gateway; not told is empty."""
    assert WIRING.way_out(routes, "203.0.113.9") == way


def test_a_tunnel_is_told_from_what_has_ground() -> None:
    """Ports and what stands on them are none; an interface of a type we do not know counts as one."""
    assert WIRING.tunnel_among(["ether1", "bridge1", "vlan20", "pppoe-wan"]) == ""
    assert WIRING.tunnel_among(["ether1", "wg0"]) == "wg0"


def test_only_sessions_of_our_own_user_over_the_api_count() -> None:
    """Each of them: a second bridge with the same user comes in by another way."""
    users = [
        {"name": "recovery", "address": "192.0.2.10", "via": "api"},
        {"name": "recovery", "address": "192.0.2.11", "via": "api-ssl"},
        {"name": "recovery", "address": "192.0.2.12", "via": "winbox"},
        {"name": "admin", "address": "192.0.2.13", "via": "api"},
        {"name": "recovery", "via": "api"},
    ]
    assert addresses_of(users, "recovery") == {"192.0.2.10", "192.0.2.11"}


def test_routes_are_asked_for_by_every_prefix_that_can_match() -> None:
    """33 networks joined by or, instead of a table that may have a million rows."""
    words = prefix_queries("192.0.2.10")
    assert words[:2] == ("?dst-address=0.0.0.0/0", "?dst-address=128.0.0.0/1")
    assert words[32] == "?dst-address=192.0.2.10/32"
    assert words[33:] == ("?#|",) * 32


@pytest.mark.parametrize("profile", ["home", "hotspot", "isp", "legacy"])
async def test_every_kind_of_router_tells_how_it_reaches_us(profile: str) -> None:
    """Behind a port of the bridge on RouterOS 6 and 7: the bridge and that port, and no other port."""
    async with acting(profile=profile, management="ether2") as bench:
        action = bench.make("interface_bounce", interface="ether3")
        assert isinstance(action, InterfaceAction)
        assert {"ether2"} < (await action.carriers() or set()) <= {"ether2", "bridge", "bridge1"}


async def test_from_beyond_the_uplink_the_uplink_is_needed() -> None:
    """An address that is no neighbour's is reached over the default route."""
    for profile in ("home", "legacy"):
        async with acting(profile=profile, management="") as bench:
            action = bench.make("interface_bounce", interface="ether3")
            assert isinstance(action, InterfaceAction)
            assert await action.carriers() == frozenset({"ether1"})
