"""Wireless of three generations: `wireless` with its controller, `wifiwave2`, `wifi`; and 60 GHz."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formats import duration, fine_duration
from ..menu import Menu
from ..table import Row
from ..traffic import Moment
from .interface import is_type, monitor, switched
from .moving import uptime

if TYPE_CHECKING:
    from ..world import World

_LEGACY = "/interface/wireless/registration-table"
_WIFI = "/interface/wifi/registration-table"
_CAPSMAN = "/caps-man/registration-table"


def bytes_sent_received(row: Row, moment: Moment) -> str | None:
    """Bytes that the router sent to and received from a station."""
    return f"{row.flow.tx(moment)},{row.flow.rx(moment)}" if row.flow else None


def packets_sent_received(row: Row, moment: Moment) -> str | None:
    """Packets that the router sent to and received from a station."""
    if row.flow is None:
        return None
    size = row.flow.packet_bytes
    return f"{row.flow.tx(moment) // size},{row.flow.rx(moment) // size}"


def signal_dbm(row: Row, moment: Moment) -> int:
    """Signal of a station, which moves a few dB as people do."""
    swing = moment.slopes[row.flow.phase if row.flow else 0] - 1.0
    return int(float(row.values["distance-db"]) + 12 * swing)


def _signal(row: Row, moment: Moment) -> str | None:
    return str(signal_dbm(row, moment))


def _signal_at_rate(row: Row, moment: Moment) -> str | None:
    return f"{signal_dbm(row, moment)}@6Mbps"


def _noise_distance(row: Row, moment: Moment) -> str | None:
    return str(signal_dbm(row, moment) + 104)


def _ccq(row: Row, moment: Moment) -> str | None:
    return str(max(10, min(100, 150 + signal_dbm(row, moment))))


def _megabits(row: Row, moment: Moment) -> float:
    """Rate that a signal carries on 20 MHz."""
    steps = max(0, min(7, (signal_dbm(row, moment) + 88) // 4))
    return (6.5, 13.0, 19.5, 26.0, 39.0, 52.0, 58.5, 65.0)[steps]


def _legacy_rate(row: Row, moment: Moment) -> str | None:
    return f"{_megabits(row, moment):g}Mbps-20MHz/1S"


def _rate(row: Row, moment: Moment) -> str | None:
    return str(int(_megabits(row, moment) * 4e6))


def _idle(row: Row, moment: Moment) -> str | None:
    return fine_duration((moment.now_s * 1.7 + (row.flow.phase if row.flow else 0)) % 3 + 0.01)


def _stations_of(world: World, table: str, interface: str) -> int:
    return sum(row.values["interface"] == interface for row in world.table(table))


def _legacy_sample(world: World, row: Row) -> list[tuple[str, str]]:
    """One radio, or a network of its own on it."""
    values = row.values
    if values.get("disabled") == "true":
        return [("status", "disabled")]
    stations = str(_stations_of(world, _LEGACY, values["name"]))
    pairs = [("status", "running-ap"), ("channel", values["tuned"])]
    if "master-interface" not in values:
        slope = world.moment.slopes[7]
        pairs += [("noise-floor", str(int(-104 + 8 * (slope - 1)))), ("overall-tx-ccq", str(int(80 * slope)))]
    return [*pairs, ("registered-clients", stations), ("authenticated-clients", stations)]


def _wifi_sample(world: World, row: Row) -> list[tuple[str, str]]:
    """One wifi interface; it does not say its name."""
    values = row.values
    if values.get("disabled") == "true":
        return [("state", "disabled")]
    stations = str(_stations_of(world, _WIFI, values["name"]))
    clients = "peers" if world.version >= (7, 13) else "clients"
    return [
        ("state", "running"),
        ("channel", values["tuned"]),
        (f"registered-{clients}", stations),
        (f"authorized-{clients}", stations),
        ("tx-power", "21"),
    ]


def _w60g_sample(world: World, row: Row) -> list[tuple[str, str]]:
    """One end of a 60 GHz link."""
    slope = world.moment.slopes[row.flow.phase if row.flow else 0]
    return [
        ("name", row.values["name"]),
        ("connected", "true"),
        ("frequency", "58320"),
        ("remote-address", "02:00:70:00:00:02"),
        ("tx-mcs", "8" if slope > 1 else "7"),
        ("tx-phy-rate", "2.3Gbps" if slope > 1 else "1.9Gbps"),
        ("signal", str(int(70 * slope))),
        ("rssi", str(int(-58 - 12 * (1 - slope)))),
        ("tx-sector", "28"),
        ("tx-sector-info", "left 0.9 degrees, up 0.3 degrees"),
        ("distance", "160.9m"),
        ("tx-packet-error-rate", f"{int(8 * max(0.0, 1 - slope))}%"),
        ("baseband-temperature", str(int(55 + 20 * (slope - 1)))),
        ("rf-temperature", str(int(48 + 20 * (slope - 1)))),
    ]


def _current_clients(row: Row, moment: Moment) -> str | None:
    """Rows of the controller's interfaces know how many stations they have: it does not change."""
    del moment
    return row.values.get("stations")


