"""prometheus/prometheus.yml, with the real server against the demo."""

import json
import signal
import subprocess
import urllib.parse
from pathlib import Path
from typing import Any

import pytest

from scripts.children import Child
from scripts.demo import ROUTERS, free_ports
from tests.end_to_end.running_demo import END_DEADLINE_S, ROOT, demo, exporter_url, get, until, welcome_of


def ask(base: str, path: str, **parameters: str) -> Any:
    """The data of an answer of Prometheus's API; None while it cannot be had."""
    body = get(f"{base}/api/v1/{path}?{urllib.parse.urlencode(parameters)}")
    return json.loads(body)["data"] if body else None


def query(base: str, expression: str) -> list[dict[str, Any]]:
    """The vector that an expression gives."""
    data = ask(base, "query", query=expression)
    return list(data["result"]) if data else []


@pytest.mark.system("prometheus", "promtool")
@pytest.mark.timeout(120)
def test_prometheus_finds_and_scrapes_every_router(tmp_path: Path) -> None:
    """Every router is a target that is up, with its name as router and instance, and no series comes twice."""
    with demo() as process:
        exporter = exporter_url(welcome_of(process))
        text = (ROOT / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
        config = tmp_path / "prometheus.yml"
        config.write_text(
            text.replace("127.0.0.1:9436", exporter.removeprefix("http://"))
            .replace("scrape_interval: 15s", "scrape_interval: 2s")
            .replace("scrape_timeout: 10s", "scrape_timeout: 2s"),
            encoding="utf-8",
        )
        subprocess.run(["promtool", "check", "config", str(config)], check=True, capture_output=True)
        address = f"127.0.0.1:{free_ports(1)}"
        base = f"http://{address}"
        command = [
            "prometheus",
            *("--config.file", str(config), "--storage.tsdb.path", str(tmp_path / "data")),
            f"--web.listen-address={address}",
        ]
        with Child("Prometheus", command, tmp_path / "prometheus.log") as server:

            def up() -> int:
                server.check()
                return len(query(base, "up == 1"))

            until(lambda: up() == ROUTERS + 1, "every router and the exporter are up in Prometheus")
            until(lambda: len(query(base, "mikrotik_up == 1")) == ROUTERS, "every router answers")
            series = query(base, "mikrotik_up")
            assert all(one["metric"]["router"] == one["metric"]["instance"] for one in series)
            assert {one["metric"]["job"] for one in series} == {"mikrotik"}
            twice = "count by (router, interface) (mikrotik_interface_receive_bytes_total) > 1"
            assert query(base, twice) == []
            assert len(query(base, "count by (router) (mikrotik_interface_receive_bytes_total)")) == ROUTERS
            assert len(query(base, "tikwatch_pool_in_flight_limit")) == ROUTERS
        process.send_signal(signal.SIGINT)
        assert process.wait(END_DEADLINE_S) == 0
