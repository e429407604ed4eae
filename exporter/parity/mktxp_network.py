"""mktxp 2.1.0: services, queues, firewall, tunnels and routing."""

from exporter.parity.row import Join, Row, has, lacks, made, same

_PEER = "name=peer"
_QUEUE = "name=queue"
_PROBE = "name=probe"
_PROBE_TYPE = Join("mikrotik_netwatch_info", on="probe, host", labels="type")
_TASKS = Join("mikrotik_routing_process_info", on="process", labels="tasks")
_LOGIN = "theirs is the time of each login by name and address; ours how many there are, by way and group"


def _wireguard(theirs: str, ours: str, by: str, note: str = "") -> Row:
    note = f"{note}; " if note else ""
    return made(
        f"mktxp_{theirs}",
        f"mikrotik_wireguard_peer_{ours}",
        by=by,
        labels=_PEER,
        join=Join("mikrotik_wireguard_peer_info", on="interface, peer", labels="comment, allowed_address"),
        note=f"{note}the endpoint, which changes, is on `mikrotik_wireguard_peer_endpoint_info`",
    )


SERVICES: tuple[Row, ...] = (
    has("mktxp_active_users_info", "mikrotik_user_sessions", note=_LOGIN),
    same(
        "mktxp_dhcp_lease_active_count",
        "mikrotik_dhcp_leases_bound",
        note="servers without leases are told as 0",
    ),
    has(
        "mktxp_dhcp_lease_info",
        "mikrotik_dhcp_lease_info",
        note="theirs is the seconds until the lease ends, ours an info, with `mode: full`, for leases of any status",
    ),
    same("mktxp_ip_pool_total", "mikrotik_ip_pool_addresses"),
    same("mktxp_ip_pool_used", "mikrotik_ip_pool_used_addresses"),
    lacks("mktxp_ip_pool_total_ipv6", "a pool of prefixes does not tell how many it holds"),
    same("mktxp_ip_pool_used_ipv6", "mikrotik_ipv6_pool_used_prefixes"),
    made(
        "mktxp_dns_info",
        "mikrotik_dns_cache_size_bytes",
        "mikrotik_dns_cache_used_bytes",
        by='label_replace(mikrotik_dns_cache_size_bytes, "property", "cache_size", "", "")'
        ' or label_replace(mikrotik_dns_cache_used_bytes, "property", "cache_used", "", "")',
        note="two metrics instead of a label `property`",
    ),
    same("mktxp_public_ip_address_info", "mikrotik_cloud_info"),
    has("mktxp_neighbor_info", "mikrotik_neighbors", note="how many by interface; no series per neighbour"),
    lacks("mktxp_ipv6_neighbor_info", "a series per address that any device makes up for itself"),
    same(
        "mktxp_certificate_expiration_timestamp_seconds",
        "mikrotik_certificate_expiry_timestamp_seconds",
        labels="name=certificate",
        join=Join("mikrotik_certificate_info", on="certificate", labels="common_name, key_type"),
        note="names are on `mikrotik_certificate_info`",
    ),
    same(
        "mktxp_container_info",
        "mikrotik_container_info",
        labels="name=container repo=tag",
        note="the status is a state set of its own, `mikrotik_container_state`",
    ),
    same("mktxp_netwatch_status", "mikrotik_netwatch_up", labels=_PROBE, join=_PROBE_TYPE),
    same(
        "mktxp_netwatch_info",
        "mikrotik_netwatch_info",
        labels=_PROBE,
        note="what changes (since, status) is `mikrotik_netwatch_*`, not labels",
    ),
    same("mktxp_netwatch_done_tests", "mikrotik_netwatch_tests_total", labels=_PROBE, join=_PROBE_TYPE),
    same(
        "mktxp_netwatch_failed_tests", "mikrotik_netwatch_failed_tests_total", labels=_PROBE, join=_PROBE_TYPE
    ),
    lacks("mktxp_netwatch_icmp_loss_count", "the ratio tells the same, whatever the number of pings"),
    same(
        "mktxp_netwatch_icmp_loss_percent",
        "mikrotik_netwatch_loss_ratio",
        labels=_PROBE,
        times=100,
        join=_PROBE_TYPE,
        note="percent to 0-1",
    ),
    *(
        same(
            f"mktxp_netwatch_{theirs}",
            f"mikrotik_netwatch_{ours}_seconds",
            labels=_PROBE,
            times=1000,
            join=_PROBE_TYPE,
            note="ms to seconds",
        )
        for theirs, ours in (
            ("icmp_rtt_avg_ms", "rtt_average"),
            ("icmp_rtt_min_ms", "rtt_min"),
            ("icmp_rtt_max_ms", "rtt_max"),
            ("icmp_rtt_jitter_ms", "rtt_jitter"),
            ("icmp_rtt_stdev_ms", "rtt_stddev"),
            ("tcp_connect_time_ms", "tcp_connect"),
            ("http_resp_time", "http_response"),
        )
    ),
    same(
        "mktxp_netwatch_http_status_code",
        "mikrotik_netwatch_http_status_code",
        labels=_PROBE,
        join=_PROBE_TYPE,
    ),
    made(
        "mktxp_kid_control_device_info",
        "mikrotik_kid_control_device_blocked",
        by="mikrotik_kid_control_device_blocked * 0 + 1",
        labels="name=device",
        note="no labels of person, address and DHCP name",
    ),
    *(
        same(
            f"mktxp_kid_control_device_{theirs}",
            f"mikrotik_kid_control_device_{ours}",
            labels="name=device",
            times=times,
        )
        for theirs, ours, times in (
            ("bytes_down_total", "download_bytes_total", 1),
            ("bytes_up_total", "upload_bytes_total", 1),
            ("rate_down", "download_bytes_per_second", 8),
            ("rate_up", "upload_bytes_per_second", 8),
            ("idle_time", "idle_seconds", 1),
        )
    ),
)


