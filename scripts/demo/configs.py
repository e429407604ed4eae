"""The configurations of the demo's programs: those of the repository where there are any, hurried for who watches."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from scripts.demo.bridgeconfig import TOKEN_FILE
from scripts.demo.ports import HOST, Ports

ROOT = Path(__file__).resolve().parents[2]

BREAKER_COOLDOWN_S = 5.0  # a minute is right for a network, and long for somebody who watches
Json = dict[str, Any]

SECRETS = re.compile(r"/run/secrets/alertbridge_token")
ADDRESSES = re.compile(r"\b(exporter|alertbridge|alertmanager|localhost):\d+")
PLACES = {
    "exporter": "exporter",
    "alertbridge": "bridge",
    "alertmanager": "alertmanager",
    "localhost": "prometheus",  # it watches itself
}
COLLECTORS = ("system", "health", "interface", "ethernet", "hotspot", "ppp", "queue", "dhcp", "pool")
FRESH_S = {"interface": 2, "ppp": 2, "system": 2}
"""What faults change is read anew at each scrape."""
CROWDED = ("large",)
"""Routers with thousands of subscribers: sums instead of a series for each."""
SUBSCRIBERS = ("hotspot", "ppp", "queue")


def _at_home(text: str, ports: Ports, folder: Path) -> str:
    """A configuration of the repository with this machine's addresses and secrets."""
    placed = ADDRESSES.sub(lambda found: f"{HOST}:{getattr(ports, PLACES[found[1]])}", text)
    return SECRETS.sub(str(folder / TOKEN_FILE), placed)


def prometheus_config(ports: Ports, folder: Path) -> str:
    """prometheus/prometheus.yml, asking more often, with the hurried rules in `folder`."""
    text = (ROOT / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    config: Json = yaml.safe_load(_at_home(text, ports, folder))
    config["global"] |= {"scrape_interval": "5s", "scrape_timeout": "4s", "evaluation_interval": "5s"}
    config["rule_files"] = [str(folder / "rules" / "*.rules.yml")]
    for job in config["scrape_configs"]:
        if job["job_name"] in {"tikwatch", "alertbridge"}:
            job |= {"scrape_interval": "2s", "scrape_timeout": "2s"}
        for discovery in job.get("http_sd_configs", ()):
            discovery["refresh_interval"] = "5s"
    return yaml.safe_dump(config, sort_keys=False)


def alertmanager_config(ports: Ports, folder: Path) -> str:
    """prometheus/alertmanager.yml with groups that are told of changes every few seconds."""
    text = (ROOT / "prometheus" / "alertmanager.yml").read_text(encoding="utf-8")
    config: Json = yaml.safe_load(_at_home(text, ports, folder))
    routes = [config["route"]]
    while routes:
        route = routes.pop()
        routes += route.get("routes", ())
        for key, longest in (("group_wait", "1s"), ("group_interval", "5s")):
            if key in route or route is config["route"]:
                route[key] = longest
    return yaml.safe_dump(config, sort_keys=False)


def exporter_config(
    simulator_config: str,
    port: int,
    *,
    bots: tuple[Mapping[str, object], ...] = (),
    databases: tuple[Mapping[str, object], ...] = (),
) -> str:
    """What the simulator wrote for its routers, with the exporter's place to listen, a breaker for the impatient,
    fresh tables, and the bots and databases to watch."""
    config: Json = yaml.safe_load(simulator_config)
    config["breaker"] = {"cooldown_s": BREAKER_COOLDOWN_S, "max_cooldown_s": BREAKER_COOLDOWN_S}
    config["web"] = {**config.get("web", {}), "listen": f"{HOST}:{port}"}
    every: Json = {name: {"ttl_s": FRESH_S[name]} if name in FRESH_S else {} for name in COLLECTORS}
    sums: Json = {name: {"mode": "aggregate"} if name in SUBSCRIBERS else {} for name in COLLECTORS}
    config["modules"] = {"default": {"collectors": every}, "crowded": {"collectors": sums}}
    for router in config["routers"]:
        if router.get("name") in CROWDED:
            router["module"] = "crowded"
    if bots:
        config["bots"] = [dict(bot) for bot in bots]
    if databases:
        config["databases"] = [dict(database) for database in databases]
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True)


def bot_section(name: str, port: int, pid_file: Path) -> Json:
    """A simulated bot as the exporter's configuration names it, with proof asked for while one watches."""
    return {
        "name": name,
        "kind": "baileys",
        "url": f"http://{HOST}:{port}",
        "ttl_s": 1,
        "proof": {"frame_s": 10, "unacked_s": 10},
        "process": {"pid_file": str(pid_file)},
    }


def database_section(name: str, file: Path) -> Json:
    """A database as the exporter's configuration names it."""
    return {"name": name, "kind": "sqlite", "path": str(file), "ttl_s": 1}
