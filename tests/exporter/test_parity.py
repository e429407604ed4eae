"""The parity tables: complete on their side, true on ours; and the rules made from them, in promtool's judgement."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml

from exporter import paritydoc
from exporter.collectors import ALL
from exporter.parity import KAROLBEDKOWSKI, MKTXP, NSHTTPD, PEERS, SWOGA, Peer
from exporter.parity.promql import ROUTER, SYSTEM, rules
from exporter.samples import Kind
from exporter.scrape import FAMILIES

LISTS = Path(__file__).parent / "peers"
ROOT = Path(__file__).resolve().parents[2]
OURS = {family.name: family for family in FAMILIES}
ROUTER_LABELS = {"router", "routerboard_name", "routerboard_address"}
RULED = [row for row in MKTXP.rows if row.rule is not None]


@pytest.mark.parametrize(
    ("peer", "file"),
    [
        (MKTXP, "mktxp-2.1.0.txt"),
        (NSHTTPD, "nshttpd.txt"),
        (SWOGA, "swoga.txt"),
        (KAROLBEDKOWSKI, "karolbedkowski.txt"),
    ],
    ids=lambda value: value.name if isinstance(value, Peer) else "",
)
def test_a_table_has_each_of_their_metrics_once(peer: Peer, file: str) -> None:
    """No metric of theirs is forgotten, none is made up, and none comes twice."""
    theirs = (LISTS / file).read_text(encoding="utf-8").split()
    assert len(theirs) > 80
    assert sorted(row.theirs for row in peer.rows) == sorted(theirs)


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_each_of_ours_exists(peer: Peer) -> None:
    """What a table promises is a family of the exporter."""
    assert {name for row in peer.rows for name in row.ours} - OURS.keys() == set()
    quoted = {
        name for row in peer.rows for name in re.findall(r"`(mikrotik_[a-z0-9_]+)`", row.note + row.why_not)
    }
    assert quoted - OURS.keys() == set()


def test_why_not_is_the_smaller_part() -> None:
    """Nine in ten and more of mktxp's metrics are told here; the page says how many of each peer."""
    told = Counter(bool(row.ours) for row in MKTXP.rows)
    assert told[True] / len(MKTXP.rows) > 0.9
    assert f"| {len(MKTXP.rows)} | {told[True]} | {told[False]} |" in paritydoc.document()


@pytest.mark.parametrize("row", RULED, ids=lambda row: row.theirs)
def test_a_rule_uses_families_and_labels_that_exist(row) -> None:  # type: ignore[no-untyped-def]  # pytest's own
    """Each family in a rule is one of the row's, each label that it renames, joins or selects by is there."""
    text = " ".join(row.rule.expressions)
    used = set(re.findall(r"mikrotik_[a-z0-9_]+", text))
    assert used == set(row.ours)
    there = {label for name in used for label in OURS[name].labels}
    if row.rule.join is not None:
        family = OURS[row.rule.join.family]
        assert family.kind is Kind.INFO
        assert set(row.rule.join.on.split(", ")) <= there
        assert set(row.rule.join.on.split(", ") + row.rule.join.labels.split(", ")) <= set(family.labels)
        there |= set(row.rule.join.labels.split(", "))
    assert {ours for _, ours in row.rule.labels} <= there
    states = {label for name in used for label in ("state",) if OURS[name].kind is Kind.STATE_SET}
    assert set(re.findall(r"(\w+)=~?\"", text)) <= there | states


def test_counters_come_from_counters() -> None:
    """A name that dashboards take a rate of is computed from a counter, unless the note says that it is none."""
    for row in RULED:
        if row.theirs.endswith("_total") and "gauge" not in row.note and row.theirs != "mktxp_ip_pool_total":
            assert {OURS[name].kind for name in row.ours} == {Kind.COUNTER}, row.theirs


