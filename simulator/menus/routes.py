"""Routes, made from what there is, and the neighbours that announce themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..formats import duration, ipv4, ipv4_number
from ..menu import Menu
from ..table import Row
from ..traffic import Moment

if TYPE_CHECKING:
    from ..world import World

_LEARNED = {"isp": (120, 14), "large": (2000, 40)}
"""Routes that BGP and OSPF bring, by profile."""
_FLAGS = "active dynamic connect static bgp ospf rip dhcp vpn modem slaac ecmp"


def _routes(world: World) -> Iterable[Row]:
    for number, (flags, values) in enumerate(_routes_v4(world), start=1):
        yield _route(world, number, flags, values)


def _routes_v6(world: World) -> Iterable[Row]:
    bindings = world.table("/ipv6/dhcp-server/binding")
    found: list[tuple[tuple[str, ...], dict[str, str]]]
    found = [(("active", "static"), {"dst-address": "::/0", "gateway": "fe80::1%ether1", "distance": "1"})]
    found += [
        (("active", "dynamic", "connect"), {"dst-address": row.values["address"], "distance": "0"})
        for row in bindings
        if row.values.get("status") == "bound"
    ]
    for number, (flags, values) in enumerate(found, start=1):
        yield _route(world, number, flags, values)


def _routes_v4(world: World) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    uplink = {"dst-address": "0.0.0.0/0", "gateway": "198.51.100.1"}
    yield ("active", "static"), {**uplink, **_reached(world, uplink["gateway"]), "distance": "1"}
    yield ("static",), {**uplink, "gateway": "203.0.113.1", "distance": "10"}
    for row in world.table("/ip/address"):
        network = f"{row.values['network']}/{row.values['address'].partition('/')[2]}"
        values = {"dst-address": network, "gateway": row.values["interface"], "distance": "0"}
        yield ("active", "dynamic", "connect"), values
    for row in world.table("/ppp/active"):
        if "address" in row.values:
            yield (
                ("active", "dynamic", "connect"),
                {"dst-address": f"{row.values['address']}/32", "distance": "0"},
            )
    bgp, ospf = _LEARNED.get(world.spec.profile, (0, 0))
    first = ipv4_number("100.128.0.0")
    for number in range(bgp):
        flags = ("dynamic", "bgp") if number % 10 == 9 else ("active", "dynamic", "bgp")
        yield (
            flags,
            {"dst-address": f"{ipv4(first + 256 * number)}/24", "gateway": "198.51.100.2", "distance": "20"},
        )
    for number in range(ospf):
        values = {"dst-address": f"10.200.{number}.0/24", "gateway": "10.30.0.2", "distance": "110"}
        yield ("active", "dynamic", "ospf"), values


def _reached(world: World, gateway: str) -> dict[str, str]:
    """By which interface, in the words of this RouterOS."""
    port = next(row.values["name"] for row in world.table("/interface") if row.values["type"] == "ether")
    if world.version < (7,):
        return {"gateway-status": f"{gateway} reachable via  {port}"}
    return {"immediate-gw": f"{gateway}%{port}"}


def _route(world: World, number: int, flags: tuple[str, ...], values: dict[str, str]) -> Row:
    """RouterOS 7 says a flag that holds as `true` or with no value; one that does not hold is left out."""
    said = "true" if world.version < (7,) or number % 2 else ""
    return Row(f"*{0x80000000 + number:X}", {**values, "scope": "30", **dict.fromkeys(flags, said)})


def _age(row: Row, moment: Moment) -> str | None:
    """Neighbours say that they are there every 30 s."""
    return duration((moment.now_s - row.since_s) % 30)


ROUTES = (
    Menu(
        "/ip/route",
        f"dst-address gateway immediate-gw@7 gateway-status@<7 distance scope routing-table@7=main {_FLAGS} "
        "inactive@7 disabled comment",
        rows=_routes,
    ),
    Menu(
        "/ipv6/route",
        f"dst-address gateway immediate-gw@7 gateway-status@<7 distance scope routing-table@7=main {_FLAGS} "
        "inactive@7 disabled comment",
        rows=_routes_v6,
        package="ipv6",
    ),
    Menu(
        "/ip/neighbor",
        "interface address address4@7 mac-address identity platform version unpack=none age uptime software-id "
        "board interface-name system-description@7 discovered-by@7",
        moving={"age": _age},
        editable=False,
    ),
)
