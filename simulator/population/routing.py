"""Peers and neighbours of routing protocols."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..traffic import Flow, seeded

if TYPE_CHECKING:
    from ..world import World

_PEERS = (
    ("transit", "203.0.113.9", 64510, 812),
    ("ix", "203.0.113.13", 64511, 96),
    ("lama", "203.0.113.17", 64512, 5),
)
_DOWN = "lama"
_FLAPPING = "ix"
_OWN_AS = "64500"
_MEAN_SESSION_S = 3600.0


def add_routing(world: World) -> None:
    """BGP with a peer that is down and one that comes and goes, OSPF, BFD: where the profile calls for it."""
    if world.spec.profile not in ("isp", "large", "legacy"):
        return
    if "/routing/bgp/peer" in world.menus:
        _peers(world)
    if "/routing/bgp/connection" in world.menus:
        _connections(world)
    if "/routing/ospf/neighbor" in world.menus:
        _ospf(world)
    if "/routing/bfd/session" in world.menus or "/routing/bfd/neighbor" in world.menus:
        _bfd(world)


def _flow(world: World, prefixes: int, age_s: float) -> Flow:
    return Flow(prefixes / 40, 19 / 30, world.moment, phase=prefixes, age_s=age_s)


def _peers(world: World) -> None:
    for name, address, number, prefixes in _PEERS:
        is_up = name != _DOWN
        values = {"name": name, "remote-address": address, "remote-as": str(number)}
        values |= {"state": "established" if is_up else "active", "established": "true" if is_up else "false"}
        if is_up:
            values |= {"prefixes": str(prefixes), "withdrawn-sent": "0", "withdrawn-received": "17"}
        world.table("/routing/bgp/peer").add(
            values,
            flow=_flow(world, prefixes, 7200) if is_up else None,
            since_s=world.now_s - 7200,
        )


def _connections(world: World) -> None:
    for name, address, number, prefixes in _PEERS:
        values = {"name": name, "remote.address": f"{address}/32", "remote.as": str(number), "as": _OWN_AS}
        world.table("/routing/bgp/connection").add(values | {"local.role": "ebgp"})
        if name != _DOWN:
            _Session(world, name, address, number, prefixes).establish(age_s=7200)


class _Session:
    """A session of RouterOS 7: its row is there only while it stands."""

    def __init__(self, world: World, name: str, address: str, number: int, prefixes: int) -> None:
        self._world = world
        self._name, self._address, self._number, self._prefixes = name, address, number, prefixes
        self._random = seeded("bgp", world.spec.seed, world.spec.name, name)

    def __repr__(self) -> str:
        return f"<_Session {self._name}>"

    def establish(self, age_s: float = 0.0) -> None:
        """The session stands from now, or for `age_s` already."""
        world = self._world
        since_s = world.now_s - age_s
        row = world.table("/routing/bgp/session").add(
            {
                "name": f"{self._name}-1",
                "remote.address": self._address,
                "remote.as": str(self._number),
                "remote.id": self._address,
                "local.address": self._address.replace(".9", ".10"),
                "local.as": _OWN_AS,
                "ebgp": "",
                "prefixes": str(self._prefixes),
                "last-started": world.date(since_s),
                "last-stopped": world.date(since_s - 45),
                "established": "true",
            },
            flow=_flow(world, self._prefixes, age_s),
            since_s=since_s,
        )

        def end() -> None:
            world.table("/routing/bgp/session").remove(row)
            world.log("route,bgp,error", f"{self._name}-1 HoldTimer expired")
            world.at(world.now_s + self._random.uniform(20, 90), self.establish)

        if self._name == _FLAPPING:
            world.at(world.now_s + self._random.expovariate(1 / _MEAN_SESSION_S), end)


def _ospf(world: World) -> None:
    world.add("/routing/ospf/instance", name="ospf-1", router_id="10.255.0.1")
    for number in range(1, 5):
        address = f"10.255.0.{1 + number}"
        world.add(
            "/routing/ospf/neighbor", since_s=world.boot_s + 60 * number, instance="ospf-1", area="backbone",
            interface=f"ether{1 + number}", address=address, router_id=address, dr="10.255.0.2", bdr="10.255.0.3",
            state="2-Way" if number == 4 else "Full", state_changes=str(5 + number),
        )  # fmt: skip


def _bfd(world: World) -> None:
    for number, (_, address, _, _) in enumerate(_PEERS[:2], start=1):
        world.table("/routing/bfd/session").add(
            {
                "remote-address": address,
                "address": address,
                "local-address": "203.0.113.10",
                "interface": f"ether{number}",
                "state": "up",
                "up": "true",
                "state-changes": str(number),
                "desired-tx-interval": "200ms",
                "actual-tx-interval": "200ms",
                "multiplier": "5",
                "hold-time": "1s",
            },
            flow=Flow(5 * 700.0, 5 * 700.0, world.moment, age_s=7200),
            since_s=world.now_s - 7200,
        )
