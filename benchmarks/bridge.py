"""The bridge under measurement: the program itself, WhatsApp's side of it, and an Alertmanager's posts."""

import asyncio
import json
import sys
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from benchmarks import openloop
from benchmarks.openloop import Run
from benchmarks.programs import HOST, Program, free_port, is_listening

TOKEN = "benchmark-token-0123"  # noqa: S105  of a bridge that lives for a minute
RECIPIENT = "6281200000009"
Json = dict[str, Any]


def alert(name: str, number: int, *, severity: str = "warning", status: str = "firing", at_s: float) -> Json:
    """One alert of a notification; its fingerprint follows from name and number."""
    at = datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "status": status,
        "labels": {
            "alertname": name,
            "severity": severity,
            "router": f"router-{number % 40}",
            "interface": f"ether{number}",
            "component": "interface",
        },
        "annotations": {"summary": f"{name} on ether{number}", "summary_id": f"{name} di ether{number}"},
        "startsAt": at,
        "endsAt": at if status == "resolved" else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": f"{hash((name, number)) & 0xFFFFFFFFFFFFFFFF:016x}",
    }


def notification(alerts: Sequence[Json], key: str) -> bytes:
    """The body that Alertmanager posts."""
    return json.dumps(
        {
            "version": "4",
            "groupKey": key,
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "alertbridge",
            "groupLabels": {},
            "commonLabels": {},
            "commonAnnotations": {},
            "externalURL": "http://alertmanager:9093",
            "alerts": list(alerts),
        }
    ).encode()


@dataclass(frozen=True, slots=True)
class Running:
    """A bridge and the phone that its messages reach."""

    program: Program
    url: str
    phone_url: str

    def post_request(self, body: bytes) -> urllib.request.Request:
        """The webhook as a request."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        return urllib.request.Request(f"{self.url}/api/v1/alerts", body, headers)  # noqa: S310  this machine

    def received(self) -> list[Json]:
        """What the phone shows, oldest first."""
        with urllib.request.urlopen(f"{self.phone_url}/phone/messages", timeout=10) as answer:  # noqa: S310
            found: list[Json] = json.load(answer)
        return [message for message in found if message["direction"] == "out"]


@contextmanager
def phone(folder: Path, bridge_ports: Mapping[str, int]) -> Iterator[tuple[Program, str]]:
    """The providers' simulator; webhooks go to the bridges, by provider."""
    port = free_port()
    hooks = [
        word
        for provider, to in bridge_ports.items()
        for word in ("--webhook", f"{provider}=http://{HOST}:{to}/webhooks/{provider}")
    ]
    command = [sys.executable, "-m", "simulator.whatsapp", "--host", HOST, "--port", str(port), *hooks]
    with Program("the phone", command, folder / "phone.log") as program:
        program.wait_until(lambda: is_listening(port), "listening")
        yield program, f"http://{HOST}:{port}"


def bridge_config(
    port: int, phone_url: str, store: Mapping[str, object], *, spacing_s: float = 3.0, count: int = 10
) -> str:
    """A bridge with one person on a WAHA channel, and a fallback."""
    return yaml.safe_dump(
        {
            "web": {"listen": f"{HOST}:{port}", "bearer": [{"name": "alertmanager", "token": TOKEN}]},
            "store": dict(store),
            "delivery": {"language": "id"},
            "channels": [
                {
                    "name": "waha",
                    "kind": "waha",
                    "url": f"{phone_url}/waha",
                    "api_key": "waha-key",
                    "own_number": "6281200000001",
                    "webhook": {"secret": "waha-hmac-key"},
                    "limits": {"spacing_s": spacing_s},
                },
                {"name": "wuzapi", "kind": "wuzapi", "url": f"{phone_url}/wuzapi", "token": "wuzapi-token"},
            ],
            "recipients": [
                {
                    "name": "noc",
                    "channel": "waha",
                    "to": RECIPIENT,
                    "fallback": [{"channel": "wuzapi", "to": RECIPIENT}],
                }
            ],
            "limits": {"recipient": {"count": count}},
            "log": {"level": "warning"},
        }
    )


@contextmanager
def running(folder: Path, *, store: Mapping[str, object] | None = None) -> Iterator[Running]:
    """A bridge on SQLite, or on `store`, with its phone."""
    port = free_port()
    with ExitStack() as stack:
        _, phone_url = stack.enter_context(phone(folder, {"waha": port}))
        config = folder / "bridge.yml"
        config.write_text(
            bridge_config(port, phone_url, store or {"path": str(folder / "bridge.db")}), encoding="utf-8"
        )
        program = stack.enter_context(start(config, folder))
        program.wait_until(lambda: is_listening(port), "listening")
        yield Running(program, f"http://{HOST}:{port}", phone_url)


def start(config: Path, folder: Path, name: str = "bridge") -> Program:
    """The program, to be entered."""
    command = [sys.executable, "-m", "alertbridge", "serve", "--config", str(config)]
    return Program(f"the {name}", command, folder / f"{name}.log")


def post_on_time(url: str, plan: Iterable[tuple[float, bytes]]) -> Run:
    """Posts the notifications of `plan` at their seconds, from another process. Raises RuntimeError when one is neither
    answered 200 nor put off (503)."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    found = openloop.run(f"{url}/api/v1/alerts", headers, plan)
    if wrong := {post.status for post in found.posts} - {200, 503}:
        raise RuntimeError(f"a notification was answered {min(wrong)}")
    return found


async def post(session: aiohttp.ClientSession, url: str, body: bytes) -> tuple[int, float]:
    """Status and seconds of one notification."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    async with session.post(f"{url}/api/v1/alerts", data=body, headers=headers) as response:
        await response.read()
        return response.status, loop.time() - began_s


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
