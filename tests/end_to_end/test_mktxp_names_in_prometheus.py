"""From mktxp to its own dashboards: the imported configuration is served, and Prometheus has mktxp's series of it."""

import asyncio
import re
import subprocess
from pathlib import Path

import aiohttp
import pytest
import yaml

from exporter.parity import MKTXP
from exporter.paritydoc import RULES
from simulator import Network, RouterSpec
from tests.end_to_end.test_prometheus_scrapes import Prometheus, Vector, prometheus_on
from tests.fakes.exporter_process import command, exporter_process, free_port

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.system("prometheus", "promtool"), pytest.mark.timeout(300)]

FLAGS = "dns routerboard ipv6_pool certificate bridge_vlan lte switch_port w60g wireguard_peers bfd bgp routing_stats"
SEEN = (
    "mktxp_system_uptime",
    "mktxp_system_identity_info",
    "mktxp_routerboard_info",
    "mktxp_interface_rx_byte_total",
    "mktxp_interface_rate",
    "mktxp_interface_comment_info",
    "mktxp_queue_simple_rates_download_total",
    "mktxp_dhcp_lease_active_count",
    "mktxp_dns_info",
    "mktxp_firewall_filter_total",
    "mktxp_ip_connections_total",
    "mktxp_ip_pool_used",
    "mktxp_routes_protocol_count",
    "mktxp_netwatch_status",
    "mktxp_wlan_clients_devices_info",
    "mktxp_certificate_expiration_timestamp_seconds",
    "mktxp_lte_rsrp",
)


async def test_mktxp_series_appear_from_an_imported_configuration(tmp_path: Path) -> None:
    """The values are ours in mktxp's units, each series with its labels; no rule fails, no two series are one."""
    async with Network([RouterSpec("hut")]) as network:
        device = network["hut"]
        switched = "".join(f"{flag} = True\n" for flag in FLAGS.split())
        (tmp_path / "mktxp.conf").write_text(
            f"[hut]\nhostname = {device.spec.host}\nport = {device.port}\nusername = {device.spec.username}\n"
            f"password = {device.spec.password}\ncustom_labels = site:hill\n{switched}",
            encoding="utf-8",
        )
        listen = f"127.0.0.1:{free_port()}"
        (tmp_path / "_mktxp.conf").write_text(f"[MKTXP]\nlisten = {listen}\n", encoding="utf-8")
        file = tmp_path / "exporter.yml"
        words = (
            "import",
            "mktxp",
            tmp_path / "mktxp.conf",
            "--main",
            tmp_path / "_mktxp.conf",
            "--output",
            file,
        )
        done = await asyncio.to_thread(
            subprocess.run, command(*words), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        with exporter_process("serve", "--config", file) as exporter:
            await exporter.saw("exporter.listening")
            config = {
                "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
                "rule_files": [str(ROOT / RULES)],
                "scrape_configs": [
                    {
                        "job_name": "page",
                        "static_configs": [{"targets": [listen]}],
                    }
                ],
            }
            async with aiohttp.ClientSession() as client:
                with prometheus_on(tmp_path, yaml.safe_dump(config)) as url:
                    server = Prometheus(url, client)
                    await the_series_are_there(server)
                    await rules_are_healthy(server)
            assert await asyncio.to_thread(exporter.end) == 0


async def the_series_are_there(server: Prometheus) -> None:
    for name in SEEN:
        found = await server.until(name, bool)
        for labels in map(dict, found):
            assert labels["routerboard_name"] == "hut", name
            assert labels["routerboard_address"] == "127.0.0.1", name
            assert labels["site"] == "hill", name
    pairs = (
        (
            "mktxp_interface_rate{name='ether1'}",
            "mikrotik_interface_speed_bytes_per_second{interface='ether1'} * 8e-6",
        ),
        (
            "mktxp_system_total_memory{board_name!='',version!='',cpu!=''}",
            "mikrotik_system_memory_total_bytes",
        ),
        ("count(mktxp_interface_rx_byte_total)", "count(mikrotik_interface_receive_bytes_total)"),
        (
            "count(mktxp_wlan_clients_devices_info{dhcp_name!~'([0-9A-F]{2}:){5}.*'})",
            "count(mikrotik_wifi_station_info)",
        ),
    )
    for theirs, ours in pairs:
        wanted = list((await server.until(ours, bool)).values())

        def are_the_same(found: Vector, wanted: list[float] = wanted) -> bool:
            return list(found.values()) == wanted

        await server.until(theirs, are_the_same)


async def rules_are_healthy(server: Prometheus) -> None:
    async with server.client.get(server.url + "/api/v1/rules") as response:
        groups = (await response.json())["data"]["groups"]
    health = {
        rule["name"]: rule["health"] + rule.get("lastError", "")
        for group in groups
        for rule in group["rules"]
    }
    assert {name: told for name, told in health.items() if told != "ok"} == {}
    told = await server.query('count by (__name__) ({__name__=~"mktxp_.+"})')
    recorded = {dict(labels)["__name__"] for labels in told}
    assert recorded <= {row.theirs for row in MKTXP.rows}
    assert len(recorded) > 100
    assert all(re.fullmatch(r"mktxp_[a-z0-9_]+", name) for name in recorded)
