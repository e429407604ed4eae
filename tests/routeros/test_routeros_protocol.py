"""The conversation without I/O: logins, tags, cancels, ends; every state from its table."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from librouteros.login import encode_password
from librouteros.protocol import encode_sentence as their_encode_sentence

from routeros.errors import ProtocolViolation
from routeros.protocol import (
    COMMAND_TRANSITIONS,
    PROTOCOL_TRANSITIONS,
    Arrived,
    CancelAnswered,
    Challenged,
    CommandState,
    Ended,
    Event,
    Finished,
    LoggedIn,
    Protocol,
    ProtocolState,
    ProtocolStep,
    Refused,
    Trap,
    challenge_response,
)
from routeros.sentences import SentenceReader

TOKEN = "0123456789abcdef" * 2


def sentence(*words: str) -> bytes:
    return their_encode_sentence(*words, encoding="utf-8")


def ready(**limits: int) -> Protocol:
    """A protocol whose login was accepted."""
    protocol = Protocol(**limits)
    protocol.login("monitor", "secret")
    assert protocol.receive(sentence("!done")) == [LoggedIn()]
    return protocol


def bytewise(protocol: Protocol, stream: bytes) -> list[Event]:
    return [event for i in range(len(stream)) for event in protocol.receive(stream[i : i + 1])]


def test_plain_login() -> None:
    """Name and password go out untagged; `!done` alone accepts them."""
    protocol = Protocol()
    assert protocol.login("monitor", "secret") == sentence("/login", "=name=monitor", "=password=secret")
    assert protocol.state is ProtocolState.LOGIN_SENT
    assert bytewise(protocol, sentence("!done")) == [LoggedIn()]
    assert protocol.state is ProtocolState.READY


def test_challenge_login() -> None:
    """A `ret` asks for the response of RouterOS before 6.43, which librouteros computes the same way."""
    protocol = Protocol()
    protocol.login("monitor", "secret")
    (event,) = protocol.receive(sentence("!done", f"=ret={TOKEN}"))
    assert event == Challenged(
        sentence("/login", "=name=monitor", f"=response={encode_password(TOKEN, 'secret')}")
    )
    assert protocol.state is ProtocolState.CHALLENGE_ANSWERED
    assert protocol.receive(sentence("!done")) == [LoggedIn()]


def test_challenge_with_a_password_beyond_ascii() -> None:
    """Such a password is hashed as UTF-8, where librouteros gives up."""
    digest = hashlib.md5(b"\x00" + "pässwörd".encode() + bytes.fromhex(TOKEN), usedforsecurity=False)
    assert challenge_response(TOKEN, "pässwörd") == "00" + digest.hexdigest()


@pytest.mark.parametrize("token", ["xyz", "abc", "zz" * 16, "ä" * 32])
@pytest.mark.parametrize("password", ["secret", "pässwörd"])
def test_challenge_that_is_none(token: str, password: str) -> None:
    """A token that is not hexadecimal cannot be right."""
    with pytest.raises(ProtocolViolation, match="not a hexadecimal token"):
        challenge_response(token, password)


def test_refused_login() -> None:
    """The first trap refuses, in the router's words; the `!done` behind it changes nothing."""
    protocol = Protocol()
    protocol.login("monitor", "wrong")
    stream = sentence("!trap", "=message=invalid user name or password (6)") + sentence("!done")
    assert bytewise(protocol, stream) == [Refused("invalid user name or password (6)")]
    assert protocol.state is ProtocolState.ENDED


def test_fatal_during_login() -> None:
    """A `!fatal` ends the conversation with its bare word."""
    protocol = Protocol()
    protocol.login("monitor", "secret")
    assert protocol.receive(sentence("!fatal", "not logged in")) == [Ended("not logged in")]


def test_password_is_in_no_repr() -> None:
    """Neither the protocol nor its challenge event shows what was sent; after the login it is forgotten."""
    protocol = Protocol()
    protocol.login("monitor", "hunter2")
    (event,) = protocol.receive(sentence("!done", f"=ret={TOKEN}"))
    assert "hunter2" not in repr(protocol) + repr(event)
    assert encode_password(TOKEN, "hunter2") not in repr(event)
    protocol.receive(sentence("!done"))
    assert "hunter2" not in str(vars(protocol))


