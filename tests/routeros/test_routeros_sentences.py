"""Sentences and rows, against librouteros's encoder: the fast way and the general way say the same."""

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from librouteros.protocol import encode_sentence as their_encode_sentence

from routeros.errors import ProtocolViolation
from routeros.sentences import Rows, Sentence, SentenceReader, Shape, encode_sentence
from routeros.text import to_text
from routeros.words import encode_length, encode_word

Item = tuple[str, str | None, dict[str, str], tuple[str, ...]]

KEYS = st.sampled_from([".id", "name", "bytes-in", "comment", "remote.address", "802.1x", "DHCP", "x"])
TEXT = st.one_of(
    st.sampled_from(
        ["", "a=b", "==", "true", "x" * 127, "y" * 128, "z" * 20000, "naïve €", "日本", "\r\n\t"]
    ),
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30),
)
ROW = st.dictionaries(KEYS, TEXT, max_size=8)


def sentence(*words: str) -> bytes:
    return their_encode_sentence(*words, encoding="utf-8")


def row(tag: str | None, values: dict[str, str], *, tag_last: bool = False) -> bytes:
    mark = () if tag is None else (f".tag={tag}",)
    words = [f"={key}={value}" for key, value in values.items()]
    return sentence("!re", *words, *mark) if tag_last else sentence("!re", *mark, *words)


def flat(found: Sequence[Sentence | Rows]) -> list[Item]:
    """Sentences one by one, rows too, so that batching does not show."""
    items: list[Item] = []
    for item in found:
        if isinstance(item, Rows):
            items.extend(("!re", item.tag, record, ()) for record in item.records)
        else:
            items.append((item.reply, item.tag, item.attributes, item.words))
    return items


def read(stream: bytes, steps: Sequence[int], *, shapes: bool = True) -> list[Item]:
    """What a reader makes of a stream in pieces of these sizes, over and over."""
    reader = SentenceReader()
    if shapes:
        for tag in ("1", "2"):
            reader.expect(tag, Shape())
    items: list[Item] = []
    pos = turn = 0
    while pos < len(stream):
        size = steps[turn % len(steps)]
        items += flat(reader.feed(stream[pos : pos + size]))
        pos, turn = pos + size, turn + 1
    assert reader.held_bytes == 0
    return items


STREAM = b"".join(
    [
        row("1", {"name": "ether1", "bytes": "1/2"}),
        row("1", {"name": "ether2", "bytes": "3/4", "comment": "a=b"}),
        row("2", {"name": "x", "empty": ""}),
        row("1", {"name": "ether3", "bytes": "5/6"}, tag_last=True),
        b"\x00",
        row("1", {"bytes": "7/8", "comment": "long " * 100}),
        sentence("!trap", ".tag=2", "=category=1", "=message=no such item"),
        sentence("!done", ".tag=2"),
        sentence("!empty", ".tag=1"),
        sentence("!done", ".tag=1", "=ret=5"),
        sentence("!fatal", "session terminated on request"),
    ]
)
MEANING: list[Item] = [
    ("!re", "1", {"name": "ether1", "bytes": "1/2"}, ()),
    ("!re", "1", {"name": "ether2", "bytes": "3/4", "comment": "a=b"}, ()),
    ("!re", "2", {"name": "x", "empty": ""}, ()),
    ("!re", "1", {"name": "ether3", "bytes": "5/6"}, ()),
    ("!re", "1", {"bytes": "7/8", "comment": "long " * 100}, ()),
    ("!trap", "2", {"category": "1", "message": "no such item"}, ()),
    ("!done", "2", {}, ()),
    ("!empty", "1", {}, ()),
    ("!done", "1", {"ret": "5"}, ()),
    ("!fatal", None, {}, ("session terminated on request",)),
]


@pytest.mark.parametrize("step", [1, 2, 3, 5, 17, 64, 10**6])
@pytest.mark.parametrize("shapes", [True, False])
def test_stream_in_pieces(step: int, shapes: bool) -> None:
    """Byte by byte, in pieces or whole, fast or general: the same meaning."""
    assert read(STREAM, [step], shapes=shapes) == MEANING


