"""The client against a scripted router: real bytes, a real socket."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import aclosing

import pytest
from librouteros.exceptions import FatalError, LibRouterosError, ProtocolError, TrapError

import routeros
from routeros import (
    BreakerOpen,
    BreakerSettings,
    BreakerState,
    CommandDeadline,
    CommandFailed,
    CommandUnsupported,
    LoginRefused,
    PermissionDenied,
    PoolClosed,
    PoolSettings,
    Priority,
    ProtocolViolation,
    RetrySettings,
    Router,
    RouterEnded,
    RouterError,
    RouterUnreachable,
    Target,
    UnreachableReason,
    failure_class,
)
from tests.fakes.scripted_router import (
    Done,
    Fatal,
    Hang,
    HangUp,
    Raw,
    Row,
    Rows,
    Say,
    ScriptedRouter,
    Trap,
    Wait,
)
from tests.routeros.conftest import Connect


async def until(condition: object, within_s: float = 60.0) -> None:
    """Wait for a condition that the loop brings about, with a deadline."""
    assert callable(condition)
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - conditions of the other side have no event to wait for
            await asyncio.sleep(0.001)


async def test_print_gives_rows_as_they_were_said(device: ScriptedRouter, connect: Connect) -> None:
    """Rows are dicts of text; the question carries property list, arguments and queries as words."""
    device.on(
        "/ip/hotspot/active/print",
        Row({".id": "*1", "user": "a=b", "uptime": "1h"}),
        Row({"user": ""}),
        Done(),
    )
    rows = await connect(device).print(
        "/ip/hotspot/active", proplist=(".id", "user", "uptime"), queries=("?server=hs1",), args={"stats": ""}
    )
    assert rows == [{".id": "*1", "user": "a=b", "uptime": "1h"}, {"user": ""}]
    assert device.log[-1] == (
        "/ip/hotspot/active/print",
        "=stats=",
        "=.proplist=.id,user,uptime",
        "?server=hs1",
    )


async def test_call_gives_ret(device: ScriptedRouter, connect: Connect) -> None:
    """Any command can be called; what `!done` returned is told."""
    device.on("/ip/address/add", Done(ret="*5"))
    reply = await connect(device).call(
        "/ip/address/add", args={"address": "192.0.2.1/24", "interface": "ether1"}
    )
    assert (reply.records, reply.ret) == ([], "*5")
    assert device.log[-1][1:] == ("=address=192.0.2.1/24", "=interface=ether1")


async def test_count(device: ScriptedRouter, connect: Connect) -> None:
    """Counting sends no rows; an answer that is no number is an error."""
    device.on("/ppp/active/print", Done(ret="4711"))
    router = connect(device)
    assert await router.count("/ppp/active", queries=("?service=pppoe",)) == 4711
    assert device.log[-1] == ("/ppp/active/print", "=count-only=", "?service=pppoe")
    device.on("/ppp/active/print", Done())
    with pytest.raises(CommandFailed, match="a count was asked for"):
        await router.count("/ppp/active")


async def test_no_rows(device: ScriptedRouter, connect: Connect) -> None:
    """`!empty` of 7.18 and a bare `!done` both mean no rows; reply words of the future are passed over."""
    device.on("/queue/simple/print", Say(("!empty",)), Done())
    device.on("/queue/tree/print", Say(("!hint", "=x=y")), Done())
    router = connect(device)
    assert await router.print("/queue/simple") == []
    assert await router.print("/queue/tree") == []
    assert router.stats().unknown_replies_total == 1


async def test_tags_let_replies_pass_each_other(device: ScriptedRouter, connect: Connect) -> None:
    """A quick command is answered while a slow one before it on the same connection still runs."""
    gate = asyncio.Event()
    device.on("/slow/print", Row({"n": "1"}), Wait(gate), Row({"n": "2"}, tag_last=True), Done())
    device.on("/quick/print", Row({"n": "3"}, tag_last=True), Done())
    router = connect(device)
    slow = asyncio.create_task(router.print("/slow"))
    assert await router.print("/quick") == [{"n": "3"}]
    assert not slow.done()
    gate.set()
    assert await slow == [{"n": "1"}, {"n": "2"}]
    assert device.connects_total == 1


async def test_large_reply(device: ScriptedRouter, connect: Connect) -> None:
    """Thousands of rows with keys that come and go arrive whole and in order."""
    rows = [
        {
            ".id": f"*{i:X}",
            "name": f"user{i}",
            **({"comment": "ä" * (i % 200)} if i % 3 else {}),
            "bytes": f"{i}/{i}",
        }
        for i in range(5000)
    ]
    device.on("/ppp/active/print", Rows(rows), Done())
    assert await connect(device).print("/ppp/active") == rows


async def test_text_of_any_code_page(device: ScriptedRouter, connect: Connect) -> None:
    """A name stored by WinBox in the PC's code page is read as such."""
    device.encoding = "cp1252"
    device.on("/interface/print", Row({"name": "Büro €"}), Done())
    assert await connect(device).print("/interface") == [{"name": "Büro €"}]


