"""The wire of a simulated router: words, logins, tags, streams, queries."""

from __future__ import annotations

import asyncio
import hashlib
import itertools

import pytest

from simulator.wire import FramingError, SentenceReader, encode, raw_text, sentence
from tests.fakes.clock import FakeClock
from tests.simulator.conftest import Connect, Start
from tests.simulator.wireclient import row_of

WRITE = ("api", "read", "write", "test")


@pytest.mark.parametrize("length", [0, 1, 0x7F, 0x80, 0x3FFF, 0x4000, 0x1FFFFF, 0x200000])
def test_reader_takes_words_of_every_length_prefix(length: int) -> None:
    """A word comes back whole for each width of the length."""
    text = "x" * length
    wanted = [["/a", text]] if text else [["/a"]]
    assert SentenceReader().feed(encode("/a") + encode(text) + b"\x00") == wanted


def test_reader_takes_bytes_one_by_one_and_keeps_the_rest() -> None:
    """The same sentences come out however the bytes are cut, and a beginning is kept for later."""
    data = sentence("/login", "=name=" + "n" * 200) + b"\x00" + sentence("/quit")
    reader, found = SentenceReader(), []
    for index in range(len(data)):
        found += reader.feed(data[index : index + 1])
    assert found == [["/login", "=name=" + "n" * 200], ["/quit"]]
    assert SentenceReader().feed(data + b"\x05/qu") == found


@pytest.mark.parametrize("prefix", [b"\xf8", b"\xf0\xff\xff\xff\xff", b"\xef\xff\xff\xff"])
def test_reader_refuses_lengths_that_cannot_be(prefix: bytes) -> None:
    """Control bytes and absurd lengths are no words."""
    with pytest.raises(FramingError):
        SentenceReader().feed(prefix)


def test_bytes_that_are_not_utf8_survive() -> None:
    """A latin-1 byte is written as it was read."""
    text = raw_text(b"se\xf1or")
    assert encode(text) == b"\x06se\xf1or"[:1].replace(b"\x06", b"\x05") + b"se\xf1or"
    assert SentenceReader().feed(encode(text) + b"\x00") == [[text]]


async def test_login_tells_right_from_wrong(start: Start, connect: Connect) -> None:
    """A wrong password is a trap, then done; a right one lets in, and both are in the log without passwords."""
    device = await start()
    client = await connect(device, login=False)
    assert (
        await client.trap("/login", "=name=monitor", "=password=nope") == "invalid user name or password (6)"
    )
    assert await client.ask("/login", "=name=monitor", "=password=secret") == [[b"!done"]]
    assert [entry.words for entry in device.log][-1] == ("/login", "=name=monitor", "=password=")
    assert device.connections_open == 1


async def test_command_before_login_is_fatal(start: Start, connect: Connect) -> None:
    """Nothing is served to strangers: a fatal sentence, then the connection closes."""
    client = await connect(await start(), login=False)
    client.send("/interface/print")
    assert await client.sentence() == [b"!fatal", b"not logged in"]
    assert await client.ended() == b""


async def test_old_router_wants_the_challenge(start: Start, connect: Connect) -> None:
    """Before 6.43 a password in the clear gets a challenge, and only its digest lets in."""
    client = await connect(await start(profile="ancient"), login=False)
    challenge = await client.ret("/login", "=name=monitor", "=password=secret")
    digest = hashlib.md5(b"\x00secret" + bytes.fromhex(challenge), usedforsecurity=False).hexdigest()
    wrong = await client.trap("/login", "=name=monitor", f"=response=00{'0' * 32}")
    assert wrong.startswith("cannot log in")
    assert await client.ret("/login") == challenge
    assert await client.ask("/login", "=name=monitor", f"=response=00{digest}") == [[b"!done"]]
    assert (await client.rows("/system/resource/print"))[0]["version"].startswith("6.40.9")


async def test_user_without_api_policy_is_refused_like_a_wrong_password(
    start: Start, connect: Connect
) -> None:
    """The policy `api` decides who may log in."""
    client = await connect(await start(policies=("read",)), login=False)
    message = await client.trap("/login", "=name=monitor", "=password=secret")
    assert message == "invalid user name or password (6)"


