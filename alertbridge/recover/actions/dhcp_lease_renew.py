"""Removes a dynamic DHCP lease, so that the client gets a new one when it next renews."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from alertbridge.recover.actions.base import About, Done, Evidence, Stage, Verdict
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.actions.routerwork import RouterAction, is_on
from routeros import Record
from runtime.sections import Section

MENU = "/ip/dhcp-server/lease"
_FIELDS = (".id", "address", "mac-address", "server", "status", "expires-after", "dynamic")


class DhcpLeaseRenewSettings(Section):
    """Parameters of `dhcp_lease_renew`."""

    router: str = Field(description="Name of the router under `actions.routers`.")
    address: str = Field(default="", description="Address of the lease; or `mac_address`.")
    mac_address: str = Field(default="", description="MAC address of the client; or `address`.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.address) == bool(self.mac_address):
            raise ValueError("needs either address or mac_address")
        return self


class DhcpLeaseRenew(RouterAction):
    """A lease that was made static is the operator's and stays."""

    name = "dhcp_lease_renew"
    about: ClassVar[About] = About(
        changes="Removes a dynamic DHCP lease. The client keeps its address until it renews, at about half of the "
        "lease time, and is then given one anew. Static leases are refused.",
        verified="The lease that was removed is gone; a new one of the same client is fine.",
        undone="Not at all: the client asks for a new lease.",
    )

    def __init__(self, settings: DhcpLeaseRenewSettings, resources: Resources) -> None:
        super().__init__(settings.router, resources)
        self._settings = settings

    @property
    def place(self) -> str:
        return f"lease:{self._settings.address or self._settings.mac_address.upper()}"

    async def _leases(self, stage: Stage = Stage.PRECHECK) -> list[Record]:
        settings = self._settings
        query = (
            f"?address={settings.address}"
            if settings.address
            else f"?mac-address={settings.mac_address.upper()}"
        )
        return await self.rows(MENU, *_FIELDS, queries=(query,), stage=stage)

    async def _dynamic(self, stage: Stage) -> list[Record]:
        leases = await self._leases(stage)
        if not leases:
            raise self.refuse("no_such_lease", f"there is no {self.place}", stage=stage)
        found = [lease for lease in leases if is_on(lease, "dynamic")]
        if not found:
            raise self.refuse("static_lease", f"{self.place} is static", stage=stage)
        return found

    async def before(self) -> Evidence:
        return _told(await self._dynamic(Stage.PRECHECK))

    async def run(self) -> Done:
        leases = await self._dynamic(Stage.RUN)
        self.remember(removed=tuple(lease[".id"] for lease in leases))
        for lease in leases:
            await self.remove(MENU, lease[".id"])
        return Done(True, _told(leases), f"{len(leases)} leases removed")

    async def look(self) -> Verdict:
        removed = self.remembered_words("removed")
        if not removed:
            return Verdict.UNKNOWN
        still = {lease[".id"] for lease in await self._leases()}
        return Verdict.FAILS if still & removed else Verdict.HOLDS


def _told(leases: list[Record]) -> Evidence:
    first = leases[0]
    return Evidence(
        {"leases": len(leases), "status": first.get("status"), "expires_after": first.get("expires-after")}
    )
