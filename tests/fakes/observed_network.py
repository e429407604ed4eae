"""The whole stack on one machine: simulated routers, a bot, a phone, a database, exporter, bridge, Alertmanager and
Prometheus, each a program of its own, with the configuration of this repository and hurried intervals.

    with observed_network(folder) as observed:
        observed.until("count(mikrotik_up)", lambda found: found == 6)
"""

import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from exporter.collectors import ALL
from scripts.children import Child
from tests.fakes.bot_process import BotProcess, bot_process
from tests.fakes.exporter_process import free_port

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("prometheus", "prometheus-alertmanager")
START_DEADLINE_S = 60.0
BOT, DATABASE, CHANNEL, JOURNAL, RULE = "noc", "billing", "phone", "journal", "bot-reconnect"
NOC = "6281200000001"
OWN = "6281200000009"
_SECRET, _TOKEN = "/run/secrets/alertbridge_token", "orchid-99-tango"
_KEY, _HOOK = "waha-key", "waha-hook-secret"  # of the simulated gateway
_STAMP = re.compile(r"(?m)^(\s+interval:) \S+$")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to run, and how quickly.

    Attributes:
        profiles: kinds of simulated routers and how many of each.
        sizes: the simulator's `--rows`, which hold for every router.
        interval_s: between two scrapes, and between two evaluations of rules.
        ttl_s: for how long the exporter serves what it read of a router, at most; None leaves the defaults.
        collectors: those that every router is read with.
        for_s: replaces the `for` of every alert; None leaves them.
    """

    profiles: Mapping[str, int] = field(
        default_factory=lambda: {"home": 1, "hotspot": 1, "isp": 1, "legacy": 1, "link": 1, "chr": 1}
    )
    sizes: Mapping[str, int] = field(default_factory=dict)
    interval_s: int = 2
    ttl_s: float | None = 4.0
    collectors: Sequence[str] = tuple(collector.name for collector in ALL)
    for_s: float | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """Where everything listens."""

    prometheus: str
    alertmanager: str
    bridge: str
    exporter: str
    network: str
    phone: str
    bot: BotProcess
    routers: tuple[str, ...]

    def query(self, expression: str, at_s: float | None = None) -> list[dict[str, Any]]:
        """The result of an instant query. Raises AssertionError with Prometheus's words for a wrong one."""
        wanted = {"query": expression, **({} if at_s is None else {"time": str(at_s)})}
        return self._asked("query", wanted)

    def range(self, expression: str, start_s: float, end_s: float, step_s: float) -> list[dict[str, Any]]:
        """The result of a range query."""
        wanted = {"query": expression, "start": str(start_s), "end": str(end_s), "step": str(step_s)}
        return self._asked("query_range", wanted)

    def series(self, selector: str) -> list[dict[str, str]]:
        """The labels of every series that a selector finds in the last hour."""
        wanted = {"match[]": selector, "start": str(time.time() - 3600)}
        found: list[dict[str, str]] = ask(f"{self.prometheus}/api/v1/series", wanted)["data"]
        return found

    def until(self, expression: str, holds: Callable[[float], bool], within_s: float = 60.0) -> float:
        """The one value of an expression once it is as wanted. Raises AssertionError after `within_s`."""
        deadline_s = time.monotonic() + within_s
        while True:
            found = [float(one["value"][1]) for one in self.query(expression)]
            if len(found) == 1 and holds(found[0]):
                return found[0]
            assert time.monotonic() < deadline_s, f"{expression} is still {found}"
            time.sleep(0.2)

    def fault(self, router: str, name: str) -> None:
        """Switch a fault of a router on."""
        send("POST", f"{self.network}/routers/{urllib.parse.quote(router)}/faults", {"fault": name})

    def mend(self, router: str) -> None:
        """Switch every fault of a router off."""
        send("DELETE", f"{self.network}/routers/{urllib.parse.quote(router)}/faults")

    def reboot(self, router: str) -> None:
        """Restart a router."""
        send("POST", f"{self.network}/routers/{urllib.parse.quote(router)}/reboot")

    def phone_fault(self, name: str, **parameters: object) -> None:
        """Switch a fault of the simulated gateway on."""
        send("POST", f"{self.phone}/control/faults", {"provider": "waha", "fault": name, **parameters})

    def mend_phone(self) -> None:
        """Switch every fault of the simulated gateway off."""
        send("DELETE", f"{self.phone}/control/faults")

    def _asked(self, what: str, wanted: Mapping[str, str]) -> list[dict[str, Any]]:
        answer = ask(f"{self.prometheus}/api/v1/{what}", wanted)
        assert answer["status"] == "success", f"{wanted['query']}: {answer.get('error')}"
        found = answer["data"]["result"]
        if answer["data"]["resultType"] == "scalar":
            return [{"metric": {}, "value": found}]
        rows: list[dict[str, Any]] = found
        return rows


