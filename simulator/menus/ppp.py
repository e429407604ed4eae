"""/ppp and the PPPoE servers. Counters of a session are those of its interface, see /interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..menu import Menu
from ..table import Occupant, Row
from .moving import uptime

if TYPE_CHECKING:
    from ..world import World


def end_session(world: World, row: Row) -> None:
    """An operator drops a session: interface and queue go with it, the client redials."""
    if isinstance(row.owner, Occupant):
        row.owner.thrown_out(world)


PPP = (
    Menu(
        "/ppp/active",
        "name service caller-id address uptime encoding= session-id limit-bytes-in=0 limit-bytes-out=0 "
        "radius=false comment",
        moving={"uptime": uptime},
        package="ppp",
        editable=False,
        on_remove=end_session,
        first_id=0x81000001,
    ),
    Menu(
        "/ppp/secret",
        "name service=any caller-id= password profile=default local-address remote-address routes= "
        "limit-bytes-in=0 limit-bytes-out=0 last-logged-out last-caller-id@6.44 last-disconnect-reason@6.44 "
        "disabled=false comment",
        sensitive="password",
        package="ppp",
    ),
    Menu(
        "/ppp/profile",
        "name local-address remote-address bridge-learning=default use-mpls=default use-compression=default "
        "use-encryption=default only-one=default change-tcp-mss=default use-upnp=default rate-limit "
        "session-timeout idle-timeout dns-server parent-queue address-list= on-up= on-down= default=false comment",
        package="ppp",
    ),
    Menu("/ppp/aaa", "use-radius=false accounting=true interim-update=0s", package="ppp", singleton=True),
    Menu(
        "/interface/pppoe-server/server",
        "service-name interface max-mtu=auto max-mru=auto mrru=disabled authentication=pap,chap,mschap1,mschap2 "
        "keepalive-timeout=10 one-session-per-host=true max-sessions=unlimited pado-delay=0 default-profile=default "
        "pppoe-over-vlan-range@7= accept-empty-service@7=true invalid=false disabled=false comment",
        package="ppp",
    ),
)
