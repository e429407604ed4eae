"""Every fault does to a client what it says, and is gone when it is cleared."""

from __future__ import annotations

import asyncio

import pytest

from simulator import FAULTS, Device, FaultError
from tests.simulator.conftest import Connect, Start
from tests.simulator.wireclient import WireClient, row_of

DONE = b"\x05!done\x00"


async def _eventually(check: object, within_s: float = 60.0) -> None:
    """Waits until `check()` is true."""
    assert callable(check)
    async with asyncio.timeout(within_s):
        while not check():  # noqa: ASYNC110 - nothing sets an event when a port opens
            await asyncio.sleep(0.005)


async def _silent(client: WireClient, for_s: float = 0.1) -> bytes:
    """What comes within a short time, which must not be the end of the connection."""
    try:
        async with asyncio.timeout(for_s):
            data = await client.reader.read(65536)
            assert data, "the connection was closed"
            return data
    except TimeoutError:
        return b""


async def _healthy(device: Device, connect: Connect) -> None:
    """A new connection works."""
    client = await connect(device)
    assert await client.rows("/system/identity/print") == [{"name": "core"}]


@pytest.mark.parametrize("name", FAULTS)
async def test_each_fault_can_come_and_go(start: Start, connect: Connect, name: str) -> None:
    """After any fault was on and is cleared, a new connection works and nothing is left on."""
    device = await start()
    device.faults.set(name, **({"down_s": 0.05} if name == "reboot" else {}))
    device.faults.clear()
    await _eventually(lambda: device.listening)
    assert device.faults.active == {}
    await _healthy(device, connect)


async def test_refuse_closes_the_port_and_gives_the_same_one_back(start: Start, connect: Connect) -> None:
    """Open connections are cut, new ones refused; afterwards the port is the same."""
    device = await start()
    client, port = await connect(device), device.port
    device.faults.set("refuse")
    assert await client.ended() == b""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    device.faults.clear("refuse")
    await _eventually(lambda: device.listening)
    assert device.port == port
    await _healthy(device, connect)


async def test_hang_accepts_and_says_nothing(start: Start, connect: Connect) -> None:
    """New and old connections stay open without an answer; the commands are in the log."""
    device = await start()
    old = await connect(device)
    device.faults.set("hang")
    new = await connect(device, login=False)
    old.send("/system/identity/print")
    new.send("/login", "=name=monitor", "=password=secret")
    assert await _silent(old) == await _silent(new) == b""
    assert [entry.path for entry in device.log][-2:] == ["/system/identity/print", "/login"]


async def test_hang_mid_sentence_stops_within_a_sentence(start: Start, connect: Connect) -> None:
    """Half of the first sentence comes, then nothing, and the connection stays."""
    device = await start()
    client = await connect(device)
    device.faults.set("hang_mid_sentence", menu="/interface")
    assert await client.rows("/system/identity/print") == [{"name": "core"}]
    client.send("/interface/print")
    data = await _silent(client)
    assert data.startswith(b"\x03!re")
    assert DONE not in data
    assert await _silent(client) == b""


async def test_drop_mid_reply_closes_after_some_rows(start: Start, connect: Connect) -> None:
    """So many whole rows, a part of the next, then the end of the connection."""
    device = await start()
    client = await connect(device)
    device.faults.set("drop_mid_reply", rows=3)
    client.send("/interface/print", "=.proplist=name")
    for _ in range(3):
        assert (await client.sentence())[0] == b"!re"
    assert 0 < len(await client.ended()) < 20