async def test_challenge_login(connect: Connect) -> None:
    """A router before 6.43 is logged in to with its challenge."""
    async with ScriptedRouter(challenge=True) as device:
        device.on("/x/print", Done())
        assert await connect(device).print("/x") == []


@pytest.mark.parametrize(
    ("message", "category", "kind", "word"),
    [
        ("no such command prefix", 0, CommandUnsupported, "unsupported"),
        ("no such command or directory (wifi)", None, CommandUnsupported, "unsupported"),
        ("not enough permissions (9)", None, PermissionDenied, "permission"),
        ("no such item", 1, CommandFailed, "failed"),
        ("failure: already have such address", 4, CommandFailed, "failed"),
    ],
)
async def test_traps(
    device: ScriptedRouter,
    connect: Connect,
    message: str,
    category: int | None,
    kind: type[CommandFailed],
    word: str,
) -> None:
    """A trap is told by what it means, the connection lives, and the breaker takes it for an answer."""
    device.on("/x/print", Trap(message, category), Done())
    router = connect(device, breaker=BreakerSettings(failure_limit=1))
    for _ in range(3):
        with pytest.raises(CommandFailed) as failed:
            await router.print("/x")
    assert type(failed.value) is kind
    assert failure_class(failed.value) == word
    assert (failed.value.path, failed.value.category, failed.value.router) == ("/x/print", category, "core")
    assert message in str(failed.value)
    assert isinstance(failed.value, TrapError)
    assert router.breaker.state is BreakerState.CLOSED
    assert device.connects_total == 1


async def test_missing_policy_is_named(device: ScriptedRouter, connect: Connect) -> None:
    """Which policy the user lacks follows from the command."""
    router = connect(device)
    denied = (Trap("not enough permissions (9)"), Done())
    for command, policy in (
        ("/interface/monitor-traffic", "test"),
        ("/ip/dns/set", "write"),
        ("/log/print", "read"),
    ):
        device.on(command, *denied)
        with pytest.raises(PermissionDenied, match=f'needs the policy "{policy}"') as failed:
            await router.call(command)
        assert failed.value.policy == policy


async def test_several_traps(device: ScriptedRouter, connect: Connect) -> None:
    """All that went wrong with one command is told at once."""
    device.on("/x/set", Trap("value of a out of range", 1), Trap("unknown parameter b"), Done())
    with pytest.raises(CommandFailed, match="value of a out of range; unknown parameter b") as failed:
        await connect(device).call("/x/set")
    assert failed.value.category == 1


async def test_fatal(device: ScriptedRouter, connect: Connect) -> None:
    """`!fatal` is told with its reason; commands in flight are lost, the next question connects anew."""
    device.on("/x/set", Fatal("session terminated on request"))
    device.on("/y/print", Done())
    router = connect(device)
    with pytest.raises(RouterEnded, match="session terminated on request") as ended:
        await router.call("/x/set")
    assert isinstance(ended.value, FatalError)
    assert ended.value.reason is UnreachableReason.CLOSED
    assert await router.print("/y") == []
    assert device.connects_total == 2


async def test_wrong_password(device: ScriptedRouter, connect: Connect) -> None:
    """A refused login is tried once, told in the router's words, never with the password, and then left alone."""
    router = connect(device, password="hunter2")
    with pytest.raises(LoginRefused, match=r"invalid user name or password \(6\)") as refused:
        await router.print("/x")
    assert "hunter2" not in f"{refused.value!r} {refused.value} {router!r} {router.target!r}"
    with pytest.raises(BreakerOpen, match="the login was refused") as left:
        await router.print("/x")
    assert left.value.retry_in_s is not None
    assert device.connects_total == 1
    assert router.stats().login_failures_total == 1


