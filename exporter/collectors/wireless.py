"""Wireless of RouterOS 6 and of the separate package `wireless`: radios and their stations."""

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
    ratio,
)

_INTERFACE = Label("interface")
_RADIO = (Label("interface", "name"),)
_STATIONS_PATH = "/interface/wireless/registration-table"

_RADIOS = Table(
    name="radios",
    path="/interface/wireless",
    labels=_RADIO,
    also=(".id", "disabled"),
    rows=(
        info(
            "mikrotik_wireless_interface_info",
            "How a wireless interface is set up.",
            Label("ssid"),
            Label("band"),
            Label("operating_mode", "mode"),
            Label("radio_name"),
            Label("master_interface"),
        ),
    ),
)

_MONITOR = Table(
    name="monitor",
    path="/interface/wireless",
    numbers="radios",
    numbers_where=Where("disabled", ("", "false", "no")),
    each=True,
    labels=_RADIO,
    also=("channel",),
    rows=(
        gauge("mikrotik_wireless_noise_floor_dbm", "Noise that the radio hears.", "noise-floor", dbm),
        gauge(
            "mikrotik_wireless_transmit_ccq_ratio",
            "How well sending works, all stations together (0-1).",
            "overall-tx-ccq",
            ratio,
        ),
        gauge(
            "mikrotik_wireless_registered_clients",
            "Stations that the radio knows.",
            "registered-clients",
        ),
        gauge(
            "mikrotik_wireless_authenticated_clients",
            "Stations that have proved who they are.",
            "authenticated-clients",
        ),
        gauge(
            "mikrotik_wireless_frequency_hertz",
            "Frequency of the control channel.",
            "@frequency",
            mega,
            source="/interface/wireless/monitor channel",
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
    also=("bytes", "packets", "signal-strength"),
    rows=(
        count("mikrotik_wireless_stations", "Stations registered.", _INTERFACE, over="radios"),
        gauge(
            "mikrotik_wireless_station_signal_dbm",
            "Signal received from the station.",
            "signal-strength",
            dbm,
        ),
        gauge(
            "mikrotik_wireless_station_signal_to_noise_db",
            "Signal of the station over the noise.",
            "signal-to-noise",
        ),
        gauge(
            "mikrotik_wireless_station_transmit_ccq_ratio",
            "How well sending to the station works (0-1).",
            "tx-ccq",
            ratio,
        ),
        gauge(
            "mikrotik_wireless_station_receive_ccq_ratio",
            "How well receiving from the station works (0-1).",
            "rx-ccq",
            ratio,
        ),
        gauge(
            "mikrotik_wireless_station_transmit_rate_bytes_per_second",
            "Rate at which frames are sent to the station.",
            "tx-rate",
            byte_rate,
        ),
        gauge(
            "mikrotik_wireless_station_receive_rate_bytes_per_second",
            "Rate at which frames come from the station.",
            "rx-rate",
            byte_rate,
        ),
        *traffic_rows("mikrotik_wireless_station", _STATIONS_PATH),
        gauge(
            "mikrotik_wireless_station_uptime_seconds",
            "Time since the station registered.",
            "uptime",
            duration,
        ),
        gauge(
            "mikrotik_wireless_station_idle_seconds",
            "Time since the station's last frame.",
            "last-activity",
            duration,
        ),
        info(
            "mikrotik_wireless_station_info",
            "Name of the station's radio, and comment.",
            Label("radio_name"),
            Label("comment"),
            CLIENT,
        ),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    note_frequency(replies.get("monitor", ()))
    if (stations := replies.get("stations")) is not None:
        note_traffic(stations)
        replies["signal"] = signal_by_interface(stations, "signal-strength")


WIRELESS = Collector(
    name="wireless",
    help="Radios of the package `wireless`: noise, quality, stations and their signal.",
    ttl_s=30,
    tables=(
        _RADIOS,
        _MONITOR,
        _STATIONS,
        signal_table("mikrotik_wireless_stations", _STATIONS_PATH, "signal-strength"),
    ),
    derive=_derive,
    policies=("read", "test"),
    on_by_default=False,
    mode="aggregate",
)
