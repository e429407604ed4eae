"""mktxp 2.1.0: the router itself, its ports, radios and modems."""

from exporter.parity.row import Row, has, lacks, made, same

_NAME = "name=interface"
_CLIENT = "dhcp_name=mac_address dhcp_name=client"
_NO_CLIENT_NAME = "`dhcp_name` is the MAC address"
_STATION_NOTE = f"{_NO_CLIENT_NAME}; the name is on the info, with `client_names`"


def _sensor(theirs: str, kind: str, sensor: str) -> Row:
    return same(f"mktxp_system_{theirs}", f"mikrotik_health_{kind}", where=f'sensor="{sensor}"')


def _psu_state(number: int) -> Row:
    return same(
        f"mktxp_system_psu{number}_state",
        "mikrotik_health_state",
        where=f'sensor="psu{number}-state",state="ok"',
    )


SYSTEM: tuple[Row, ...] = (
    same("mktxp_system_identity_info", "mikrotik_system_identity_info", labels="name=identity"),
    same("mktxp_system_uptime", "mikrotik_system_uptime_seconds", system=True),
    same("mktxp_system_free_memory", "mikrotik_system_memory_free_bytes", system=True),
    same("mktxp_system_total_memory", "mikrotik_system_memory_total_bytes", system=True),
    same("mktxp_system_free_hdd_space", "mikrotik_system_disk_free_bytes", system=True),
    same("mktxp_system_total_hdd_space", "mikrotik_system_disk_total_bytes", system=True),
    same(
        "mktxp_system_cpu_load",
        "mikrotik_system_cpu_load_ratio",
        times=100,
        system=True,
        note="percent to 0-1",
    ),
    same("mktxp_system_cpu_count", "mikrotik_system_cpu_cores", system=True),
    same(
        "mktxp_system_cpu_frequency",
        "mikrotik_system_cpu_frequency_hertz",
        times=1e-6,
        system=True,
        note="MHz to hertz",
    ),
    same(
        "mktxp_system_update_available",
        "mikrotik_system_update_available",
        note="no label `newest_version`: it is on `mikrotik_system_update_info`, as the router found it",
    ),
    same("mktxp_routerboard_info", "mikrotik_system_routerboard_info"),
    same(
        "mktxp_routerboard_firmware_upgrade_available",
        "mikrotik_system_firmware_upgrade_pending",
        note="firmware versions are on `mikrotik_system_routerboard_info`",
    ),
    lacks(
        "mktxp_installed_packages_info",
        "since RouterOS 7 a package has the version of the system; a menu that needs one more is told as not supported",
    ),
    _sensor("routerboard_voltage", "voltage_volts", "voltage"),
    _sensor("routerboard_temperature", "temperature_celsius", "temperature"),
    _sensor("phy_temperature", "temperature_celsius", "phy-temperature"),
    _sensor("cpu_temperature", "temperature_celsius", "cpu-temperature"),
    _sensor("switch_temperature", "temperature_celsius", "switch-temperature"),
    _sensor("board_temperature1", "temperature_celsius", "board-temperature1"),
    _sensor("board_temperature2", "temperature_celsius", "board-temperature2"),
    _sensor("fan_one_speed", "fan_speed_rpm", "fan1-speed"),
    _sensor("fan_two_speed", "fan_speed_rpm", "fan2-speed"),
    _sensor("fan_three_speed", "fan_speed_rpm", "fan3-speed"),
    _sensor("fan_four_speed", "fan_speed_rpm", "fan4-speed"),
    _sensor("power_consumption", "power_watts", "power-consumption"),
    _sensor("poe_out_consumption", "power_watts", "poe-out-consumption"),
    _sensor("psu1_voltage", "voltage_volts", "psu1-voltage"),
    _sensor("psu2_voltage", "voltage_volts", "psu2-voltage"),
    _sensor("psu1_current", "current_amperes", "psu1-current"),
    _sensor("psu2_current", "current_amperes", "psu2-current"),
    _sensor("jack_voltage", "voltage_volts", "jack-voltage"),
    _sensor("2pin_voltage", "voltage_volts", "2pin-voltage"),
    _sensor("poe_in_voltage", "voltage_volts", "poe-in-voltage"),
    _psu_state(1),
    _psu_state(2),
    has(
        "mktxp_collection_time_total",
        "mikrotik_collector_duration_seconds",
        note="ours is the latest reading in seconds, theirs a sum in ms by the name of a class",
    ),
    lacks("mktxp_internet_bandwidth", "a speed test of the exporter's own machine; nothing a router says"),
    lacks(
        "mktxp_internet_latency",
        "a speed test of the exporter's own machine; see collector `netwatch` for a router's",
    ),
)


def _interface(theirs: str, ours: str) -> Row:
    return same(f"mktxp_{theirs}", f"mikrotik_interface_{ours}", labels=_NAME)


def _sfp(theirs: str, ours: str, *, times: float = 1, note: str = "") -> Row:
    return same(f"mktxp_interface_sfp_{theirs}", f"mikrotik_sfp_{ours}", labels=_NAME, times=times, note=note)