def liven(observed: Observed) -> None:
    """What a bad minute looks like: the bot loses its session and is connected again, a router stops answering and
    people hear of it, the bot sends and fails, another router restarts while the gateway refuses messages. Returns when
    all of it is seen; then the faults are mended."""
    observed.bot.fault("disconnect")
    observed.until(
        f'sum(alertbridge_recovery_runs_total{{rule="{RULE}",outcome="cured"}})', lambda found: found > 0
    )
    observed.fault("legacy", "refuse")
    for number in range(3):
        observed.bot.ask("POST", "/send", to=NOC, text=f"hello {number}")
    observed.bot.fault("timelock")
    observed.bot.ask("POST", "/send", to=NOC, text="to a stranger")
    observed.until('count(ALERTS{alertname="RouterDown",alertstate="firing"})', lambda found: found == 1)
    observed.until("sum(alertbridge_messages_acknowledged_total)", lambda found: found > 0)
    observed.phone_fault("error_before_delivery")
    observed.reboot("chr")
    for seen in (
        "rate(alertbridge_messages_failed_total[1m])",
        "channel:messages_failed:ratio_rate5m",
        'count_over_time(ALERTS{alertstate="firing",severity=~"critical|warning"}[5m:15s])',
    ):
        observed.until(f"count({seen})", lambda found: found > 0)
    observed.bot.mend()
    observed.mend_phone()
    observed.mend("legacy")


