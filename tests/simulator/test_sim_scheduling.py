"""Schedulers that run, scripts that do what they say, and the interface that clients come in by."""

from __future__ import annotations

import asyncio

from simulator.bot import SimulatedBot
from simulator.bot.state import CONNECT_S
from tests.fakes.clock import FakeClock
from tests.simulator.conftest import Connect, Start
from tests.simulator.wireclient import WireClient, by_name

OPERATOR = ("api", "read", "write", "test", "reboot")
ENABLE = '/interface enable *3; /system scheduler remove [find where name="dead"]'


async def disabled(client: WireClient, row_id: str = "*3") -> str:
    """Whether an interface is, in the router's words."""
    return (await client.rows("/interface/print", f"=.id={row_id}"))[0]["disabled"]


async def test_an_entry_runs_each_interval_until_it_removes_itself(
    start: Start, connect: Connect, clock: FakeClock
) -> None:
    """What is due happens, once for each interval, and an entry may end itself."""
    client = await connect(await start(clock, policies=OPERATOR))
    event = "=on-event=:log info tick"
    await client.ask("/system/scheduler/add", "=name=tick", "=interval=10s", event, "=policy=read,write")
    await client.ask(
        "/system/scheduler/add", "=name=dead", "=interval=25s", f"=on-event={ENABLE}", "=policy=read,write"
    )
    await client.ask("/interface/disable", "=.id=*3")
    clock.advance(24)
    assert await disabled(client) == "true"
    clock.advance(6)
    assert await disabled(client) == "false"
    entries = by_name(await client.rows("/system/scheduler/print"))
    assert "dead" not in entries
    assert entries["tick"]["run-count"] == "3"
    assert [row["message"] for row in await client.rows("/log/print")].count("tick") == 3


async def test_an_entry_for_the_boot_runs_at_the_boot_only(
    start: Start, connect: Connect, clock: FakeClock
) -> None:
    """`start-time=startup` without an interval: three seconds after each boot, and at no other time."""
    device = await start(clock, policies=OPERATOR)
    client = await connect(device)
    await client.ask(
        "/system/scheduler/add",
        *("=name=dead", "=interval=0s", "=start-time=startup", f"=on-event={ENABLE}", "=policy=read,write"),
    )
    await client.ask("/interface/disable", "=.id=*3")
    clock.advance(3600)
    assert await disabled(client) == "true"
    device.reboot(down_s=0.01)
    clock.advance(5)
    async with asyncio.timeout(60):
        while not device.listening:  # noqa: ASYNC110  it tells nobody
            await asyncio.sleep(0.005)
    assert await disabled(await connect(device)) == "false"


async def test_scripts_do_what_they_say(start: Start, connect: Connect) -> None:
    """Menus' commands with their arguments, waits, and errors that end the script in the middle."""
    client = await connect(await start(policies=OPERATOR))

    async def trap(source: str, policy: str = "read,write") -> str:
        made = await client.ret("/system/script/add", "=name=s", f"=source={source}", f"=policy={policy}")
        said = await client.ask("/system/script/run", f"=.id={made}")
        await client.ask("/system/script/remove", f"=.id={made}")
        return next((word[9:].decode() for word in said[0] if word.startswith(b"=message=")), "")

    assert await trap('/interface disable [find where name="ether3"]; :delay 10ms') == ""
    assert by_name(await client.rows("/interface/print"))["ether3"]["disabled"] == "true"
    assert await trap('/interface/enable ether3\n:error "no; luck"\n/interface disable ether3') == "no; luck"
    assert by_name(await client.rows("/interface/print"))["ether3"]["disabled"] == "false"
    assert await trap('/interface disable [find where name="nobody"]') == ""
    assert "bad command name" in await trap("/nonsense now")
    assert "bad command name" in await trap("nonsense")
    assert await trap("/interface enable *999") == "no such item"
    assert await trap(":log info x", "read,policy") == "not enough permissions (9)"


async def test_who_disables_his_own_interface_is_cut_off(start: Start, connect: Connect) -> None:
    """Connections drop and new ones are refused, while the router's scheduler goes on and lets him in again."""
    device = await start(policies=OPERATOR, management="ether2")
    client = await connect(device)
    assert (await client.rows("/ip/arp/print", "?address=127.0.0.1"))[0]["interface"] == "bridge"
    own = (await client.rows("/interface/print", "?name=ether2"))[0][".id"]
    event = f"=on-event=/interface enable {own}"
    await client.ask("/system/scheduler/add", "=name=x", "=interval=300ms", event, "=policy=write")
    client.send("/interface/disable", f"=.id={own}")
    await client.ended()
    assert "refusing" in repr(device)
    async with asyncio.timeout(60):
        while not device.listening:  # noqa: ASYNC110  it tells nobody
            await asyncio.sleep(0.005)
    assert await disabled(await connect(device), own) == "false"


def test_the_bot_lists_its_queue_and_removes_only_what_it_is_told() -> None:
    """In pages, oldest first; `ids` narrows what is cleared."""
    bot = SimulatedBot(1000.0)
    bot.faults.set("queue_stuck")
    bot.advance(1000.0 + CONNECT_S)
    for number in range(5):
        bot.advance(1001.0 + number)
        bot.send("62812", f"text {number}", f"M{number}")
    bot.advance(1010.0)
    assert [one["id"] for one in bot.queued(1, 2)] == ["M1", "M2"]
    assert bot.queued(0, 1)[0]["age_s"] == 9.0
    assert bot.clear_queue(0, ["M0", "M3"]) == 2
    assert [one["id"] for one in bot.queued(0, 10)] == ["M1", "M2", "M4"]
