"""Bouncing, enabling and cycling interfaces: the router is never left without one, whatever happens in the middle."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from pydantic import ValidationError

from alertbridge.recover.actions.base import Stage, Verdict
from alertbridge.recover.actions.interface_bounce import InterfaceBounceSettings
from simulator.links import lose_link
from tests.fakes.acting import READER, Bench, acting, failing

PORT = "ether3"
QUICK = {"command_timeout_s": 1.5}


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """A home router and all actions."""
    async with acting() as bench:
        yield bench


async def test_a_bounce_takes_the_interface_down_and_up_and_leaves_nothing_behind() -> None:
    """Disabled once, enabled once, down for as long as asked; the dead man is gone and the link was seen to drop."""
    async with acting() as bench:
        seen: list[object] = []
        bench.on_sleep.append(lambda: seen.extend([bench.is_disabled(PORT), bench.dead_men]))
        action = bench.make("interface_bounce", interface=PORT, down_s=3)
        assert action.target == "router:core/interface:ether3"
        before = await action.before()
        assert before.facts["running"] is True
        assert await action.verify() is Verdict.HOLDS
        done = await action.run()
        assert (done.changed, done.evidence.facts["disabled"]) == (True, False)
        assert seen == [True, ["tikwatch-run-7", "tikwatch-run-7-boot"]]
        assert bench.slept == [3.0]
        assert not bench.is_disabled(PORT)
        assert bench.dead_men == []
        assert await action.verify() is Verdict.HOLDS
        assert len(bench.words("/interface/disable")) == 1
        assert int(bench.interface(PORT)["link-downs"]) >= 1
        assert (await action.undo()).changed is False


async def test_nothing_is_bounced_that_must_not_be() -> None:
    """One that does not exist, that somebody disabled, or that comes and goes by itself."""
    async with acting(profile="isp", management="ether2") as bench:
        reasons = {}
        bench.device.world.table("/interface").change(
            bench.rows("/interface", name="ether5")[0], disabled="true"
        )
        for name in ("nobody", "ether5", "<pppoe-home-17>"):
            failed = await failing(bench.make("interface_bounce", interface=name).before())
            assert (failed.stage, failed.changed) == (Stage.PRECHECK, False)
            reasons[name] = failed.reason
        assert reasons == {
            "nobody": "no_such_interface",
            "ether5": "disabled",
            "<pppoe-home-17>": "dynamic_interface",
        }
        assert bench.words("/interface/disable") == []


@pytest.mark.parametrize("name", ["ether2", "bridge"])
async def test_the_interface_that_carries_our_session_is_refused(name: str) -> None:
    """The port we come in by, and the bridge that it belongs to; also when the run begins after all."""
    async with acting() as bench:
        action = bench.make("interface_bounce", interface=name)
        assert (await failing(action.before())).reason == "own_interface"
        assert (await failing(action.run())).reason == "own_interface"
        assert bench.words("/system/scheduler/add") == []
        assert bench.dead_men == []


async def test_without_a_trace_of_our_session_nothing_is_bounced_unless_named_or_forced() -> None:
    """A router that does not tell how it reaches us gets no bounce; a list of our interfaces settles it."""
    async with acting(management="") as bench:
        failed = await failing(bench.make("interface_bounce", interface="ether1").before())
        assert failed.reason == "own_interface"  # the way to everywhere leads over the uplink
        await bench.make("interface_bounce", interface=PORT).before()
        await bench.make("interface_bounce", interface="ether1", force=True).before()
    async with acting(management="", router={"own_interfaces": ["bridge"]}) as bench:
        failed = await failing(bench.make("interface_bounce", interface=PORT).before())
        assert failed.reason == "own_interface"  # a port of the bridge that is named
        await bench.make("interface_bounce", interface="ether1").before()


async def test_a_user_that_may_only_read_changes_nothing() -> None:
    """The missing policy is named, and neither interface nor scheduler is touched."""
    async with acting(policies=READER) as bench:
        action = bench.make("interface_bounce", interface=PORT)
        await action.before()
        failed = await failing(action.run())
        assert (failed.reason, failed.stage, failed.changed) == ("no_permission", Stage.RUN, False)
        assert "'monitor'" in str(failed)
        assert '"write"' in str(failed)
        assert not bench.is_disabled(PORT)
        assert bench.words("/interface/disable") == []


async def test_no_dead_man_no_bounce() -> None:
    """Where the scheduler refuses, the interface stays up."""
    async with acting() as bench:
        action = bench.make("interface_bounce", interface=PORT)
        bench.device.faults.set("no_permission", menu="/system/scheduler")
        failed = await failing(action.run())
        assert failed.reason == "no_permission"
        assert bench.words("/interface/disable") == []


@pytest.mark.parametrize("profile", ["legacy", "hotspot", "isp", "switch"])
async def test_every_release_and_board_is_bounced_alike(profile: str) -> None:
    """RouterOS 6 and 7, a switch: down, up, and nothing left behind."""
    async with acting(profile=profile) as bench:
        action = bench.make("interface_bounce", interface="ether3", dead_man_s=60)
        await action.before()
        assert (await action.run()).changed
        assert await action.verify() is Verdict.HOLDS
        assert bench.dead_men == []


async def test_a_refusal_after_the_dead_man_is_set_is_no_change() -> None:
    """The interface stayed up, so nothing may be held for done; the dead man is taken back."""
    async with acting() as bench:
        world = bench.device.world
        action = bench.make("interface_bounce", interface=PORT)
        bench.device.faults.set("slow_menu", menu="/interface", seconds=0.5)
        run = asyncio.ensure_future(action.run())
        await bench.until(lambda: bool(bench.words("/interface/disable")))
        bench.device.faults.set("slow_menu", menu="/none")
        row = bench.rows("/interface", name=PORT)[0]
        del world.table("/interface").rows[row.id]
        failed = await failing(run)
        assert (failed.reason, failed.changed) == ("no_such_item", False)
        assert bench.dead_men == []


async def test_an_answer_that_is_lost_is_made_up_for_by_what_is_seen() -> None:
    """The link went down and up: it was bounced. Where it did not, nobody knows."""
    for carried_out in (True, False):
        async with acting() as bench:
            bench.device.faults.set("slow_menu", menu="/interface", seconds=0.5)
            run = asyncio.ensure_future(bench.make("interface_bounce", interface=PORT).run())
            await bench.until(lambda bench=bench: bool(bench.words("/interface/disable")))  # type: ignore[misc]
            if carried_out:
                row = bench.rows("/interface", name=PORT)[0]
                bench.device.world.table("/interface").change(row, disabled="true")
                lose_link(bench.device.world, row)
            bench.device.drop_connections()
            if carried_out:
                assert (await run).changed
            else:
                failed = await failing(run)
                assert (failed.reason, failed.changed) == ("connection_lost", None)
            assert not bench.is_disabled(PORT)
            assert bench.dead_men == []


async def test_a_connection_that_drops_while_it_is_down_is_made_anew() -> None:
    """The interface is enabled over a second connection."""
    async with acting() as bench:
        bench.on_sleep.append(bench.device.drop_connections)
        done = await bench.make("interface_bounce", interface=PORT).run()
        assert done.changed
        assert not bench.is_disabled(PORT)
        assert bench.dead_men == []


async def test_a_router_that_falls_silent_while_it_is_down_is_asked_until_it_answers() -> None:
    """Enabling twice is the same as once, so it is tried again."""
    async with acting(router=QUICK) as bench:
        bench.on_sleep += [lambda: bench.device.faults.set("hang"), lambda: None, bench.device.faults.clear]
        done = await bench.make("interface_bounce", interface=PORT).run()
        assert done.changed
        assert not bench.is_disabled(PORT)
        assert bench.slept[1:] == [0.5, 1.0]


async def test_a_router_that_stays_silent_is_left_to_its_dead_man() -> None:
    """The run says so, and the router itself brings the interface back."""
    async with acting(router=QUICK) as bench:
        bench.on_sleep.append(lambda: bench.device.faults.set("refuse"))
        failed = await failing(bench.make("interface_bounce", interface=PORT, dead_man_s=60).run())
        assert (failed.reason, failed.changed) == ("left_to_dead_man", True)
        assert sum(bench.slept) <= 60
        await bench.pass_time(10)
        assert not bench.is_disabled(PORT)
        assert bench.dead_men == []


async def test_a_router_that_reboots_while_it_is_down_has_it_enabled_again() -> None:
    """Disabled outlives a reboot; whoever comes first, we or the dead man, enables it."""
    async with acting(router=QUICK) as bench:
        bench.on_sleep.append(lambda: bench.device.reboot(down_s=0.03))
        await bench.make("interface_bounce", interface=PORT).run()
        assert not bench.is_disabled(PORT)


async def test_forced_on_our_own_interface_the_router_lets_us_in_again() -> None:
    """The answer never comes, every new connection is refused, and after the dead man's time all is as before."""
    async with acting(router=QUICK) as bench:
        action = bench.make("interface_bounce", interface="ether2", force=True, dead_man_s=30)
        failed = await failing(action.run())
        assert failed.reason in ("connection_lost", "left_to_dead_man")
        await bench.pass_time(31)
        await bench.until(lambda: bench.device.listening)
        assert not bench.is_disabled("ether2")
        assert bench.dead_men == []