async def test_closed_during_login(device: ScriptedRouter, connect: Connect) -> None:
    """A router that hangs up on the login is told with what may be the reason; too many sessions look the same."""
    device.max_sessions = 0
    with pytest.raises(RouterUnreachable, match="may be too many sessions") as closed:
        await connect(device).print("/x")
    assert closed.value.reason in (UnreachableReason.CLOSED, UnreachableReason.RESET)


async def test_fatal_during_login(device: ScriptedRouter, connect: Connect) -> None:
    """A `!fatal` in the login is told with its words."""
    device.login_script = (Fatal("too many sessions"),)
    with pytest.raises(RouterEnded, match="too many sessions"):
        await connect(device).print("/x")


async def test_login_that_is_never_answered(device: ScriptedRouter, connect: Connect) -> None:
    """A silent login ends at the connect timeout, with a hint."""
    device.login_script = ()
    router = connect(device, pool=PoolSettings(connect_timeout_s=0.05), retry=RetrySettings(attempts=1))
    with pytest.raises(RouterUnreachable, match=r"the login was not answered .* within 0.05 s") as late:
        await router.print("/x")
    assert late.value.reason is UnreachableReason.DEADLINE


async def test_nobody_on_the_port(connect: Connect) -> None:
    """A refused connection says where, and keeps its cause."""
    device = ScriptedRouter()
    async with device:
        pass
    with pytest.raises(
        RouterUnreachable, match=rf"127.0.0.1:{device.port} refused the connection"
    ) as refused:
        await connect(device).print("/x")
    assert refused.value.reason is UnreachableReason.REFUSED
    assert isinstance(refused.value.__cause__, ConnectionRefusedError)
    assert refused.value.router == "core"


async def test_name_that_does_not_resolve() -> None:
    """A name without address is told as that."""
    router = Router(Target(name="ghost", address="router.invalid"), retry=RetrySettings(attempts=1))
    with pytest.raises(RouterUnreachable, match=r"no address for 'router\.invalid'") as unknown:
        await router.print("/x")
    assert unknown.value.reason is UnreachableReason.NAME
    await router.close()


async def test_reading_is_tried_again_when_the_connection_breaks(
    device: ScriptedRouter, connect: Connect
) -> None:
    """A router that reboots in the middle of a reply is asked again; no row is doubled."""
    times = iter((True, True, False))
    device.when(
        "/x/print",
        lambda words: (
            (Row({"n": "1"}), HangUp(reset=True))
            if next(times)
            else (Row({"n": "1"}), Row({"n": "2"}), Done())
        ),
    )
    assert await connect(device).print("/x") == [{"n": "1"}, {"n": "2"}]
    assert device.count("/x/print") == 3


async def test_attempts_are_limited(device: ScriptedRouter, connect: Connect) -> None:
    """After the last attempt the caller hears what went wrong on the router."""
    device.on("/x/print", HangUp())
    with pytest.raises(RouterUnreachable, match="the router closed the connection") as closed:
        await connect(device).print("/x")
    assert closed.value.reason is UnreachableReason.CLOSED
    assert closed.value.sent
    assert device.count("/x/print") == 3


async def test_retries_stay_within_the_deadline(device: ScriptedRouter, connect: Connect) -> None:
    """A retry that could not begin before the caller's deadline is not waited for."""
    device.on("/x/print", HangUp())
    router = connect(device, retry=RetrySettings(attempts=10, min_wait_s=60.0, max_wait_s=60.0))
    begun_s = time.monotonic()
    with pytest.raises(RouterUnreachable):
        await router.print("/x", deadline_s=30.0)
    assert time.monotonic() - begun_s < 30.0
    assert device.count("/x/print") == 1


async def test_writing_is_never_tried_again(device: ScriptedRouter, connect: Connect) -> None:
    """A command that may have been carried out goes out once; one marked idempotent may go again."""
    device.on("/system/reboot", HangUp(reset=True))
    router = connect(device)
    with pytest.raises(RouterUnreachable) as lost:
        await router.call("/system/reboot")
    assert lost.value.sent
    assert device.count("/system/reboot") == 1
    with pytest.raises(RouterUnreachable):
        await router.call("/system/reboot", idempotent=True)
    assert device.count("/system/reboot") == 4


