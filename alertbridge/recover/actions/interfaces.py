"""Finding an interface by its name, and which interfaces carry our own session."""

from alertbridge.recover.actions.base import ActionFailed, Evidence, Stage
from alertbridge.recover.actions.carriers import Wiring, addresses_of, prefix_queries
from alertbridge.recover.actions.routerwork import RouterAction, is_on
from routeros import Record

_FIELDS = (".id", "name", "type", "running", "disabled", "dynamic", "link-downs", "last-link-up-time")
_ROUTE = ("dst-address", "gateway", "immediate-gw", "gateway-status", "active", "disabled")
_CONFIGURED = ("?type=pppoe-in", "?#!")
"""Not the sessions of subscribers, of which there may be thousands."""


class InterfaceAction(RouterAction):
    """Base of the actions on one interface."""

    interface: str
    force: bool = False

    @property
    def place(self) -> str:
        return f"interface:{self.interface}"

    async def found(self, *, stage: Stage = Stage.PRECHECK) -> Record:
        """The interface as it is now. Raises ActionFailed when there is none, or when it comes and goes by itself."""
        rows = await self.rows("/interface", *_FIELDS, queries=(f"?name={self.interface}",), stage=stage)
        if not rows or ".id" not in rows[0]:
            raise self.refuse("no_such_interface", f"there is no interface {self.interface!r}", stage=stage)
        if is_on(rows[0], "dynamic"):
            raise self.refuse(
                "dynamic_interface", f"{self.interface!r} comes and goes by itself", stage=stage
            )
        return rows[0]

    async def refuse_own(self, *, stage: Stage = Stage.PRECHECK) -> None:
        """Raises ActionFailed when our own session runs over the interface, or nobody knows; not when forced."""
        if self.force:
            return
        carriers = await self.carriers()
        if carriers is None:
            detail = (
                "cannot tell over which interface it is reached; name it in `own_interfaces`, or force it"
            )
            raise self.refuse("own_interface_unknown", detail, stage=stage)
        if self.interface in carriers:
            detail = f"{self.interface!r} carries our own session"
            raise self.refuse("own_interface", detail, stage=stage)

    async def carriers(self) -> frozenset[str] | None:
        """Interfaces that our session needs; None when the router does not tell. Raises ActionFailed."""
        section = self.client.section
        wiring = await self._wiring()
        if section.own_interfaces:
            return wiring.needed_by(section.own_interfaces)
        try:
            users = await self.rows("/user/active", "name", "address", "via")
        except ActionFailed as failed:
            if failed.reason in ("unsupported", "no_permission"):
                return None
            raise
        found: set[str] = set()
        for address in addresses_of(users, section.username):
            carried = await self._carriers_of(address, wiring)
            if carried is None:
                return None
            found |= carried
        return frozenset(found) or None

    async def _carriers_of(self, address: str, wiring: Wiring) -> frozenset[str] | None:
        neighbours = "/ipv6/neighbor" if ":" in address else "/ip/arp"
        near = await self.optional_rows(
            neighbours, "interface", "mac-address", queries=(f"?address={address}",)
        )
        interfaces = {row["interface"] for row in near if row.get("interface")}
        macs = sorted({row["mac-address"] for row in near if row.get("mac-address")})
        if not interfaces and ":" not in address:
            routes = await self.rows(
                "/ip/route",
                *_ROUTE,
                queries=prefix_queries(address),
            )
            interfaces = {wiring.way_out(routes, address)} - {""}
        if not interfaces:
            return None
        hosts: list[Record] = []
        for mac in macs:
            hosts += await self.optional_rows(
                "/interface/bridge/host",
                *("mac-address", "on-interface", "interface", "bridge"),
                queries=(f"?mac-address={mac}",),
            )
        carried = wiring.needed_by(interfaces, hosts)
        tunnel = wiring.tunnel_among(carried)
        if not tunnel:
            return carried
        default = await self.rows(
            "/ip/route",
            *_ROUTE,
            queries=("?dst-address=0.0.0.0/0",),
        )
        beneath = wiring.way_out(default, "0.0.0.0")  # noqa: S104  any address, as routes say it
        return carried | wiring.needed_by((beneath,)) if beneath else None

    async def _wiring(self) -> Wiring:
        return Wiring(
            interfaces=await self.rows("/interface", "name", "type", queries=_CONFIGURED),
            vlans=await self.optional_rows("/interface/vlan", "name", "interface"),
            bonds=await self.optional_rows("/interface/bonding", "name", "slaves"),
            ports=await self.optional_rows("/interface/bridge/port", "interface", "bridge"),
            clients=await self.optional_rows("/interface/pppoe-client", "name", "interface"),
            addresses=await self.rows("/ip/address", "address", "network", "interface"),
        )


def told(row: Record) -> Evidence:
    """An interface for the audit."""
    return Evidence(
        {
            "disabled": is_on(row, "disabled"),
            "running": is_on(row, "running"),
            "link_downs": row.get("link-downs"),
            "last_link_up": row.get("last-link-up-time"),
        }
    )