def test_replies_interleave() -> None:
    """Rows and ends of several commands find their commands, in whatever order they come."""
    protocol = ready()
    first, _ = protocol.send(("/interface/print",))
    second, _ = protocol.send(("/ip/address/print",))
    a, b = f".tag={first.tag}", f".tag={second.tag}"
    stream = (
        sentence("!re", b, "=address=192.0.2.1/24")
        + sentence("!re", a, "=name=ether1")
        + sentence("!re", a, "=name=ether2")
        + sentence("!done", b)
        + sentence("!re", "=name=ether3", a)
        + sentence("!done", "=ret=*7", a)
    )
    assert bytewise(protocol, stream) == [Finished(second), Finished(first)]
    assert second.records == [{"address": "192.0.2.1/24"}]
    assert [record["name"] for record in first.records] == ["ether1", "ether2", "ether3"]
    assert first.ret == "*7"
    assert first.state is CommandState.DONE
    assert protocol.in_flight == 0


def test_traps_are_collected_until_done() -> None:
    """One command may have several traps; the command is over at its `!done` only."""
    protocol = ready()
    command, _ = protocol.send(("/ip/address/add",))
    mark = f".tag={command.tag}"
    assert protocol.receive(sentence("!trap", mark, "=category=1", "=message=a")) == []
    assert protocol.receive(sentence("!trap", mark, "=message=b\r\nc")) == []
    assert protocol.receive(sentence("!done", mark)) == [Finished(command)]
    assert command.traps == [Trap("a", 1), Trap("b, c", None)]


@pytest.mark.parametrize("category", ["x", "", "9" * 5000, "٣x"])
def test_trap_category_that_is_no_number(category: str) -> None:
    """A category beyond sense is none."""
    protocol = ready()
    command, _ = protocol.send(("/x/print",))
    mark = f".tag={command.tag}"
    protocol.receive(sentence("!trap", mark, f"=category={category}", "=message=m") + sentence("!done", mark))
    assert command.traps == [Trap("m", None)]


def test_empty_gives_no_rows() -> None:
    """`!empty`, since 7.18, is no row and no end."""
    protocol = ready()
    command, _ = protocol.send(("/queue/simple/print",))
    mark = f".tag={command.tag}"
    assert protocol.receive(sentence("!empty", mark)) == []
    assert protocol.receive(sentence("!done", mark)) == [Finished(command)]
    assert command.records == []


def test_unknown_replies_and_tags_are_counted() -> None:
    """A reply word of the future, and sentences of tags that nobody knows, change nothing but their counters."""
    protocol = ready()
    command, _ = protocol.send(("/x/print",))
    stream = (
        sentence("!progress", f".tag={command.tag}", "=done=5")
        + sentence("!re", ".tag=999", "=a=b")
        + sentence("!done", ".tag=999")
        + sentence("!re", "=a=b")
        + sentence("!trap", "=message=who")
        + sentence("!done", f".tag={command.tag}")
    )
    assert bytewise(protocol, stream) == [Finished(command)]
    assert protocol.unknown_replies_total == 1
    assert protocol.unknown_tags_total == 4
    assert protocol.discarded_rows_total == 2


@pytest.mark.parametrize("cancel_first", [True, False])
def test_cancel(cancel_first: bool) -> None:
    """The order of the two `!done` is free; either proves life, and nothing of the command is told any more."""
    protocol = ready()
    command, _ = protocol.send(("/tool/torch",))
    protocol.receive(sentence("!re", f".tag={command.tag}", "=a=1"))
    data = protocol.cancel(command)
    (spoken,) = SentenceReader().feed(
        b"\x01!" + data
    )  # a reply reader, so the command word gets a reply's place
    assert spoken.tag is not None
    assert spoken.tag != command.tag
    assert protocol.in_flight == 0
    of_victim = sentence("!re", f".tag={command.tag}", "=a=2") + sentence(
        "!trap", f".tag={command.tag}", "=category=2", "=message=interrupted"
    )
    of_victim += sentence("!done", f".tag={command.tag}")
    of_cancel = sentence("!done", f".tag={spoken.tag}")
    stream = of_cancel + of_victim if cancel_first else of_victim + of_cancel
    events = bytewise(protocol, stream)
    assert set(map(type, events)) == {CancelAnswered}
    assert protocol.discarded_rows_total == 2
    assert protocol.unknown_tags_total == 0
    assert protocol.cancels_unanswered == 0
    assert command.state is CommandState.DONE
    assert "draining=0" in repr(protocol)


