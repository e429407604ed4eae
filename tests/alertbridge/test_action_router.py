"""Counters, leases, scripts and reboots: done once, seen on the router, and told when nobody knows."""

import asyncio
from typing import Any

import pytest
from pydantic import ValidationError

from alertbridge.recover.actions.base import Stage, Verdict
from alertbridge.recover.actions.dhcp_lease_renew import DhcpLeaseRenewSettings
from alertbridge.recover.actions.registry import ACTIONS
from tests.fakes.acting import READER, WRITER, Bench, acting, failing


@pytest.mark.parametrize("kind", ["simple", "tree"])
async def test_the_counters_of_one_queue_start_from_zero(kind: str) -> None:
    """The other queues keep theirs."""
    async with acting() as bench:
        mine, other = [row.values["name"] for row in bench.rows(f"/queue/{kind}")][:2]
        action = bench.make("queue_reset_counters", queue=mine, kind=kind)
        assert action.target == f"router:core/queue:{mine}"
        assert await action.verify() is Verdict.UNKNOWN
        before = await action.before()
        assert before.facts["bytes"] not in (None, "0", "0/0")
        assert (await action.run()).changed
        assert await action.verify() is Verdict.HOLDS
        untouched = await bench.make("queue_reset_counters", queue=other, kind=kind).before()
        assert untouched.facts["bytes"] not in ("0", "0/0")
        assert (
            await failing(bench.make("queue_reset_counters", queue="nobody").run())
        ).reason == "no_such_queue"


async def test_a_dynamic_lease_goes_and_a_static_one_stays() -> None:
    """What an operator made static is his."""
    async with acting() as bench:
        lease = bench.rows("/ip/dhcp-server/lease", dynamic="true", status="bound")[0]
        action = bench.make("dhcp_lease_renew", mac_address=lease.values["mac-address"].lower())
        assert (await action.before()).facts["status"] == "bound"
        assert await action.verify() is Verdict.UNKNOWN
        assert (await action.run()).changed
        assert await action.verify() is Verdict.HOLDS
        assert (await failing(action.run())).reason == "no_such_lease"
        await bench.pass_time(301)
        again = bench.rows("/ip/dhcp-server/lease", address=lease.values["address"])
        assert len(again) == 1
        assert again[0].id != lease.id
        assert await action.verify() is Verdict.HOLDS
        static = next(row for row in bench.rows("/ip/dhcp-server/lease") if "dynamic" not in row.values)
        refused = await failing(bench.make("dhcp_lease_renew", address=static.values["address"]).before())
        assert (refused.reason, refused.stage) == ("static_lease", Stage.PRECHECK)
        assert static.id in bench.device.world.table("/ip/dhcp-server/lease").rows


def test_a_lease_is_named_in_one_way() -> None:
    """By its address or by its client."""
    for given in ({}, {"address": "10.0.0.2", "mac_address": "02:00:00:00:00:01"}):
        with pytest.raises(ValidationError, match="either address or mac_address"):
            DhcpLeaseRenewSettings.model_validate({"router": "core", **given})


def write_script(bench: Bench, name: str, source: str, policy: str = "read,write") -> None:
    bench.device.world.add("/system/script", name=name, source=source, policy=policy, run_count="0")


async def test_only_listed_scripts_run() -> None:
    """By name; one that is not on the list is not even looked for."""
    async with acting(router={"scripts": ["flush", "missing", "script-3"]}, counts={"scripts": 3}) as bench:
        write_script(bench, "flush", ":log info flushed")
        action = bench.make("script_run", script="flush")
        assert await action.verify() is Verdict.UNKNOWN
        assert (await action.before()).facts["run_count"] == "0"
        assert (await action.run()).evidence.facts["run_count"] == "1"
        assert await action.verify() is Verdict.HOLDS
        assert any(row.values["message"] == "flushed" for row in bench.rows("/log"))
        asked = len(bench.words("/system/script/print"))
        failed = await failing(bench.make("script_run", script="backup nightly").run())
        assert failed.reason == "not_allowed"
        assert len(bench.words("/system/script/print")) == asked
        assert (await failing(bench.make("script_run", script="missing").before())).reason == "no_such_script"
        assert (
            await failing(bench.make("script_run", script="script-3").before())
        ).reason == "invalid_script"


