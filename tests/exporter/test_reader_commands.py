"""The kinds of command that a table can be: a monitor over nothing, a count, one that waits for what others say."""

import pytest

from exporter.cardinality import Cardinality, Mode
from exporter.collectors.reader import Reader, Reading
from exporter.collectors.table import (
    Collector,
    Facts,
    Label,
    Subscribers,
    Table,
    arrivals,
    count,
    counter,
    gauge,
    info,
)
from tests.fakes.clock import FakeClock
from tests.fakes.recording import Recording


def reader(source: Recording, *tables: Table, mode: Mode = Mode.FULL) -> Reader:
    return Reader(
        Collector("thing", "Things.", 10, tables),
        source,
        Facts(),
        router_label='router="r"',
        cardinality=Cardinality(mode),
        clock=FakeClock(),
        wall_clock=lambda: 0.0,
    )


def lines(reading: Reading) -> list[str]:
    blocks = [block.decode() for part in reading.parts.values() for block in part.blocks.values()]
    return "".join(blocks).splitlines()


async def test_a_monitor_over_nothing_is_asked_for_one_sample() -> None:
    """What has no rows to be about is monitored without numbers."""
    table = Table(
        name="in", path="/in", once=True, rows=(counter("in_requests_total", "Requests.", "requests"),)
    )
    source = Recording("/in/monitor\n!re | =requests=31 | =more=1\n")
    assert lines(await reader(source, table).read()) == ['in_requests_total{router="r"} 31']


async def test_the_router_counts_rows() -> None:
    """A counted table is told by its number alone, and queries tell one count from another."""
    rows = (gauge("routes", "Routes.", "@count"),)
    tables = (
        Table(name="all", path="/route", counted=True, labels=(Label("kind", value="all"),), rows=rows),
        Table(
            name="bgp",
            path="/route",
            counted=True,
            queries=("?bgp",),
            labels=(Label("kind", value="bgp"),),
            rows=rows,
        ),
    )
    source = Recording("/route/print\n!done | =ret=812345\n/route/print ?bgp\n!done | =ret=0\n")
    assert lines(await reader(source, *tables).read()) == [
        'routes{router="r",kind="all"} 812345',
        'routes{router="r",kind="bgp"} 0',
    ]


async def test_a_count_that_does_not_come_is_not_zero() -> None:
    """A router that answers a count without a number gives no sample."""
    table = Table(name="all", path="/route", counted=True, rows=(gauge("routes", "Routes.", "@count"),))
    reading = await reader(Recording("/route/print\n!done\n"), table).read()
    assert lines(reading) == []
    assert reading.succeeded


async def test_a_label_of_every_row_tells_tables_apart() -> None:
    """A fixed label is not asked for, stands in every line, and lets a count of nothing be 0."""
    fixed = Label("table", value="nat")
    table = Table(
        name="nat",
        path="/nat",
        labels=(fixed, Label("rule", ".id")),
        rows=(counter("hits_total", "Hits.", "hits"), count("rules", "Rules.", fixed)),
    )
    assert table.fields == (".id", "hits")
    some = await reader(Recording("/nat/print\n!re | =.id=*1 | =hits=5\n"), table).read()
    assert lines(some) == [
        'hits_total{router="r",table="nat",rule="*1"} 5',
        'rules{router="r",table="nat"} 1',
    ]
    none = await reader(Recording("/nat/print\n"), table).read()
    assert lines(none) == ['rules{router="r",table="nat"} 0']


AFTER = (
    Table(name="pools", path="/pool", also=("used",), rows=(count("pools", "Pools."),)),
    Table(
        name="used",
        path="/used",
        after=lambda replies: any("used" not in pool for pool in replies.get("pools", ())),
        rows=(count("used", "Used."),),
    ),
)
USED = "/used/print\n!re | =.id=*1\n"


async def test_a_table_that_follows_others_is_asked_only_when_they_call_for_it() -> None:
    """It is asked in the same reading, from then on beside the others, and no more when they stop asking for it."""
    source = Recording(f"{USED}/pool/print\n!re | =used=3\n")
    reads = reader(source, *AFTER)
    assert lines(await reads.read()) == ['pools{router="r"} 1']
    source.replies = Recording(f"{USED}/pool/print\n!re | =name=a\n").replies
    assert lines(await reads.read()) == ['pools{router="r"} 1', 'used{router="r"} 1']
    source.asked.clear()
    await reads.read()
    assert [command for command, _ in source.asked] == ["/pool/print", "/used/print"]
    source.replies = Recording(f"{USED}/pool/print\n!re | =used=3\n").replies
    await reads.read()
    source.asked.clear()
    await reads.read()
    assert [command for command, _ in source.asked] == ["/pool/print"]


LEASES = Table(
    name="leases",
    path="/lease",
    labels=(Label("server"), Label("address")),
    subscribers=Subscribers(key=("address",), traffic=(), who="address"),
    also=("active-server",),
    rows=(count("leases", "Leases.", Label("status")), info("lease_info", "A lease.", Label("comment"))),
)


def test_without_series_per_subscriber_less_is_asked_for() -> None:
    """Counts need neither the labels nor the fields of a subscriber's own series; a table without counts does."""
    assert LEASES.fields == ("server", "address", "status", "comment", "active-server")
    assert LEASES.counted_fields == ("status", "active-server")
    bare = Table(name="q", path="/q", labels=(Label("name"),), rows=(counter("b_total", "Bytes.", "bytes"),))
    assert bare.counted_fields == bare.fields


@pytest.mark.parametrize("mode", list(Mode))
async def test_subscribers_without_traffic_have_no_rest(mode: Mode) -> None:
    """Where nothing is summed, no series stands for those that were left out."""
    source = Recording("/lease/print\n!re | =address=10.0.0.1 | =status=bound\n")
    told = lines(await reader(source, LEASES, mode=mode).read())
    own = ['lease_info{router="r",address="10.0.0.1"} 1'] if mode in (Mode.FULL, Mode.TOP) else []
    assert told == ['leases{router="r",status="bound"} 1', *own]


LOG = Table(
    name="log",
    path="/log",
    rows=(
        arrivals(
            "log_lines_total",
            "Lines.",
            Label("topic"),
            Label("severity"),
            always=[("system", "error")],
            in_order=True,
        ),
    ),
)


async def test_a_log_is_counted_from_where_the_reading_before_ended() -> None:
    """The first reading sets the mark; a row below it is old even when it was out of sight; a reboot starts anew."""

    def log(*ids: str) -> dict[str, list[tuple[str, dict[str, str]]]]:
        rows = "".join(f"!re | =.id={one} | =topic=dhcp | =severity=info\n" for one in ids)
        return Recording(f"/log/print\n{rows}").replies

    source = Recording("")
    reads = reader(source, LOG)
    told = []
    for ids in (
        ("*1", "*F"),
        ("*F", "*10", "*11"),
        (),
        ("*2", "*11", "*12"),
        ("*1", "*2"),
        ("*2", "odd", "*3"),
    ):
        source.replies = log(*ids)
        told.append([line.rpartition(" ")[2] for line in lines(await reads.read())])
    assert told == [["0", "0"], ["0", "2"], ["0", "2"], ["0", "3"], ["0", "5"], ["0", "6"]]
