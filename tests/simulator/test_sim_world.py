"""The state behind a simulated router: what moves, who comes and goes, what versions differ in."""

from __future__ import annotations

import re

import pytest

from simulator import PROFILES, Account, Network, RouterSpec, SpecError
from simulator.__main__ import _parser, specs_of
from simulator.formats import duration, fine_duration, seconds_of
from tests.fakes.clock import FakeClock
from tests.simulator.conftest import Connect, Start
from tests.simulator.wireclient import WireClient, by_name

OPERATOR = ("api", "read", "write", "test", "reboot")


async def _counter(client: WireClient, menu: str, name: str, field: str) -> int:
    rows = by_name(await client.rows(f"{menu}/print", f"=.proplist=name,{field}"))
    return int(rows[name][field])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (59, "59s"), (60, "1m"), (788645, "1w2d3h4m5s"), (93784, "1d2h3m4s"), (1209600, "2w")],
)
def test_durations_are_written_and_read(seconds: int, text: str) -> None:
    """Zero parts are left out, and what is written is read back."""
    assert duration(seconds) == text
    assert seconds_of(text) == seconds


def test_short_times_and_arguments() -> None:
    """Round-trip times have milli- and microseconds; arguments may be plain numbers or a clock form."""
    assert fine_duration(0.001234) == "1ms234us"
    assert [seconds_of(text) for text in ("2", "1m30s", "00:01:02", "500ms")] == [2, 90, 62, 0.5]
    with pytest.raises(ValueError, match="not a duration"):
        seconds_of("soon")


async def test_interface_counters_advance_at_the_true_rate(
    start: Start, connect: Connect, clock: FakeClock
) -> None:
    """What a counter gains in ten seconds is the rate the device tells, within the swing of ten seconds."""
    device = await start(clock)
    client = await connect(device)
    before = await _counter(client, "/interface", "ether1", "rx-byte")
    rate = device.rate_of("ether1").rx_bytes_per_s
    clock.advance(10)
    gained = await _counter(client, "/interface", "ether1", "rx-byte") - before
    assert gained == pytest.approx(rate * 10, rel=0.02)
    clock.advance(3600)
    assert await _counter(client, "/interface", "ether1", "rx-byte") > before + gained


async def test_nothing_moves_while_the_clock_stands(start: Start, connect: Connect, clock: FakeClock) -> None:
    """Two readings of one instant are the same, and the same seed gives the same router."""
    first, second = await start(clock, profile="isp"), await start(clock, profile="isp")
    one, two = await connect(first), await connect(second)
    for path in ("/interface", "/ppp/active", "/ip/hotspot/active", "/queue/simple", "/system/resource"):
        rows = await one.rows(f"{path}/print")
        assert rows == await one.rows(f"{path}/print")
        assert rows == await two.rows(f"{path}/print")
    other = await connect(await start(clock, profile="isp", seed=1))
    assert await other.rows("/queue/simple/print") != await one.rows("/queue/simple/print")


async def test_a_subscriber_is_counted_alike_everywhere(
    start: Start, connect: Connect, clock: FakeClock
) -> None:
    """Interface, session and queue of one PPPoE subscriber show the same bytes: rx is the upload, it comes first."""
    client = await connect(await start(clock, profile="isp"))
    interfaces = by_name(await client.rows("/interface/print", "?type=pppoe-in"))
    queues = by_name(await client.rows("/queue/simple/print"))
    sessions = by_name(await client.rows("/interface/pppoe-server/print"))
    assert len(interfaces) == 200
    for name, row in interfaces.items():
        assert queues[name]["bytes"] == f"{row['rx-byte']}/{row['tx-byte']}"
        assert int(row["rx-byte"]) < int(row["tx-byte"])
        assert sessions[name]["user"] == name.removeprefix("<pppoe-").removesuffix(">")
    active = await client.rows("/ppp/active/print")
    assert {row["name"] for row in active} == {row["user"] for row in sessions.values()}
    assert not {"bytes", "rx-byte", "bytes-in"} & active[0].keys()


