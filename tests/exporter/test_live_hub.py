"""One router's live view: shared by all, bounded, and never silent. Time is virtual."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

from exporter.live.counts import LiveCounts
from exporter.live.hub import Hub, Pace
from exporter.live.subjects import Subject, parse_subject
from exporter.live.viewer import WAITING_LIMIT, Phase, Viewer
from routeros import Priority, Reply, RouterUnreachable, UnreachableReason
from tests.fakes.virtual_loop import run_virtually

PACE = Pace()
ETHER1 = parse_subject("interface:ether1")
ETHER2 = parse_subject("interface:ether2")
RATE_BYTES = 1000


class Ports:
    """A router whose ports receive 1000 bytes each second; it takes `takes_s`, or fails with `error`."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, str, tuple[str, ...]]] = []
        self.priorities: set[Priority] = set()
        self.takes_s = 0.0
        self.error: RouterUnreachable | None = None
        self.missing: set[str] = set()

    async def call(
        self,
        command: str,
        *,
        args: Mapping[str, str] = {},
        proplist: Sequence[str] = (),
        queries: Sequence[str] = (),
        priority: Priority = Priority.NORMAL,
        idempotent: bool = False,
        large: bool = False,
    ) -> Reply:
        loop = asyncio.get_running_loop()
        self.asked.append((loop.time(), command, tuple(queries)))
        self.priorities.add(priority)
        await asyncio.sleep(self.takes_s)
        if self.error is not None and (not self.missing or command in self.missing):
            raise self.error
        if command != "/interface/print":
            return Reply([])
        count = int(loop.time() * RATE_BYTES)
        return Reply(
            [{".id": f"*{n}", "name": f"ether{n}", "rx-byte": str(count), "tx-byte": "7"} for n in (1, 2)]
        )


def refused() -> RouterUnreachable:
    return RouterUnreachable("refused the connection", reason=UnreachableReason.REFUSED, router="core")