def _tunnel_mtu(theirs: str, protocols: str, note: str) -> Row:
    return same(
        f"mktxp_interface_{theirs}",
        "mikrotik_tunnel_mtu_bytes",
        labels=_NAME,
        where=f'protocol=~"{protocols}"',
        note=note,
    )


INTERFACES: tuple[Row, ...] = (
    _interface("interface_rx_byte_total", "receive_bytes_total"),
    _interface("interface_tx_byte_total", "transmit_bytes_total"),
    _interface("interface_rx_packet_total", "receive_packets_total"),
    _interface("interface_tx_packet_total", "transmit_packets_total"),
    _interface("interface_rx_error_total", "receive_errors_total"),
    _interface("interface_tx_error_total", "transmit_errors_total"),
    _interface("interface_rx_drop_total", "receive_drops_total"),
    _interface("interface_tx_drop_total", "transmit_drops_total"),
    _interface("link_downs_total", "link_downs_total"),
    _interface("interface_running", "running"),
    made(
        "mktxp_interface_disabled",
        "mikrotik_interface_enabled",
        by="1 - mikrotik_interface_enabled",
        labels=_NAME,
        note="the other way round",
    ),
    _interface("interface_actual_mtu", "mtu_bytes"),
    _interface("interface_comment_info", "info"),
    _interface("interface_type_info", "info"),
    _interface("interface_mac_address_info", "info"),
    _interface("interface_default_name_info", "info"),
    same("mktxp_interface_vlan_info", "mikrotik_vlan_info", labels="name=interface interface=parent"),
    same(
        "mktxp_interface_bridge_vlan_info",
        "mikrotik_bridge_vlan_info",
        labels="current_tagged=tagged current_untagged=untagged",
        note="no label `name`",
    ),
    _interface("interface_status", "link_up"),
    same(
        "mktxp_interface_rate",
        "mikrotik_interface_speed_bytes_per_second",
        labels=_NAME,
        times=8e-6,
        note="Mbit/s to bytes per second",
    ),
    _interface("interface_full_duplex", "full_duplex"),
    same(
        "mktxp_interface_sfp_info",
        "mikrotik_sfp_info",
        labels=f"{_NAME} sfp_connector_type=connector sfp_type=type sfp_vendor_name=vendor"
        " sfp_vendor_part_number=part_number sfp_vendor_serial=serial_number",
        note="no date of manufacture, no revision",
    ),
    _sfp("rx_loss", "receive_loss"),
    _sfp("tx_fault", "transmit_fault"),
    _sfp("supply_voltage", "supply_voltage_volts"),
    _sfp("rx_power", "receive_power_dbm"),
    _sfp("tx_power", "transmit_power_dbm"),
    _sfp("temperature", "temperature_celsius"),
    _sfp("tx_bias_current", "transmit_bias_current_amperes"),
    _sfp("wavelength", "wavelength_metres", times=1e9, note="nm to metres"),
    same(
        "mktxp_poe_info",
        "mikrotik_poe_out_info",
        labels=f"{_NAME} poe_out=mode poe_priority=priority",
        note="the status is a state set of its own, `mikrotik_poe_out_status`; no label `poe_voltage`",
    ),
    same("mktxp_poe_out_voltage", "mikrotik_poe_out_voltage_volts", labels=_NAME),
    same(
        "mktxp_poe_out_current",
        "mikrotik_poe_out_current_amperes",
        labels=_NAME,
        times=1000,
        note="mA to amperes",
    ),
    same("mktxp_poe_out_power", "mikrotik_poe_out_power_watts", labels=_NAME),
    _tunnel_mtu("mtu", "eoip|gre|ipip", "addresses and tunnel id are on `mikrotik_tunnel_info`"),
    _tunnel_mtu("l2mtu", "eoip", "theirs is the MTU as well, in spite of its name"),
)


def _station(theirs: str, ours: str, *, times: float = 1, note: str = "") -> tuple[Row, Row]:
    """Their one name for stations of any generation, of the router's own radios and of a controller's."""
    note = f"{note}; {_STATION_NOTE}" if note else _STATION_NOTE
    capsman = ours.replace("signal", "receive_signal") if ours == "signal_dbm" else ours
    return (
        same(
            f"mktxp_wlan_clients_{theirs}",
            f"mikrotik_wireless_station_{ours}",
            f"mikrotik_wifi_station_{ours}",
            labels="dhcp_name=mac_address",
            times=times,
            note=note,
        ),
        same(
            f"mktxp_capsman_clients_{theirs}",
            f"mikrotik_capsman_station_{capsman}",
            f"mikrotik_wifi_station_{ours}",
            labels="dhcp_name=mac_address",
            times=times,
            note=note,
        ),
    )