async def test_cut_off_at_any_moment_the_router_enables_the_interface_by_itself() -> None:
    """Cancelled at each command of the run, and while it waits: after the dead man's time it is up, nothing is left."""
    found_down = 0
    at = 0
    finished = False
    while not finished:
        at += 1
        async with acting() as bench:
            action = bench.make("interface_bounce", interface=PORT, dead_man_s=60)
            await action.before()
            begun = bench.device.commands_total
            run = asyncio.ensure_future(action.run())
            while not run.done() and bench.device.commands_total < begun + at:  # noqa: ASYNC110  cut at each step
                await asyncio.sleep(0)
            finished = run.done()
            run.cancel()
            with suppress(asyncio.CancelledError):
                await run
            await asyncio.sleep(0.01)
            down = bench.is_disabled(PORT)
            found_down += down
            assert not down or bench.dead_men, f"down without a dead man, cancelled at command {at}"
            await bench.pass_time(61)
            assert not bench.is_disabled(PORT)
            assert bench.dead_men == []
    assert at > 10
    assert found_down


async def test_cut_off_while_it_waits_and_rebooted_the_boot_brings_it_back() -> None:
    """The second entry runs when the router boots, before the first one's time."""
    async with acting() as bench:
        run = asyncio.ensure_future(bench.make("interface_bounce", interface=PORT, dead_man_s=600).run())
        bench.on_sleep.append(lambda: bench.slept.append(float(run.cancel())))
        with pytest.raises(asyncio.CancelledError):
            await run
        assert bench.is_disabled(PORT)
        bench.device.reboot(down_s=0.01)
        await bench.pass_time(5)
        assert not bench.is_disabled(PORT)
        assert bench.dead_men == []


