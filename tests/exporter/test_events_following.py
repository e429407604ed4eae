"""Events of simulated routers, from their streams to /metrics and /probe."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from exporter.events.following import MENUS
from exporter.serve.keys import EVENTS
from routeros import LoginRefused, Router, Target
from simulator import Device, Network, RouterSpec
from simulator.table import Occupant
from tests.fakes.served import OPENMETRICS, Page, Served, config_text, router_of, served

EVERYTHING = {"interface": True, "ppp": True, "hotspot": True, "log": True}
QUICK = {"breaker": {"cooldown_s": 0.2, "max_cooldown_s": 0.2, "jitter_ratio": 0}, "retry": {"attempts": 1}}


@asynccontextmanager
async def followed(
    folder: Path, events: dict[str, bool] | None = None, profile: str = "isp"
) -> AsyncIterator[tuple[Device, Served]]:
    async with Network([RouterSpec("isp", profile=profile)]) as network:
        device = network["isp"]
        router = router_of(device, **({"events": events} if events else {}))
        async with served(folder, config_text([router], **QUICK)) as exporter:
            yield device, exporter


async def shows(exporter: Served, name: str, at_least: float = 1, **labels: str) -> Page:
    """The page as soon as the sample is that high. Raises TimeoutError."""
    async with asyncio.timeout(60):
        while True:
            page = await exporter.get("/metrics?collect[]=system")
            if (page.value(name, router="isp", **labels) or 0) >= at_least:
                return page
            await asyncio.sleep(0.05)


async def listening(exporter: Served) -> None:
    """Wait until every stream is there."""
    for menu in MENUS:
        await shows(exporter, "mikrotik_events_stream_up", menu=menu.name)


def throw_out(device: Device, menu: str, count: int) -> None:
    """End sessions as an operator does."""
    device.world.advance()
    for row in list(device.world.table(menu))[:count]:
        assert isinstance(row.owner, Occupant)
        row.owner.thrown_out(device.world)


async def test_nothing_is_followed_unless_asked_for(tmp_path: Path) -> None:
    """By default no router is listened to, and no series of events is there."""
    async with followed(tmp_path) as (device, exporter):
        page = await exporter.get("/metrics?collect[]=health")
        assert "mikrotik_events" not in page.text
        assert not [one for one in device.log if one.path.endswith("/listen")]


async def test_each_menu_asked_for_has_one_stream(tmp_path: Path) -> None:
    """Of the four menus only those that the router's settings name are followed, once each."""
    async with followed(tmp_path, {"ppp": True, "log": True}) as (device, exporter):
        await shows(exporter, "mikrotik_events_stream_up", menu="log")
        page = await shows(exporter, "mikrotik_events_stream_up", menu="ppp")
        for _ in range(3):
            await exporter.get("/metrics")
        paths = [one.path for one in device.log if one.path.endswith("/listen")]
        assert sorted(paths) == ["/log/listen", "/ppp/active/listen"]
        assert page.value("mikrotik_events_sessions_started_total", router="isp", service="pppoe") == 0
        assert page.value("mikrotik_events_stream_up", router="isp", menu="interface") is None


async def test_a_link_that_flaps_between_scrapes_is_counted(tmp_path: Path) -> None:
    """Each loss and each return of a link counts, as often as the router itself says."""
    async with followed(tmp_path, EVERYTHING, "home") as (device, exporter):
        await listening(exporter)
        page = await exporter.get("/metrics?collect[]=health")
        assert page.value("mikrotik_events_link_downs_total", router="isp", interface="ether2") == 0
        row = device.world.table("/interface").named("ether2")
        assert row is not None
        before = int(row.values["link-downs"])
        device.faults.set("flap", interface="ether2", period_s=0.1)
        await shows(exporter, "mikrotik_events_link_downs_total", 5, interface="ether2")
        await shows(exporter, "mikrotik_events_link_ups_total", 5, interface="ether2")
        device.faults.clear()
        truly = int(row.values["link-downs"]) - before
        page = await shows(exporter, "mikrotik_events_link_downs_total", truly, interface="ether2")
        assert page.value("mikrotik_events_link_downs_total", router="isp", interface="ether2") == truly
        assert page.value("mikrotik_events_link_downs_total", router="isp", interface="ether1") == 0


async def test_sessions_and_their_reasons_are_counted(tmp_path: Path) -> None:
    """Sessions that end and start again are counted by service, and by the reason that the log tells."""
    async with followed(tmp_path, EVERYTHING) as (device, exporter):
        await listening(exporter)
        throw_out(device, "/ppp/active", 5)
        page = await shows(exporter, "mikrotik_events_sessions_ended_total", 5, service="pppoe")
        ended = page.value("mikrotik_events_sessions_ended_total", router="isp", service="pppoe")
        assert ended is not None
        assert ended < 10  # others end by themselves now and then
        await shows(
            exporter, "mikrotik_events_session_end_reasons_total", 5, service="pppoe", reason="nas_request"
        )
        throw_out(device, "/ip/hotspot/active", 20)
        await shows(exporter, "mikrotik_events_sessions_ended_total", 20, service="hotspot")
        await shows(exporter, "mikrotik_events_sessions_started_total", service="hotspot")  # cookies
        await shows(
            exporter, "mikrotik_events_session_end_reasons_total", 20, service="hotspot", reason="admin_reset"
        )
        await shows(exporter, "mikrotik_events_sessions_started_total", 5, service="pppoe")  # they dial again