RADIOS: tuple[Row, ...] = (
    *_station("tx_bytes_total", "transmit_bytes_total"),
    *_station("rx_bytes_total", "receive_bytes_total"),
    *_station("signal_strength", "signal_dbm"),
    *_station("uptime_seconds", "uptime_seconds"),
    *_station("tx_rate_bps", "transmit_rate_bytes_per_second", times=8, note="bit/s to bytes per second"),
    *_station("rx_rate_bps", "receive_rate_bytes_per_second", times=8, note="bit/s to bytes per second"),
    same(
        "mktxp_wlan_clients_devices_info",
        "mikrotik_wireless_station_info",
        "mikrotik_wifi_station_info",
        labels=_CLIENT,
        note="`dhcp_name` is the label `client`, with `client_names`; no `dhcp_address`",
    ),
    same(
        "mktxp_capsman_clients_devices_info",
        "mikrotik_capsman_station_info",
        "mikrotik_wifi_station_info",
        labels=_CLIENT,
        note="`dhcp_name` is the label `client`, with `client_names`; no `dhcp_address`",
    ),
    same(
        "mktxp_wlan_clients_signal_to_noise",
        "mikrotik_wireless_station_signal_to_noise_db",
        labels="dhcp_name=mac_address",
        note=_STATION_NOTE,
    ),
    same(
        "mktxp_wlan_clients_tx_ccq",
        "mikrotik_wireless_station_transmit_ccq_ratio",
        labels="dhcp_name=mac_address",
        times=100,
        note=f"percent to 0-1; {_STATION_NOTE}",
    ),
    same("mktxp_wlan_noise_floor", "mikrotik_wireless_noise_floor_dbm", note="by interface, not by channel"),
    same(
        "mktxp_wlan_overall_tx_ccq",
        "mikrotik_wireless_transmit_ccq_ratio",
        times=100,
        note="percent to 0-1; by interface, not by channel",
    ),
    same(
        "mktxp_wlan_registered_clients",
        "mikrotik_wireless_registered_clients",
        "mikrotik_wifi_registered_peers",
        note="by interface, not by channel",
    ),
    same(
        "mktxp_capsman_registrations_count",
        "mikrotik_capsman_stations",
        "mikrotik_wifi_stations",
        note="interfaces without stations are told as 0",
    ),
    same("mktxp_capsman_remote_caps_info", "mikrotik_capsman_remote_cap_info", labels="identity=cap"),
    same(
        "mktxp_capsman_interfaces_info",
        "mikrotik_capsman_interface_info",
        labels=_NAME,
        note="what changes (state, clients) is `mikrotik_capsman_interface_*`, not labels",
    ),
    same("mktxp_w60g_connected", "mikrotik_w60g_connected", labels=_NAME),
    same("mktxp_w60g_distance", "mikrotik_w60g_distance_metres", labels=_NAME),
    same(
        "mktxp_w60g_frequency", "mikrotik_w60g_frequency_hertz", labels=_NAME, times=1e-6, note="MHz to hertz"
    ),
    same("mktxp_w60g_rssi", "mikrotik_w60g_rssi_dbm", labels=_NAME),
    same("mktxp_w60g_signal", "mikrotik_w60g_signal_ratio", labels=_NAME, times=100, note="percent to 0-1"),
    same("mktxp_w60g_tx_mcs", "mikrotik_w60g_transmit_mcs", labels=_NAME),
    same(
        "mktxp_w60g_tx_packet_error_rate",
        "mikrotik_w60g_transmit_packet_error_ratio",
        labels=_NAME,
        times=100,
        note="percent to 0-1",
    ),
    same(
        "mktxp_w60g_tx_phy_rate",
        "mikrotik_w60g_transmit_rate_bytes_per_second",
        labels=_NAME,
        times=8,
        note="bit/s to bytes per second",
    ),
    same("mktxp_w60g_tx_sector", "mikrotik_w60g_transmit_sector", labels=_NAME),
    same("mktxp_w60g_tx_sector_info", "mikrotik_w60g_peer_info", labels=f"{_NAME} tx_sector_info=sector"),
    same("mktxp_w60g_remote_address_info", "mikrotik_w60g_peer_info", labels=_NAME),
    same("mktxp_w60g_baseband_temperature", "mikrotik_w60g_baseband_temperature_celsius", labels=_NAME),
    same("mktxp_w60g_rf_temperature", "mikrotik_w60g_radio_temperature_celsius", labels=_NAME),
    same("mktxp_lte_pin_status", "mikrotik_lte_pin_ok"),
    same("mktxp_lte_registration_status", "mikrotik_lte_registration", where='state="registered"'),
    same(
        "mktxp_lte_current_operator_info",
        "mikrotik_lte_network_info",
        labels="current_operator=operator",
        note="no label `subscriber_number`: it is a person's",
    ),
    same("mktxp_lte_session_uptime", "mikrotik_lte_session_uptime_seconds"),
    same("mktxp_lte_rsrp", "mikrotik_lte_rsrp_dbm"),
    same("mktxp_lte_rsrq", "mikrotik_lte_rsrq_db"),
    same("mktxp_lte_sinr", "mikrotik_lte_sinr_db"),
    same("mktxp_lte_rssi", "mikrotik_lte_rssi_dbm"),
    same("mktxp_lte_nr_rsrp", "mikrotik_lte_nr_rsrp_dbm"),
    same("mktxp_lte_nr_rsrq", "mikrotik_lte_nr_rsrq_db"),
    same("mktxp_lte_nr_sinr", "mikrotik_lte_nr_sinr_db"),
)
