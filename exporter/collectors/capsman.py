"""CAPsMAN: access points under control, their interfaces, and stations of the legacy controller.

Stations of access points under the newer controller stand in its own `/interface/wifi/registration-table`, and
so come from the collector `wifi`.
"""

from exporter.collectors.stations import (
    TRAFFIC,
    dbm,
    note_traffic,
    signal_by_interface,
    signal_table,
    traffic_rows,
)
from exporter.collectors.table import (
    CLIENT,
    Collector,
    Facts,
    Label,
    Record,
    Subscribers,
    Table,
    byte_rate,
    count,
    duration,
    gauge,
    info,
    switch,
)

_INTERFACE = Label("interface")
_STATIONS_PATH = "/caps-man/registration-table"


def _caps(name: str, path: str, manager: str) -> Table:
    fixed = Label("manager", value=manager)
    return Table(
        name=name,
        path=path,
        labels=(fixed, Label("cap", "@cap"), Label("base_mac")),
        also=("identity", "name", "state", "board", "board-name"),
        rows=(
            count("mikrotik_capsman_remote_caps", "Access points that the controller knows.", fixed),
            gauge(
                "mikrotik_capsman_remote_cap_running",
                "1 while the access point is under control and works.",
                "@running",
                source=f"{path} state",
            ),
            gauge(
                "mikrotik_capsman_remote_cap_radios",
                "Radios of the access point.",
                "radios",
            ),
            info(
                "mikrotik_capsman_remote_cap_info",
                "Board and version of an access point.",
                Label("board", "@board"),
                Label("version"),
            ),
        ),
    )


_INTERFACES = Table(
    name="interfaces",
    path="/caps-man/interface",
    labels=(Label("interface", "name"),),
    rows=(
        switch("mikrotik_capsman_interface_running", "1 while the interface runs.", "running"),
        switch(
            "mikrotik_capsman_interface_inactive",
            "1 while no access point stands behind the interface.",
            "inactive",
        ),
        gauge(
            "mikrotik_capsman_interface_registered_clients",
            "Stations that the interface knows.",
            "current-registered-clients",
        ),
        gauge(
            "mikrotik_capsman_interface_authorized_clients",
            "Stations that have proved who they are.",
            "current-authorized-clients",
        ),
        info(
            "mikrotik_capsman_interface_info",
            "How an interface of the controller is set up.",
            Label("configuration"),
            Label("master_interface"),
        ),
    ),
)

_RADIOS = Table(
    name="radios",
    path="/caps-man/radio",
    labels=(_INTERFACE, Label("radio_mac"), Label("cap", "remote-cap-identity")),
    rows=(
        switch(
            "mikrotik_capsman_radio_provisioned", "1 if the radio has got its configuration.", "provisioned"
        ),
    ),
)

_STATIONS = Table(
    name="stations",
    path=_STATIONS_PATH,
    labels=(_INTERFACE, Label("mac_address")),
    client_by="mac-address",
    subscribers=Subscribers(
        key=("interface", "mac-address"), traffic=TRAFFIC, who="mac-address", group=("interface",)
    ),
    also=("bytes", "packets", "rx-signal"),
    rows=(
        count("mikrotik_capsman_stations", "Stations registered.", _INTERFACE, over="interfaces"),
        count("mikrotik_capsman_stations_by_ssid", "Stations registered, by network.", Label("ssid")),
        gauge(
            "mikrotik_capsman_station_receive_signal_dbm",
            "Signal received from the station.",
            "rx-signal",
            dbm,
        ),
        gauge(
            "mikrotik_capsman_station_transmit_signal_dbm",
            "Signal that the station receives; absent where it does not tell.",
            "tx-signal",
            dbm,
        ),
        gauge(
            "mikrotik_capsman_station_transmit_rate_bytes_per_second",
            "Rate at which frames are sent to the station.",
            "tx-rate",
            byte_rate,
        ),
        gauge(
            "mikrotik_capsman_station_receive_rate_bytes_per_second",
            "Rate at which frames come from the station.",
            "rx-rate",
            byte_rate,
        ),
        *traffic_rows("mikrotik_capsman_station", _STATIONS_PATH),
        gauge(
            "mikrotik_capsman_station_uptime_seconds",
            "Time since the station registered.",
            "uptime",
            duration,
        ),
        info(
            "mikrotik_capsman_station_info",
            "Network of the station, and comment.",
            Label("ssid"),
            Label("comment"),
            CLIENT,
        ),
    ),
)

_WORKS = ("run", "running", "ok")


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    for name in ("caps", "wifi_caps"):
        for record in replies.get(name, ()):
            record["@cap"] = record.get("identity") or record.get("name") or ""
            record["@board"] = record.get("board") or record.get("board-name") or ""
            if current := record.get("state"):
                record["@running"] = str(int(current.lower() in _WORKS))
    if (stations := replies.get("stations")) is not None:
        note_traffic(stations)
        replies["signal"] = signal_by_interface(stations, "rx-signal")


CAPSMAN = Collector(
    name="capsman",
    help="Access points under a controller, its interfaces, and stations of the legacy one.",
    ttl_s=60,
    tables=(
        _caps("caps", "/caps-man/remote-cap", "caps-man"),
        _caps("wifi_caps", "/interface/wifi/capsman/remote-cap", "wifi"),
        _INTERFACES,
        _RADIOS,
        _STATIONS,
        signal_table("mikrotik_capsman_stations", _STATIONS_PATH, "rx-signal"),
    ),
    derive=_derive,
    on_by_default=False,
    mode="aggregate",
)
