"""Interfaces: traffic, errors, state. Sessions of PPP servers are left to the ppp collector."""

from exporter.collectors.table import (
    Collector,
    Label,
    Table,
    counter,
    gauge,
    info,
    local_date,
    negated,
    switch,
)

SESSION_TYPES = ("pppoe-in", "l2tp-in", "pptp-in", "sstp-in", "ovpn-in")
"""Types of the interfaces that a PPP server makes for its sessions."""


def any_session() -> tuple[str, ...]:
    """Query words that keep the session interfaces."""
    first, *others = (f"?type={kind}" for kind in SESSION_TYPES)
    return (first, *(word for other in others for word in (other, "?#|")))


INTERFACE = Collector(
    name="interface",
    help="Bytes, packets, errors, drops, link changes, MTU, running and enabled, per interface.",
    ttl_s=10,
    tables=(
        Table(
            name="interface",
            path="/interface",
            labels=(Label("interface", "name"),),
            # By type and not by `dynamic`: some builds leave a false flag out, and no query form fits them all.
            queries=(*any_session(), "?#!"),
            rows=(
                counter("mikrotik_interface_receive_bytes_total", "Bytes received.", "rx-byte"),
                counter("mikrotik_interface_transmit_bytes_total", "Bytes sent.", "tx-byte"),
                counter("mikrotik_interface_receive_packets_total", "Packets received.", "rx-packet"),
                counter("mikrotik_interface_transmit_packets_total", "Packets sent.", "tx-packet"),
                counter("mikrotik_interface_receive_errors_total", "Packets received broken.", "rx-error"),
                counter(
                    "mikrotik_interface_transmit_errors_total", "Packets not sent for errors.", "tx-error"
                ),
                counter("mikrotik_interface_receive_drops_total", "Received packets dropped.", "rx-drop"),
                counter(
                    "mikrotik_interface_transmit_drops_total", "Packets dropped before sending.", "tx-drop"
                ),
                counter(
                    "mikrotik_interface_transmit_queue_drops_total",
                    "Packets lost in the interface's queue.",
                    "tx-queue-drop",
                ),
                counter(
                    "mikrotik_interface_fast_path_receive_bytes_total",
                    "Part of the bytes received that took the fast path.",
                    "fp-rx-byte",
                ),
                counter(
                    "mikrotik_interface_fast_path_transmit_bytes_total",
                    "Part of the bytes sent that took the fast path.",
                    "fp-tx-byte",
                ),
                counter("mikrotik_interface_link_downs_total", "Times the link was lost.", "link-downs"),
                switch("mikrotik_interface_running", "1 while the interface runs.", "running"),
                switch("mikrotik_interface_enabled", "1 unless disabled by hand.", "disabled", negated),
                gauge("mikrotik_interface_mtu_bytes", "MTU in force.", "actual-mtu"),
                gauge(
                    "mikrotik_interface_last_link_up_timestamp_seconds",
                    "When the link last came up.",
                    "last-link-up-time",
                    local_date,
                ),
                gauge(
                    "mikrotik_interface_last_link_down_timestamp_seconds",
                    "When the link was last lost.",
                    "last-link-down-time",
                    local_date,
                ),
                info(
                    "mikrotik_interface_info",
                    "Type, default name, MAC address and comment.",
                    Label("type"),
                    Label("default_name"),
                    Label("mac_address"),
                    Label("comment"),
                ),
            ),
        ),
    ),
)
