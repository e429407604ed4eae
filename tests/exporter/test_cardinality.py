"""Modes bound the series, and the sums of what is left out only ever grow."""

from hypothesis import given
from hypothesis import strategies as st

from exporter.cardinality import REST, Cardinality, Ledger, Mode
from exporter.collectors.table import SUM, Record, Subscribers

HOTSPOT = Subscribers(key=("user", "mac"), traffic=("in", "out"), who="user", group=("server",))
QUEUE = Subscribers(key=("name",), traffic=("bytes",), who="name", paired=True)


def session(user: str, up: int, down: int, server: str = "hs1") -> Record:
    return {"user": user, "mac": "m-" + user, "in": str(up), "out": str(down), "server": server}


def rest(records: list[Record], who: str = "user") -> list[Record]:
    return [record for record in records if record[who] == REST]


def test_off_lists_nobody_and_counts_all() -> None:
    """Mode off gives no rows and says how many it left out."""
    selection = Ledger(HOTSPOT).select([session("a", 1, 1)], Cardinality(Mode.OFF), 0)
    assert (selection.records, selection.left_out) == ([], 1)


def test_full_lists_up_to_the_limit() -> None:
    """Mode full keeps the first rows in the router's order, which is stable, and counts the others."""
    records = [session(str(i), i, i) for i in range(5)]
    selection = Ledger(HOTSPOT).select(records, Cardinality(Mode.FULL, limit=3), 0)
    assert selection.records == records[:3]
    assert selection.left_out == 2


def test_top_lists_the_busiest_and_the_rest_as_one_per_group() -> None:
    """Mode top ranks by recent traffic; the others' increase goes to one row per server."""
    ledger = Ledger(HOTSPOT)
    top = Cardinality(Mode.TOP, top=1)
    ledger.select([session("a", 1, 1), session("b", 5, 5), session("c", 2, 2, "hs2")], top, 0)
    selection = ledger.select([session("a", 901, 1), session("b", 6, 7), session("c", 12, 2, "hs2")], top, 30)
    assert [record["user"] for record in selection.records] == ["a", REST, REST]
    assert rest(selection.records) == [
        {"server": "hs1", "user": REST, SUM: "true", "in": "1", "out": "2"},
        {"server": "hs2", "user": REST, SUM: "true", "in": "10", "out": "0"},
    ]
    assert selection.left_out == 2


def test_pairs_are_summed_half_by_half() -> None:
    """Upload and download of queues stay apart in the rest."""
    ledger = Ledger(QUEUE)
    aggregate = Cardinality(Mode.AGGREGATE)
    ledger.select([{"name": "a", "bytes": "1/2"}], aggregate, 0)
    selection = ledger.select([{"name": "a", "bytes": "11/22"}, {"name": "b", "bytes": "5/6"}], aggregate, 30)
    assert selection.records == [{"name": REST, SUM: "true", "bytes": "15/26"}]


def test_counters_that_are_missing_once_do_not_count_twice() -> None:
    """A session whose counters were not read this time goes on from where it was."""
    ledger = Ledger(HOTSPOT)
    aggregate = Cardinality(Mode.AGGREGATE)
    ledger.select([session("a", 100, 100)], aggregate, 0)
    ledger.select([{"user": "a", "mac": "m-a", "server": "hs1"}], aggregate, 30)
    selection = ledger.select([session("a", 110, 100)], aggregate, 60)
    assert selection.records == [{"server": "hs1", "user": REST, SUM: "true", "in": "10", "out": "0"}]


def test_the_first_reading_adds_nothing() -> None:
    """What sessions moved before the exporter came is not told as if it had just happened."""
    selection = Ledger(HOTSPOT).select([session("a", 10**12, 10**12)], Cardinality(Mode.AGGREGATE), 0)
    assert selection.records == [{"server": "hs1", "user": REST, SUM: "true", "in": "0", "out": "0"}]


_READING = st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)))


@given(readings=st.lists(_READING, min_size=1, max_size=8), top=st.integers(1, 3))
def test_the_rest_never_falls(readings: list[dict[str, tuple[int, int]]], top: int) -> None:
    """Whoever comes, goes, restarts or changes place, the rest is a counter."""
    ledger = Ledger(HOTSPOT)
    before = (0, 0)
    for turn, reading in enumerate(readings):
        records = [session(user, up, down) for user, (up, down) in reading.items()]
        selection = ledger.select(records, Cardinality(Mode.TOP, top=top), turn * 30.0)
        for row in rest(selection.records):
            now = (int(row["in"]), int(row["out"]))
            assert now >= before
            assert now[1] >= before[1]
            before = now
        assert len(selection.records) <= top + 1
