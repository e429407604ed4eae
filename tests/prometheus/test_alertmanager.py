"""alertmanager.yml: what goes where, by amtool; what silences what, by a real Alertmanager."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
import yaml

from tests.fakes.exporter_process import free_port

CONFIG = Path(__file__).resolve().parents[2] / "prometheus" / "alertmanager.yml"
DEADLINE_S = 60.0

ROUTES = [
    ("alertname=Watchdog severity=none component=monitoring", "watchdog"),
    ("alertname=RouterDown severity=critical component=router router=a", "whatsapp"),
    ("alertname=RouterUpdateAvailable severity=info component=router router=a", "report"),
    ("alertname=QueueSaturated severity=info component=queue router=a", "report"),
    ("alertname=RouterCpuHigh severity=warning component=router router=a", "whatsapp"),
    ("alertname=SomethingOfYours", "whatsapp"),
]
FAST = [
    "alertname=BotDisconnected severity=critical bot=noc",
    "alertname=BotReconnecting severity=warning bot=noc",
    "alertname=DatabaseLocked severity=critical database=billing",
    "alertname=InterfaceDown severity=warning router=a interface=ether1",
    "alertname=PppoeServerDisabled severity=critical router=a",
    "alertname=HotspotServerInvalid severity=critical router=a",
    "alertname=RouterDown severity=critical router=a",
]

CANARY = [
    {"alertname": "BotDown", "bot": "canary", "severity": "critical"},
    {"alertname": "BotMessagesFailing", "bot": "canary", "severity": "critical"},
]
"""Posted last: once the second is silenced, so is whatever will be."""

Labels = dict[str, str]

SILENCED: dict[str, tuple[list[Labels], set[int]]] = {
    "a router that is down, of its own alone": (
        [
            {"alertname": "RouterDown", "severity": "critical", "component": "router", "router": "a"},
            {"alertname": "RouterBreakerOpen", "severity": "warning", "component": "router", "router": "a"},
            {"alertname": "PppMassDisconnect", "severity": "critical", "component": "ppp", "router": "a"},
            {"alertname": "RouterCpuHigh", "severity": "warning", "component": "router", "router": "b"},
            {"alertname": "BotDown", "severity": "critical", "component": "bot", "bot": "noc"},
        ],
        {1, 2},
    ),
    "a refused login tells why the router is down": (
        [
            {"alertname": "RouterDown", "severity": "critical", "component": "router", "router": "a"},
            {"alertname": "RouterLoginRefused", "severity": "critical", "component": "router", "router": "a"},
            {"alertname": "RouterBreakerOpen", "severity": "warning", "component": "router", "router": "a"},
        ],
        {0, 2},
    ),
    "an outage speaks for its routers": (
        [
            {"alertname": "NetworkOutage", "severity": "critical", "component": "router"},
            {"alertname": "RouterDown", "severity": "critical", "component": "router", "router": "a"},
            {"alertname": "HotspotNoLogins", "severity": "warning", "component": "hotspot", "router": "a"},
            {
                "alertname": "HotspotUsersDropped",
                "severity": "critical",
                "component": "hotspot",
                "router": "b",
            },
        ],
        {1, 2},
    ),
    "without the exporter nothing is known but of the bridge and the monitoring": (
        [
            {"alertname": "ExporterDown", "severity": "critical", "component": "exporter"},
            {"alertname": "RouterVanished", "severity": "warning", "component": "router", "router": "a"},
            {"alertname": "HostDiskLow", "severity": "warning", "component": "host", "mount": "/"},
            {"alertname": "BridgeOutboxStuck", "severity": "warning", "component": "bridge"},
            {"alertname": "Watchdog", "severity": "none", "component": "monitoring"},
        ],
        {1, 2},
    ),
    "a bot that is down fails every message": (
        [
            {"alertname": "BotDown", "severity": "critical", "component": "bot", "bot": "noc"},
            {"alertname": "BotMessagesFailing", "severity": "critical", "component": "bot", "bot": "noc"},
            {"alertname": "BotQueueStuck", "severity": "critical", "component": "bot", "bot": "billing"},
        ],
        {1},
    ),
    "critical silences the warning of the same name on the same thing": (
        [
            {"alertname": "HostDiskLow", "severity": "critical", "component": "host", "mount": "/"},
            {"alertname": "HostDiskLow", "severity": "warning", "component": "host", "mount": "/"},
            {"alertname": "HostMemoryHigh", "severity": "warning", "component": "host"},
        ],
        {1},
    ),
    "and not on another thing": (
        [
            {"alertname": "RouterCpuHigh", "severity": "critical", "component": "router", "router": "a"},
            {"alertname": "RouterCpuHigh", "severity": "warning", "component": "router", "router": "b"},
            {"alertname": "HostDiskLow", "severity": "critical", "component": "host", "mount": "/"},
            {"alertname": "HostDiskLow", "severity": "warning", "component": "host", "mount": "/var"},
        ],
        set(),
    ),
}


def amtool(*arguments: str) -> str:
    """What amtool says. Raises AssertionError when it is not content."""
    ended = subprocess.run(["amtool", *arguments], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.system("amtool")
def test_amtool_accepts_the_configuration() -> None:
    """amtool finds nothing wrong."""
    assert "SUCCESS" in amtool("check-config", str(CONFIG))


@pytest.mark.system("amtool")
@pytest.mark.parametrize(("labels", "receiver"), ROUTES, ids=[labels.split()[0] for labels, _ in ROUTES])
def test_alerts_go_to_their_receiver(labels: str, receiver: str) -> None:
    """Information goes to the report, the sign of life its own way, everything else to the bridge."""
    said = amtool(
        "config",
        "routes",
        "test",
        f"--config.file={CONFIG}",
        f"--verify.receivers={receiver}",
        *labels.split(),
    )
    assert said.split()[0] == receiver


@pytest.mark.system("amtool")
@pytest.mark.parametrize("labels", FAST, ids=[labels.split()[0] for labels in FAST])
def test_what_may_be_mended_waits_for_nothing(labels: str, tmp_path: Path) -> None:
    """What a recovery rule acts on takes a route without group_wait; seen with receivers named for the wait."""
    routes = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["route"]["routes"]
    named = [{"receiver": f"after-{r.get('group_wait', 'long')}", "matchers": r["matchers"]} for r in routes]
    receivers = {"after-long", *(route["receiver"] for route in named)}
    config = {
        "route": {"receiver": "after-long", "routes": named},
        "receivers": [{"name": name} for name in sorted(receivers)],
    }
    file = tmp_path / "alertmanager.yml"
    file.write_text(yaml.safe_dump(config), encoding="utf-8")
    assert amtool("config", "routes", "test", f"--config.file={file}", *labels.split()).split() == [
        "after-0s"
    ]


def test_every_webhook_bears_a_token_from_a_file() -> None:
    """No secret stands in the file, and none is missing."""
    receivers = yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["receivers"]
    webhooks = [webhook for receiver in receivers for webhook in receiver.get("webhook_configs", ())]
    assert len(webhooks) == 2
    for webhook in webhooks:
        authorization = webhook["http_config"]["authorization"]
        assert set(authorization) == {"type", "credentials_file"}


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[str]:
    """An Alertmanager with our configuration, whose bridge is a closed port of this machine; gives its address."""
    port = free_port()
    text = CONFIG.read_text(encoding="utf-8").replace("alertbridge:9437", f"127.0.0.1:{free_port()}")
    (tmp_path / "alertmanager.yml").write_text(text, encoding="utf-8")
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [
                "prometheus-alertmanager",
                f"--config.file={tmp_path / 'alertmanager.yml'}",
                f"--storage.path={tmp_path / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(60)


@pytest.mark.system("prometheus-alertmanager")
@pytest.mark.parametrize("case", SILENCED)
async def test_what_silences_what(alertmanager: str, case: str) -> None:
    """A real Alertmanager holds back what hangs on something else, and nothing besides."""
    alerts, silenced = SILENCED[case]
    expected = [alerts[index] for index in sorted(silenced)]
    async with aiohttp.ClientSession() as client, asyncio.timeout(DEADLINE_S):
        await _post(client, alertmanager, alerts)
        await _post(client, alertmanager, CANARY)
        while CANARY[1] not in (found := await _silenced(client, alertmanager)):  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.05)
    found.remove(CANARY[1])
    assert sorted(found, key=str) == sorted(expected, key=str)


async def _post(client: aiohttp.ClientSession, url: str, alerts: list[Labels]) -> None:
    """Hands the alerts over as soon as the server takes them."""
    body = [{"labels": labels} for labels in alerts]
    while True:
        try:
            async with client.post(f"{url}/api/v2/alerts", json=body) as answer:
                assert answer.status == 200, await answer.text()
                return
        except aiohttp.ClientConnectionError:
            await asyncio.sleep(0.05)


async def _silenced(client: aiohttp.ClientSession, url: str) -> list[Labels]:
    """The labels of the alerts that another one holds back."""
    async with client.get(f"{url}/api/v2/alerts") as answer:
        return [alert["labels"] for alert in await answer.json() if alert["status"]["inhibitedBy"]]
