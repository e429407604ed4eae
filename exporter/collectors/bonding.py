"""Bonding: which members carry traffic."""

from exporter.collectors.table import Collector, Facts, Label, Record, Table, Where, gauge, info

_BOND = (Label("interface", "name"),)
_NOBODY = "00:00:00:00:00:00"

_BONDS = Table(
    name="bonds",
    path="/interface/bonding",
    labels=_BOND,
    also=(".id", "disabled"),
    rows=(
        info(
            "mikrotik_bonding_info",
            "How a bond is set up.",
            Label("bonding_mode", "mode"),
            Label("transmit_hash_policy"),
            Label("slaves"),
        ),
    ),
)

_MONITOR = Table(
    name="monitor",
    path="/interface/bonding",
    numbers="bonds",
    numbers_where=Where("disabled", ("", "false", "no")),
    each=True,
    labels=_BOND,
    also=("active-ports", "inactive-ports", "lacp-partner-system-id"),
    rows=(
        gauge(
            "mikrotik_bonding_active_members",
            "Members that carry traffic.",
            "@active",
            source="/interface/bonding/monitor active-ports",
        ),
        gauge(
            "mikrotik_bonding_inactive_members",
            "Members that carry none.",
            "@inactive",
            source="/interface/bonding/monitor inactive-ports",
        ),
        gauge(
            "mikrotik_bonding_lacp_partner_present",
            "1 while the other side speaks LACP; absent in modes without it.",
            "@partner",
            source="/interface/bonding/monitor lacp-partner-system-id",
        ),
    ),
)

_MEMBERS = Table(
    name="members",
    path="/interface/bonding",
    made=True,
    labels=(*_BOND, Label("member", "@member")),
    rows=(
        gauge(
            "mikrotik_bonding_member_active",
            "1 while the member carries traffic.",
            "@active",
            source="/interface/bonding/monitor active-ports, inactive-ports",
        ),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    if (monitored := replies.get("monitor")) is None:
        return
    members = replies["members"] = []
    for record in monitored:
        for field, active in (("active-ports", "1"), ("inactive-ports", "0")):
            names = [name for name in record.get(field, "").split(",") if name]
            record["@active" if active == "1" else "@inactive"] = str(len(names))
            members += [
                {"name": record.get("name", ""), "@member": name, "@active": active} for name in names
            ]
        if partner := record.get("lacp-partner-system-id"):
            record["@partner"] = str(int(partner != _NOBODY))


BONDING = Collector(
    name="bonding",
    help="Bonds: members that carry traffic and that do not, LACP partner.",
    ttl_s=30,
    tables=(_BONDS, _MONITOR, _MEMBERS),
    derive=_derive,
    policies=("read", "test"),
    on_by_default=False,
)