_STATION = {
    "bytes": bytes_sent_received,
    "packets": packets_sent_received,
    "uptime": uptime,
    "last-activity": _idle,
}
_WIFI_STATIONS = {**_STATION, "signal": _signal, "tx-rate": _rate, "rx-rate": _rate}
_WIFI_FIELDS = (
    "name default-name mac-address radio-mac master-interface configuration.mode configuration.ssid channel.band "
    "security.authentication-types l2mtu=1560 running@<7=false running@7 dynamic@7 disabled=false comment"
)


def _uptime_fine(row: Row, moment: Moment) -> str | None:
    return f"{duration(moment.now_s - row.since_s)}520ms"


WIRELESS = (
    Menu(
        "/interface/wireless",
        "name mtu=1500 l2mtu=1600 mac-address arp=enabled interface-type master-interface mode ssid frequency band "
        "channel-width scan-list=default wireless-protocol=any vlan-mode=no-tag wds-mode=disabled radio-name "
        "hide-ssid=false running=false disabled=false comment",
        table="/interface",
        where=is_type("wlan"),
        package="wireless",
        hardware="wlan",
        editable=False,
        on_change=switched,
        commands={"monitor": monitor(_legacy_sample)},
    ),
    Menu(
        _LEGACY,
        "interface radio-name mac-address ap=false wds=false bridge=false rx-rate tx-rate packets bytes uptime "
        "last-activity signal-strength signal-to-noise tx-ccq rx-ccq distance authentication-type comment",
        moving={
            **_STATION,
            "signal-strength": _signal_at_rate,
            "signal-to-noise": _noise_distance,
            "tx-ccq": _ccq,
            "rx-ccq": _ccq,
            "tx-rate": _legacy_rate,
            "rx-rate": _legacy_rate,
        },
        package="wireless",
        hardware="wlan",
        editable=False,
    ),
    Menu(
        "/caps-man/remote-cap",
        "address name state version identity base-mac board radios",
        package="wireless",
        hardware="wlan",
        editable=False,
    ),
    Menu(
        "/caps-man/interface",
        "name mtu=1500 l2mtu=1600 mac-address radio-mac master-interface configuration current-state "
        "current-channel current-registered-clients=0 current-authorized-clients=0 master=true dynamic=true "
        "bound=true inactive=false running=true disabled=false",
        moving={
            "current-registered-clients": _current_clients,
            "current-authorized-clients": _current_clients,
        },
        package="wireless",
        hardware="wlan",
    ),
    Menu(
        "/caps-man/radio",
        "radio-mac remote-cap-name remote-cap-identity interface provisioned=true local=false",
        package="wireless",
        hardware="wlan",
        editable=False,
    ),
    Menu(
        _CAPSMAN,
        "interface ssid mac-address tx-rate rx-rate rx-signal uptime bytes packets eap-identity= comment",
        moving={
            **_STATION,
            "uptime": _uptime_fine,
            "rx-signal": _signal,
            "tx-rate": _legacy_rate,
            "rx-rate": _legacy_rate,
        },
        package="wireless",
        hardware="wlan",
        editable=False,
    ),
    *(
        Menu(
            path,
            _WIFI_FIELDS,
            table="/interface",
            where=is_type("wifi"),
            since=since,
            until=until,
            hardware="wifi",
            editable=False,
            on_change=switched,
            commands={"monitor": monitor(_wifi_sample)},
        )
        for path, since, until in (
            ("/interface/wifi", (7, 13), ()),
            ("/interface/wifiwave2", (7,), (7, 13)),
        )
    ),
    *(
        Menu(
            f"{path}/registration-table",
            "interface ssid mac-address uptime last-activity signal auth-type@7.13 band@7.13 tx-rate rx-rate "
            "packets bytes vlan-id@7.13 authorized=true comment",
            moving=_WIFI_STATIONS,
            table=_WIFI,
            since=since,
            until=until,
            hardware="wifi",
            editable=False,
        )
        for path, since, until in (
            ("/interface/wifi", (7, 13), ()),
            ("/interface/wifiwave2", (7,), (7, 13)),
        )
    ),
    Menu(
        "/interface/wifi/capsman/remote-cap",
        "address identity common-name board-name serial version base-mac state max-interfaces",
        since=(7, 13),
        hardware="wifi",
        editable=False,
    ),
    Menu(
        "/interface/w60g",
        "name mtu=1500 mac-address arp=enabled region=asia mode=bridge ssid frequency=auto running=false "
        "disabled=false comment",
        table="/interface",
        where=is_type("w60g"),
        hardware="w60g",
        editable=False,
        on_change=switched,
        commands={"monitor": monitor(_w60g_sample)},
    ),
)
