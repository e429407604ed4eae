"""Figure 7: every collector there is on a wireless provider's router, 200 live viewers, silent things beside a router.

The bound of a scrape is what its commands take when as many as may are under way all the time: rounds of the
in-flight limit, each as long as a command. Beside it stands the same with the replies only read and dropped, which
has the simulator's own work in it but none of ours. Viewers are counted in the router's own log.
"""

import asyncio
import math
import socket
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import aiohttp
from librouteros.protocol import encode_sentence

from benchmarks.exporting import ALWAYS_FRESH, Exporting, Settings, exporting
from benchmarks.measures import Effort, Figure, Line, Unit, at_least, at_most, median
from benchmarks.peers import mktxp
from benchmarks.programs import HOST, POLL_S
from benchmarks.simulated import PASSWORD, USERNAME, Routers, Simulated, simulated
from benchmarks.wire import commands_received, drain
from exporter.fleet import KNOWN_COLLECTORS

LIMIT = 16
PINNED: Settings = {"pool": {"max_in_flight": LIMIT}}
EVERYTHING: Settings = {
    "modules": {"default": {"collectors": {name: {"ttl_s": 0} for name in KNOWN_COLLECTORS}}}
}
PEER_EXTRAS = (
    *(
        "connection_stats",
        "wireguard_peers",
        "bridge_vlan",
        "dns",
        "w60g",
        "eoip",
        "gre",
        "ipip",
        "lte",
        "ipsec",
    ),
    *("ipv6_route", "ipv6_pool", "ipv6_firewall", "ipv6_neighbor", "ipv6_total_address_list_counts"),
    *(
        "switch_port",
        "kid_control_assigned",
        "kid_control_dynamic",
        "bfd",
        "bgp",
    ),
    *("certificate", "container"),
)
"""What mktxp has switched off, apart from what needs a name of something or another program.

`routing_stats` is left out: with memory told in KiB, as the simulated routers do, its page is an error 500.
"""
PERIOD_S = 2.0
BESIDE_TARGET = 1.05


def measure(effort: Effort) -> Sequence[Line]:
    """Scrapes with everything, viewers, then a bot and a database that do not answer."""
    command_s = effort.pick(50, 50, 2) / 1000
    profile = "home" if effort is Effort.SMOKE else "wisp"
    kinds = [
        *[Routers(name, profile, latency_s=command_s) for name in ("pinned", "adaptive", "peer", "live")],
        Routers("beside", latency_s=command_s),
    ]
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        with simulated(kinds, folder) as network:
            return [
                *_pinned(network, command_s, folder, effort),
                *_adaptive(network, folder, effort),
                *(_peer(network, folder) if effort.with_peers else ()),
                *_live(network, folder, effort),
                *_beside(network, folder, effort),
            ]


def _only(network: Simulated, name: str) -> dict[str, int]:
    return {name: network.ports[name]}


def _one_scrape(network: Simulated, name: str, exporter: Exporting) -> list[list[str]]:
    """The commands that the router had for one scrape."""
    before = len(commands_received(network, name))
    exporter.scrape(deadline_s=60)
    return commands_received(network, name)[before:]


def _pinned(network: Simulated, command_s: float, folder: Path, effort: Effort) -> list[Line]:
    with exporting(_only(network, "pinned"), folder, {**EVERYTHING, **PINNED}) as exporter:
        for _ in range(effort.pick(3, 3, 2)):
            exporter.scrape(deadline_s=60)
        commands = _one_scrape(network, "pinned", exporter)
        cpu_s = exporter.program.cpu_s()
        pages, drained_s = [], []
        for _ in range(rounds := effort.pick(9, 3)):
            pages.append(exporter.scrape(deadline_s=60))
            drained_s.append(_drain_side_by_side(network.ports["pinned"], commands))
        cpu_s = (exporter.program.cpu_s() - cpu_s) / rounds
    taken_s, bound_s = (
        median([page.duration_s for page in pages]),
        math.ceil(len(commands) / LIMIT) * command_s,
    )
    what = f"all {len(KNOWN_COLLECTORS)} collectors, warm, nothing cached"
    return [
        Line(f"{what}, limit {LIMIT}, over the bound", taken_s / bound_s, Unit.RATIO, at_most(2.0)),
        Line("a scrape of it", taken_s, Unit.SECONDS),
        Line(
            f"bound: its commands of {Unit.SECONDS.text(command_s)}, {LIMIT} at once", bound_s, Unit.SECONDS
        ),
        Line("the same commands, replies only read and dropped", median(drained_s), Unit.SECONDS),
        Line("CPU of the exporter for it", cpu_s, Unit.SECONDS),
        Line("commands per scrape", len(commands), Unit.COUNT),
        Line("kilobytes of replies per scrape", _kilobytes(network, "pinned", commands), Unit.COUNT),
        Line("samples on the page", pages[-1].samples, Unit.COUNT),
    ]


