"""Every menu of the routers; a new one is a `Menu(...)` in the list of its file."""

from functools import lru_cache

from ..menu import Menu, Traits
from .bridging import BRIDGING
from .firewall import FIREWALL
from .hotspot import HOTSPOT
from .interface import INTERFACE
from .ip import IP
from .ppp import PPP
from .queue import QUEUE
from .radius import RADIUS
from .routes import ROUTES
from .routing import ROUTING
from .services import SERVICES
from .system import SYSTEM
from .tools import TOOLS
from .tunnel import TUNNEL
from .uplink import UPLINK
from .wireless import WIRELESS

ALL: tuple[Menu, ...] = (
    *SYSTEM,
    *INTERFACE,
    *HOTSPOT,
    *PPP,
    *QUEUE,
    *IP,
    *TOOLS,
    *FIREWALL,
    *ROUTES,
    *RADIUS,
    *SERVICES,
    *WIRELESS,
    *UPLINK,
    *TUNNEL,
    *ROUTING,
    *BRIDGING,
)


@lru_cache(maxsize=64)
def menus_of(traits: Traits) -> dict[str, Menu]:
    """The menus that a router with these traits has, by path."""
    return {menu.path: menu for menu in ALL if menu.available(traits)}