def _simple_queue(theirs: str, ours: str, *, times: float = 1, note: str = "") -> tuple[Row, Row]:
    misspelt = "queued_bytes_downloadd" if theirs == "queued_bytes" else f"{theirs}_download"
    return (
        same(
            f"mktxp_queue_simple_{theirs}_upload_total",
            f"mikrotik_simple_queue_upload_{ours}",
            labels=_QUEUE,
            times=times,
            note=note,
        ),
        same(
            f"mktxp_queue_simple_{misspelt}_total",
            f"mikrotik_simple_queue_download_{ours}",
            labels=_QUEUE,
            times=times,
            note=note,
        ),
    )


_GAUGE = "a gauge, in spite of its name"

QUEUES: tuple[Row, ...] = (
    *_simple_queue("bytes", "bytes_total"),
    *_simple_queue("dropped", "dropped_packets_total", note="packets, though theirs says bytes"),
    *_simple_queue("queued_bytes", "queued_bytes", note=_GAUGE),
    *_simple_queue("rates", "rate_bytes_per_second", times=8, note=f"{_GAUGE}; bit/s to bytes per second"),
    same("mktxp_queue_tree_bytes_total", "mikrotik_queue_tree_bytes_total", labels=_QUEUE),
    same(
        "mktxp_queue_tree_dropped_total",
        "mikrotik_queue_tree_dropped_packets_total",
        labels=_QUEUE,
        note="packets, though theirs says bytes",
    ),
    same(
        "mktxp_queue_tree_queued_bytes_total", "mikrotik_queue_tree_queued_bytes", labels=_QUEUE, note=_GAUGE
    ),
    same(
        "mktxp_queue_tree_rates_total",
        "mikrotik_queue_tree_rate_bytes_per_second",
        labels=_QUEUE,
        times=8,
        note=f"{_GAUGE}; bit/s to bytes per second",
    ),
)


def _rules(table: str, version: str) -> Row:
    suffix = "_ipv6" if version == "6" else ""
    ours = "mikrotik_firewall_rule_bytes_total"
    where = f'{{ip_version="{version}",table="{table}"}}'
    joined = f'label_join({ours}{where}, "name", " | ", "chain", "action", "comment")'
    return made(
        f"mktxp_firewall_{table}{suffix}_total",
        ours,
        by=f'label_replace({joined}, "name", "| $1", "name", "(.*)")',
        note="chain, action and comment are labels of their own; no interface, protocol or log flag",
    )