@pytest.mark.parametrize(
    ("garbage", "message"),
    [
        (b"\xff\xff\xff\xff", "reserved control byte 0xFF"),
        (b"\xf0\x7f\xff\xff\xff", "a word of 2147483647 bytes, more than the 16777216 allowed"),
        (b"\x05hello\x00", "not with a reply word"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "not with a reply word"),
    ],
)
async def test_bytes_that_cannot_be_right(
    device: ScriptedRouter, connect: Connect, garbage: bytes, message: str
) -> None:
    """Garbage ends the connection with its own class of error, and the router can be asked again."""
    device.on("/x/set", Row({"n": "1"}), Raw(garbage))
    device.on("/y/print", Done())
    router = connect(device)
    with pytest.raises(ProtocolViolation, match=message) as violation:
        await router.call("/x/set")
    assert isinstance(violation.value, ProtocolError)
    assert await router.print("/y") == []
    assert device.connects_total == 2
    assert router.stats().limit == 2.0


async def test_half_a_sentence(connect: Connect) -> None:
    """A router that stops in the middle of a sentence costs the deadline and then the connection."""
    async with ScriptedRouter(answers_cancel=False) as device:
        device.on("/x/print", Raw(b"\x03!re\x05.ta"), Hang())
        device.on("/y/print", Done())
        router = connect(device, pool=PoolSettings(cancel_timeout_s=0.05))
        assert await router.print("/y") == []
        with pytest.raises(CommandDeadline):
            await router.print("/x", deadline_s=0.5)
        await until(lambda: router.stats().connections_open == 0)
        assert await router.print("/y") == []


async def test_deadline_keeps_the_connection(device: ScriptedRouter, connect: Connect) -> None:
    """A slow menu is cancelled at its deadline; the next question goes over the same connection."""
    device.on("/slow/print", Row({"n": "1"}), Hang())
    device.on("/quick/print", Done())
    router = connect(device)
    assert await router.print("/quick") == []
    with pytest.raises(CommandDeadline) as late:
        await router.print("/slow", deadline_s=0.5)
    assert (late.value.path, failure_class(late.value)) == ("/slow/print", "deadline")
    assert await router.print("/quick") == []
    await until(lambda: device.count("/cancel") == 1 and device.in_flight == 0)
    assert device.connects_total == 1
    assert router.stats().discarded_rows_total == 1


async def test_listen_tells_changes(device: ScriptedRouter, connect: Connect) -> None:
    """Changes come as they happen; closing the iterator cancels the command, the connection stays."""
    gate = asyncio.Event()
    device.on(
        "/interface/listen", Row({"name": "ether1"}), Wait(gate), Row({".id": "*1", ".dead": "true"}), Hang()
    )
    router = connect(device, pool=PoolSettings(max_in_flight=1))
    async with aclosing(router.listen("/interface")) as changes:
        assert await anext(changes) == {"name": "ether1"}
        device.on("/x/print", Done())
        assert await router.print("/x") == [], "a stream takes no slot"
        gate.set()
        assert await anext(changes) == {".id": "*1", ".dead": "true"}
    await until(lambda: device.count("/cancel") == 1 and device.in_flight == 0)
    assert device.connects_total == 1


async def test_listen_ends_with_its_connection(device: ScriptedRouter, connect: Connect) -> None:
    """A stream ends with the error that ended its connection, after the rows that had come, or with its trap."""
    device.on("/interface/listen", Row({"n": "1"}), HangUp())
    router = connect(device)
    changes = router.listen("/interface")
    assert await anext(changes) == {"n": "1"}
    with pytest.raises(RouterUnreachable):
        await anext(changes)
    with pytest.raises(CommandUnsupported):
        await anext(router.listen("/nowhere"))
    device.on("/log/listen", Row({"n": "1"}), Done())
    assert [row async for row in router.listen("/log")] == [{"n": "1"}]