async def test_a_guest_is_counted_alike_everywhere(start: Start, connect: Connect, clock: FakeClock) -> None:
    """Session, host and queue of one guest agree: bytes-in is the upload."""
    client = await connect(await start(clock, profile="hotspot"))
    active = await client.rows("/ip/hotspot/active/print")
    hosts = {
        row["mac-address"]: row for row in await client.rows("/ip/hotspot/host/print", "?authorized=true")
    }
    queues = {row["target"]: row for row in await client.rows("/queue/simple/print", "?dynamic=true")}
    assert len(active) == len(hosts) == 120
    assert queues
    for row in active:
        assert hosts[row["mac-address"]]["bytes-in"] == row["bytes-in"]
        queue = queues.get(f"{row['address']}/32")
        assert queue is None or queue["bytes"] == f"{row['bytes-in']}/{row['bytes-out']}"


async def test_every_way_to_log_in_is_met(start: Start, connect: Connect) -> None:
    """All login methods, trials, time limits, several devices of one user, hosts that did not log in."""
    client = await connect(await start(profile="hotspot"))
    active = await client.rows("/ip/hotspot/active/print")
    ways = {row["login-by"] for row in active}
    assert ways == {"cookie", "http-chap", "http-pap", "https", "mac", "mac-cookie", "trial"}
    assert all(row["user"].startswith("T-") for row in active if row["login-by"] == "trial")
    assert all(row["user"] == row["mac-address"] for row in active if row["login-by"] == "mac")
    assert {"session-time-left" in row for row in active} == {True, False}
    users = [row["user"] for row in active]
    assert max(map(users.count, users)) > 1
    assert {row["server"] for row in active} == {"hs-lobby", 'hs "Café 2"'}
    assert int(await client.ret("/ip/hotspot/host/print", "=count-only=", "?bypassed=true")) > 0
    assert int(await client.ret("/ip/hotspot/host/print", "=count-only=", "?authorized=false")) >= 60


async def test_subscribers_come_and_go_with_counters_from_zero(
    start: Start, connect: Connect, clock: FakeClock
) -> None:
    """In hours some sessions end and new ones begin; a new one counts from zero; nothing is left behind."""
    device = await start(clock, profile="isp")
    client = await connect(device)
    before = {row["session-id"]: row for row in await client.rows("/ppp/active/print")}
    for _ in range(24):
        clock.advance(300)
        await client.rows("/system/identity/print")
    after = {row["session-id"]: row for row in await client.rows("/ppp/active/print")}
    new = [row["name"] for key, row in after.items() if key not in before]
    assert len(before.keys() & after.keys()) > 50
    assert len(new) > 20
    interfaces = by_name(await client.rows("/interface/print", "?type=pppoe-in"))
    assert len(interfaces) == len(after)
    uptimes = {row["name"]: seconds_of(row["uptime"]) for row in after.values()}
    for name in new:
        rate = device.rate_of(f"<pppoe-{name}>")
        assert int(interfaces[f"<pppoe-{name}>"]["tx-byte"]) <= (uptimes[name] + 1) * rate.tx_bytes_per_s * 2
    secrets = by_name(await client.rows("/ppp/secret/print"))
    assert any(row.get("last-disconnect-reason") for row in secrets.values())
    topics = [row["topics"] for row in await client.rows("/log/print")]
    assert "pppoe,ppp,info" in topics


async def test_removing_a_session_lets_it_redial(start: Start, connect: Connect, clock: FakeClock) -> None:
    """The session, its interface and its queue go at once; after some seconds they are back, from zero."""
    client = await connect(await start(clock, profile="isp", policies=OPERATOR))
    row = (await client.rows("/ppp/active/print", "?name=home-17"))[0]
    assert await client.ask("/ppp/active/remove", f"=.id={row['.id']}") == [[b"!done"]]
    for path, query in (
        ("/ppp/active", "?name=home-17"),
        ("/interface", "?name=<pppoe-home-17>"),
        ("/queue/simple", "?name=<pppoe-home-17>"),
        ("/interface/pppoe-server", "?user=home-17"),
    ):
        assert await client.ret(f"{path}/print", "=count-only=", query) == "0"
    assert await client.trap("/ppp/active/remove", f"=.id={row['.id']}") == "no such item"
    clock.advance(10)
    again = (await client.rows("/ppp/active/print", "?name=home-17"))[0]
    assert again["session-id"] != row["session-id"]
    assert seconds_of(again["uptime"]) < 10