def test_cancel_of_what_is_over() -> None:
    """A command that has finished is not cancelled."""
    protocol = ready()
    command, _ = protocol.send(("/x/print",))
    protocol.receive(sentence("!done", f".tag={command.tag}"))
    assert protocol.cancel(command) == b""


def test_cancelled_tags_do_not_pile_up() -> None:
    """A router that answers cancels but never ends the cancelled commands costs bounded memory."""
    protocol = ready()
    for _ in range(1000):
        command, _ = protocol.send(("/x/print",))
        protocol.cancel(command)
        protocol.receive(sentence("!done", f".tag={int(command.tag) + 1}"))
    assert "draining=64" in repr(protocol)
    assert protocol.cancels_unanswered == 0


def test_streaming_rows_are_given_away() -> None:
    """Rows of an endless command are told as they come and not kept."""
    protocol = ready()
    command, _ = protocol.send(("/interface/listen",), streaming=True)
    row = sentence("!re", f".tag={command.tag}", "=name=ether1")
    assert protocol.receive(row * 2) == [Arrived(command, [{"name": "ether1"}] * 2)]
    assert command.records == []
    assert command.rows == 2


def test_reply_too_long() -> None:
    """A reply that never ends is a violation before it fills the memory."""
    protocol = ready(max_reply_bytes=10_000)
    command, _ = protocol.send(("/x/print",))
    row = sentence("!re", f".tag={command.tag}", "=name=" + "x" * 100)
    protocol.receive(row * 80)
    with pytest.raises(ProtocolViolation, match="more than 10000 bytes to /x/print"):
        protocol.receive(row * 80)


def test_fatal_ends_everything() -> None:
    """After `!fatal` nothing more is told."""
    protocol = ready()
    protocol.send(("/x/print",))
    assert protocol.receive(sentence("!fatal", "session terminated") + sentence("!done", ".tag=1")) == [
        Ended("session terminated")
    ]
    assert protocol.state is ProtocolState.ENDED


def test_commands_need_a_login() -> None:
    """Nothing is sent before the login is accepted."""
    with pytest.raises(RuntimeError, match="fresh"):
        Protocol().send(("/x/print",))


def test_every_tag_is_used_once() -> None:
    """Tags never repeat on a connection, cancels included."""
    protocol = ready()
    tags = []
    for _ in range(50):
        command, _ = protocol.send(("/x/print",))
        tags.append(command.tag)
        protocol.cancel(command)
    assert len(set(tags)) == 50


def test_tables_are_complete() -> None:
    """Every state but the last can be left, and `!fatal` ends each."""
    for state in ProtocolState:
        if state is not ProtocolState.ENDED:
            assert PROTOCOL_TRANSITIONS[state, ProtocolStep.FATAL] is ProtocolState.ENDED
    assert all(state is not ProtocolState.ENDED for state, _ in PROTOCOL_TRANSITIONS)
    assert all(state is not CommandState.DONE for state, _ in COMMAND_TRANSITIONS)


@given(st.data())
def test_commands_end_once(data: st.DataObject) -> None:
    """Whatever the order of replies and cancels, each command finishes once or was cancelled, and nothing is left."""
    protocol = ready()
    commands = [protocol.send((f"/menu{i}/print",))[0] for i in range(5)]
    lines = {command.tag: [sentence("!re", f".tag={command.tag}", "=k=v")] * 2 for command in commands}
    for command in commands:
        lines[command.tag] = [*lines[command.tag], sentence("!done", f".tag={command.tag}")]
    finished: list[str] = []
    cancelled: set[str] = set()
    while any(lines.values()):
        tag = data.draw(st.sampled_from([tag for tag, left in lines.items() if left]))
        command = commands[int(tag) - 1]
        if data.draw(st.booleans()) and protocol.cancel(command):
            cancelled.add(tag)
        for event in protocol.receive(lines[tag].pop(0)):
            if isinstance(event, Finished):
                finished.append(event.command.tag)
                assert len(event.command.records) == 2
    assert sorted([*finished, *cancelled]) == ["1", "2", "3", "4", "5"]
    assert protocol.in_flight == 0
    assert "draining=0" in repr(protocol)