async def test_listen_does_not_fill_the_memory(device: ScriptedRouter, connect: Connect) -> None:
    """A reader that is too slow is told so instead of being waited for without end."""
    device.on("/log/listen", Row({"n": "0"}), Rows([{"n": str(i)} for i in range(100)]), Hang())
    router = connect(device, pool=PoolSettings(listen_queue_rows=50))
    changes = router.listen("/log")
    await anext(changes)
    await until(lambda: router.stats().rows_received_total == 101)
    rest = 0
    with pytest.raises(CommandFailed, match="more than 50 changes wait"):  # noqa: PT012 - rows first, then the error
        async for _ in changes:
            rest += 1
    assert rest <= 101
    await until(lambda: device.count("/cancel") == 1)


async def test_connection_test(device: ScriptedRouter, connect: Connect) -> None:
    """The test connects afresh beside the pool, tells the stages, and leaves nothing behind."""
    router = connect(device)
    result = await router.test(deadline_s=60.0)
    assert result.identity == "scripted"
    assert result.tls_s is None
    assert 0 < result.connect_s < result.total_s < 60
    await until(lambda: not device.sessions)
    assert router.stats().connections_open == 0


async def test_connection_test_with_a_deadline(device: ScriptedRouter, connect: Connect) -> None:
    """The test ends at its deadline, too."""
    device.on("/system/identity/print", Hang())
    with pytest.raises(RouterUnreachable, match=r"within 0\.05 s"):
        await connect(device).test(deadline_s=0.05)
    await until(lambda: not device.sessions)


async def test_reset_and_close(device: ScriptedRouter, connect: Connect) -> None:
    """A reset drops the connections and closes the breaker; a closed router asks nothing."""
    device.on("/x/print", Done())
    router = connect(device, password="wrong")
    with pytest.raises(LoginRefused):
        await router.print("/x")
    device.password = "wrong"
    await router.reset()
    assert await router.print("/x") == []
    await router.reset()
    await until(lambda: not device.sessions)
    assert await router.print("/x") == []
    await router.close()
    await until(lambda: not device.sessions)
    with pytest.raises(PoolClosed):
        await router.print("/x")
    await router.close()


async def test_one_packet_per_burst(device: ScriptedRouter, connect: Connect) -> None:
    """Commands of one moment leave in one write, without delay by Nagle's algorithm, on a kept-alive socket."""
    device.on("/x/print", Done())
    router = connect(device, pool=PoolSettings(max_in_flight=8))
    await router.print("/x")
    connection = router._pool.connections[0]
    writes: list[bytes] = []
    assert connection._transport is not None
    sock = connection._transport.get_extra_info("socket")
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    sent = connection._transport.write
    connection._transport.write = lambda data: (writes.append(bytes(data)), sent(data))[1]  # type: ignore[method-assign]
    await asyncio.gather(*(router.print("/x") for _ in range(8)))
    assert len(writes) == 1


async def test_repr_tells_each_machine(device: ScriptedRouter, connect: Connect) -> None:
    """Router, pool, limit, breaker and connections can be read at a glance."""
    device.on("/x/print", Done())
    router = connect(device)
    await router.print("/x", priority=Priority.HIGH)
    assert repr(router) == (
        f"<Router core 127.0.0.1:{device.port} <Pool core open connections=1 opening=0 waiting=0 "
        "<InFlightLimit 4.0 in_flight=0 slowdown=1.00> <Breaker closed failures=0>>>"
    )
    assert repr(router._pool.connections[0]) == (
        "<Connection core ready in_flight=0 <Protocol ready in_flight=0 draining=0 unknown_tags=0>>"
    )


async def test_empty_words_are_refused(device: ScriptedRouter, connect: Connect) -> None:
    """A query that is empty would cut the sentence in two; it is the caller's mistake, and nothing is sent."""
    router = connect(device)
    with pytest.raises(ValueError, match="empty word"):
        await router.print("/x", queries=("",))
    with pytest.raises(UnicodeEncodeError):
        await router.print("/x", queries=("?name=\ud800",))
    assert device.connects_total == 0


def test_all_names_exist() -> None:
    """Everything the package promises is there, and every error is one of librouteros's, too."""
    for name in routeros.__all__:
        assert getattr(routeros, name) is not None
    errors = [each for name in routeros.__all__ if isinstance(each := getattr(routeros, name), type)]
    for error in errors:
        if issubclass(error, Exception):
            assert issubclass(error, RouterError)
            assert issubclass(error, LibRouterosError)