async def test_a_script_that_fails_or_lasts_too_long_is_told() -> None:
    """An error is an answer; without an answer nobody knows what was done."""
    async with acting(router={"scripts": ["bad", "slow", "strong"]}) as bench:
        write_script(bench, "bad", ':error "no uplink"')
        write_script(bench, "slow", ":delay 30s")
        write_script(bench, "strong", ":log info x", policy="read,policy")
        failed = await failing(bench.make("script_run", script="bad").run())
        assert (failed.reason, failed.changed) == ("script_failed", None)
        assert "no uplink" in str(failed)
        slow = await failing(bench.make("script_run", script="slow", deadline_s=0.2).run())
        assert (slow.reason, slow.changed) == ("no_answer", None)
        denied = await failing(bench.make("script_run", script="strong").run())
        assert (denied.reason, denied.changed) == ("no_permission", False)


async def test_a_reboot_is_seen_by_the_uptime() -> None:
    """The connection ends with the command, and afterwards the router has been up for less time than before."""
    assert ACTIONS["router_reboot"].about.ask_only
    async with acting() as bench:
        action = bench.make("router_reboot")
        assert action.target == "router:core"
        assert await action.verify() is Verdict.UNKNOWN
        uptime_s = (await action.before()).facts["uptime_s"]
        assert isinstance(uptime_s, float)
        assert uptime_s > 86_400
        assert (await action.run()).changed
        await bench.until(lambda: not bench.device.connections)
        assert await action.verify() is Verdict.UNKNOWN
        await bench.pass_time(20)
        async with asyncio.timeout(60):
            while await action.verify() is not Verdict.HOLDS:
                await bench.resources.routers.named("core").router.reset()
                await asyncio.sleep(0.05)
        again = await failing(bench.make("router_reboot").before())
        assert again.reason == "just_booted"


@pytest.mark.parametrize("how", ["hang", "drop", "fatal"])
async def test_no_answer_to_a_reboot_is_the_usual_answer(how: str) -> None:
    """Silence, an end without a word and a `!fatal` all count as taken; the uptime decides."""
    async with acting(router={"command_timeout_s": 1.5}) as bench:
        action = bench.make("router_reboot")
        await action.before()
        if how == "fatal":
            bench.device.faults.set("fatal", menu="/system")
        else:
            bench.device.faults.set("slow_menu", menu="/system", seconds=3.0)
        run = asyncio.ensure_future(action.run())
        await bench.until(lambda: bool(bench.words("/system/reboot")))
        if how == "drop":
            bench.device.drop_connections()
        assert (await run).changed
        assert len(bench.words("/system/reboot")) == 1
        bench.device.faults.clear()
        await bench.pass_time(30)
        assert await action.verify() in (Verdict.FAILS, Verdict.UNKNOWN)  # it did not, or is on its way


async def test_a_reboot_needs_its_own_policy() -> None:
    """Writing is not enough, and the one that is missing is named."""
    async with acting(policies=tuple(p for p in WRITER if p != "reboot")) as bench:
        failed = await failing(bench.make("router_reboot").run())
        assert (failed.reason, failed.changed) == ("no_permission", False)
        assert '"reboot"' in str(failed)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("queue_reset_counters", {"queue": "q"}),
        ("dhcp_lease_renew", {"address": "10.30.0.2"}),
        ("router_reboot", {}),
        ("interface_enable", {"interface": "ether3"}),
        ("ppp_kick", {"user": "u"}),
        ("hotspot_kick", {"user": "u"}),
        ("hotspot_cookie_cleanup", {"expired": True}),
        ("poe_cycle", {"interface": "ether3"}),
    ],
)
async def test_a_router_that_refuses_us_is_not_touched(name: str, settings: dict[str, Any]) -> None:
    """A wrong password is told as such before anything is done, and verification knows nothing."""
    async with acting(router={"password": "wrong"}) as bench:
        action = bench.make(name, **settings)
        failed = await failing(action.before())
        assert (failed.stage, failed.reason, failed.changed) == (Stage.PRECHECK, "login_refused", False)
        assert "wrong" not in str(failed)
        assert await action.verify() is Verdict.UNKNOWN


async def test_a_reader_resets_and_removes_nothing() -> None:
    """Each deed is refused with the policy that it needs."""
    async with acting(policies=READER) as bench:
        queue = bench.rows("/queue/simple")[0].values["name"]
        lease = bench.rows("/ip/dhcp-server/lease", dynamic="true")[0].values["address"]
        for action in (
            bench.make("queue_reset_counters", queue=queue),
            bench.make("dhcp_lease_renew", address=lease),
        ):
            failed = await failing(action.run())
            assert (failed.reason, failed.changed) == ("no_permission", False)
            assert '"write"' in str(failed)
