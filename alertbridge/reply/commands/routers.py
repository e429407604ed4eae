"""Which router is meant, as Prometheus names them."""

from alertbridge.reply.commands.base import not_found, wrong_use
from alertbridge.reply.commands.names import listed, matching
from alertbridge.reply.model import Answer
from alertbridge.reply.sources import Metrics, quoted

ROUTERS = "group by (router) (router:up:min)"


async def router_meant(metrics: Metrics, written: str, language: str) -> str | Answer:
    """The router's name, or an answer that says that there is none or that there are several. Raises SourceAway."""
    known = [value.labels["router"] for value in await metrics.query(ROUTERS) if "router" in value.labels]
    found = matching(written, known)
    if len(found) == 1:
        return found[0]
    if found:
        return wrong_use(language, "several_routers", name=written, known=listed(found))
    return not_found(language, "no_such_router", name=written, known=listed(sorted(known)))


async def interface_meant(metrics: Metrics, router: str, written: str, language: str) -> str | Answer:
    """The same for an interface of `router`."""
    values = await metrics.query(
        f"group by (interface) (mikrotik_interface_receive_bytes_total{{router={quoted(router)}}})"
    )
    known = [value.labels["interface"] for value in values if "interface" in value.labels]
    found = matching(written, known)
    if len(found) == 1:
        return found[0]
    if found:
        return wrong_use(language, "several_interfaces", router=router, name=written, known=listed(found))
    return not_found(language, "no_such_interface", router=router, name=written, known=listed(sorted(known)))