async def test_tags_interleave_sentence_by_sentence(start: Start, connect: Connect) -> None:
    """Two tables asked for at once come mixed, each sentence whole and marked with its tag."""
    client = await connect(await start(profile="isp"))
    client.send("/ppp/secret/print", ".tag=a", "=.proplist=name")
    client.send("/ip/hotspot/user/print", ".tag=b", "=.proplist=name")
    said = await client.until_done("a", "b")
    tags = [words[1] for words in said]
    changes = sum(one != other for one, other in itertools.pairwise(tags))
    assert changes > 20
    assert tags.count(b".tag=a") == 501
    assert all(len(words) == 3 for words in said if words[0] == b"!re")


async def test_untagged_commands_answer_in_order(start: Start, connect: Connect) -> None:
    """Without tags the second reply begins after the first one's end, even if it were faster."""
    device = await start(profile="isp", latency_s=(0.0, 0.03))
    client = await connect(device)
    for _ in range(4):
        client.send("/ppp/secret/print", "=.proplist=name", "?name=home-1")
        client.send("/system/identity/print")
    for _ in range(4):
        assert row_of((await client.until_done())[0])["name"] == "home-1"
        assert row_of((await client.until_done())[0])["name"] == "core"


async def test_proplist_gives_those_fields_and_no_others(start: Start, connect: Connect) -> None:
    """Unknown names in a proplist are ignored; the id comes only when asked for by name."""
    client = await connect(await start())
    rows = await client.rows("/interface/print", "=.proplist=name,rx-byte,nonsense")
    assert {tuple(sorted(row)) for row in rows} == {("name", "rx-byte")}
    assert ".id" in (await client.rows("/interface/print", "=.proplist=.id,name"))[0]
    assert ".id" in (await client.rows("/interface/print"))[0]
    assert ".id" not in (await client.rows("/system/resource/print"))[0]


@pytest.mark.parametrize(
    ("queries", "wanted"),
    [
        (["?name=ether2"], {"ether2"}),
        (["?type=bridge"], {"bridge"}),
        (["?default-name", "?running=yes"], {"ether1", "ether2", "ether3", "ether4"}),
        (["?-default-name", "?-vlan-id", "?type=loopback"], {"lo"}),
        (["?>mtu=60000"], {"lo"}),
        (["?<link-downs=0"], set()),
        (["?type=bridge", "?type=loopback", "?#|"], {"bridge", "lo"}),
        (
            ["?type=ether", "?#!", "?-comment", "?dynamic=true", "?#!", "?type=wifi", "?#!", "?#&&&"],
            {"bridge", "lo", 'guest "Café" vlan', "lte1", "l2tp-kantor", "wg-rumah"},
        ),
        (["?type=ether", "?name=ether3", "?#&"], {"ether3"}),
        (["?=type=ether", "?name=ether5"], {"ether5"}),
    ],
)
async def test_queries_keep_rows(
    start: Start, connect: Connect, queries: list[str], wanted: set[str]
) -> None:
    """Presence, equality, order and the stack operations keep what the API documents."""
    client = await connect(await start())
    assert {row["name"] for row in await client.rows("/interface/print", *queries)} == wanted
    assert await client.ret("/interface/print", "=count-only=", *queries) == str(len(wanted))


async def test_a_query_with_too_short_a_stack_is_a_trap(start: Start, connect: Connect) -> None:
    """An operation without operands fails the command, not the connection."""
    client = await connect(await start())
    assert "stack" in await client.trap("/interface/print", "?type=ether", "?#&")
    assert await client.rows("/system/identity/print") == [{"name": "core"}]


@pytest.mark.parametrize(
    ("version", "says"), [("7.16.2", False), ("7.18", True), ("7.20.1", True), ("6.49.10", False)]
)
async def test_empty_is_said_since_7_18(start: Start, connect: Connect, version: str, says: bool) -> None:
    """A print without rows says !empty on 7.18 and later, but never for count-only."""
    profile = "home" if version.startswith("7") else "legacy"
    client = await connect(await start(profile=profile, version=version))
    said = await client.ask("/interface/print", "?name=nobody")
    assert [words[0] for words in said] == ([b"!empty"] if says else []) + [b"!done"]
    counted = await client.ask("/interface/print", "?name=nobody", "=count-only=")
    assert counted == [[b"!done", b"=ret=0"]]


