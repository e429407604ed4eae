"""60 GHz links."""

from exporter.collectors.stations import dbm
from exporter.collectors.table import (
    Collector,
    Label,
    Number,
    Table,
    Where,
    byte_rate,
    flag,
    gauge,
    info,
    mega,
    ratio,
)
from routeros.values import parse_float

_LINK = (Label("interface", "name"),)


def metres(text: str) -> Number:
    """A distance, with its unit or without."""
    return parse_float(text.removesuffix("m"))


_INTERFACES = Table(
    name="interfaces",
    path="/interface/w60g",
    labels=_LINK,
    also=(".id",),
    rows=(
        info(
            "mikrotik_w60g_interface_info",
            "How a 60 GHz interface is set up.",
            Label("ssid"),
            Label("operating_mode", "mode"),
        ),
    ),
)

_MONITOR = Table(
    name="monitor",
    path="/interface/w60g",
    numbers="interfaces",
    labels=_LINK,
    rows=(
        gauge("mikrotik_w60g_connected", "1 while the link stands.", "connected", flag),
        gauge("mikrotik_w60g_frequency_hertz", "Frequency of the link.", "frequency", mega),
        gauge("mikrotik_w60g_signal_ratio", "Quality of the signal (0-1).", "signal", ratio),
        gauge("mikrotik_w60g_rssi_dbm", "Signal received from the other side.", "rssi", dbm),
        gauge("mikrotik_w60g_transmit_mcs", "Index of the modulation that is sent with.", "tx-mcs"),
        gauge(
            "mikrotik_w60g_transmit_rate_bytes_per_second",
            "Rate at which frames are sent.",
            "tx-phy-rate",
            byte_rate,
        ),
        gauge(
            "mikrotik_w60g_transmit_packet_error_ratio",
            "Share of the packets sent that were lost (0-1).",
            "tx-packet-error-rate",
            ratio,
        ),
        gauge("mikrotik_w60g_transmit_sector", "Sector of the antenna that is sent with.", "tx-sector"),
        gauge("mikrotik_w60g_distance_metres", "Distance of the other side.", "distance", metres),
        gauge(
            "mikrotik_w60g_baseband_temperature_celsius",
            "Temperature of the baseband chip.",
            "baseband-temperature",
        ),
        gauge("mikrotik_w60g_radio_temperature_celsius", "Temperature of the radio.", "rf-temperature"),
        info(
            "mikrotik_w60g_peer_info",
            "Who the other side is, and how the antenna points to it.",
            Label("remote_address"),
            Label("sector", "tx-sector-info"),
            where=Where("connected", ("true", "yes")),
        ),
    ),
)

W60G = Collector(
    name="w60g",
    help="60 GHz links: signal, rate, errors, distance, temperature.",
    ttl_s=30,
    tables=(_INTERFACES, _MONITOR),
    policies=("read", "test"),
    on_by_default=False,
)