async def test_removing_a_guest_needs_his_cookie_removed_first(
    start: Start, connect: Connect, clock: FakeClock
) -> None:
    """With a cookie he is back at once with a new session; without it he stays away for a while."""
    client = await connect(await start(clock, profile="hotspot", policies=OPERATOR))
    cookies = {row["mac-address"]: row for row in await client.rows("/ip/hotspot/cookie/print")}
    active = await client.rows("/ip/hotspot/active/print")
    guest = next(row for row in active if row["mac-address"] in cookies and row["login-by"] != "mac")
    query = f"?mac-address={guest['mac-address']}"
    await client.ask("/ip/hotspot/active/remove", f"=.id={guest['.id']}")
    back = (await client.rows("/ip/hotspot/active/print", query))[0]
    assert back["login-by"] == "cookie"
    assert int(back["bytes-in"]) == 0 < int(guest["bytes-in"])
    await client.ask("/ip/hotspot/cookie/remove", f"=.id={cookies[guest['mac-address']]['.id']}")
    await client.ask("/ip/hotspot/active/remove", f"=.id={back['.id']}")
    assert await client.ret("/ip/hotspot/active/print", "=count-only=", query) == "0"
    clock.advance(130)
    assert await client.ret("/ip/hotspot/active/print", "=count-only=", query) == "1"
    host = (await client.rows("/ip/hotspot/host/print", query))[0]
    await client.ask("/ip/hotspot/host/remove", f"=.id={host['.id']}")
    assert await client.ret("/ip/hotspot/host/print", "=count-only=", query) == "0"


async def test_disabled_interface_stands_still_until_enabled(
    start: Start, connect: Connect, clock: FakeClock
) -> None:
    """Disabling stops the counters and the link, enabling starts both, and a reboot keeps what was set."""
    device = await start(clock, policies=OPERATOR)
    client = await connect(device)
    await client.ask("/interface/disable", "=numbers=ether2")
    still = await _counter(client, "/interface", "ether2", "rx-byte")
    clock.advance(60)
    row = by_name(await client.rows("/interface/print"))["ether2"]
    assert (row["disabled"], row["running"], int(row["rx-byte"])) == ("true", "false", still)
    monitor = (await client.rows("/interface/ethernet/monitor", "=numbers=ether2", "=once="))[0]
    assert monitor["status"] == "no-link"
    assert not {"rate", "full-duplex"} & monitor.keys()
    device.world.reboot(clock())
    assert by_name(await client.rows("/interface/print"))["ether2"]["disabled"] == "true"
    await client.ask("/interface/enable", "=.id=ether2")
    clock.advance(60)
    assert await _counter(client, "/interface", "ether2", "rx-byte") > 0
    assert await client.trap("/interface/enable", "=.id=nothing") == "no such item"


async def test_counters_are_reset_where_asked(start: Start, connect: Connect, clock: FakeClock) -> None:
    """Resetting or editing a queue zeroes that queue, resetting an interface that interface, and no other."""
    client = await connect(await start(clock, profile="isp", policies=OPERATOR))
    name = "<pppoe-home-17>"
    await client.ask("/queue/simple/reset-counters", f"=numbers={name}")
    queues = by_name(await client.rows("/queue/simple/print"))
    assert queues[name]["bytes"] == "0/0"
    assert queues["<pppoe-home-18>"]["bytes"] != "0/0"
    assert await _counter(client, "/interface", name, "rx-byte") > 0
    await client.ask("/interface/reset-counters", f"=.id={name}")
    assert await _counter(client, "/interface", name, "rx-byte") == 0
    static = next(row for row in queues.values() if row["dynamic"] == "false")
    await client.ask("/queue/simple/set", f"=.id={static['.id']}", "=max-limit=1000000/2000000")
    edited = (await client.rows("/queue/simple/print", f"?.id={static['.id']}"))[0]
    assert (edited["max-limit"], edited["bytes"]) == ("1000000/2000000", "0/0")
    await client.ask("/queue/simple/reset-counters-all")
    assert {row["bytes"] for row in await client.rows("/queue/simple/print")} == {"0/0"}


