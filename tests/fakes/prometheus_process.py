"""A real Prometheus as a program of its own, filled with samples of the past."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import aiohttp

from tests.fakes.database_servers import free_port

READY_WITHIN_S = 60.0


@dataclass(frozen=True)
class Samples:
    """One series: pairs of Unix seconds and a value."""

    name: str
    labels: Mapping[str, str]
    points: Iterable[tuple[float, float]]

    def lines(self) -> Iterable[str]:
        """As OpenMetrics."""
        labels = ",".join(f'{key}="{value}"' for key, value in self.labels.items())
        for at_s, value in self.points:
            yield f"{self.name}{{{labels}}} {value:.10g} {at_s:.3f}\n"


def fill(folder: Path, series: Iterable[Samples]) -> None:
    """Writes blocks with these samples into the data folder of a Prometheus that does not run."""
    file = folder / "samples.om"
    folder.mkdir(parents=True, exist_ok=True)
    ordered = sorted(series, key=lambda one: one.name)
    with file.open("w", encoding="utf-8") as output:
        for _, family in groupby(ordered, key=lambda one: one.name):
            for one in family:
                output.writelines(one.lines())
        output.write("# EOF\n")
    done = subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(file), str(folder / "data")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@asynccontextmanager
async def prometheus(folder: Path, *arguments: str) -> AsyncIterator[str]:
    """A Prometheus with the data of `folder`, that scrapes nothing; yields its address."""
    config = folder / "prometheus.yml"
    await asyncio.to_thread(config.write_text, "global: {}\n", "utf-8")
    port = free_port()
    log = folder / "prometheus.log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            "prometheus",
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--storage.tsdb.retention.time=20y",
            f"--web.listen-address=127.0.0.1:{port}",
            *arguments,
            stdout=output,
            stderr=output,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        await _until_ready(url, log)
        yield url
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _until_ready(url: str, log: Path) -> None:
    try:
        async with asyncio.timeout(READY_WITHIN_S), aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(f"{url}/-/ready") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientConnectionError:
                    pass
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError((await asyncio.to_thread(log.read_text, "utf-8"))[-2000:]) from None
