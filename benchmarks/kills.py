"""Figure 1 of the bridge: kill -9 at random moments under load. Nothing is lost; duplicates are few and marked.

python -m benchmarks.kills --kills 200 [--channel wuzapi] [--postgresql postgresql://...]
"""

import argparse
import asyncio
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import yaml
from sqlalchemy import URL, Connection, create_engine, make_url, text

from benchmarks.bridge import TOKEN, alert, notification, post
from benchmarks.measures import Effort, Figure, Line, Unit, at_most
from benchmarks.outlets import CHANNELS, FILE, TAKES_OUR_ID, Arrived, Outlet, outlet
from benchmarks.programs import HOST, free_port, is_listening

READY_WITHIN_S = 180.0
DRAINED_WITHIN_S = 180.0
ALERTS_PER_S = 25


@dataclass(frozen=True, slots=True)
class Kills:
    """What came of it. `accepted` alerts got their 200; `duplicates` are messages that arrived more than once;
    `requests` were sent, those that a gateway knew by their id included."""

    kills: int
    accepted: int
    lost: int
    messages: int
    requests: int
    duplicates: int
    unmarked: int
    open_in_the_end: int


def survive(
    folder: Path, store: Mapping[str, object], kills: int, *, channel: str = FILE, seed: int = 1
) -> Kills:
    """Runs a bridge on `store` in `folder`, kills it so often under load, and lets the last one finish its work.

    Raises RuntimeError when a bridge does not start or the last one does not finish.
    """
    dice = random.Random(seed)  # noqa: S311  no secret
    with outlet(channel, folder) as out:
        return asyncio.run(_survive(folder, store, kills, dice, out))


async def _survive(
    folder: Path, store: Mapping[str, object], kills: int, dice: random.Random, out: Outlet
) -> Kills:
    port = free_port()
    config = folder / "bridge.yml"
    config.write_text(_config(port, out, store), encoding="utf-8")
    accepted: set[str] = set()
    load = asyncio.create_task(_load(f"http://{HOST}:{port}", accepted))
    bridge: subprocess.Popen[bytes] | None = None
    try:
        for _ in range(kills):
            bridge = await _started(config, folder, port)
            await asyncio.sleep(dice.uniform(0.02, 1.2))
            bridge.send_signal(signal.SIGKILL)
            bridge.wait()
        bridge = await _started(config, folder, port)
        load.cancel()
        await asyncio.gather(load, return_exceptions=True)
        open_in_the_end = await _drained(store)
        bridge.send_signal(signal.SIGTERM)
        await asyncio.to_thread(bridge.wait, 30)
    finally:
        load.cancel()
        if bridge is not None and bridge.poll() is None:
            bridge.kill()
            bridge.wait()
    return _counted(store, out.arrived(), accepted, kills, open_in_the_end)


def _config(port: int, out: Outlet, store: Mapping[str, object]) -> str:
    return yaml.safe_dump(
        {
            "web": {"listen": f"{HOST}:{port}", "bearer": [{"name": "alertmanager", "token": TOKEN}]},
            "store": dict(store),
            "channels": [out.channel],
            "recipients": [{"name": "noc", "channel": "out", "to": out.to}],
            "limits": {"recipient": {"count": 100_000, "burst": 0}},
            "sending": {
                "lease_s": 2,
                "folding": {"gather_s": 0.0, "pauses_s": [0.2], "critical_pauses_s": [0.1]},
            },
            "log": {"level": "warning"},
        }
    )


async def _load(url: str, accepted: set[str]) -> None:
    """Posts alerts one by one until each has its 200, as Alertmanager does, some of them critical."""
    number = 0
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
        while True:
            number += 1
            severity = "critical" if number % 5 == 0 else "warning"
            one = alert("KillTest", number, severity=severity, at_s=time.time())
            body = notification([one], f"group-{number}")
            while True:
                try:
                    status, _ = await post(session, url, body)
                except (aiohttp.ClientError, TimeoutError):
                    status = 0
                if status == 200:
                    break
                await asyncio.sleep(0.02)
            accepted.add(one["fingerprint"])
            await asyncio.sleep(1 / ALERTS_PER_S)


async def _started(config: Path, folder: Path, port: int) -> "subprocess.Popen[bytes]":
    bridge = await asyncio.to_thread(_start, config, folder)
    deadline_s = time.monotonic() + READY_WITHIN_S
    while not is_listening(port):
        if bridge.poll() is not None or time.monotonic() > deadline_s:
            bridge.kill()
            bridge.wait()
            raise RuntimeError((folder / "bridge.log").read_text(errors="replace")[-2000:])
        await asyncio.sleep(0.01)
    return bridge


