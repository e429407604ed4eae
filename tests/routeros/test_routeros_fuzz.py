# ruff: noqa: S311 - seeded dice of tests
"""Random and mutated bytes: no hang, no unbounded memory, and no error but a protocol violation."""

import random
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from librouteros.protocol import encode_sentence as their_encode_sentence

from routeros.errors import ProtocolViolation
from routeros.protocol import Protocol

LIMIT_BYTES = 4096


def conversation() -> tuple[Protocol, bytes]:
    """A protocol with three commands in flight, and what a router would answer."""
    protocol = Protocol(max_word_bytes=LIMIT_BYTES, max_sentence_bytes=4 * LIMIT_BYTES, max_reply_bytes=10**6)
    protocol.login("monitor", "secret")
    protocol.receive(their_encode_sentence("!done", encoding="utf-8"))
    words: list[tuple[str, ...]] = []
    for i in range(3):
        command, _ = protocol.send((f"/menu{i}/print",))
        mark = f".tag={command.tag}"
        words += [
            ("!re", mark, f"=name=ether{n}", "=running=true", f"=comment={'x' * n * 9}") for n in range(20)
        ]
        words += [("!trap", mark, "=message=failure"), ("!done", mark)]
    return protocol, b"".join(their_encode_sentence(*each, encoding="utf-8") for each in words)


def play(protocol: Protocol, stream: bytes, step: int) -> bool:
    """Feed a stream; True when it was found to be wrong. Any other exception is the test's failure."""
    for pos in range(0, len(stream), step):
        try:
            protocol.receive(stream[pos : pos + step])
        except ProtocolViolation:
            return True
        assert protocol._reader.held_bytes <= 4 * LIMIT_BYTES + step + LIMIT_BYTES
    return False


@settings(max_examples=300)
@given(st.binary(max_size=2000), st.integers(1, 400))
def test_random_bytes(noise: bytes, step: int) -> None:
    """Noise is found wrong or waits for more; it is never anything else."""
    protocol, _ = conversation()
    play(protocol, noise, step)


@settings(max_examples=300)
@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 4000))
def test_mutated_replies(seed: int, changes: int, step: int) -> None:
    """Replies with bytes changed, dropped, doubled or inserted never break more than their connection."""
    rng = random.Random(seed)
    protocol, stream = conversation()
    broken = bytearray(stream)
    for _ in range(changes):
        pos = rng.randrange(len(broken))
        match rng.randrange(4):
            case 0:
                broken[pos] = rng.randrange(256)
            case 1:
                del broken[pos : pos + rng.randrange(1, 50)]
            case 2:
                broken[pos:pos] = broken[pos : pos + rng.randrange(1, 50)]
            case _:
                broken[pos:pos] = rng.randbytes(rng.randrange(1, 20))
    play(protocol, bytes(broken), step)


@pytest.mark.parametrize("seed", range(5))
def test_noise_after_a_good_start_is_quick_and_small(seed: int) -> None:
    """A megabyte of noise after good replies is over in seconds and leaves no megabytes behind."""
    rng = random.Random(seed)
    tracemalloc.start()
    try:
        begun_s = time.process_time()
        for _ in range(20):
            protocol, stream = conversation()
            play(protocol, stream + rng.randbytes(50_000), 1000)
        assert time.process_time() - begun_s < 20
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_endless_word_holds_no_more_than_its_limit() -> None:
    """A word that claims the largest allowed length and never ends holds that much and not more."""
    protocol, _ = conversation()
    stream = b"\x03!re" + b"\x90\x00" + b"=" * 4095
    assert not play(protocol, stream, 10)
    assert protocol._reader.held_bytes <= LIMIT_BYTES + 20


@given(st.binary(max_size=300), st.integers(1, 50))
def test_noise_during_login(noise: bytes, step: int) -> None:
    """Noise instead of the login's answer is found wrong or waits; it never logs in by error class."""
    protocol = Protocol(max_word_bytes=LIMIT_BYTES, max_sentence_bytes=4 * LIMIT_BYTES)
    protocol.login("monitor", "secret")
    play(protocol, noise, step)