async def test_a_login_that_failed_is_counted(tmp_path: Path) -> None:
    """Somebody who guesses passwords shows, by the way that was tried."""
    async with followed(tmp_path, EVERYTHING, "home") as (device, exporter):
        await listening(exporter)
        await shows(exporter, "mikrotik_events_logins_failed_total", 0, service="api")
        target = Target("isp", "127.0.0.1", device.port, "admin", "guess")
        async with Router(target) as stranger:
            with pytest.raises(LoginRefused):
                await stranger.print("/system/identity")
        await shows(exporter, "mikrotik_events_logins_failed_total", 1, service="api")


async def test_a_lost_connection_is_a_gap_that_costs_no_state(tmp_path: Path) -> None:
    """Streams come back by themselves; sessions that ended meanwhile are found, the gap is counted."""
    async with followed(tmp_path, EVERYTHING) as (device, exporter):
        await listening(exporter)
        device.refuse()
        device.drop_connections()
        await shows(exporter, "mikrotik_events_gaps_total", menu="ppp")
        throw_out(device, "/ppp/active", 7)
        await device.listen()
        page = await shows(exporter, "mikrotik_events_sessions_ended_total", 7, service="pppoe")
        assert page.value("mikrotik_events_gaps_total", router="isp", menu="hotspot") == 1
        assert page.value("mikrotik_events_stream_switched_off", router="isp", menu="ppp") == 0
        await listening(exporter)


async def test_a_board_on_which_streams_end_is_left_in_peace(tmp_path: Path) -> None:
    """Where each stream is cut off at once it is switched off for good, said so, and the scrapes go on."""
    async with followed(tmp_path, {"log": True}, "home") as (device, exporter):
        await shows(exporter, "mikrotik_events_stream_up", menu="log")
        cutting = asyncio.create_task(_cut_streams(device))
        try:
            async with asyncio.timeout(60):
                await shows(exporter, "mikrotik_events_gaps_total", 1, menu="log")
                while True:
                    page = await exporter.get("/metrics?collect[]=health")
                    if page.value("mikrotik_events_stream_switched_off", router="isp", menu="log") == 1:
                        break
                    await asyncio.sleep(0.2)
        finally:
            cutting.cancel()
            with suppress(asyncio.CancelledError):
                await cutting
        assert page.value("mikrotik_events_stream_up", router="isp", menu="log") == 0
        assert page.value("mikrotik_events_gaps_total", router="isp", menu="log") == 5
        await shows(exporter, "mikrotik_up")


async def _cut_streams(device: Device) -> None:
    """Cut the connection whenever a stream has been asked for."""
    seen = 0
    while True:
        asked = sum(one.path == "/log/listen" for one in device.log)
        if asked > seen:
            seen = asked
            await asyncio.sleep(0.1)
            device.drop_connections()
        await asyncio.sleep(0.02)


async def test_a_reload_ends_and_begins_streams(tmp_path: Path) -> None:
    """A router whose settings change is followed as they ask; the old streams are gone."""
    async with followed(tmp_path, EVERYTHING, "home") as (device, exporter):
        await listening(exporter)
        exporter.file.write_text(
            config_text([router_of(device, events={"log": True})], **QUICK), encoding="utf-8"
        )
        assert (await exporter.reload()).status == 200
        page = await shows(exporter, "mikrotik_events_stream_up", menu="log")
        assert page.value("mikrotik_events_stream_up", router="isp", menu="interface") is None
        exporter.file.write_text(config_text([router_of(device)], **QUICK), encoding="utf-8")
        assert (await exporter.reload()).status == 200
        assert "mikrotik_events" not in (await exporter.get("/metrics?collect[]=health")).text
        assert repr(exporter.app[EVENTS]) == "<Events routers=0>"


async def test_they_are_told_in_every_form(tmp_path: Path) -> None:
    """OpenMetrics and /probe have the same series; on /probe without the router's label."""
    async with followed(tmp_path, EVERYTHING, "hotspot") as (_, exporter):
        await listening(exporter)
        page = await exporter.get("/metrics?collect[]=health", Accept=OPENMETRICS)
        labels = {"router": "isp", "service": "hotspot"}
        assert page.value("mikrotik_events_sessions_started_total", **labels) is not None
        probe = await exporter.get("/probe?target=isp")
        assert probe.value("mikrotik_events_sessions_started_total", service="hotspot") is not None
        assert probe.value("mikrotik_events_stream_up", menu="log") == 1
