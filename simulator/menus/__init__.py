"""Every menu of the routers; a new one is a `Menu(...)` in the list of its file."""

from functools import lru_cache

from ..menu import Menu, Traits
from .firewall import FIREWALL
from .hotspot import HOTSPOT
from .interface import INTERFACE
from .ip import IP
from .ppp import PPP
from .queue import QUEUE
from .radius import RADIUS
from .routes import ROUTES
from .services import SERVICES
from .system import SYSTEM
from .tools import TOOLS

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
)


@lru_cache(maxsize=64)
def menus_of(traits: Traits) -> dict[str, Menu]:
    """The menus that a router with these traits has, by path."""
    return {menu.path: menu for menu in ALL if menu.available(traits)}
