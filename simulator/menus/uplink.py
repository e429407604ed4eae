"""What the router itself dials: modems, and clients of PPPoE and of VPNs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formats import duration
from ..menu import Command, Menu
from ..table import Row
from .interface import is_type, monitor, switched

if TYPE_CHECKING:
    from ..world import World


def _lte_sample(world: World, row: Row) -> list[tuple[str, str]]:
    """One modem; it does not say its name, and of the radio nothing while it is not attached."""
    values = row.values
    pairs = [("pin-status", "ok"), ("functionality", "full")]
    pairs += [("manufacturer", "Example"), ("model", "EX-LTE6"), ("revision", "EX_R1.2"), ("imei", "0" * 15)]
    if values.get("running") != "true":
        return [("status", "searching"), ("registration-status", "not registered"), *pairs]
    slope = world.moment.slopes[row.flow.phase if row.flow else 0]
    return [
        ("status", "connected"),
        ("registration-status", "registered"),
        *pairs,
        ("current-operator", "Testnet"),
        ("current-cellid", "30742287"),
        ("enb-id", "120087"),
        ("phy-cellid", "212"),
        ("access-technology", "LTE"),
        ("data-class", "LTE"),
        ("session-uptime", duration(world.now_s - row.since_s)),
        ("imsi", "0" * 15),
        ("primary-band", "B3@20Mhz earfcn: 1300 phy-cellid: 212"),
        ("roaming", "false"),
        ("rssi", str(int(-64 - 12 * (1 - slope)))),
        ("rsrp", str(int(-94 - 16 * (1 - slope)))),
        ("rsrq", str(int(-11 - 6 * (1 - slope)))),
        ("sinr", str(int(10 * slope))),
        ("cqi", str(int(11 * slope))),
        ("ri", "2" if slope > 1 else "1"),
        ("mcs", str(int(16 * slope))),
    ]


def _pppoe_sample(world: World, row: Row) -> list[tuple[str, str]]:
    """One PPPoE client; only its status while it is down."""
    values = row.values
    if values.get("disabled") == "true":
        return [("status", "disabled")]
    if values.get("running") != "true":
        return [("status", "dialing...")]
    return [
        ("status", "connected"),
        ("uptime", duration(world.now_s - row.since_s)),
        ("active-links", "1"),
        ("encoding", ""),
        ("service-name", values.get("service-name", "")),
        ("ac-name", "bras-1"),
        ("ac-mac", "02:00:80:00:00:01"),
        ("mtu", "1480"),
        ("mru", "1480"),
        ("local-address", "198.51.100.7"),
        ("remote-address", "198.51.100.1"),
    ]


_LTE_FIELDS = (
    "name mtu=1480 apn-profiles=default allow-roaming=true network-mode= sms-read=true running=false disabled=false "
    "comment"
)
_DIALLED = (
    "user password profile=default keepalive-timeout allow running@<7=false running@7 disabled=false comment"
)


def _client(service: str, fields: str, package: str = "ppp", **commands: Command) -> Menu:
    return Menu(
        f"/interface/{service}-client",
        f"name mtu {fields} {_DIALLED}",
        table="/interface",
        where=is_type(f"{service}-out"),
        sensitive="password",
        package=package,
        editable=False,
        on_change=switched,
        commands=commands,
    )


UPLINK = (
    Menu(
        "/interface/lte",
        _LTE_FIELDS,
        table="/interface",
        where=is_type("lte"),
        hardware="lte",
        until=(7,),
        editable=False,
        on_change=switched,
        commands={"info": Command(monitor(_lte_sample, "number").run, "test")},
    ),
    Menu(
        "/interface/lte",
        _LTE_FIELDS,
        table="/interface",
        where=is_type("lte"),
        hardware="lte",
        since=(7,),
        editable=False,
        on_change=switched,
        commands={"monitor": Command(monitor(_lte_sample).run, "test")},
    ),
    _client(
        "pppoe", "interface service-name= ac-name= add-default-route=true", monitor=monitor(_pppoe_sample)
    ),
    _client("l2tp", "connect-to use-ipsec=false"),
    _client("pptp", "connect-to"),
    _client("sstp", "connect-to certificate=none"),
    _client("ovpn", "connect-to port=1194 protocol@7=tcp"),
)
