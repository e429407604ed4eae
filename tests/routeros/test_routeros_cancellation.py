"""Callers that go away: whatever they were waiting for is given up, on the router too, and nothing leaks."""

from __future__ import annotations

import asyncio
import gc

import pytest

from routeros import PoolSettings, RetrySettings, Router, RouterError
from tests.fakes.scripted_router import Done, Hang, HangUp, Row, ScriptedRouter, Wait
from tests.routeros.conftest import Connect
from tests.routeros.test_routeros_client import until


async def test_cancelled_in_flight(device: ScriptedRouter, connect: Connect) -> None:
    """A caller that goes away while its command runs cancels it on the router and frees its slot."""
    device.on("/slow/print", Row({"n": "1"}), Hang())
    device.on("/quick/print", Done())
    router = connect(device, pool=PoolSettings(max_in_flight=1))
    slow = asyncio.create_task(router.print("/slow"))
    await until(lambda: device.in_flight == 1)
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
    assert await router.print("/quick") == []
    await until(lambda: device.in_flight == 0)
    assert device.count("/cancel") == 1
    assert device.connects_total == 1
    assert router.stats().in_flight == 0


async def test_cancelled_in_the_queue(device: ScriptedRouter, connect: Connect) -> None:
    """A caller that goes away while it waits for a slot leaves the queue; its command is never sent."""
    gate = asyncio.Event()
    device.on("/slow/print", Wait(gate), Done())
    router = connect(device, pool=PoolSettings(max_in_flight=1))
    slow = asyncio.create_task(router.print("/slow"))
    await until(lambda: device.in_flight == 1)
    waiting = [asyncio.create_task(router.print("/waiting")) for _ in range(3)]
    await until(lambda: router.stats().waiting == 3)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    assert router.stats().waiting == 0
    gate.set()
    await slow
    assert device.count("/waiting/print") == 0


async def test_cancelled_while_connecting(device: ScriptedRouter, connect: Connect) -> None:
    """A caller that goes away while the pool dials leaves the dialling be; the next caller has its connection."""
    device.on("/x/print", Done())
    router = connect(device)
    first = asyncio.create_task(router.print("/x"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert router.stats().connections_opening == 1
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await router.print("/x") == []
    assert device.connects_total == 1


async def test_cancelled_between_retries(device: ScriptedRouter, connect: Connect) -> None:
    """A caller that goes away while a retry is waited for is not retried any more."""
    device.on("/x/print", HangUp())
    router = connect(device, retry=RetrySettings(attempts=5, min_wait_s=10.0))
    task = asyncio.create_task(router.print("/x"))
    await until(lambda: device.count("/x/print") == 1 and router.stats().connections_open == 0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert device.count("/x/print") == 1


async def test_cancelled_at_the_moment_of_the_answer(device: ScriptedRouter, connect: Connect) -> None:
    """When cancel and answer cross, the slot is freed once and the connection stays usable."""
    device.on("/x/print", Row({"n": "1"}), Done())
    router = connect(device, pool=PoolSettings(max_in_flight=2))
    await router.print("/x")
    for turns in range(40):
        task = asyncio.create_task(router.print("/x"))
        for _ in range(turns % 12):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    assert router.stats().in_flight == 0
    assert await router.print("/x") == [{"n": "1"}]
    await until(lambda: "draining=0" in repr(router._pool.connections[0]))
    assert device.connects_total == 1


async def test_cancelled_listener(device: ScriptedRouter, connect: Connect) -> None:
    """A task that listens and is cancelled cancels the stream on the router."""
    device.on("/log/listen", Row({"n": "1"}), Hang())
    router = connect(device)
    seen: list[dict[str, str]] = []

    async def listen() -> None:
        async for row in router.listen("/log"):
            seen.append(row)  # noqa: PERF401 - one at a time is the point

    task = asyncio.create_task(listen())
    await until(lambda: bool(seen))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: device.in_flight == 0)
    assert device.count("/cancel") == 1


async def test_cancelled_connection_test(device: ScriptedRouter, connect: Connect) -> None:
    """A connection test that is given up closes its connection, whether it was logging in or asking."""
    router = connect(device)
    device.on("/system/identity/print", Hang())
    for script in (None, ()):
        device.login_script = script
        task = asyncio.create_task(router.test())
        await until(lambda: bool(device.sessions) and len(device.log) > 0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: not device.sessions)


async def test_closing_while_commands_run(device: ScriptedRouter) -> None:
    """Closing ends every caller with an error, and leaves no task and no session."""
    device.on("/slow/print", Hang())
    before = asyncio.all_tasks()
    router = Router(device.target(), pool=PoolSettings(max_in_flight=2))
    tasks = [asyncio.create_task(router.print("/slow", large=i == 1)) for i in range(6)]
    await until(lambda: device.in_flight == 2)
    await router.close()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, RouterError) for result in results)
    await until(lambda: not device.sessions)
    await until(lambda: asyncio.all_tasks() - before == set())


async def test_storm_of_cancellations_leaks_nothing(device: ScriptedRouter, connect: Connect) -> None:
    """Hundreds of callers that come and go leave slots, tags, sessions and tasks as they were."""
    device.on("/slow/print", Row({"n": "1"}), Hang())
    device.on("/quick/print", Row({"n": "1"}), Done())
    router = connect(device, pool=PoolSettings(max_in_flight=4))
    await router.print("/quick")
    before = asyncio.all_tasks()
    for turn in range(30):
        tasks = [asyncio.create_task(router.print("/slow" if i % 3 else "/quick")) for i in range(12)]
        for _ in range(turn % 7):
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    stats = router.stats()
    assert (stats.in_flight, stats.waiting) == (0, 0)
    assert await router.print("/quick") == [{"n": "1"}]
    await until(lambda: device.in_flight == 0)
    await until(lambda: "draining=0" in repr(router._pool.connections[0]))
    assert router._pool.connections[0]._cancels == {}
    assert device.sessions_peak == 1
    gc.collect()
    await until(lambda: len(asyncio.all_tasks() - before) <= 1)