def _kilobytes(network: Simulated, name: str, commands: Sequence[Sequence[str]]) -> int:
    """Size of the replies to these commands, asked again, each under a tag."""
    return round(drain(network.ports[name], commands).size_bytes / 1000)


def _drain_side_by_side(port: int, commands: Sequence[Sequence[str]]) -> float:
    """Seconds for these commands on one connection, `LIMIT` of them under way as long as there are so many."""
    login = encode_sentence("/login", f"=name={USERNAME}", f"=password={PASSWORD}", encoding="utf-8")
    waiting = iter(
        [encode_sentence(*words, f".tag={tag}", encoding="utf-8") for tag, words in enumerate(commands)]
    )
    done = b"\x05!done"
    with socket.create_connection((HOST, port), timeout=30) as router:
        router.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        router.sendall(login)
        while done not in router.recv(4096):
            pass
        began_s, left, before, free = time.perf_counter(), len(commands), b"", LIMIT
        while left:
            if sentences := b"".join(islice(waiting, free)):
                router.sendall(sentences)
            if not (data := router.recv(256 * 1024)):
                raise ConnectionError("the router hung up before all its replies were there")
            free = (before + data).count(done)
            left -= free
            before = data[-len(done) + 1 :]
        return time.perf_counter() - began_s


def _adaptive(network: Simulated, folder: Path, effort: Effort) -> list[Line]:
    with exporting(_only(network, "adaptive"), folder, EVERYTHING) as exporter:
        first = exporter.scrape(deadline_s=60)
        for _ in range(effort.pick(12, 10)):
            exporter.scrape(deadline_s=60)
        pages = [exporter.scrape(deadline_s=60) for _ in range(effort.pick(5, 2))]
    limits = [page.values("tikwatch_pool_in_flight_limit")[0] for page in pages]
    return [
        Line("limit found by itself: a scrape", median([page.duration_s for page in pages]), Unit.SECONDS),
        Line("limit found by itself: the limit", median(limits), Unit.COUNT),
        Line("limit found by itself: the first scrape after the start", first.duration_s, Unit.SECONDS),
    ]


def _peer(network: Simulated, folder: Path) -> list[Line]:
    with mktxp(_only(network, "peer"), folder, only_same_ground=False, also=PEER_EXTRAS) as peer:
        peer.scrape()
        before = len(commands_received(network, "peer"))
        page = peer.scrape()
        commands = commands_received(network, "peer")[before:]
    return [
        Line("mktxp with everything on, a scrape", page.duration_s, Unit.SECONDS),
        Line("mktxp, commands per scrape", len(commands), Unit.COUNT),
        Line("mktxp, kilobytes of replies per scrape", _kilobytes(network, "peer", commands), Unit.COUNT),
        Line("mktxp, samples", page.samples, Unit.COUNT),
    ]


def _live(network: Simulated, folder: Path, effort: Effort) -> list[Line]:
    periods, crowd = effort.pick(4, 2), effort.pick(200, 200, 5)
    with exporting(_only(network, "live"), folder) as exporter:
        alone, _ = asyncio.run(_watched(network, exporter, 1, periods))
        together, samples = asyncio.run(_watched(network, exporter, crowd, periods))
    span = f"in {periods * PERIOD_S:g} s"
    return [
        Line(f"commands {span} with {crowd} live viewers", together, Unit.COUNT, at_most(alone)),
        Line(f"commands {span} with one live viewer", alone, Unit.COUNT),
        Line(f"samples {span} that every one of the {crowd} had", samples, Unit.COUNT, at_least(periods)),
    ]


