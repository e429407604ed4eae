"""What lives in a router's world: ports, subscribers, guests, queues, leases and the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .firewall import add_firewall
from .guests import add_hotspot
from .links import add_bridge_ports, add_links
from .networks import add_networks
from .ports import add_ports, add_vlans
from .queues import add_queues
from .radio import add_radios
from .records import add_records
from .routing import add_routing
from .services import add_services
from .subscribers import add_pppoe

if TYPE_CHECKING:
    from ..world import World


def populate(world: World) -> None:
    """Fill the tables of a new world; each part is skipped where its count is 0."""
    add_ports(world)
    add_radios(world)
    add_links(world)
    add_vlans(world)
    add_networks(world)
    add_pppoe(world)
    add_hotspot(world)
    add_queues(world)
    add_records(world)
    add_firewall(world)
    add_services(world)
    add_bridge_ports(world)
    add_routing(world)