async def test_garbage_and_absurd_length_are_bytes_that_cannot_be(start: Start, connect: Connect) -> None:
    """Random bytes of the wanted number, or a length that no word has."""
    device = await start()
    client = await connect(device)
    device.faults.set("garbage", length=64)
    client.send("/interface/print")
    assert len(await client.reader.readexactly(64)) == 64
    for prefix in ("f0ffffffff", "f8"):
        device.faults.clear()
        client = await connect(device)
        device.faults.set("absurd_length", prefix=prefix)
        client.send("/interface/print")
        assert (await client.reader.readexactly(len(prefix) // 2)).hex() == prefix
        assert await _silent(client) == b""


async def test_fatal_gives_its_reason_and_closes(start: Start, connect: Connect) -> None:
    """The bare word after !fatal is the reason."""
    device = await start()
    client = await connect(device)
    device.faults.set("fatal", reason="too many errors")
    client.send("/interface/print", ".tag=1")
    assert await client.sentence() == [b"!fatal", b"too many errors"]
    assert await client.ended() == b""


async def test_reboot_drops_refuses_and_starts_from_zero(start: Start, connect: Connect) -> None:
    """Connections drop, the port refuses for a moment, uptime and counters are small again."""
    device = await start(profile="isp")
    client = await connect(device)
    before = (await client.rows("/interface/print", "?name=ether2", "=.proplist=rx-byte"))[0]
    device.reboot(down_s=0.1)
    assert await client.ended() == b""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", device.port)
    await _eventually(lambda: device.listening)
    again = await connect(device)
    after = (await again.rows("/interface/print", "?name=ether2", "=.proplist=rx-byte"))[0]
    assert int(after["rx-byte"]) < int(before["rx-byte"]) / 1000
    uptime = (await again.rows("/system/resource/print", "=.proplist=uptime"))[0]["uptime"]
    assert uptime in ("0s", "1s", "2s")
    assert await again.ret("/ppp/active/print", "=count-only=") == "0"
    assert await again.ret("/interface/print", "?type=pppoe-in", "=count-only=") == "0"
    assert (await again.rows("/log/print"))[0]["message"] == "router rebooted"


@pytest.mark.parametrize("name", ["wrong_password", "no_api_policy"])
async def test_logins_are_refused(start: Start, connect: Connect, name: str) -> None:
    """The right password is refused as if it were wrong."""
    device = await start()
    device.faults.set(name)
    client = await connect(device, login=False)
    message = await client.trap("/login", "=name=monitor", "=password=secret")
    assert message == "invalid user name or password (6)"


async def test_no_permission_for_one_menu_or_all(start: Start, connect: Connect) -> None:
    """The menu that was named is refused, others are not; without a menu all are."""
    device = await start()
    client = await connect(device)
    device.faults.set("no_permission", menu="/queue/simple")
    assert await client.trap("/queue/simple/print") == "not enough permissions (9)"
    assert await client.rows("/system/identity/print")
    device.faults.set("no_permission")
    assert await client.trap("/system/identity/print") == "not enough permissions (9)"


async def test_slow_menu_delays_only_itself(start: Start, connect: Connect) -> None:
    """A slow menu comes later than a quick one that was asked after it."""
    device = await start()
    client = await connect(device)
    device.faults.set("slow_menu", menu="/queue/simple", seconds=0.1)
    client.send("/queue/simple/print", ".tag=slow")
    client.send("/system/identity/print", ".tag=quick")
    said = await client.until_done("slow", "quick")
    assert said[0][1] == b".tag=quick"
    assert said[-1] == [b"!done", b".tag=slow"]


async def test_session_limit_closes_the_extra_connection(start: Start, connect: Connect) -> None:
    """One too many is closed at once, by the fault and by the spec; the others live."""
    device = await start(max_sessions=2)
    first = await connect(device)
    device.faults.set("session_limit", limit=1)
    assert await (await connect(device, login=False)).ended() == b""
    device.faults.clear()
    await connect(device)
    assert await (await connect(device, login=False)).ended() == b""
    assert await first.rows("/system/identity/print") == [{"name": "core"}]
    assert device.connections_open == 2


async def test_unknown_reply_word_comes_before_the_reply(start: Start, connect: Connect) -> None:
    """A sentence of no known meaning, with the tag, and then everything as usual."""
    device = await start()
    client = await connect(device)
    device.faults.set("unknown_reply_word", word="!hm")
    client.send("/system/identity/print", ".tag=9")
    said = await client.until_done("9")
    assert [words[0] for words in said] == [b"!hm", b"!re", b"!done"]
    assert said[0][1] == b".tag=9"


async def test_not_a_number_and_missing_field_bend_rows(start: Start, connect: Connect) -> None:
    """Only the field that was named changes; cleared, it is as before."""
    device = await start()
    client = await connect(device)
    ask = ("/interface/print", "?name=ether1", "=.proplist=name,rx-byte,tx-byte")
    device.faults.set("not_a_number", menu="/interface", field="rx-byte", text="many")
    row = (await client.rows(*ask))[0]
    assert row["rx-byte"] == "many"
    assert row["tx-byte"].isdigit()
    device.faults.clear()
    device.faults.set("missing_field", menu="/interface", field="tx-byte")
    row = (await client.rows(*ask))[0]
    assert row.keys() == {"name", "rx-byte"}
    assert row["rx-byte"].isdigit()
    device.faults.clear()
    assert (await client.rows(*ask))[0].keys() == {"name", "rx-byte", "tx-byte"}


async def test_flap_is_seen_by_a_listener(start: Start, connect: Connect) -> None:
    """A flapping port goes down and up, and counts how often it lost its link."""
    device = await start()
    client = await connect(device)
    client.send("/interface/listen", "=.proplist=name,running,link-downs", ".tag=l")
    await client.rows("/system/identity/print")
    device.faults.set("flap", interface="ether3", period_s=0.05)
    seen = [row_of(await client.sentence()) for _ in range(4)]
    assert [row["running"] for row in seen] == ["false", "true", "false", "true"]
    assert {row["name"] for row in seen} == {"ether3"}
    assert [int(row["link-downs"]) for row in seen] == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("explode", {}, "unknown fault 'explode'; there are refuse, hang"),
        ("hang", {"menu": "/interface"}, "hang: unknown parameter 'menu'; there are: none"),
        ("slow_menu", {"seconds": "long"}, "slow_menu: seconds must be a number, got 'long'"),
        ("slow_menu", {"menu": 5}, "slow_menu: menu must be a text, got 5"),
        ("absurd_length", {"prefix": "xyz"}, "prefix: 'xyz' is not hex"),
        ("flap", {"interface": "ether99"}, "no interface 'ether99'"),
        ("flap", {"period_s": 0}, "period_s: must be greater than 0"),
    ],
)
async def test_a_wrong_fault_says_what_is_allowed(
    start: Start, name: str, settings: dict[str, str | float], message: str
) -> None:
    """A mistake is named, and switches nothing on."""
    device = await start()
    with pytest.raises(FaultError) as caught:
        device.faults.set(name, **settings)
    assert message in str(caught.value)
    assert device.faults.active == {}


async def test_an_unplugged_port_stays_down_until_mended(start: Start, connect: Connect) -> None:
    """The port stops running at once and runs again when the fault is cleared."""
    device = await start()
    client = await connect(device)
    device.faults.set("unplugged", interface="ether3")
    (row,) = await client.rows("/interface/print", "?name=ether3")
    assert row["running"] == "false"
    device.faults.clear("unplugged")
    (row,) = await client.rows("/interface/print", "?name=ether3")
    assert row["running"] == "true"


async def test_lost_sessions_come_back_when_mended(start: Start, connect: Connect) -> None:
    """Half of the PPPoE sessions end at once and stay away; cleared, the homes dial in again."""
    device = await start(profile="isp")
    client = await connect(device)
    before = len(await client.rows("/ppp/active/print", "=.proplist=name"))
    device.faults.set("sessions_lost", percent=50)
    lost = len(await client.rows("/ppp/active/print", "=.proplist=name"))
    assert 0 < lost <= before * 0.6
    device.faults.clear("sessions_lost")
    async with asyncio.timeout(60):
        while len(await client.rows("/ppp/active/print", "=.proplist=name")) < before * 0.95:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
