"""Kicking subscribers and guests: the right sessions end, and those that come back are known to be new."""

import asyncio
from contextlib import suppress

import pytest
from pydantic import ValidationError

from alertbridge.recover.actions.base import Stage, Verdict
from alertbridge.recover.actions.hotspot_cookie_cleanup import HotspotCookieCleanupSettings
from tests.fakes.acting import READER, Bench, acting, failing


def user_by(bench: Bench, way: str) -> str:
    """A guest who is logged in that way, on one device only."""
    names = [row.values["user"] for row in bench.rows("/ip/hotspot/active")]
    return next(
        row.values["user"]
        for row in bench.rows("/ip/hotspot/active", login_by=way)
        if names.count(row.values["user"]) == 1
    )


async def test_a_kicked_subscriber_dials_again_and_counts_as_kicked() -> None:
    """The session is gone and the one that comes seconds later is another."""
    async with acting(profile="isp") as bench:
        name = bench.rows("/ppp/active")[0].values["name"]
        action = bench.make("ppp_kick", user=name)
        assert action.target == f"router:core/ppp:{name}"
        assert await action.verify() is Verdict.UNKNOWN
        assert (await action.before()).facts["sessions"] == 1
        done = await action.run()
        assert (done.changed, done.detail) == (True, "1 sessions ended")
        assert bench.rows("/ppp/active", name=name) == []
        assert await action.verify() is Verdict.HOLDS
        await bench.pass_time(10)
        assert len(bench.rows("/ppp/active", name=name)) == 1
        assert await action.verify() is Verdict.HOLDS
        assert (await failing(action.undo())).stage is Stage.UNDO


async def test_every_session_of_a_user_is_ended_and_no_other() -> None:
    """Several rows may bear one name; each is removed by its own id."""
    async with acting(profile="isp") as bench:
        table = bench.device.world.table("/ppp/active")
        first, second, other = bench.rows("/ppp/active")[:3]
        table.change(second, name=first.values["name"])
        before = len(table)
        done = await bench.make("ppp_kick", user=first.values["name"]).run()
        assert done.evidence.facts["sessions"] == 2
        assert len(table) == before - 2
        assert other.id in table.rows
        assert len(bench.words("/ppp/active/remove")) == 2


async def test_a_user_who_is_not_online_is_nothing_to_do() -> None:
    """Nothing is sent but the question; a router without PPP says that it has none."""
    async with acting(profile="isp") as bench:
        assert not (await bench.make("ppp_kick", user="nobody").run()).changed
        assert bench.words("/ppp/active/remove") == []
    async with acting(profile="ancient") as bench:
        failed = await failing(bench.make("ppp_kick", user="nobody").before())
        assert (failed.reason, failed.changed) == ("unsupported", False)


async def test_a_session_that_ends_by_itself_meanwhile_is_no_failure() -> None:
    """Between the list and the removal a row may vanish."""
    async with acting(profile="isp", latency_s=0.02) as bench:
        row = bench.rows("/ppp/active")[0]
        run = asyncio.ensure_future(bench.make("ppp_kick", user=row.values["name"]).run())
        await bench.until(lambda: bool(bench.words("/ppp/active/remove")))
        bench.device.world.table("/ppp/active").remove(row)
        assert (await run).changed


async def test_a_reader_may_not_kick() -> None:
    """The policy that is missing is named; the session stays."""
    async with acting(profile="isp", policies=READER) as bench:
        name = bench.rows("/ppp/active")[0].values["name"]
        failed = await failing(bench.make("ppp_kick", user=name).run())
        assert (failed.reason, failed.changed) == ("no_permission", False)
        assert len(bench.rows("/ppp/active", name=name)) == 1


async def test_a_connection_that_drops_with_the_removal_leaves_it_open() -> None:
    """Nobody knows whether it was carried out, so it is not sent again."""
    async with acting(profile="isp") as bench:
        name = bench.rows("/ppp/active")[0].values["name"]
        action = bench.make("ppp_kick", user=name)
        await action.before()
        bench.device.faults.set("slow_menu", menu="/ppp/active", seconds=0.5)
        run = asyncio.ensure_future(action.run())
        await bench.until(lambda: bool(bench.words("/ppp/active/remove")))
        bench.device.drop_connections()
        failed = await failing(run)
        assert (failed.reason, failed.changed) == ("connection_lost", None)
        assert len(bench.words("/ppp/active/remove")) == 1


