"""Streams are begun again, given up when they misbehave, and leave nothing behind. Time is virtual."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence

from exporter.events.families import SESSIONS_ENDED, SESSIONS_STARTED
from exporter.events.stream import Patience, State, Stream
from exporter.events.tallies import SessionTally
from routeros import (
    CommandFailed,
    CommandUnsupported,
    PoolClosed,
    Priority,
    Record,
    Reply,
    RouterError,
    RouterUnreachable,
    UnreachableReason,
)
from tests.fakes.virtual_loop import run_virtually


class Menu:
    """A menu that a test changes; its streams live for `lives_s` and then end with `error`."""

    def __init__(self) -> None:
        self.table: list[Record] = []
        self.error: RouterError | None = None
        self.refusal: RouterError | None = None
        self.lives_s = float("inf")
        self.listened: list[float] = []
        self.open = 0
        self.rows: asyncio.Queue[Record] = asyncio.Queue()

    async def listen(
        self,
        path: str,
        *,
        proplist: Sequence[str] = (),
        queries: Sequence[str] = (),
        priority: Priority = Priority.NORMAL,
    ) -> AsyncGenerator[Record, None]:
        loop = asyncio.get_running_loop()
        self.listened.append(loop.time())
        if self.refusal is not None:
            raise self.refusal
        self.open += 1
        ends_s = loop.time() + self.lives_s
        try:
            while True:
                try:
                    wait_s = None if ends_s == float("inf") else max(0.0, ends_s - loop.time())
                    yield await asyncio.wait_for(self.rows.get(), wait_s)
                except TimeoutError:
                    if self.error is not None:
                        raise self.error from None
                    return
        finally:
            self.open -= 1

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
        assert (command, proplist) == ("/ppp/active/print", (".id", "name", "service"))
        if self.refusal is not None:
            raise self.refusal
        return Reply(list(self.table))


def person(number: int) -> Record:
    return {".id": f"*{number}", "name": f"home-{number}", "service": "pppoe"}


def made(menu: Menu, **patience: float) -> Stream:
    tally = SessionTally((".id", "name", "service"), service=None, always=("pppoe",))
    clock = asyncio.get_running_loop().time
    return Stream("core", "/ppp/active", tally, menu, patience=Patience(**patience), clock=clock)


def counted(stream: Stream) -> tuple[int, int]:
    counts = stream.tally.counts()
    return counts[SESSIONS_STARTED]["pppoe",], counts[SESSIONS_ENDED]["pppoe",]


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def test_changes_are_counted_and_a_cancel_leaves_nothing() -> None:
    """Rows reach the tally; who stops listening has closed the stream."""

    async def main() -> None:
        menu = Menu()
        menu.table = [person(1)]
        stream = made(menu)
        task = asyncio.create_task(stream.run())
        await asyncio.sleep(1.0)
        assert stream.state is State.LISTENING
        menu.rows.put_nowait(person(2))
        menu.rows.put_nowait({".id": "*1", ".dead": "true"})
        await asyncio.sleep(1.0)
        assert (counted(stream), stream.received, stream.gaps, menu.open) == ((1, 1), 2, 0, 1)
        await ended(task)
        assert menu.open == 0

    run_virtually(main())


def test_a_stream_that_breaks_begins_again_and_loses_no_state() -> None:
    """The gap is counted, the pause grows with each failure, and what changed meanwhile is found."""

    async def main() -> None:
        menu = Menu()
        menu.table, menu.lives_s = [person(1)], 100.0
        menu.error = RouterUnreachable("gone", reason=UnreachableReason.RESET)
        stream = made(menu)
        task = asyncio.create_task(stream.run())
        await asyncio.sleep(50.0)
        menu.refusal = menu.error
        await asyncio.sleep(60.0)
        assert stream.state is not State.LISTENING
        menu.table = [person(2), person(3)]
        menu.refusal = None
        await asyncio.sleep(20.0)
        assert menu.listened == [0.0, 101.0, 103.0, 107.0, 115.0]
        assert (stream.gaps, counted(stream)) == (1, (2, 1))
        assert stream.state is State.LISTENING
        await ended(task)

    run_virtually(main())


def test_a_stream_that_ends_all_the_time_is_switched_off() -> None:
    """Five ends within a minute, and the router is not asked again; one that ends now and then goes on."""

    async def main() -> None:
        menu = Menu()
        menu.lives_s, menu.error = 3.0, CommandFailed("interrupted", path="/ppp/active/listen")
        stream = made(menu)
        await stream.run()
        assert (stream.state, len(menu.listened), stream.gaps) == (State.SWITCHED_OFF, 5, 5)
        patient = Menu()
        patient.lives_s = 61.0
        steady = made(patient)
        task = asyncio.create_task(steady.run())
        await asyncio.sleep(3600.0)
        assert steady.state is not State.SWITCHED_OFF
        assert steady.gaps > 50
        await ended(task)

    run_virtually(main())


def test_a_router_that_is_down_is_no_misbehaving_stream() -> None:
    """However often it cannot be begun, it is tried again, once a minute at the most."""

    async def main() -> None:
        menu = Menu()
        menu.refusal = RouterUnreachable("refused", reason=UnreachableReason.REFUSED)
        stream = made(menu)
        task = asyncio.create_task(stream.run())
        await asyncio.sleep(3600.0)
        assert (stream.state, stream.gaps) == (State.WAITING, 0)
        assert 55 < len(menu.listened) < 70
        await ended(task)

    run_virtually(main())


def test_a_quiet_stream_is_renewed_without_a_gap() -> None:
    """A dead one is as quiet as an idle one; the new one looks at the table, so that nothing is lost."""

    async def main() -> None:
        menu = Menu()
        stream = made(menu, quiet_s=600.0)
        task = asyncio.create_task(stream.run())
        await asyncio.sleep(601.0)
        menu.table = [person(1)]
        await asyncio.sleep(600.0)
        assert menu.listened == [0.0, 600.0, 1200.0]
        assert (stream.gaps, counted(stream), menu.open) == (0, (1, 0), 1)
        await ended(task)

    run_virtually(main())


def test_a_missing_package_is_asked_for_once_an_hour() -> None:
    """A router without the menu is neither bothered nor complained about."""

    async def main() -> None:
        menu = Menu()
        menu.refusal = CommandUnsupported("no such command", path="/ppp/active/listen")
        stream = made(menu)
        task = asyncio.create_task(stream.run())
        await asyncio.sleep(7300.0)
        assert menu.listened == [0.0, 3600.0, 7200.0]
        assert stream.gaps == 0
        await ended(task)

    run_virtually(main())


def test_a_router_that_was_closed_is_left_alone() -> None:
    """After a reload has replaced it, nobody listens to the old one."""

    async def main() -> None:
        menu = Menu()
        menu.refusal = PoolClosed("closed")
        await made(menu).run()
        assert len(menu.listened) == 1

    run_virtually(main())