def ask(url: str, wanted: Mapping[str, str]) -> Any:
    """The JSON of an answer, also of one that complains."""
    try:
        with urllib.request.urlopen(url, urllib.parse.urlencode(wanted).encode(), timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        with refused:
            return json.load(refused)


def send(method: str, url: str, body: Mapping[str, object] | None = None) -> None:
    """A request whose answer does not matter. Raises HTTPError when it is refused."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60):
        pass


@contextmanager
def observed_network(folder: Path, plan: Plan = Plan()) -> Iterator[Observed]:
    """Everything, running, and every program answering. What it writes goes into `folder`."""
    ports = {
        name: free_port()
        for name in ("prometheus", "alertmanager", "alertbridge", "exporter", "network", "phone")
    }
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    written, pid_file = folder / "simulator.yml", folder / "bot.pid"
    with ExitStack() as stack:

        def start(name: str, *command: str | Path) -> Child:
            return stack.enter_context(Child(name, [str(word) for word in command], folder / f"{name}.log"))

        profiles = [
            word for kind, count in plan.profiles.items() for word in ("--profile", f"{kind}:{count}")
        ]
        sizes = [word for what, count in plan.sizes.items() for word in ("--rows", f"{what}={count}")]
        network = start(
            "network",
            *(sys.executable, "-m", "simulator", *profiles, *sizes, "--base-port", "0"),
            *("--control", f"127.0.0.1:{ports['network']}", "--write-config", written),
        )
        phone = start(
            "phone",
            *(sys.executable, "-m", "simulator.whatsapp", "--port", str(ports["phone"])),
            *(
                "--set",
                f"waha.token={_KEY}",
                "--set",
                f"waha.hmac_key={_HOOK}",
                "--set",
                f"waha.number={OWN}",
            ),
            *("--ack-after", "0.2"),
            *("--webhook", f"waha={urls['alertbridge']}/webhooks/{CHANNEL}"),
        )
        bot = stack.enter_context(bot_process("--pid-file", str(pid_file)))
        _until_answers(f"{urls['network']}/healthz", network)
        stack.enter_context(billing(folder / "billing.db"))
        _write(folder / "exporter.yml", exporter_config(written, bot, pid_file, ports["exporter"], plan))
        token = folder / "alertbridge.token"
        token.write_text(_TOKEN, encoding="utf-8")
        _write(folder / "alertbridge.yml", bridge_config(urls, bot.url))
        _write(folder / "alertmanager.yml", alertmanager_config(urls["alertbridge"], token))
        _write(folder / "prometheus.yml", prometheus_config(ports, token, plan))
        hurried_rules(folder / "rules", plan)
        programs = {
            "exporter": start(
                "exporter", *(sys.executable, "-m", "exporter", "serve", "--config", folder / "exporter.yml")
            ),
            "alertbridge": start(
                "alertbridge",
                *(sys.executable, "-m", "alertbridge", "serve", "--config", folder / "alertbridge.yml"),
            ),
            "alertmanager": start(
                "alertmanager",
                *("prometheus-alertmanager", f"--config.file={folder / 'alertmanager.yml'}"),
                f"--storage.path={folder / 'alertmanager'}",
                *(f"--web.listen-address=127.0.0.1:{ports['alertmanager']}", "--cluster.listen-address="),
            ),
            "prometheus": start(
                "prometheus",
                *("prometheus", f"--config.file={folder / 'prometheus.yml'}", "--log.level=warn"),
                *(f"--storage.tsdb.path={folder / 'data'}", "--web.enable-lifecycle"),
                f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
            ),
        }
        _until_answers(f"{urls['phone']}/control/settings", phone)
        for name, program in programs.items():
            _until_answers(f"{urls[name]}/-/ready", program)
        names = tuple(
            str(one["name"]) for one in yaml.safe_load(written.read_text(encoding="utf-8"))["routers"]
        )
        yield Observed(
            urls["prometheus"], urls["alertmanager"], urls["alertbridge"], urls["exporter"], urls["network"],
            urls["phone"], bot, names,
        )  # fmt: skip


def _write(file: Path, content: Mapping[str, object]) -> None:
    file.write_text(yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True), encoding="utf-8")


def _until_answers(url: str, program: Child) -> None:
    """Returns when the address answers with 200. Raises ChildDied, or AssertionError with the program's words."""
    deadline_s = time.monotonic() + START_DEADLINE_S
    while True:
        program.check()
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except OSError:
            assert time.monotonic() < deadline_s, f"{url} does not answer\n{program.tail()}"
        time.sleep(0.1)


@contextmanager
def billing(file: Path) -> Iterator[None]:
    """A SQLite database in WAL mode, open as its owner has it, with a backup beside it."""
    with (
        closing(sqlite3.connect(file)) as owner,
        closing(sqlite3.connect(file.with_name("billing-1.backup"))) as copy,
    ):
        owner.execute("PRAGMA journal_mode=WAL")
        owner.execute("CREATE TABLE accounts (name TEXT PRIMARY KEY, disabled INTEGER)")
        owner.executemany("INSERT INTO accounts VALUES (?, 0)", [(f"user{number}",) for number in range(20)])
        owner.commit()
        owner.backup(copy)
        yield


def exporter_config(
    simulated: Path, bot: BotProcess, pid_file: Path, port: int, plan: Plan
) -> dict[str, object]:
    """Every router with every collector, the bot, the database, the machine."""
    config: dict[str, Any] = yaml.safe_load(simulated.read_text(encoding="utf-8"))
    settings = {} if plan.ttl_s is None else {"ttl_s": plan.ttl_s}
    config["modules"] = {"default": {"collectors": dict.fromkeys(plan.collectors, settings)}}
    config["web"] = {"listen": f"127.0.0.1:{port}"}
    config["breaker"] = {"failure_limit": 2, "cooldown_s": 5, "max_cooldown_s": 5}
    for router in config["routers"]:
        router["events"] = {"interface": True, "ppp": True, "hotspot": True, "log": True}
    config["bots"] = [
        {
            "name": BOT,
            "kind": "baileys",
            "url": bot.url,
            "ttl_s": 1,
            "process": {"pid_file": str(pid_file)},
        }
    ]
    config["databases"] = [
        {"name": DATABASE, "kind": "sqlite", "path": "billing.db", "backups": "billing-*.backup", "ttl_s": 1}
    ]
    config["queries"] = [
        {
            "name": "billing_accounts",
            "database": DATABASE,
            "help": "Accounts.",
            "interval_s": 5,
            "sql": "SELECT count(*) AS value FROM accounts",
        }
    ]
    isp = [router["name"] for router in config["routers"] if router["name"].startswith("isp")]
    config["drift"] = [
        {"router": name, "database": DATABASE, "sql": "SELECT name FROM accounts", "interval_s": 10}
        for name in isp
    ]
    config["host"] = {"enabled": True, "ttl_s": 1}
    return config


def bridge_config(urls: Mapping[str, str], bot: str) -> dict[str, object]:
    """One person, reached on a simulated phone, and by a file where that fails; the bot may be connected again."""
    return {
        "web": {
            "listen": urls["alertbridge"].removeprefix("http://"),
            "bearer": [{"name": "prometheus", "token": _TOKEN}],
        },
        "store": {"path": "alertbridge.db"},
        "channels": [
            {
                "name": CHANNEL,
                "kind": "waha",
                "url": f"{urls['phone']}/waha",
                "api_key": _KEY,
                "own_number": OWN,
                "webhook": {"secret": _HOOK},
                "limits": {"spacing_s": 0.5},
            },
            {"name": JOURNAL, "kind": "file", "path": "journal.jsonl"},
            {"name": BOT, "kind": "bot", "url": bot, "probe": {"enabled": False}},
        ],
        "recipients": [
            {
                "name": "noc",
                "channel": CHANNEL,
                "to": NOC,
                "language": "en",
                "fallback": [{"channel": JOURNAL, "to": NOC}],
            }
        ],
        "alertmanager": {"urls": [urls["alertmanager"]]},
        "prometheus": {"url": urls["prometheus"]},
        "recovery": {
            "tell": "noc",
            "rules": [
                {
                    "name": RULE,
                    "match": {"labels": ['alertname="BotDisconnected"']},
                    "steps": [{"action": "bot_reconnect", "with": {"channel": BOT}}],
                    "dry_run": False,
                }
            ],
        },
        "log": {"format": "json"},
    }


def alertmanager_config(bridge: str, token: Path) -> dict[str, object]:
    """The one of this repository, with this bridge."""
    text = (ROOT / "prometheus" / "alertmanager.yml").read_text(encoding="utf-8")
    text = text.replace("http://alertbridge:9437", bridge)
    config: dict[str, object] = yaml.safe_load(text.replace(_SECRET, str(token)))
    return config


def prometheus_config(ports: Mapping[str, int], token: Path, plan: Plan) -> dict[str, object]:
    """The one of this repository, with these addresses and hurried."""
    text = (ROOT / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    for name in ("exporter", "alertbridge", "alertmanager"):
        text = re.sub(rf"\b{name}:\d+", f"127.0.0.1:{ports[name]}", text)
    text = text.replace(_SECRET, str(token)).replace("localhost:9090", f"127.0.0.1:{ports['prometheus']}")
    config: dict[str, Any] = yaml.safe_load(text)
    hurried = {"scrape_interval": f"{plan.interval_s}s", "scrape_timeout": f"{plan.interval_s}s"}
    config["global"] = {**hurried, "evaluation_interval": f"{plan.interval_s}s"}
    for job in config["scrape_configs"]:
        job.update({key: value for key, value in hurried.items() if key in job})
        for discovery in job.get("http_sd_configs", ()):
            discovery["refresh_interval"] = "2s"
    return config


def hurried_rules(folder: Path, plan: Plan) -> None:
    """The rule files of this repository, evaluated every `interval_s`. Raises AssertionError when promtool objects."""
    folder.mkdir()
    for file in sorted((ROOT / "prometheus" / "rules").glob("*.rules.yml")):
        text = _STAMP.sub(rf"\1 {plan.interval_s}s", file.read_text(encoding="utf-8"))
        if plan.for_s is not None:
            text = re.sub(r"(?m)^(\s+for:) \S+$", rf"\1 {plan.for_s:g}s", text)
        (folder / file.name).write_text(text, encoding="utf-8")
    checked = subprocess.run(
        ["promtool", "check", "config", folder.parent / "prometheus.yml"],
        capture_output=True, text=True, check=False, env=os.environ,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout + checked.stderr