async def test_a_guest_with_a_cookie_stays_out_only_without_it() -> None:
    """With his cookies left he is back at once, which the verification sees; with them removed he is out."""
    async with acting(profile="hotspot") as bench:
        name = user_by(bench, "cookie")
        bench.device.world.advance()
        cookies = bench.rows("/ip/hotspot/cookie", user=name)
        assert cookies
        lazy = bench.make("hotspot_kick", user=name, cookies=False)
        assert (await lazy.run()).changed
        assert bench.rows("/ip/hotspot/active", user=name)
        assert await lazy.verify() is Verdict.HOLDS  # another session: that is all it was asked for
        action = bench.make("hotspot_kick", user=name, run_id="run-8")
        assert await action.verify() is Verdict.UNKNOWN
        assert (await action.before()).facts["login_by"] == "cookie"
        done = await action.run()
        assert done.detail == "1 sessions, 1 cookies and 0 hosts removed"
        assert bench.rows("/ip/hotspot/active", user=name) == []
        assert bench.rows("/ip/hotspot/cookie", user=name) == []
        assert await action.verify() is Verdict.HOLDS


async def test_cookies_go_before_sessions() -> None:
    """In the other order the device is back before its cookie is gone."""
    async with acting(profile="hotspot") as bench:
        await bench.make("hotspot_kick", user=user_by(bench, "mac-cookie"), hosts=True).run()
        order = [said.path for said in bench.device.log if said.path.endswith("/remove")]
        assert order == ["/ip/hotspot/cookie/remove", "/ip/hotspot/active/remove"]


async def test_a_guest_who_came_back_by_cookie_is_not_out() -> None:
    """A new session that a cookie opened says that the kick did not last."""
    async with acting(profile="hotspot") as bench:
        name = user_by(bench, "cookie")
        action = bench.make("hotspot_kick", user=name)
        await action.run()
        session = {
            "user": name,
            "login-by": "cookie",
            "address": "10.100.0.2",
            "mac-address": "02:00:5E:00:00:01",
        }
        world = bench.device.world
        row = world.table("/ip/hotspot/active").add(session, since_s=world.now_s)
        assert await action.verify() is Verdict.FAILS
        world.table("/ip/hotspot/active").change(row, login_by="http-chap")
        assert await action.verify() is Verdict.HOLDS
        await bench.pass_time(30)
        row.since_s -= 3600  # as old as the one that was ended: an id made of an address serves again
        assert await action.verify() is Verdict.FAILS


async def test_cut_off_in_the_middle_a_guest_has_lost_his_cookie_at_most() -> None:
    """Cancelled at each command: what is half done is harmless, and a second run finishes it."""
    at, finished = 0, False
    while not finished:
        at += 1
        async with acting(profile="hotspot") as bench:
            name = user_by(bench, "cookie")
            run = asyncio.ensure_future(bench.make("hotspot_kick", user=name).run())
            while not run.done() and bench.device.commands_total < at:  # noqa: ASYNC110  cut at each step
                await asyncio.sleep(0)
            finished = run.done()
            run.cancel()
            with suppress(asyncio.CancelledError):
                await run
            action = bench.make("hotspot_kick", user=name)
            await action.run()
            assert bench.rows("/ip/hotspot/active", user=name) == []
            assert await action.verify() in (Verdict.HOLDS, Verdict.UNKNOWN)
    assert at >= 4


async def test_cookies_are_cleaned_up_by_user_and_by_age() -> None:
    """Only those that are selected, no more than the limit in one run, and again until none is left."""
    async with acting(profile="hotspot") as bench:
        all_of_them = len(bench.rows("/ip/hotspot/cookie"))
        name = bench.rows("/ip/hotspot/cookie")[5].values["user"]
        mine = len(bench.rows("/ip/hotspot/cookie", user=name))
        action = bench.make("hotspot_cookie_cleanup", user=name)
        assert (await action.before()).facts["cookies"] == mine
        assert await action.verify() is Verdict.FAILS
        assert (await action.run()).evidence.facts["removed"] == mine
        assert await action.verify() is Verdict.HOLDS
        assert len(bench.rows("/ip/hotspot/cookie")) == all_of_them - mine
        old = bench.make("hotspot_cookie_cleanup", older_than_s=86_400 * 2, limit=3)
        facts = (await old.run()).evidence.facts
        assert facts["removed"] == 3
        assert isinstance(facts["left"], int)
        assert facts["left"] > 0
        assert await old.verify() is Verdict.FAILS
        assert not (await bench.make("hotspot_cookie_cleanup", expired=True).run()).changed


def test_a_clean_up_of_everything_is_refused() -> None:
    """Without a condition every device would have to log in anew."""
    with pytest.raises(ValidationError, match="needs one of user, expired and older_than_s"):
        HotspotCookieCleanupSettings(router="core")
