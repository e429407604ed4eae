"""A real Alertmanager as a program of its own, alone or as a member of a cluster, told of alerts as Prometheus does."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from tests.fakes.database_servers import free_port

PROGRAM = "prometheus-alertmanager"
READY_WITHIN_S = 60.0


@dataclass(frozen=True)
class Alertmanager:
    """A running Alertmanager."""

    url: str
    log: Path
    session: aiohttp.ClientSession

    async def tell(
        self, labels: Mapping[str, str], starts_at_s: float, ends_at_s: float | None = None
    ) -> None:
        """What Prometheus posts: an alert that began at `starts_at_s`, and is over if it has an end."""
        alert: dict[str, object] = {
            "labels": dict(labels),
            "annotations": {"summary": f"{labels.get('alertname')} of {labels.get('instance')}"},
            "startsAt": _moment(starts_at_s),
            "generatorURL": "http://prometheus.example.net:9090/graph",
        }
        if ends_at_s is not None:
            alert["endsAt"] = _moment(ends_at_s)
        async with self.session.post(f"{self.url}/api/v2/alerts", json=[alert]) as response:
            assert response.status == 200, await response.text()

    async def until_ready(self) -> None:
        """Returns when it answers. Raises AssertionError with its log when it does not in time."""
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                while not await self._ready():  # noqa: ASYNC110  it tells nobody
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(self.log.read_text(encoding="utf-8")[-2000:]) from None

    async def until_peers(self, count: int) -> None:
        """Returns when its cluster has that many members and is settled."""
        async with asyncio.timeout(READY_WITHIN_S):
            while True:
                async with self.session.get(f"{self.url}/api/v2/status") as response:
                    cluster = (await response.json())["cluster"]
                if cluster["status"] == "ready" and len(cluster.get("peers", [])) == count:
                    return
                await asyncio.sleep(0.1)

    async def _ready(self) -> bool:
        try:
            async with self.session.get(f"{self.url}/-/ready") as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _prepared(folder: Path, config: str) -> tuple[Path, Path]:
    """Its configuration's file, checked, and its log."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "alertmanager.yml"
    file.write_text(config, encoding="utf-8")
    check_config(file)
    return file, folder / "alertmanager.log"


def check_config(file: Path) -> None:
    """Raises AssertionError with amtool's words when the configuration is wrong."""
    checked = subprocess.run(
        ["amtool", "check-config", str(file)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@asynccontextmanager
async def alertmanager(
    folder: Path, config: str, *, external_url: str = "", cluster: Iterable[int] = (), port: int | None = None
) -> AsyncIterator[Alertmanager]:
    """An Alertmanager with this configuration and the files of `folder`. `cluster` are the cluster ports of all
    its members, its own first; none: it is alone."""
    file, log = await asyncio.to_thread(_prepared, folder, config)
    port = port or free_port()
    gossip = [f"127.0.0.1:{member}" for member in cluster]
    arguments = [
        f"--config.file={file}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--cluster.listen-address={gossip[0] if gossip else ''}",
        "--cluster.gossip-interval=20ms",
        "--cluster.peer-timeout=1s",
        *(f"--cluster.peer={peer}" for peer in gossip[1:]),
        *([f"--web.external-url={external_url}"] if external_url else []),
    ]
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(PROGRAM, *arguments, stdout=output, stderr=output)
    try:
        async with aiohttp.ClientSession() as session:
            running = Alertmanager(f"http://127.0.0.1:{port}", log, session)
            await running.until_ready()
            yield running
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
