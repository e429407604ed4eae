"""Interfaces that are no ports: modems, clients, tunnels, bonds; and what belongs to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formats import ipv4, ipv4_number, mac
from ..traffic import Flow, seeded
from .ports import add_interface, bridge_name

if TYPE_CHECKING:
    from ..world import World

_VPN = ipv4_number("10.9.0.0")
_PASSWORD = "client-secret"  # noqa: S105 - of a simulated account
_PROVIDERS = ("isp", "large")


def add_links(world: World) -> None:
    """What the profile of the router calls for."""
    profile = world.spec.profile
    if "lte" in world.board.hardware:
        add_interface(world, "lte1", "lte", 3e3, 400.0)
    if profile == "home":
        add_interface(
            world, "l2tp-kantor", "l2tp-out", 0.0, 0.0, connect_to="vpn.example.net", user="rumah-7",
            password=_PASSWORD, running="false",
        )  # fmt: skip
        _wireguard(world, "wg-rumah", 3)
    if profile in ("hotspot", "legacy"):
        add_interface(
            world, "pppoe-wan", "pppoe-out", 8e5, 9e4, interface="ether1", service_name="isp", user="pelanggan-12",
            password=_PASSWORD, mtu="1480",
        )  # fmt: skip
    if profile == "legacy":
        add_interface(
            world, "pptp-cabang", "pptp-out", 20.0, 20.0, connect_to="203.0.113.30", user="cabang", mtu="1450"
        )
    if profile in _PROVIDERS:
        _bond(world)
        _wireguard(world, "wg0", 12)
        _tunnels(world)
    if profile in (*_PROVIDERS, "legacy") and "/ip/ipsec/policy" in world.menus:
        _ipsec(world)


def add_bridge_ports(world: World) -> None:
    """Who is in the bridge, and the VLANs there; the ports' first is the way to the root."""
    bridge = bridge_name(world)
    rows = [
        row for row in world.table("/interface") if row.values["type"] in ("ether", "wifi", "wlan", "bond")
    ]
    bonded = {name for row in rows for name in row.values.get("slaves", "").split(",")}
    members = [row for row in rows[1:] if row.values["name"] not in bonded]
    is_leaf = world.spec.profile in ("switch", "hotspot")
    for number, row in enumerate(members):
        wired = row.values["type"] == "ether"
        values = {"interface": row.values["name"], "bridge": bridge}
        if wired:
            values["hw-offload"] = "true"
        if is_leaf and number == 0:
            values["intended-role"] = "root-port"
        elif is_leaf and number == 1:
            values["intended-role"] = "alternate-port"
        world.table("/bridge-ports").add(values)
    if world.spec.profile not in ("isp", "large", "switch", "hotspot"):
        return
    names = [row.values["name"] for row in members]
    for row in [row for row in world.table("/interface") if row.values["type"] == "vlan"][:30]:
        untagged = names[int(row.values["vlan-id"]) // 10 % len(names)]
        world.add(
            "/interface/bridge/vlan", bridge=bridge, vlan_ids=row.values["vlan-id"], tagged=f"{bridge},{names[0]}",
            untagged=untagged, current_tagged=f"{bridge},{names[0]}", current_untagged=untagged,
        )  # fmt: skip


def _bond(world: World) -> None:
    ports = [row for row in world.table("/interface") if row.values["type"] == "ether"][-2:]
    for row in ports:
        row.values["slave"] = "true"
    add_interface(
        world, "bond1", "bond", 6e6, 9e6, mac_address=mac(0x10, 200), mode="802.3ad",
        slaves=",".join(row.values["name"] for row in ports), transmit_hash_policy="layer-2-and-3",
    )  # fmt: skip


def _wireguard(world: World, name: str, peers: int) -> None:
    if "/interface/wireguard" not in world.menus:
        return
    add_interface(
        world, name, "wg", 4e4, 9e4, mtu="1420", listen_port="13231", private_key="private-key-of-the-router",
        public_key="public-key-of-the-router",
    )  # fmt: skip
    random = seeded("wireguard", world.spec.seed, world.spec.name)
    for number in range(1, peers + 1):
        values = {
            "interface": name,
            "name": f"peer{number}",
            "public-key": f"public-key-{number}",
            "private-key": f"private-key-{number}",
            "allowed-address": f"{ipv4(_VPN + 1 + number)}/32",
            "comment": f"karyawan {number}",
        }
        rate = random.uniform(50, 9e3)
        if number % 4 == 3:  # has not been seen for a day; the last one never
            values["silent-since"] = str(world.now_s - 86400.0) if number < peers else "0"
            rate = 0.0
        else:
            values |= {
                "current-endpoint-address": f"203.0.113.{40 + number}",
                "current-endpoint-port": "51820",
            }
        world.table("/interface/wireguard/peers").add(
            values,
            flow=Flow(rate, rate * 4, world.moment, phase=number, age_s=world.uptime_s),
            since_s=world.now_s - random.uniform(0, 120),
        )


def _tunnels(world: World) -> None:
    add_interface(
        world, "eoip-cabang", "eoip", 2e4, 3e4, actual_mtu="1458", remote_address="203.0.113.20", tunnel_id="42",
        mac_address=mac(0x12, 1), keepalive="10s,10",
    )  # fmt: skip
    add_interface(
        world, "gre-pusat", "gre-tunnel", 1e4, 1e4, actual_mtu="1476", local_address="198.51.100.7",
        remote_address="203.0.113.21", comment="pusat",
    )  # fmt: skip
    add_interface(
        world, "ipip-lab", "ipip-tunnel", 0.0, 0.0, actual_mtu="1480", remote_address="203.0.113.22",
        running="false", disabled="true",
    )  # fmt: skip


def _ipsec(world: World) -> None:
    world.add("/ip/ipsec/policy", src_address="::/0", dst_address="::/0", template="true")
    for number in (1, 2):
        up = number == 1
        world.table("/ip/ipsec/policy").add(
            {
                "peer": f"cabang-{number}",
                "src-address": "10.30.0.0/16",
                "dst-address": f"10.{60 + number}.0.0/16",
                "ph2-count": "1" if up else "0",
                "ph2-state": "established" if up else "no-phase2",
                "comment": f"cabang {number}",
                **({"active": "true"} if up else {}),
            }
        )
        world.table("/ip/ipsec/active-peers").add(
            {
                "id": f"cabang-{number}.example.net",
                "local-address": "198.51.100.7",
                "remote-address": f"203.0.113.{60 + number}",
                "state": "established" if up else "message-1-sent",
                "side": "initiator" if up else "responder",
                "ph2-total": "1" if up else "0",
                **({"natt-peer": "true"} if up else {"responder": "true"}),
            },
            flow=Flow(2e4 if up else 0.0, 3e4 if up else 0.0, world.moment, phase=number, age_s=3600),
            since_s=world.now_s - 3600,
        )