async def test_policies_decide_and_secrets_need_their_own(start: Start, connect: Connect) -> None:
    """Without a policy a command is refused; without `sensitive` passwords are left out, no error."""
    device = await start(profile="isp", accounts=(Account("boss", "pw", (*OPERATOR, "sensitive")),))
    client = await connect(device)
    for words in (
        ("/interface/disable", "=.id=ether2"),
        ("/queue/simple/reset-counters-all",),
        ("/system/reboot",),
        ("/system/script/run", "=number=script-2"),
    ):
        assert await client.trap(*words) == "not enough permissions (9)"
    assert "password" not in (await client.rows("/ppp/secret/print", "=.proplist=name,password"))[0]
    boss = await connect(device, login=False)
    await boss.log_in("boss", "pw")
    assert (await boss.rows("/ppp/secret/print"))[0]["password"] == "pw1"
    assert [entry.user for entry in device.log][-1] == "boss"


async def test_poe_power_cycle_darkens_the_port_for_its_time(
    start: Start, connect: Connect, clock: FakeClock
) -> None:
    """Power is away for the duration; measurements exist only while a port is powered."""
    client = await connect(await start(clock, profile="hotspot", policies=OPERATOR))
    names = ",".join(row["name"] for row in await client.rows("/interface/ethernet/poe/print"))
    rows = by_name(await client.rows("/interface/ethernet/poe/monitor", f"=numbers={names}", "=once="))
    powered = [row for row in rows.values() if row["poe-out-status"] == "powered-on"]
    assert powered
    assert all(("poe-out-power" in row) == (row in powered) for row in rows.values())
    name = powered[0]["name"]
    await client.ask("/interface/ethernet/poe/power-cycle", f"=numbers={name}", "=duration=50ms")
    row = (await client.rows("/interface/ethernet/poe/monitor", f"=numbers={name}", "=once="))[0]
    assert row["poe-out-status"] == "disabled"
    clock.advance(1)
    row = (await client.rows("/interface/ethernet/poe/monitor", f"=numbers={name}", "=once="))[0]
    assert row["poe-out-status"] == "powered-on"


async def test_scripts_leases_and_schedules_are_acted_upon(
    start: Start, connect: Connect, clock: FakeClock
) -> None:
    """A script counts its runs, a removed lease comes back later, a scheduler row can be added and removed."""
    device = await start(clock, policies=OPERATOR)
    client = await connect(device)
    runs = int(by_name(await client.rows("/system/script/print"))["backup nightly"]["run-count"])
    await client.ask("/system/script/run", "=number=backup nightly")
    assert int(by_name(await client.rows("/system/script/print"))["backup nightly"]["run-count"]) == runs + 1
    lease = (await client.rows("/ip/dhcp-server/lease/print", "?status=bound", "?dynamic=true"))[0]
    await client.ask("/ip/dhcp-server/lease/remove", f"=.id={lease['.id']}")
    query = f"?address={lease['address']}"
    assert await client.ret("/ip/dhcp-server/lease/print", "=count-only=", query) == "0"
    clock.advance(400)
    assert await client.ret("/ip/dhcp-server/lease/print", "=count-only=", query) == "1"
    new = await client.ret("/system/scheduler/add", "=name=nightly", "=interval=1d", "=on-event=x")
    assert "nightly" in by_name(await client.rows("/system/scheduler/print"))
    await client.ask("/system/scheduler/remove", f"=.id={new}")
    assert "nightly" not in by_name(await client.rows("/system/scheduler/print"))


async def test_reboot_command_reboots(start: Start, connect: Connect) -> None:
    """/system/reboot answers, then the connection drops and the uptime is small."""
    device = await start(policies=OPERATOR)
    client = await connect(device)
    assert await client.ask("/system/reboot") == [[b"!done"]]
    assert await client.ended() == b""
    device.world.advance()
    assert device.world.uptime_s < 5
    assert not device.listening