async def test_stats_leaves_the_counter_columns(start: Start, connect: Connect) -> None:
    """`=stats=` of interfaces drops what does not count; `=detail=` drops nothing."""
    client = await connect(await start())
    stats = (await client.rows("/interface/print", "=stats=", "?name=ether1"))[0]
    detail = (await client.rows("/interface/print", "=detail=", "?name=ether1"))[0]
    assert "rx-byte" in stats
    assert "mtu" not in stats
    assert {"rx-byte", "mtu"} <= detail.keys()


async def test_interval_repeats_until_cancelled(start: Start, connect: Connect) -> None:
    """A print with an interval goes on, /cancel ends it with `interrupted`, and the connection lives."""
    device = await start()
    client = await connect(device)
    client.send("/system/identity/print", "=interval=0.02", ".tag=t")
    for _ in range(3):
        assert (await client.sentence())[:2] == [b"!re", b".tag=t"]
    client.send("/cancel", "=tag=t", ".tag=c")
    said = [words for words in await client.until_done("t", "c") if words[0] != b"!re"]
    assert said[0] == [b"!trap", b".tag=t", b"=category=2", b"=message=interrupted"]
    assert sorted(said[1:]) == [[b"!done", b".tag=c"], [b"!done", b".tag=t"]]
    assert await client.rows("/system/identity/print") == [{"name": "core"}]
    assert all(not connection.jobs for connection in device.connections)


async def test_cancel_ends_commands_that_wait_and_those_that_work(start: Start, connect: Connect) -> None:
    """On a serial router a cancelled command frees its turn; /cancel without a tag ends all."""
    device = await start(latency_s=30.0, concurrency=1)
    client = await connect(device)
    for tag in "abc":
        client.send("/interface/print", f".tag={tag}")
    client.send("/cancel", "=tag=b", ".tag=x")
    assert [words[0] for words in await client.until_done("b", "x")] == [b"!trap", b"!done", b"!done"]
    client.send("/cancel", ".tag=y")
    said = await client.until_done("a", "c", "y")
    assert [words[0] for words in said].count(b"!trap") == 2
    assert device.executor.working == 0


async def test_listen_tells_changes_and_deaths(start: Start, connect: Connect) -> None:
    """A changed row comes in full, a removed one as its id with `.dead`; counters are no change."""
    device = await start(policies=WRITE)
    client, other = await connect(device), await connect(device)
    client.send("/queue/simple/listen", ".tag=l")
    await client.rows("/system/identity/print")
    new = await other.ret("/queue/simple/add", "=name=guest room", "=target=10.9.9.9/32")
    assert row_of(await client.sentence())["name"] == "guest room"
    await other.ask("/queue/simple/set", f"=.id={new}", "=comment=two\nlines")
    assert row_of(await client.sentence())["comment"] == "two\nlines"
    await other.ask("/queue/simple/remove", f"=.id={new}")
    assert row_of(await client.sentence()) == {".id": new, ".dead": "true"}
    client.send("/cancel", "=tag=l", ".tag=c")
    await client.until_done("l", "c")
    assert device.world.table("/queue/simple").watchers == []


async def test_follow_gives_the_rows_then_the_changes(start: Start, connect: Connect) -> None:
    """`=follow=` begins with what there is; `=follow-only=` with what comes."""
    device = await start(policies=WRITE)
    client, other = await connect(device), await connect(device)
    client.send("/log/print", "=follow-only=", "=.proplist=message", ".tag=f")
    await client.rows("/system/identity/print")
    await other.ask("/interface/disable", "=.id=ether2")
    assert row_of(await client.sentence()) == {"message": "ether2 link down"}


async def test_sessions_that_end_are_told_to_listeners_without_a_question(
    start: Start, connect: Connect, clock: FakeClock
) -> None:
    """While somebody listens, what happens in the world is told by itself."""
    client = await connect(await start(clock, profile="isp"))
    client.send("/ppp/active/listen", ".tag=l")
    await client.rows("/system/identity/print")
    clock.advance(3600)
    row = row_of(await client.sentence())
    assert row.keys() & {"name", ".dead"}