class Seat:
    """Somebody who reads all that comes."""

    def __init__(self, hub: Hub, *subjects: Subject, users: bool = False) -> None:
        self.aborted = False
        self.events: list[tuple[float, str, dict[str, Any]]] = []
        self.viewer = Viewer(subjects, users=users, words="", abort=self._abort)
        self.hub = hub
        hub.join(self.viewer)

    def _abort(self) -> None:
        self.aborted = True

    async def watch(self, until_s: float) -> None:
        """Take events up to that time, or to the end of the stream."""
        loop = asyncio.get_running_loop()
        while (wait_s := until_s - loop.time()) > 0:
            try:
                chunk = await asyncio.wait_for(self.viewer.next(), wait_s)
            except TimeoutError:
                return
            if chunk is None:
                return
            for text in chunk.decode().strip().split("\n\n"):
                name, data = text.split("\n")
                self.events.append(
                    (loop.time(), name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
                )

    def of(self, name: str) -> list[tuple[float, dict[str, Any]]]:
        return [(at_s, told) for at_s, kind, told in self.events if kind == name]


@asynccontextmanager
async def watched(pace: Pace = PACE) -> AsyncIterator[tuple[Hub, Ports, LiveCounts]]:
    clock = asyncio.get_running_loop().time
    ports, counts = Ports(), LiveCounts()
    hub = Hub("core", ports, counts, pace=pace, clock=clock, wall_clock=clock)
    try:
        yield hub, ports, counts
    finally:
        await hub.close()


def virtual(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """A test whose waiting takes no time."""

    async def main() -> None:
        await test()

    def run() -> None:
        run_virtually(main())

    run.__doc__, run.__name__ = test.__doc__, test.__name__
    return run


@virtual
async def test_two_hundred_viewers_cost_one_reading() -> None:
    """However many watch, and whatever each of them, the router is read once per period, at high priority."""
    async with watched() as (hub, ports, counts):
        seats = [Seat(hub, (ETHER1, ETHER2)[n % 2]) for n in range(200)]
        await asyncio.gather(*[seat.watch(20.5) for seat in seats])
        assert [at_s for at_s, *_ in ports.asked] == [2.0 * n for n in range(11)]
        assert ports.priorities == {Priority.HIGH}
        assert (counts.viewers, counts.reads) == (200, 11)
        for number, seat in enumerate(seats):
            key = ("interface:ether1", "interface:ether2")[number % 2]
            samples = [told["rates"] for _, told in seat.of("sample")]
            assert samples == [{key: [None, None]}, *[{key: [8000.0, 0.0]}] * 10]


@virtual
async def test_it_reads_only_while_somebody_watches() -> None:
    """When the last one leaves the reading stops, and who comes back soon finds the minutes before."""
    async with watched() as (hub, ports, counts):
        seat = Seat(hub, ETHER1)
        await seat.watch(4.5)
        hub.leave(seat.viewer)
        await asyncio.sleep(5.0)
        assert (len(ports.asked), counts.viewers) == (3, 0)
        back = Seat(hub, ETHER1)
        await back.watch(10.0)
        [(_, hello)] = back.of("hello")
        assert hello["history"]["interface:ether1"] == [
            [0.0, None, None],
            [2.0, 8000.0, 0.0],
            [4.0, 8000.0, 0.0],
        ]
        assert back.of("sample")[0][1]["rates"]["interface:ether1"] == [8000.0, 0.0]
        hub.leave(back.viewer)
        await asyncio.sleep(PACE.linger_s)
        late = Seat(hub, ETHER1)
        await late.watch(asyncio.get_running_loop().time() + 0.1)
        assert late.of("hello")[0][1]["history"] == {"interface:ether1": []}


@virtual
async def test_coming_and_going_reads_no_more_often() -> None:
    """Who starts and stops all the time does not make the router work more than once a period."""
    async with watched() as (hub, ports, _):
        for _ in range(40):
            seat = Seat(hub, ETHER1)
            await asyncio.sleep(0.1)
            hub.leave(seat.viewer)
        times = [at_s for at_s, *_ in ports.asked]
        assert times == [0.0, 2.0]


@virtual
async def test_failures_are_told_and_after_five_the_stream_begins_anew() -> None:
    """Each failed reading is told with its reason; the fifth in a row ends the stream, and says when to come back."""
    async with watched() as (hub, ports, counts):
        seat = Seat(hub, ETHER1)
        await seat.watch(2.5)
        ports.error = refused()
        await seat.watch(60.0)
        failures = seat.of("failure")
        assert [(at_s, told["failures"], told["restart"]) for at_s, told in failures] == [
            (4.0, 1, False),
            (6.0, 2, False),
            (8.0, 3, False),
            (10.0, 4, False),
            (12.0, 5, True),
        ]
        assert failures[0][1]["class"] == "unreachable"
        assert failures[0][1]["message"] == "refused the connection"
        assert (failures[0][1]["again_in_s"], failures[4][1]["again_in_s"]) == (2.0, 3.0)
        assert seat.viewer.phase is Phase.ENDING
        assert (counts.failures, counts.viewers) == (5, 0)
        ports.error = None
        back = Seat(hub, ETHER1)
        await back.watch(18.0)
        assert [at_s for at_s, _ in back.of("sample")] == [15.0, 17.0]
        assert back.of("sample")[0][1]["rates"]["interface:ether1"] == [8000.0, 0.0]


@virtual
async def test_a_success_between_failures_begins_the_count_anew() -> None:
    """Only failures in a row end a stream."""
    async with watched() as (hub, ports, _):
        seat = Seat(hub, ETHER1)
        for number in range(1, 8):
            ports.error = refused() if number % 4 else None
            await seat.watch(2.0 * number - 0.5)
        assert [told["failures"] for _, told in seat.of("failure")] == [1, 2, 3, 1, 2, 3]


@virtual
async def test_a_router_that_says_nothing_is_told_of_every_period() -> None:
    """While a reading waits there is an event each period, so that silence is always the exporter's own."""
    async with watched() as (hub, ports, _):
        seat = Seat(hub, ETHER1)
        await seat.watch(1.0)
        ports.takes_s = 1000.0
        await seat.watch(20.0)
        moments = [at_s for at_s, _, _ in seat.events]
        assert max(after - before for before, after in pairwise(moments)) <= 6.0
        assert [told["for_s"] for _, told in seat.of("waiting")][:2] == [2.0, 4.0]
        assert seat.of("failure")[0][1]["class"] == "deadline"


@virtual
async def test_a_slow_router_rests_as_long_as_it_works() -> None:
    """A reading that takes longer than half a period pushes the next one back."""
    async with watched() as (hub, ports, _):
        ports.takes_s = 3.0
        await Seat(hub, ETHER1).watch(20.0)
        assert [at_s for at_s, *_ in ports.asked] == [0.0, 6.0, 12.0, 18.0]


@virtual
async def test_a_slow_viewer_is_dropped_and_nobody_else_notices() -> None:
    """Nothing is kept for who does not take it: the connection is cut, and that is counted."""
    async with watched() as (hub, _, counts):
        slow, quick = Seat(hub, ETHER1), Seat(hub, ETHER1)
        await quick.watch(2.0 * WAITING_LIMIT + 3.0)
        assert slow.aborted
        assert (slow.viewer.phase, await slow.viewer.next()) == (Phase.DROPPED, None)
        assert (counts.dropped, counts.viewers, len(hub)) == (1, 1, 1)
        assert len(quick.of("sample")) == WAITING_LIMIT + 2


@virtual
async def test_a_menu_that_cannot_be_read_does_not_hide_the_others() -> None:
    """The sample tells which menu is missing and why; what could be read is there."""
    async with watched() as (hub, ports, counts):
        ports.error, ports.missing = refused(), {"/queue/simple/print"}
        seat = Seat(hub, ETHER1, parse_subject("queue:office"))
        await seat.watch(2.5)
        told = seat.of("sample")[1][1]
        assert told["rates"] == {"interface:ether1": [8000.0, 0.0]}
        assert told["missing"] == {
            "/queue/simple": {"class": "unreachable", "message": "refused the connection"}
        }
        assert counts.failures == 0


@virtual
async def test_history_is_five_minutes() -> None:
    """What is older is let go."""
    async with watched() as (hub, _, _):
        await Seat(hub, ETHER1).watch(700.0)
        late = Seat(hub, ETHER1)
        await late.watch(700.1)
        points = late.of("hello")[0][1]["history"]["interface:ether1"]
        assert (points[0][0], points[-1][0], len(points)) == (398.0, 698.0, 151)


@virtual
async def test_closing_leaves_nothing_behind() -> None:
    """A router that is replaced in the middle of a reading ends every stream."""
    async with watched() as (hub, ports, counts):
        ports.takes_s = 1.0
        seat = Seat(hub, ETHER1)
        await asyncio.sleep(0.5)
        await hub.close()
        await seat.watch(10.0)
        assert (seat.viewer.phase, counts.viewers) == (Phase.ENDING, 0)