def _start(config: Path, folder: Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "alertbridge", "serve", "--config", str(config)]
    with (folder / "bridge.log").open("ab") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


async def _drained(store: Mapping[str, object]) -> int:
    """Notices that are still under way when nothing is, or when the time is over."""
    deadline_s = time.monotonic() + DRAINED_WITHIN_S
    while True:
        found = await asyncio.to_thread(_open_notices, store)
        if not found or time.monotonic() > deadline_s:
            return found
        await asyncio.sleep(0.2)


def _open_notices(store: Mapping[str, object]) -> int:
    engine = create_engine(_url(store))
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT count(*) FROM notices WHERE state IN ('pending', 'composed')")
        ).scalar_one()
    engine.dispose()
    return int(found)


def _url(store: Mapping[str, object]) -> URL:
    if "path" in store:
        return URL.create("sqlite", database=str(store["path"]))
    return make_url(str(store["url"])).set(drivername="postgresql+psycopg")


def _counted(
    store: Mapping[str, object], arrived: Arrived, accepted: set[str], kills: int, open_in_the_end: int
) -> Kills:
    engine = create_engine(_url(store))
    with engine.connect() as connection:
        told = _told(connection, arrived)
    engine.dispose()
    return Kills(
        kills=kills,
        accepted=len(accepted),
        lost=len(accepted - told),
        messages=arrived.messages,
        requests=arrived.requests,
        duplicates=arrived.duplicates,
        unmarked=arrived.unmarked,
        open_in_the_end=open_in_the_end,
    )


def _told(connection: Connection, arrived: Arrived) -> set[str]:
    """Fingerprints of which the store says that they were told, by a message that did arrive."""
    rows = connection.execute(
        text(
            "SELECT episodes.fingerprint, messages.id, messages.text FROM notices"
            " JOIN episodes ON episodes.id = notices.episode_id"
            " JOIN messages ON messages.bundle = notices.message_id"
            " WHERE notices.state IN ('delivered', 'merged')"
        )
    )
    out: dict[str, bool] = {}
    found: set[str] = set()
    for fingerprint, message, said in rows:
        if message not in out:
            out[message] = arrived.has(message, said)
        if out[message]:
            found.add(fingerprint)
    return found


def measure(effort: Effort, store: Mapping[str, object] | None = None) -> list[Line]:
    """The kills on SQLite, or on `store`."""
    with tempfile.TemporaryDirectory(prefix="tikwatch-kills-") as name:
        folder = Path(name)
        found = survive(folder, store or {"path": str(folder / "bridge.db")}, effort.pick(200, 30, 3))
    return lines(found)


def lines(found: Kills, channel: str = FILE) -> list[Line]:
    """The figure's lines. A gateway that takes our id shows a repeat once."""
    most = 0 if channel == TAKES_OUR_ID else found.kills
    told = "duplicates on the phone, none" if most == 0 else "duplicates, at most one a kill"
    return [
        Line("kills", found.kills, Unit.COUNT),
        Line("alerts that were accepted", found.accepted, Unit.COUNT),
        Line("of them lost", found.lost, Unit.COUNT, at_most(0)),
        Line("left under way in the end", found.open_in_the_end, Unit.COUNT, at_most(0)),
        Line("messages", found.messages, Unit.COUNT),
        Line("requests that were taken", found.requests, Unit.COUNT),
        Line(told, found.duplicates, Unit.COUNT, at_most(most)),
        Line("of them not marked", found.unmarked, Unit.COUNT, at_most(0)),
    ]


def main() -> None:
    """As many kills as are asked for, on one store."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--channel", default=FILE, choices=CHANNELS, help="what the messages go through")
    parser.add_argument("--postgresql", default="", help="URL of an empty database; a SQLite file without it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tikwatch-kills-") as name:
        folder = Path(name)
        store = {"url": given.postgresql} if given.postgresql else {"path": str(folder / "bridge.db")}
        found = survive(folder, store, given.kills, channel=given.channel)
        for line in lines(found, given.channel):
            met = {None: "", True: "met", False: "MISSED"}[line.met]
            print(f"{line.what:40} {line.unit.text(line.value):>10} {met}")


FIGURE = Figure(8, "kills", "kill -9 at random moments under load", measure, long=True)


if __name__ == "__main__":
    main()