async def _watched(network: Simulated, exporter: Exporting, viewers: int, periods: int) -> tuple[int, int]:
    """Commands of that many periods while so many watch, and the fewest samples that a viewer had of them.

    Counting begins right behind a reading and ends half a period behind one, so that no reading is on the edge.
    """
    had = [0] * viewers
    told = asyncio.Event()

    async def watch(number: int, client: aiohttp.ClientSession) -> None:
        url = f"http://{HOST}:{exporter.port}/live/stream?router=live&watch=interface:ether{number % 5 + 1}"
        async with client.get(url) as stream:
            async for line in stream.content:
                if line.strip() == b"event: sample":
                    had[number] += 1
                    told.set()

    async with (
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None)
        ) as client,
        asyncio.timeout(60),
    ):
        watching = [asyncio.create_task(watch(number, client)) for number in range(viewers)]
        while not all(had):
            told.clear()
            await told.wait()
        told.clear()
        await told.wait()
        await asyncio.sleep(PERIOD_S / 4)  # all of them have this one, and the next is far
        commands, samples = len(await asyncio.to_thread(commands_received, network, "live")), list(had)
        await asyncio.sleep(periods * PERIOD_S)
        commands = len(await asyncio.to_thread(commands_received, network, "live")) - commands
        fewest = min(after - before for after, before in zip(had, samples, strict=True))
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
    return commands, fewest


@contextmanager
def _silent_things(folder: Path, timeout_s: float) -> Iterator[Settings]:
    """A bot that takes connections and never answers, and a database that somebody keeps locked."""
    file = folder / "billing.db"
    with (
        socket.create_server((HOST, 0), backlog=64) as bot,
        closing(sqlite3.connect(file, isolation_level=None)) as database,
    ):
        database.execute("CREATE TABLE payments (id INTEGER PRIMARY KEY)")
        database.execute("BEGIN EXCLUSIVE")
        often = {"ttl_s": 0, "timeout_s": timeout_s}
        url = f"http://{HOST}:{bot.getsockname()[1]}"
        yield {
            "bots": [{"name": "noc", "kind": "baileys", "url": url, **often}],
            "databases": [{"name": "billing", "kind": "sqlite", "path": str(file), **often}],
        }


def _wait_until_told(exporter: Exporting) -> None:
    """Returns when a page says that both are silent, else what was measured was of two that answer."""
    deadline_s = time.monotonic() + 20
    while time.monotonic() < deadline_s:
        page = exporter.scrape(deadline_s=10)
        if page.values("whatsapp_bot_up") == [0] and page.values("tikwatch_database_up") == [0]:
            return
        time.sleep(POLL_S)
    raise AssertionError("no page tells that the bot and the database are silent")


def _beside(network: Simulated, folder: Path, effort: Effort) -> list[Line]:
    """The router with those beside it against the router alone, in turn."""
    ports, settings = _only(network, "beside"), {**ALWAYS_FRESH, **PINNED}
    with (
        _silent_things(folder, effort.pick(5, 5, 1)) as silent,
        exporting(ports, folder, settings) as alone,
        exporting(ports, folder, {**settings, **silent}) as beside,
    ):
        alone.scrape(deadline_s=10)
        first = beside.scrape(deadline_s=10)
        alone_s, beside_s = [], []
        for _ in range(effort.pick(31, 11, 2)):
            alone_s.append(alone.scrape(deadline_s=10).duration_s)
            beside_s.append(beside.scrape(deadline_s=10).duration_s)
        _wait_until_told(beside)
    what = "with a hung bot and a locked database"
    return [
        Line(
            f"home router {what} over it alone",
            median(beside_s) / median(alone_s),
            Unit.RATIO,
            at_most(BESIDE_TARGET),
        ),
        Line("home router alone", median(alone_s), Unit.SECONDS),
        Line(f"home router {what}", median(beside_s), Unit.SECONDS),
        Line(f"the first scrape {what}", first.duration_s, Unit.SECONDS),
    ]


FIGURE = Figure(
    7, "everything", "everything at once: all collectors, 200 viewers, silent things beside", measure
)