def _lists(version: str) -> tuple[Row, ...]:
    suffix = "_ipv6" if version == "6" else ""
    where = f'{{ip_version="{version}"}}'
    total = f"sum without (list) (mikrotik_address_list_entries{where})"
    dynamic = f"sum without (list) (mikrotik_address_list_entries_dynamic{where})"
    return (
        lacks(
            f"mktxp_firewall_address_list{suffix}",
            "a series per entry, with lists that grow to tens of thousands",
        ),
        same(
            f"mktxp_firewall_address_list_selected_count{suffix}",
            "mikrotik_address_list_entries",
            where=where.strip("{}"),
            note="every list, not only selected ones",
        ),
        made(
            f"mktxp_firewall_address_list_all_count{suffix}",
            "mikrotik_address_list_entries",
            "mikrotik_address_list_entries_dynamic",
            by=f'label_replace({total}, "count_type", "total", "", "")'
            f' or label_replace({dynamic}, "count_type", "dynamic", "", "")'
            f' or label_replace({total} - {dynamic}, "count_type", "static", "", "")',
            note="sums over the lists",
        ),
    )


FIREWALL: tuple[Row, ...] = (
    *(_rules(table, version) for version in ("4", "6") for table in ("filter", "nat", "mangle", "raw")),
    *_lists("4"),
    *_lists("6"),
    same("mktxp_ip_connections_total", "mikrotik_connection_tracking_entries", note=_GAUGE),
    same("mktxp_ipv4_connections_total", "mikrotik_connection_tracking_ipv4_entries", note=_GAUGE),
    same("mktxp_ipv6_connections_total", "mikrotik_connection_tracking_ipv6_entries", note=_GAUGE),
    lacks("mktxp_connection_stats", "reads the whole connection table each time, for a series per address"),
)


def _ipsec(theirs: str, ours: str) -> Row:
    return same(f"mktxp_ipsec_peer_{theirs}", f"mikrotik_ipsec_peer_{ours}", labels="name=peer_id")


def _switch(theirs: str, ours: str) -> Row:
    return same(f"mktxp_switch_{theirs}_total", f"mikrotik_switch_port_{ours}_total", labels="name=interface")


def _milliseconds(theirs: str, ours: str, labels: str = "") -> Row:
    return same(f"mktxp_{theirs}", f"mikrotik_{ours}", labels=labels, times=1000, note="ms to seconds")


LINKS: tuple[Row, ...] = (
    _wireguard("peer_rx_total", "receive_bytes_total", "mikrotik_wireguard_peer_receive_bytes_total"),
    _wireguard("peer_tx_total", "transmit_bytes_total", "mikrotik_wireguard_peer_transmit_bytes_total"),
    _wireguard("peer_disabled", "enabled", "1 - mikrotik_wireguard_peer_enabled", "the other way round"),
    _wireguard(
        "last_handshake",
        "last_handshake_timestamp_seconds",
        "time() - mikrotik_wireguard_peer_last_handshake_timestamp_seconds",
        "seconds since, to the time of it; a peer that never shook hands has none",
    ),
    made(
        "mktxp_ipsec_peer_state_info",
        "mikrotik_ipsec_peer_state",
        by="mikrotik_ipsec_peer_state == 1",
        labels="name=peer_id",
        note="a state set, of which theirs is the one that holds",
    ),
    _ipsec("rx_byte_total", "receive_bytes_total"),
    _ipsec("tx_byte_total", "transmit_bytes_total"),
    _ipsec("rx_packet_total", "receive_packets_total"),
    _ipsec("tx_packet_total", "transmit_packets_total"),
    _ipsec("security_association", "security_associations"),
    _ipsec("responder", "responder"),
    _ipsec("natt_enabled", "nat_traversal"),
    _milliseconds("ipsec_peer_uptime", "ipsec_peer_uptime_seconds", "name=peer_id"),
    made(
        "mktxp_ipsec_peer_last_seen",
        "mikrotik_ipsec_peer_last_seen_timestamp_seconds",
        by="(time() - mikrotik_ipsec_peer_last_seen_timestamp_seconds) * 1000",
        labels="name=peer_id",
        note="ms since, to the time of it",
    ),
    _switch("driver_rx_byte", "driver_receive_bytes"),
    _switch("driver_rx_packet", "driver_receive_packets"),
    _switch("driver_tx_byte", "driver_transmit_bytes"),
    _switch("driver_tx_packet", "driver_transmit_packets"),
    _switch("rx_bytes", "receive_bytes"),
    _switch("rx_broadcast", "receive_broadcasts"),
    _switch("rx_pause", "receive_pauses"),
    _switch("rx_multicast", "receive_multicasts"),
    _switch("rx_fcs_error", "receive_fcs_errors"),
    _switch("rx_align_error", "receive_align_errors"),
    _switch("rx_fragment", "receive_fragments"),
    _switch("rx_overflow", "receive_overflows"),
    _switch("rx_drop", "receive_drops"),
    _switch("tx_bytes", "transmit_bytes"),
    _switch("tx_broadcast", "transmit_broadcasts"),
    _switch("tx_pause", "transmit_pauses"),
    _switch("tx_multicast", "transmit_multicasts"),
    _switch("tx_underrun", "transmit_underruns"),
    _switch("tx_collision", "transmit_collisions"),
    _switch("tx_deferred", "transmit_deferred"),
    _switch("tx_drop", "transmit_drops"),
)


