"""Which of our collectors tells what a flag of mktxp switches on; and what its other keys come to here."""

from collections.abc import Mapping

ALWAYS = ("system",)
"""What mktxp reads without a flag: identity and resources."""

ON_BY_DEFAULT = frozenset(
    [
        "plaintext_login",
        "dhcp",
        "health",
        "installed_packages",
        "dhcp_lease",
        "connections",
        "interface",
        "route",
        "pool",
        "firewall",
        "address_list_entries",
        "total_address_list_counts",
        "neighbor",
        "monitor",
        "ssl_check_hostname",
        "wireless",
        "wireless_clients",
        "capsman",
        "capsman_clients",
        "poe",
        "netwatch",
        "public_ip",
        "user",
        "queue",
        "ipv6_address_list_entries",
        "ipv6_total_address_list_counts",
    ]
)
"""Flags that mktxp takes for True where a file says nothing."""

COLLECTORS: Mapping[str, tuple[str, ...]] = {
    "health": ("health",),
    "dhcp": ("dhcp",),
    "dhcp_lease": ("dhcp",),
    "connections": ("connection_tracking",),
    "interface": ("interface", "vlan"),
    "routerboard": ("system",),
    "wireguard_peers": ("wireguard",),
    "bridge_vlan": ("bridge",),
    "route": ("route",),
    "ipv6_route": ("route",),
    "pool": ("pool",),
    "ipv6_pool": ("pool",),
    "firewall": ("firewall",),
    "ipv6_firewall": ("firewall",),
    "neighbor": ("neighbor",),
    "dns": ("dns",),
    "poe": ("ethernet",),
    "monitor": ("ethernet",),
    "netwatch": ("netwatch",),
    "public_ip": ("cloud",),
    "wireless": ("wireless", "wifi"),
    "wireless_clients": ("wireless", "wifi"),
    "capsman": ("capsman",),
    "capsman_clients": ("capsman", "wifi"),
    "w60g": ("w60g",),
    "eoip": ("tunnel",),
    "gre": ("tunnel",),
    "ipip": ("tunnel",),
    "lte": ("lte",),
    "ipsec": ("ipsec",),
    "switch_port": ("switch",),
    "kid_control_assigned": ("kid_control",),
    "kid_control_dynamic": ("kid_control",),
    "user": ("user",),
    "queue": ("queue",),
    "bfd": ("bfd",),
    "bgp": ("bgp",),
    "routing_stats": ("routing_stats",),
    "certificate": ("certificate",),
    "container": ("container",),
}

LISTS = ("address_list", "ipv6_address_list")
"""Names of address lists; any at all switches the collector `address_list` on."""

A_SERIES_EACH: Mapping[str, tuple[str, ...]] = {
    "dhcp_lease": ("dhcp",),
    "wireless_clients": ("wireless", "wifi"),
    "capsman_clients": ("capsman", "wifi"),
    "kid_control_assigned": ("kid_control",),
    "kid_control_dynamic": ("kid_control",),
}
"""Flags that ask for series of each client, of collectors that give none unless asked (`mode`)."""

NAMES_CLIENTS = ("wireless_clients", "capsman_clients")
"""Flags with which mktxp tells DHCP names, so that `client_names` is switched on."""

CONNECTION = frozenset(
    [
        "enabled",
        "module_only",
        "hostname",
        "port",
        "username",
        "password",
        "credentials_file",
        "custom_labels",
        "use_ssl",
        "no_ssl_certificate",
        "ssl_certificate_verify",
        "ssl_check_hostname",
        "ssl_ca_file",
        "plaintext_login",
    ]
)

NOT_CARRIED: Mapping[str, str] = {
    "installed_packages": "packages are not told",
    "ipv6_neighbor": "IPv6 neighbours are not told",
    "connection_stats": "connections by address are not told: that reads the whole connection table",
    "connection_stats_destinations": "connections by address are not told: that reads the whole connection table",
    "check_for_updates": "the exporter makes no router ask the Internet; what it found by itself is told",
    "interface_with_default_name": "the default name is on mikrotik_interface_info, not on counters",
    "remote_dhcp_entry": "names come from the leases of the same router only",
    "remote_capsman_entry": "stations are told by the controller's own router",
    "use_comments_over_names": "comments are on the infos, beside the names",
    "probe_allowed_targets": "only routers of the configuration can be probed",
}
"""Keys that have no counterpart, and why; told where they are switched on."""

NO_MATTER = frozenset(
    [
        "address_list_entries",
        "total_address_list_counts",
        "ipv6_address_list_entries",
        "ipv6_total_address_list_counts",
        "rsc_ssh_port",
        "rsc_ssh_user",
    ]
)
"""Keys that say how mktxp does something which is done here otherwise, or that have nothing to do with metrics."""

MAIN_NOT_CARRIED: Mapping[str, str] = {
    "bandwidth": "there is no speed test of the exporter's own machine",
}
MAIN_NO_MATTER = frozenset(
    [
        "port",
        "initial_delay_on_failure",
        "max_delay_on_failure",
        "delay_inc_div",
        "bandwidth_test_dns_server",
        "bandwidth_test_interval",
        "minimal_collect_interval",
        "verbose_mode",
        "fetch_routers_in_parallel",
        "max_worker_threads",
        "max_scrape_duration",
        "total_max_scrape_duration",
        "http_server_threads",
        "persistent_router_connection_pool",
        "persistent_dhcp_cache",
        "compact_default_conf_values",
        "prometheus_headers_deduplication",
        "probe_connection_pool",
        "probe_connection_pool_ttl",
        "probe_connection_pool_max_size",
        "enable_probe",
    ]
)
"""Keys of _mktxp.conf about how it works within; here routers are read side by side, and caches have TTLs."""