def test_trailing_bytes_wait() -> None:
    """Half a sentence gives nothing until its other half is there, and costs nothing of what came before."""
    reader = SentenceReader()
    reader.expect("1", Shape())
    half = row("1", {"name": "ether9"})
    assert flat(reader.feed(sentence("!done", ".tag=2") + half[:9])) == [("!done", "2", {}, ())]
    assert reader.held_bytes > 0
    assert flat(reader.feed(half[9:])) == [("!re", "1", {"name": "ether9"}, ())]
    assert reader.held_bytes == 0


@given(
    st.lists(st.tuples(st.sampled_from(["1", "2", "3"]), ROW, st.booleans()), max_size=25),
    st.lists(st.integers(1, 400), min_size=1, max_size=10),
)
def test_rows_any_chunking(rows: list[tuple[str, dict[str, str], bool]], steps: list[int]) -> None:
    """Rows of any shape, in any interleaving and cutting, read as they were written."""
    stream = b"".join(row(tag, values, tag_last=last) for tag, values, last in rows)
    assert read(stream, steps) == [("!re", tag, values, ()) for tag, values, _ in rows]


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60), min_size=1, max_size=9
    )
)
def test_encoder_like_librouteros(words: list[str]) -> None:
    """Our sentences are librouteros's sentences."""
    assert encode_sentence(words) == sentence(*words)


def test_empty_word_is_refused() -> None:
    """An empty word would end the sentence early and turn the rest into another command."""
    with pytest.raises(ValueError, match="empty word"):
        encode_sentence(("/system/identity/print", "", "/system/reboot"))


@given(st.lists(st.binary(max_size=20), max_size=12))
def test_any_bytes_as_values(values: list[bytes]) -> None:
    """Values of any bytes become text that can be written as UTF-8 and holds no control character."""
    words = [b"!re", b".tag=1", *(b"=k%d=%s" % (i, value) for i, value in enumerate(values))]
    stream = b"".join(map(encode_word, words)) + b"\x00"
    items = read(stream * 3, [len(stream) * 3])
    assert len(items) == 3
    assert items[0] == items[1] == items[2]
    for i, value in enumerate(values):
        text = items[0][2][f"k{i}"]
        assert text == to_text(value)
        assert text.encode().decode() == text
        assert not any(ord(char) < 32 and char not in "\r\n\t" for char in text)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain", "plain"),
        ("Büro €".encode(), "Büro €"),
        ("Büro €".encode("cp1252"), "Büro €"),
        (b"\x81\xfc", "ü"),
        (b"DESKTOP\x00", "DESKTOP"),
        (b"a\r\n\tb", "a\r\n\tb"),
        (b"\x1b[31mred\x7f", "[31mred"),
        (b"", ""),
    ],
)
def test_text_of_bytes(raw: bytes, text: str) -> None:
    """UTF-8, else cp1252, else latin-1; control characters go, line ends and tabs stay."""
    assert to_text(raw) == text


def test_shape_learns_where_keys_stand() -> None:
    """A key met later is put behind the key that it followed."""
    shape = Shape()
    shape.learn(["name", "bytes", "running"])
    shape.learn(["name", "comment", "bytes", "running", "disabled"])
    assert repr(shape) == "<Shape name,comment,bytes,running,disabled>"


def test_shape_does_not_grow_without_end() -> None:
    """Rows with ever new keys are read, but not learnt for ever."""
    shape, reader = Shape(), SentenceReader()
    reader.expect("1", shape)
    rows = [{f"k{i}-{j}": "v" for j in range(5)} for i in range(100)]
    assert [item[2] for item in flat(reader.feed(b"".join(row("1", values) for values in rows)))] == rows
    assert len(shape.fields) <= 128


