"""Wireless since RouterOS 7.13 (`wifi`), or its forerunner `wifiwave2`: radios and their stations."""

from exporter.collectors.stations import (
    TRAFFIC,
    dbm,
    note_frequency,
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
    Where,
    byte_rate,
    count,
    duration,
    gauge,
    info,
    mega,
    state,
)

_INTERFACE = Label("interface")
_RADIO = (Label("interface", "name"),)
_TRUE = ("true", "yes")
_WIFI = "/interface/wifi"
_WAVE2 = "/interface/wifiwave2"
_STATIONS_PATH = f"{_WIFI}/registration-table"


def _radios(name: str, path: str, instead_of: str = "") -> Table:
    return Table(
        name=name,
        path=path,
        instead_of=instead_of,
        labels=_RADIO,
        also=(".id", "dynamic"),
        rows=(
            info(
                "mikrotik_wifi_interface_info",
                "How a wifi interface is set up.",
                Label("ssid", "configuration.ssid"),
                Label("band", "channel.band"),
                Label("operating_mode", "configuration.mode"),
                Label("master_interface"),
            ),
        ),
    )


def _monitor(name: str, path: str, radios: str, instead_of: str = "") -> Table:
    return Table(
        name=name,
        path=path,
        instead_of=instead_of,
        numbers=radios,
        numbers_where=Where("dynamic", ("", "false", "no")),  # a controller has hundreds that are elsewhere
        each=True,
        labels=_RADIO,
        also=("channel", "registered-clients", "authorized-clients"),
        rows=(
            state(
                "mikrotik_wifi_interface_state",
                "What the interface does: 1 for the state that holds.",
                "state",
                ("running", "disabled", "scanning"),
            ),
            gauge(
                "mikrotik_wifi_registered_peers",
                "Stations that the radio knows.",
                "registered-peers",
            ),
            gauge(
                "mikrotik_wifi_authorized_peers",
                "Stations that have proved who they are.",
                "authorized-peers",
            ),
            gauge("mikrotik_wifi_transmit_power_dbm", "Power that the radio sends with.", "tx-power", dbm),
            gauge(
                "mikrotik_wifi_frequency_hertz",
                "Frequency of the control channel.",
                "@frequency",
                mega,
                source=f"{path}/monitor channel",
            ),
        ),
    )


def _stations(name: str, path: str, radios: str, instead_of: str = "") -> Table:
    return Table(
        name=name,
        path=path,
        instead_of=instead_of,
        proplist=False,  # some builds lose rows over a field that they do not know
        labels=(_INTERFACE, Label("mac_address")),
        client_by="mac-address",
        subscribers=Subscribers(
            key=("interface", "mac-address"), traffic=TRAFFIC, who="mac-address", group=("interface",)
        ),
        rows=(
            count("mikrotik_wifi_stations", "Stations registered.", _INTERFACE, over=radios),
            count("mikrotik_wifi_stations_by_ssid", "Stations registered, by network.", Label("ssid")),
            count("mikrotik_wifi_stations_by_band", "Stations registered, by band.", Label("band")),
            count(
                "mikrotik_wifi_stations_authorized",
                "Stations registered that have proved who they are.",
                _INTERFACE,
                where=Where("authorized", _TRUE),
                over=radios,
            ),
            gauge(
                "mikrotik_wifi_station_signal_dbm",
                "Signal received from the station.",
                "signal",
                dbm,
            ),
            gauge(
                "mikrotik_wifi_station_transmit_rate_bytes_per_second",
                "Rate at which frames are sent to the station.",
                "tx-rate",
                byte_rate,
            ),
            gauge(
                "mikrotik_wifi_station_receive_rate_bytes_per_second",
                "Rate at which frames come from the station.",
                "rx-rate",
                byte_rate,
            ),
            *traffic_rows("mikrotik_wifi_station", path),
            gauge(
                "mikrotik_wifi_station_uptime_seconds",
                "Time since the station registered.",
                "uptime",
                duration,
            ),
            gauge(
                "mikrotik_wifi_station_idle_seconds",
                "Time since the station's last frame.",
                "last-activity",
                duration,
            ),
            info(
                "mikrotik_wifi_station_info",
                "Network, band and authentication of the station.",
                Label("ssid"),
                Label("band"),
                Label("authentication", "auth-type"),
                Label("vlan_id"),
                Label("comment"),
                CLIENT,
            ),
        ),
    )


_OLDER_NAMES = (("registered-peers", "registered-clients"), ("authorized-peers", "authorized-clients"))


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    for name in ("monitor", "monitor_wave2"):
        records = replies.get(name, ())
        note_frequency(records)
        for record in records:
            for newer, older in _OLDER_NAMES:
                if older in record:
                    record.setdefault(newer, record[older])
    for name in ("stations", "stations_wave2"):
        if (stations := replies.get(name)) is not None:
            note_traffic(stations)
            replies["signal"] = signal_by_interface(stations, "signal")


WIFI = Collector(
    name="wifi",
    help="Radios of `wifi` (RouterOS 7.13) or `wifiwave2`: state, channel, stations and their signal.",
    ttl_s=30,
    tables=(
        _radios("radios", _WIFI),
        _monitor("monitor", _WIFI, "radios"),
        _stations("stations", _STATIONS_PATH, "radios"),
        _radios("radios_wave2", _WAVE2, instead_of="radios"),
        _monitor("monitor_wave2", _WAVE2, "radios_wave2", instead_of="radios"),
        _stations("stations_wave2", f"{_WAVE2}/registration-table", "radios_wave2", instead_of="radios"),
        signal_table("mikrotik_wifi_stations", _STATIONS_PATH, "signal"),
    ),
    derive=_derive,
    policies=("read", "test"),
    on_by_default=False,
    mode="aggregate",
)
