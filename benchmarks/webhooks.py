"""Figure 3 of the bridge: 200 notifications a second, kept up, each on the disk before it is answered."""

import asyncio
import tempfile
import time
from pathlib import Path

import aiohttp

from benchmarks.bridge import Running, alert, notification, percentile, post, running
from benchmarks.measures import Effort, Figure, Line, Unit, at_least, at_most

PER_S = 200


def measure(effort: Effort) -> list[Line]:
    """One new alert in each notification, at an even pace."""
    lasts_s = effort.pick(60, 20, 2)
    with tempfile.TemporaryDirectory(prefix="tikwatch-webhooks-") as name, running(Path(name)) as bridge:
        cpu_s = bridge.program.cpu_s()
        latencies, took_s = asyncio.run(_posts(bridge, PER_S * lasts_s))
        used = (bridge.program.cpu_s() - cpu_s) / took_s
        return [
            Line(
                "notifications answered 200", len(latencies) / took_s, Unit.PER_SECOND, at_least(0.98 * PER_S)
            ),
            Line("99th percentile of the answer", percentile(latencies, 0.99), Unit.SECONDS, at_most(0.25)),
            Line("median of the answer", percentile(latencies, 0.5), Unit.SECONDS),
            Line("processor", used, Unit.CORES, at_most(2)),
            Line("memory at its peak", bridge.program.peak_rss_bytes(), Unit.MEGABYTES, at_most(200e6)),
        ]


async def _posts(bridge: Running, count: int) -> tuple[list[float], float]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100)) as session:
        loop = asyncio.get_running_loop()
        begin_s = loop.time()

        async def one(number: int) -> float:
            await asyncio.sleep(begin_s + number / PER_S - loop.time())
            body = notification([alert("QueueDrops", number, at_s=time.time())], f"{{}}:{{n={number}}}")
            due_s = loop.time()
            status, _ = await post(session, bridge.url, body)
            if status != 200:
                raise RuntimeError(f"a notification was answered {status}")
            return loop.time() - due_s

        latencies = await asyncio.gather(*map(one, range(count)))
        return latencies, loop.time() - begin_s


FIGURE = Figure(10, "webhooks", "200 notifications a second", measure, long=True)