def test_keys_that_look_like_prefixes() -> None:
    """Lengths decide, not looks: a value that holds the next key's text, a length byte that is '='."""
    rows = [{"a": "=b=c", "b": "=a="}, {"a": "x" * 58, "b": "=" * 61}, {"a": "", "b": "\x20"}]
    stream = b"".join(row("1", values) for values in rows * 3)
    assert [item[2] for item in read(stream, [len(stream)])] == rows * 3


def test_word_without_value() -> None:
    """An attribute without a second '=' is a key with an empty value."""
    assert read(sentence("!re", ".tag=1", "=flag"), [100]) == [("!re", "1", {"flag": ""}, ())]


@pytest.mark.parametrize(
    "start", [b"\x05hello\x00", b"HTTP/1.1 400 Bad Request\r\n", b"\x15\x03\x03\x00\x02\x02\x46"]
)
def test_not_a_reply(start: bytes) -> None:
    """What does not begin with a reply word is given up at its second byte, not waited for."""
    with pytest.raises(ProtocolViolation, match="not with a reply word"):
        SentenceReader().feed(start[:2])


def test_sentence_too_long_in_words() -> None:
    """A sentence that never ends is a violation even when each word is small."""
    reader = SentenceReader(max_word_bytes=1000, max_sentence_bytes=4000)
    reader.feed(encode_word(b"!re"))
    for _ in range(40):
        reader.feed(encode_word(b"=k=" + b"v" * 90))
    assert reader.held_bytes < 5000
    with pytest.raises(ProtocolViolation, match="a sentence of more than 4000 bytes"):
        reader.feed(encode_word(b"=k=" + b"v" * 90) * 2)


def test_word_too_long_in_a_fast_row() -> None:
    """The limit of a word holds on the fast way, too."""
    reader = SentenceReader(max_word_bytes=1000)
    reader.expect("1", Shape())
    reader.feed(row("1", {"a": "1"}))
    with pytest.raises(ProtocolViolation, match="more than the 1000 allowed"):
        reader.feed(row("1", {"a": "1"}) + row("1", {"a": "v" * 1001}))


@pytest.mark.parametrize("step", [1, 1000])
def test_huge_sentence_in_small_pieces_is_linear(step: int) -> None:
    """A sentence of many words and one huge word costs about the same per byte however it is cut."""
    words = 20_000 if step == 1000 else 2_000
    stream = (
        encode_word(b"!re")
        + b"".join(encode_word(b"=k%d=v" % i) for i in range(words))
        + encode_word(b"=big=" + b"x" * (words * 100))
        + b"\x00"
    )
    reader, items = SentenceReader(), []
    begun_s = time.process_time()
    for pos in range(0, len(stream), step):
        items += reader.feed(stream[pos : pos + step])
    assert time.process_time() - begun_s < 5
    assert len(flat(items)[0][2]) == words + 1


def test_batches_rows_of_one_tag() -> None:
    """Consecutive rows of a tag come as one item, with about their size on the wire."""
    reader = SentenceReader()
    reader.expect("1", Shape())
    stream = row("1", {"a": "1"}) * 50
    (batch,) = reader.feed(stream)
    assert isinstance(batch, Rows)
    assert len(batch.records) == 50
    assert 0.8 * len(stream) < batch.size_bytes < 2 * len(stream)


def test_forgotten_tags_are_read_the_general_way() -> None:
    """Nothing is kept for a tag that is over; its late rows are still read."""
    reader = SentenceReader()
    reader.expect("1", Shape())
    reader.feed(row("1", {"a": "1"}) + sentence("!done", ".tag=1"))
    assert repr(reader) == "<SentenceReader held_bytes=0 words=0 tags=0>"
    assert flat(reader.feed(row("1", {"a": "2"}))) == [("!re", "1", {"a": "2"}, ())]


def test_length_in_more_bytes_than_needed() -> None:
    """A prefix longer than necessary still says its length."""
    word = b"\xc0\x00" + encode_length(3) + b"!re"
    assert flat(SentenceReader().feed(word + b"\x00")) == [("!re", None, {}, ())]