async def test_monitor_of_ports_is_one_call_and_fails_as_a_whole(start: Start, connect: Connect) -> None:
    """Many ports in one call; optics only where a module has them; one unknown name fails everything."""
    client = await connect(await start(profile="switch"))
    names = [row["name"] for row in await client.rows("/interface/ethernet/print", "=.proplist=name")]
    rows = by_name(await client.rows("/interface/ethernet/monitor", f"=numbers={','.join(names)}", "=once="))
    assert list(rows) == names
    optical, dac = rows["sfp-sfpplus1"], rows["sfp-sfpplus2"]
    assert re.fullmatch(r"-\d+\.\d+", optical["sfp-rx-power"])
    assert dac["sfp-module-present"] == "true"
    assert not {"sfp-rx-power", "sfp-tx-power", "sfp-temperature"} & dac.keys()
    assert rows["sfp-sfpplus4"] == {
        "name": "sfp-sfpplus4",
        "status": "no-link",
        "sfp-module-present": "false",
    }
    assert (
        await client.trap("/interface/ethernet/monitor", "=numbers=ether1,ether99", "=once=")
        == "no such item"
    )


async def test_monitor_without_once_streams_and_duration_ends_it(start: Start, connect: Connect) -> None:
    """Frames carry their section number; a duration ends with done."""
    client = await connect(await start())
    said = await client.rows(
        "/interface/monitor-traffic", "=interface=ether1,ether2", "=interval=10ms", "=duration=30ms"
    )
    assert [(row["name"], row[".section"]) for row in said] == [
        (name, section) for section in "012" for name in ("ether1", "ether2")
    ]
    once = await client.rows("/interface/monitor-traffic", "=interface=ether1", "=once=")
    assert once[0]["rx-bits-per-second"].isdigit()
    assert ".section" not in once[0]


async def test_ping_counts_and_times_out(start: Start, connect: Connect) -> None:
    """Each row has running totals; a dead address answers with a status instead of times."""
    client = await connect(await start())
    rows = await client.rows("/ping", "=address=192.0.2.53", "=count=3", "=interval=10ms")
    assert [(row["seq"], row["sent"], row["received"]) for row in rows] == [
        ("0", "1", "1"),
        ("1", "2", "2"),
        ("2", "3", "3"),
    ]
    assert re.fullmatch(r"\dms\d+us", rows[-1]["avg-rtt"])
    dead = await client.rows("/tool/ping", "=address=192.0.2.200", "=count=2", "=interval=10ms")
    assert (dead[-1]["status"], dead[-1]["packet-loss"]) == ("timeout", "100")
    assert "avg-rtt" not in dead[-1]


async def test_names_hold_any_bytes(start: Start, connect: Connect) -> None:
    """UTF-8, quotes, backslashes, line ends and single latin-1 bytes are met, and can be asked for."""
    client = await connect(await start(profile="isp"))
    said = await client.ask("/ppp/secret/print", "=.proplist=name")
    names = {words[1].removeprefix(b"=name=") for words in said if words[0] == b"!re"}
    assert {b"se\xf1or-12", "東京-3".encode(), b'kios "Maju"', b"back\\slash", b"warung kopi 7"} <= names
    client.writer.write(
        b"\x11/ppp/secret/print\x0f?name=se\xf1or-12\x0c=count-only=\x00".replace(b"\x0f?name", b"\x0e?name")
    )
    assert await client.until_done() == [[b"!done", b"=ret=1"]]
    comments = [row.get("comment", "") for row in await client.rows("/interface/print")]
    assert any("\n" in text for text in comments)
    assert any("\udcfc" in text for text in comments)


async def test_health_is_one_record_on_v6_and_rows_on_v7(start: Start, connect: Connect) -> None:
    """v6 gives one record of sensors and settings, v7 a row each with its unit."""
    old = await (await connect(await start(profile="legacy"))).rows("/system/health/print")
    new = await (await connect(await start(profile="isp"))).rows("/system/health/print")
    assert len(old) == 1
    assert {"voltage", "temperature", "cpu-temperature", "fan-mode"} == old[0].keys()
    assert {row["type"] for row in new} == {"C", "RPM", "V", "W", ""}
    assert by_name(new)["psu2-state"]["value"] == "no-input"