def test_names_of_rules_differ() -> None:
    """Each name is recorded by one rule, after those that it builds upon."""
    recorded = [name for name, _ in rules(MKTXP.rows)]
    assert recorded[:2] == [ROUTER, SYSTEM]
    assert len(set(recorded)) == len(recorded) == len(RULED) + 2


def test_written_files_are_up_to_date(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page and the rule file in the repository are what the tables give."""
    monkeypatch.chdir(ROOT)
    assert paritydoc.main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_file_is_told_and_written_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--check names the file and the remedy, --write mends it."""
    monkeypatch.chdir(tmp_path)
    assert paritydoc.main(["--check"]) == 1
    assert "make docs" in capsys.readouterr().err
    assert paritydoc.main(["--write"]) == 0
    assert paritydoc.main(["--check"]) == 0


def promtool(*arguments: str | Path) -> str:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.system("promtool")
def test_prometheus_accepts_the_rules() -> None:
    """Every expression is PromQL, and every name one that may be recorded."""
    assert f"{len(RULED) + 2} rules found" in promtool("check", "rules", ROOT / paritydoc.RULES)


INPUT = {
    'mikrotik_router_info{J,address="192.0.2.1",module="default"}': "1x9",
    'mikrotik_system_info{J,version="7.16",board_name="hAP",cpu="ARM",architecture="arm64",platform="M"}': "1x9",
    "mikrotik_system_cpu_load_ratio{J}": "0.25x9",
    'mikrotik_interface_receive_bytes_total{J,interface="ether1"}': "0+600x9",
    'mikrotik_interface_speed_bytes_per_second{J,interface="ether1"}': "125000000x9",
    'mikrotik_interface_enabled{J,interface="ether1"}': "1x9",
    'mikrotik_simple_queue_download_rate_bytes_per_second{J,queue="home"}': "1000x9",
    'mikrotik_netwatch_rtt_average_seconds{J,probe="gw",host="192.0.2.9"}': "0.0125x9",
    'mikrotik_netwatch_info{J,probe="gw",host="192.0.2.9",type="icmp"}': "1x9",
    'mikrotik_vlan_info{J,interface="vlan7",vlan_id="7",parent="bridge"}': "1x9",
    "mikrotik_dns_cache_size_bytes{J}": "2048x9",
    "mikrotik_dns_cache_used_bytes{J}": "1024x9",
    'mikrotik_firewall_rule_bytes_total{J,ip_version="4",table="filter",chain="input",action="drop",comment="c",'
    'rule="*1"}': "5x9",
    'mikrotik_address_list_entries{J,ip_version="4",list="a"}': "5x9",
    'mikrotik_address_list_entries{J,ip_version="4",list="b"}': "7x9",
    'mikrotik_address_list_entries_dynamic{J,ip_version="4",list="a"}': "2x9",
    'mikrotik_address_list_entries_dynamic{J,ip_version="4",list="b"}': "0x9",
    'mikrotik_wifi_station_transmit_rate_bytes_per_second{J,interface="wifi1",mac_address="02:01"}': "100x9",
    'mikrotik_wifi_station_info{J,interface="wifi1",mac_address="02:01",ssid="s",client="Budi"}': "1x9",
    'mikrotik_wifi_station_info{J,interface="wifi1",mac_address="02:02",ssid="s"}': "1x9",
    'mikrotik_wireguard_peer_enabled{J,interface="wg",peer="p"}': "1x9",
    'mikrotik_wireguard_peer_info{J,interface="wg",peer="p",comment="c",allowed_address="192.0.2.0/24"}': "1x9",
    'mikrotik_wireguard_peer_last_handshake_timestamp_seconds{J,interface="wg",peer="p"}': "100x9",
}
ID = 'router="core",routerboard_name="core",routerboard_address="192.0.2.1"'
FULL = f'{{job="j",instance="i",{ID}'
EXPECTED: dict[str, dict[str, float]] = {
    "mktxp_interface_rx_byte_total": {f'{FULL},interface="ether1",name="ether1"}}': 3000},
    "rate(mktxp_interface_rx_byte_total[4m])": {f'{FULL},interface="ether1",name="ether1"}}': 10},
    "mktxp_interface_rate": {f'{FULL},interface="ether1",name="ether1"}}': 1000},
    "mktxp_interface_disabled": {f'{FULL},interface="ether1",name="ether1"}}': 0},
    "mktxp_system_cpu_load": {
        f'{FULL},version="7.16",board_name="hAP",cpu="ARM",architecture_name="arm64"}}': 25
    },
    "mktxp_queue_simple_rates_download_total": {f'{FULL},queue="home",name="home"}}': 8000},
    "mktxp_netwatch_icmp_rtt_avg_ms": {f'{FULL},probe="gw",host="192.0.2.9",name="gw",type="icmp"}}': 12.5},
    "mktxp_interface_vlan_info": {f'{FULL},interface="bridge",parent="bridge",vlan_id="7",name="vlan7"}}': 1},
    "mktxp_dns_info": {f'{FULL},property="cache_size"}}': 2048, f'{FULL},property="cache_used"}}': 1024},
    "mktxp_firewall_filter_total": {
        f'{FULL},ip_version="4",table="filter",chain="input",action="drop",comment="c",rule="*1",'
        'name="| input | drop | c"}': 5
    },
    "mktxp_firewall_address_list_all_count": {
        f'{FULL},ip_version="4",count_type="{kind}"}}': value
        for kind, value in (("total", 12), ("dynamic", 2), ("static", 10))
    },
    "mktxp_wlan_clients_tx_rate_bps": {
        f'{FULL},interface="wifi1",mac_address="02:01",dhcp_name="02:01"}}': 800
    },
    "mktxp_wlan_clients_devices_info": {
        f'{FULL},interface="wifi1",mac_address="02:01",ssid="s",client="Budi",dhcp_name="Budi"}}': 1,
        f'{FULL},interface="wifi1",mac_address="02:02",ssid="s",dhcp_name="02:02"}}': 1,
    },
    "mktxp_peer_disabled": {
        f'{FULL},interface="wg",peer="p",name="p",comment="c",allowed_address="192.0.2.0/24"}}': 0
    },
    "mktxp_last_handshake": {
        f'{FULL},interface="wg",peer="p",name="p",comment="c",allowed_address="192.0.2.0/24"}}': 200
    },
}


@pytest.mark.system("promtool")
def test_units_and_labels_become_theirs(tmp_path: Path) -> None:
    """Percent, ms, Mbit/s and bit/s; labels by their names; a rate of a recorded counter is right."""
    expected = [
        {
            "expr": name,
            "eval_time": "5m",
            "exp_samples": [
                {"labels": f"{'' if '(' in name else name}{labels}", "value": value}
                for labels, value in series.items()
            ],
        }
        for name, series in EXPECTED.items()
    ]
    series = [
        {"series": name.replace("{J", '{job="j",instance="i",router="core"'), "values": values}
        for name, values in INPUT.items()
    ]
    test = {
        "rule_files": [str(ROOT / paritydoc.RULES)],
        "evaluation_interval": "1m",
        "tests": [{"interval": "1m", "input_series": series, "promql_expr_test": expected}],
    }
    file = tmp_path / "mktxp_test.yml"
    file.write_text(yaml.safe_dump(test), encoding="utf-8")
    assert "SUCCESS" in promtool("test", "rules", file)


def test_every_collector_is_in_some_table_or_ours_alone() -> None:
    """What no peer tells is known: the tables and these collectors together are all there are."""
    told = {name for peer in PEERS for row in peer.rows for name in row.ours}
    alone = {c.name for c in ALL if not any(family.name in told for family in c.families)}
    assert alone == {
        "hotspot", "scheduler", "log", "ups", "device_mode", "ppp_client", "bonding",
    }  # fmt: skip