async def test_quit_says_farewell_and_closes(start: Start, connect: Connect) -> None:
    """/quit answers with a fatal sentence whose reason is a bare word."""
    client = await connect(await start())
    client.send("/quit")
    assert await client.sentence() == [b"!fatal", b"session terminated on request"]
    assert await client.ended() == b""


async def test_garbage_from_a_client_ends_its_connection_only(start: Start, connect: Connect) -> None:
    """A client that cannot frame is cut off; another one goes on."""
    device = await start()
    bad, good = await connect(device), await connect(device)
    bad.writer.write(b"\xf8\xf8\xf8")
    assert await bad.ended() == b""
    assert await good.rows("/system/identity/print") == [{"name": "core"}]
    assert device.connections_open == 1


@pytest.mark.parametrize(
    ("profile", "command", "message"),
    [
        ("isp", "/interface/wifi/registration-table/print", "no such command or directory (wifi)"),
        ("chr", "/system/health/print", "no such command or directory (health)"),
        ("home", "/interface/ethernet/poe/print", "no such command or directory (poe)"),
        ("ancient", "/interface/wireless/print", "no such command prefix"),
        ("ancient", "/ip/hotspot/active/print", "no such command prefix"),
        ("ancient", "/ppp/active/print", "no such command prefix"),
        ("home", "/interface/explode", "no such command"),
        ("home", "/system/print", "no such command"),
    ],
)
async def test_what_is_missing_is_said_as_that_version_says_it(
    start: Start, connect: Connect, profile: str, command: str, message: str
) -> None:
    """Absent menus and commands are traps of category 0 in the words of the version."""
    client = await connect(await start(profile=profile))
    said = await client.ask(command)
    assert said == [[b"!trap", b"=category=0", f"=message={message}".encode()], [b"!done"]]


async def test_arguments_that_are_wrong_are_traps(start: Start, connect: Connect) -> None:
    """Unknown parameters, values and items are named."""
    client = await connect(await start(policies=WRITE))
    assert await client.trap("/interface/print", "=colour=red") == "unknown parameter colour"
    assert await client.trap("/interface/set", "=.id=ether1", "=colour=red") == "unknown parameter colour"
    assert await client.trap("/interface/set", "=.id=*FFFF", "=comment=x") == "no such item"
    bad = await client.trap("/queue/simple/set", "=.id=total-office", "=disabled=maybe")
    assert bad == "input does not match any value of disabled"


async def test_serial_router_takes_the_sum_and_parallel_the_longest(start: Start, connect: Connect) -> None:
    """Ten commands of 50 ms take 50 ms side by side, 500 ms one by one, 250 ms two by two."""
    took: dict[int | None, float] = {}
    loop = asyncio.get_running_loop()
    for concurrency in (None, 1, 2):
        client = await connect(await start(latency_s=0.05, concurrency=concurrency, seed=concurrency or 0))
        begin = loop.time()
        for tag in range(10):
            client.send("/system/identity/print", f".tag={tag}")
        await client.until_done(*map(str, range(10)))
        took[concurrency] = loop.time() - begin
    assert (took[None] >= 0.05, took[2] >= 0.25, took[1] >= 0.5) == (True, True, True)
    assert took[None] < took[2] < took[1]


async def test_round_trip_time_is_added_once_to_each_reply(start: Start, connect: Connect) -> None:
    """Pipelined commands share the way: five of them take one round trip."""
    device = await start(rtt_s=0.5)
    client = await connect(device)
    loop = asyncio.get_running_loop()
    begin = loop.time()
    for tag in range(5):
        client.send("/system/identity/print", f".tag={tag}")
    await client.until_done(*map(str, range(5)))
    assert 0.5 <= loop.time() - begin < 5 * 0.5


async def test_a_client_that_does_not_read_holds_up_nobody(start: Start, connect: Connect) -> None:
    """Flow control: a slow reader's reply waits in the router, others are served."""
    device = await start(profile="switch")
    slow, quick = await connect(device), await connect(device)
    for tag in range(3):
        slow.send(
            "/ip/dhcp-server/lease/print", "=.proplist=address,mac-address,host-name,server", f".tag={tag}"
        )
    assert await quick.rows("/system/identity/print") == [{"name": "core"}]
    said = await slow.until_done(*map(str, range(3)))
    assert len(said) == 3 * 10_001