@pytest.mark.parametrize(
    ("profile", "version", "shape"),
    [
        ("legacy", "", r"[a-z]{3}/\d\d/\d{4} \d\d:\d\d:\d\d"),
        ("home", "7.9", r"[a-z]{3}/\d\d/\d{4} \d\d:\d\d:\d\d"),
        ("home", "7.10", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
    ],
)
async def test_dates_are_written_as_the_version_writes_them(
    start: Start, connect: Connect, profile: str, version: str, shape: str
) -> None:
    """From 7.10 on dates are ISO, before they begin with the month."""
    client = await connect(await start(profile=profile, version=version))
    row = by_name(await client.rows("/interface/print"))["ether1"]
    assert re.fullmatch(shape, row["last-link-up-time"])
    clock = (await client.rows("/system/clock/print"))[0]
    assert re.fullmatch(shape, f"{clock['date']} {clock['time']}")


async def test_versions_differ_in_menus_and_fields(start: Start, connect: Connect) -> None:
    """`lo`, packages that are only available, session rows of services and pool figures are newer."""
    old, new = await connect(await start(profile="legacy")), await connect(await start(profile="isp"))
    assert "lo" in by_name(await new.rows("/interface/print"))
    assert "lo" not in by_name(await old.rows("/interface/print"))
    assert {row.get("available") for row in await new.rows("/system/package/print")} == {"false", "true"}
    assert "ppp" in by_name(await old.rows("/system/package/print"))
    assert await new.ret("/ip/service/print", "?connection", "=count-only=") == "1"
    assert await old.ret("/ip/service/print", "?connection", "=count-only=") == "0"
    pool = by_name(await new.rows("/ip/pool/print"))["pppoe-pool"]
    sessions = int(await new.ret("/ppp/active/print", "=count-only="))
    assert (int(pool["used"]), int(pool["total"])) == (sessions, 500)
    assert int(pool["available"]) == 500 - sessions
    assert "used" not in (await old.rows("/ip/pool/print"))[0]
    assert (await new.rows("/user/active/print"))[-1]["via"] == "api"


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_profile_has_what_it_promises(profile: str) -> None:
    """Every profile starts, and its tables have the sizes of its counts."""
    async with Network([RouterSpec("one", profile=profile)]) as net:
        world, spec = net["one"].world, net["one"].spec
        sizes = {
            "pppoe": len(world.table("/ppp/active")),
            "hotspot_active": len(world.table("/ip/hotspot/active")),
            "hotspot_hosts": len(world.table("/ip/hotspot/host")),
            "queues": len(world.table("/queue/simple")),
            "leases": len(world.table("/ip/dhcp-server/lease")),
            "log": len(world.table("/log")),
        }
        wanted = {what: spec.count(what) for what in sizes}
        assert {what: sizes[what] for what in sizes if sizes[what] < wanted[what]} == {}
        assert sizes["queues"] == wanted["queues"]
        if spec.count("interfaces"):
            static = [row for row in world.table("/interface") if "dynamic" not in row.values]
            assert len(static) == spec.count("interfaces")


def test_a_spec_that_cannot_be_says_what_is_allowed() -> None:
    """Unknown profiles, counts, policies and versions are named, and so are two routers of one name."""
    for settings, message in (
        ({"profile": "hme"}, "unknown profile 'hme'; there are home"),
        ({"counts": {"cows": 3}}, r"unknown counts \['cows'\]"),
        ({"policies": ("api", "fly")}, r"unknown policies \['fly'\]"),
        ({"version": "new"}, "not a RouterOS version"),
        ({"latency_s": -1.0}, "must not be negative"),
        ({"concurrency": 0}, "at least 1"),
    ):
        with pytest.raises(SpecError, match=message):
            RouterSpec("x", **settings)  # type: ignore[arg-type]  # each is one field of the spec
    with pytest.raises(SpecError, match="two routers are called 'x'"):
        Network([RouterSpec("x"), RouterSpec("x")])
    assert "secret" not in repr(RouterSpec("x"))


def test_wisp_is_another_name_of_isp() -> None:
    """In a spec it becomes the profile's name, so the router is the same; on the command line it stays the router's."""
    assert RouterSpec("x", profile="wisp") == RouterSpec("x", profile="isp")
    assert RouterSpec("x", profile="wisp").count("hotspot_users") == 2000
    (spec,) = specs_of(_parser().parse_args(["--profile", "wisp:1"]))
    assert (spec.name, spec.profile) == ("wisp", "isp")