def _routes(version: str) -> tuple[Row, Row]:
    suffix = "_ipv6" if version == "6" else ""
    where = f'ip_version="{version}"'
    return (
        same(f"mktxp_routes_total_routes{suffix}", "mikrotik_routes", where=where),
        same(
            f"mktxp_routes_protocol_count{suffix}",
            "mikrotik_routes_active_by_protocol",
            where=where,
            note="routes in use only",
        ),
    )


def _process(theirs: str, ours: str, note: str = "") -> Row:
    return same(f"mktxp_routing_stats_{theirs}", f"mikrotik_routing_process_{ours}", join=_TASKS, note=note)


_MAXIMUM = "a gauge, in spite of its name: a maximum"

ROUTING: tuple[Row, ...] = (
    *_routes("4"),
    *_routes("6"),
    same("mktxp_bgp_sessions_info", "mikrotik_bgp_session_info", labels=_PEER, note="no address families"),
    same(
        "mktxp_bgp_established", "mikrotik_bgp_established", labels=_PEER, note="0 for a peer that vanished"
    ),
    same("mktxp_bgp_prefix_count", "mikrotik_bgp_prefixes", labels=_PEER),
    same("mktxp_bgp_remote_messages_total", "mikrotik_bgp_receive_messages_total", labels=_PEER),
    same("mktxp_bgp_local_messages_total", "mikrotik_bgp_transmit_messages_total", labels=_PEER),
    same("mktxp_bgp_remote_bytes_total", "mikrotik_bgp_receive_bytes_total", labels=_PEER),
    same("mktxp_bgp_local_bytes_total", "mikrotik_bgp_transmit_bytes_total", labels=_PEER),
    _milliseconds("bgp_uptime", "bgp_uptime_seconds", _PEER),
    same("mktxp_bfd_up", "mikrotik_bfd_up", note="no label `local_address`"),
    same("mktxp_bfd_multiplier", "mikrotik_bfd_multiplier"),
    same("mktxp_bfd_rx_packet_total", "mikrotik_bfd_receive_packets_total"),
    same("mktxp_bfd_tx_packet_total", "mikrotik_bfd_transmit_packets_total"),
    same("mktxp_bfd_state_change_total", "mikrotik_bfd_state_changes_total"),
    _milliseconds("bfd_hold_time", "bfd_hold_seconds"),
    _milliseconds("bfd_tx_interval", "bfd_transmit_interval_seconds"),
    _milliseconds("bfd_tx_interval_desired", "bfd_desired_transmit_interval_seconds"),
    _milliseconds("bfd_uptime", "bfd_uptime_seconds"),
    same(
        "mktxp_routing_stats_processes_info",
        "mikrotik_routing_process_info",
        note="no `id` and `pid`, which change",
    ),
    _process("private_mem", "private_bytes"),
    _process("shared_mem", "shared_bytes"),
    _process("kernel_time_total", "kernel_seconds_total"),
    _process("process_time_total", "seconds_total"),
    _process("max_busy_total", "max_busy_seconds", _MAXIMUM),
    _process("max_calc_total", "max_calculation_seconds", _MAXIMUM),
)
