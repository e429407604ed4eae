"""swoga/mikrotik-exporter: the modules that it ships, as of June 2026. Others can be written for it in YAML."""

from exporter.parity.row import Peer, Row, has, lacks, several

_SIZES = "a histogram of frame sizes by hand, 14 series a port; the counters by error and by kind are told"
_SETTING = "a setting, which changes nothing by itself"


def _sizes(direction: str) -> tuple[Row, ...]:
    bounds = ("64", "65_127", "128_255", "256_511", "512_1023", "1024_1518", "1519_max")
    return tuple(lacks(f"mikrotik_interface_{direction}_{bound}", _SIZES) for bound in bounds)


_SWITCHED = "where a switch chip counts them: collector `switch`"

SWOGA = Peer(
    name="swoga/mikrotik-exporter",
    version="8eb389f (June 2026)",
    address="https://github.com/swoga/mikrotik-exporter",
    labels="A router is told by `instance`, as on our `/probe`; `name` is `interface` or `peer`. Its counters do not "
    "end in `_total`.",
    rows=(
        has("probe_success", "mikrotik_up"),
        has("probe_duration_seconds", "mikrotik_collector_duration_seconds", note="by collector"),
        *several(
            "interface_",
            "interface_",
            "enabled=enabled",
            "running=running",
            "rx_byte=receive_bytes_total",
            "tx_byte=transmit_bytes_total",
            "rx_packet=receive_packets_total",
            "tx_packet=transmit_packets_total",
            "rx_error=receive_errors_total",
            "tx_error=transmit_errors_total",
            "rx_drop=receive_drops_total",
            "tx_drop=transmit_drops_total",
            "tx_queue_drop=transmit_queue_drops_total",
            "link_downs=link_downs_total",
            "last_link_up=last_link_up_timestamp_seconds",
            "actual_mtu=mtu_bytes",
            "full_duplex=full_duplex",
        ),
        lacks(
            "mikrotik_interface_rx_queue_drop",
            "not read: queues stand on the way out, and drops on the way in are told",
        ),
        has(
            "mikrotik_interface_last_link_down",
            "mikrotik_interface_last_link_down_timestamp_seconds",
            note="seconds since, to the time of it",
        ),
        lacks("mikrotik_interface_mtu", f"{_SETTING}; the MTU in force is told"),
        lacks("mikrotik_interface_l2mtu", _SETTING),
        lacks("mikrotik_interface_max_l2mtu", "a property of the hardware"),
        has(
            "mikrotik_interface_rate",
            "mikrotik_interface_speed_bytes_per_second",
            note="bit/s to bytes per second",
        ),
        lacks("mikrotik_interface_auto_negotiation", "its outcome is told: link, speed and duplex"),
        has("mikrotik_interface_sfp_module_present", "mikrotik_sfp_module_present"),
        has("mikrotik_interface_sfp_rx_power", "mikrotik_sfp_receive_power_dbm"),
        has("mikrotik_interface_sfp_temperature", "mikrotik_sfp_temperature_celsius"),
        lacks("mikrotik_interface_sfp_link_length_sm", "a property of the module's type"),
        has("mikrotik_interface_rx_fcs_error", "mikrotik_ethernet_receive_fcs_errors_total"),
        has("mikrotik_interface_rx_too_short", "mikrotik_ethernet_receive_too_short_total"),
        has("mikrotik_interface_rx_too_long", "mikrotik_ethernet_receive_too_long_total"),
        lacks("mikrotik_interface_tx_too_long", "not read: whoever receives such a frame counts it"),
        has(
            "mikrotik_interface_rx_broadcast", "mikrotik_switch_port_receive_broadcasts_total", note=_SWITCHED
        ),
        has(
            "mikrotik_interface_tx_broadcast",
            "mikrotik_switch_port_transmit_broadcasts_total",
            note=_SWITCHED,
        ),
        has(
            "mikrotik_interface_rx_multicast", "mikrotik_switch_port_receive_multicasts_total", note=_SWITCHED
        ),
        has(
            "mikrotik_interface_tx_multicast",
            "mikrotik_switch_port_transmit_multicasts_total",
            note=_SWITCHED,
        ),
        *_sizes("rx"),
        *_sizes("tx"),
        has("mikrotik_health_temperature", "mikrotik_health_temperature_celsius"),
        has(
            "mikrotik_health_psu_voltage",
            "mikrotik_health_voltage_volts",
            note="label `sensor` instead of `psu`",
        ),
        has(
            "mikrotik_health_psu_current",
            "mikrotik_health_current_amperes",
            note="label `sensor` instead of `psu`",
        ),
        has(
            "mikrotik_health_fan_speed",
            "mikrotik_health_fan_speed_rpm",
            note="label `sensor` instead of `fan`",
        ),
        has("mikrotik_health_power_consumption", "mikrotik_health_power_watts"),
        has("mikrotik_health_psu_state", "mikrotik_health_state", note='state="ok"'),
        has("mikrotik_health_state", "mikrotik_health_state", note="a state set, where theirs is 1 for ok"),
        has("mikrotik_resource_uptime", "mikrotik_system_uptime_seconds"),
        has("mikrotik_resource_free_memory", "mikrotik_system_memory_free_bytes"),
        has("mikrotik_resource_total_memory", "mikrotik_system_memory_total_bytes"),
        has("mikrotik_resource_free_hdd_space", "mikrotik_system_disk_free_bytes"),
        has("mikrotik_resource_total_hdd_space", "mikrotik_system_disk_total_bytes"),
        has("mikrotik_resource_cpu_count", "mikrotik_system_cpu_cores"),
        has("mikrotik_resource_cpu_load", "mikrotik_system_cpu_core_load_ratio", note="percent to 0-1"),
        has("mikrotik_resource_cpu_load_total", "mikrotik_system_cpu_load_ratio", note="percent to 0-1"),
        has("mikrotik_resource_version", "mikrotik_system_info"),
        has("mikrotik_resource_write_sect_total", "mikrotik_system_disk_written_sectors_total"),
        lacks("mikrotik_resource_write_sect_since_reboot", "the total tells it: `increase()` over any time"),
        *several(
            "radius_",
            "radius_",
            "requests=requests_total",
            "accepts=accepts_total",
            "rejects=rejects_total",
            "timeouts=timeouts_total",
            "bad_replies=bad_replies_total",
        ),
        has(
            "mikrotik_radius_last_request_rtt",
            "mikrotik_radius_last_request_rtt_seconds",
            note="ms to seconds",
        ),
        *several(
            "bgp_peer_",
            "bgp_",
            "established=established",
            "uptime=uptime_seconds",
            "prefix_count=prefixes",
            "updates_sent=transmit_updates_total",
            "updates_received=receive_updates_total",
            "withdrawn_sent=transmit_withdrawals_total",
            "withdrawn_received=receive_withdrawals_total",
            note="the remote AS is on `mikrotik_bgp_session_info`",
        ),
        lacks(
            "mikrotik_bgp_peer_enabled",
            "peers that are switched off are left out; one that is on and down is told",
        ),
        has("mikrotik_ospf_neighbor_adjacency", "mikrotik_ospf_neighbor_adjacency_seconds"),
        has(
            "mikrotik_ospf_interface_neighbors",
            "mikrotik_ospf_neighbors",
            note="by instance; by interface, count `mikrotik_ospf_neighbor_info`",
        ),
        has("mikrotik_ospf_interface_adjacent_neighbors", "mikrotik_ospf_neighbors_full", note="by instance"),
        lacks("mikrotik_ospf_interface_cost", _SETTING),
        lacks("mikrotik_ospf_interface_passive", _SETTING),
    ),
)