async def test_an_open_breaker_is_told_as_what_it_is() -> None:
    """Nothing is sent any more to a router that does not answer, and verification knows nothing."""
    async with acting() as bench:
        bench.device.faults.set("refuse")
        reasons = [
            (await failing(bench.make("interface_bounce", interface=PORT).before())).reason for _ in range(6)
        ]
        assert reasons[0] == "unreachable"
        assert reasons[-1] == "breaker_open"
        assert await bench.make("interface_bounce", interface=PORT).verify() is Verdict.UNKNOWN


async def test_enabling_is_done_once_and_taken_back_once(bench: Bench) -> None:
    """An enabled interface is left alone; undoing disables it, by another object of the run, and never our own."""
    table = bench.device.world.table("/interface")
    table.change(bench.rows("/interface", name=PORT)[0], disabled="true", running="false")
    action = bench.make("interface_enable", interface=PORT)
    assert await action.verify() is Verdict.FAILS
    assert (await action.before()).facts["disabled"] is True
    assert (await action.run()).changed
    assert await action.verify() is Verdict.HOLDS
    assert not (await bench.make("interface_enable", interface=PORT).run()).changed
    bench.resources.recollections.keep("run-7", action.target)  # as after a restart
    assert (await bench.make("interface_enable", interface=PORT).undo()).changed
    assert bench.is_disabled(PORT)
    assert not (await action.undo()).changed
    own = await failing(bench.make("interface_enable", interface="ether2").undo())
    assert (own.stage, own.reason) == (Stage.UNDO, "own_interface")


async def test_a_port_without_power_comes_back_with_its_device() -> None:
    """The device is gone for as long as asked and then runs again; a port that gives none is refused."""
    async with acting(profile="hotspot", management="ether2") as bench:
        powered = next(
            row.values["name"]
            for row in bench.rows("/interface", poe_out="auto-on", running="true")
            if row.values.get("poe-draw", "0") != "0" and row.values["name"] != "ether2"
        )
        action = bench.make("poe_cycle", interface=powered, off_s=1)
        before = await action.before()
        assert before.facts["poe_status"] == "powered-on"
        run = asyncio.ensure_future(action.run())
        await bench.until(lambda: bench.interface(powered)["running"] == "false")
        assert await action.verify() is Verdict.FAILS
        bench.clock.advance(1.1)
        assert (await run).changed
        assert await action.verify() is Verdict.HOLDS
        assert (await failing(bench.make("poe_cycle", interface="ether1").before())).reason == "poe_off"
        assert (await failing(bench.make("poe_cycle", interface="ether2").before())).reason == "own_interface"
        assert (await failing(bench.make("poe_cycle", interface="sfp-sfpplus1").before())).reason in (
            "no_poe",
            "no_such_interface",
        )
        assert (await failing(action.undo())).reason == "not_undoable"


async def test_a_board_without_power_over_its_ports_says_so() -> None:
    """A missing menu is a reason of its own."""
    async with acting() as bench:
        assert (await failing(bench.make("poe_cycle", interface=PORT).before())).reason == "unsupported"


def test_the_dead_man_must_outlast_the_bounce() -> None:
    """Else it would enable the interface in the middle."""
    with pytest.raises(ValidationError, match="dead_man_s must be at least"):
        InterfaceBounceSettings(router="core", interface=PORT, down_s=50, dead_man_s=60)
