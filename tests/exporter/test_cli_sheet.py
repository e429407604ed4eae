"""Lines of a table: rates between two readings, order and filter; which columns fit."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from exporter.cli.columns import Column, Section, metric, named, said
from exporter.cli.feed import Feed, Snapshot
from exporter.cli.layout import GAP, body, cells_of, fit, head
from exporter.cli.page import Frame, compose
from exporter.cli.sheet import Choice, Line, chosen, lines_of
from exporter.cli.units import Unit
from exporter.cli.views import ALL, BY_NAME
from exporter.collectors import BY_NAME as COLLECTORS
from routeros import BreakerOpen, CommandUnsupported, Record, RouterUnreachable, UnreachableReason
from tests.fakes.client import FakeClient
from tests.fakes.clock import FakeClock

VIEW = BY_NAME["interfaces"]
(SECTION,) = VIEW.sections
MENU = "/interface/print"


def interface(name: str, rx: int, tx: int = 0, **more: str) -> Record:
    """A row of `/interface`."""
    return {"name": name, "type": "ether", "rx-byte": str(rx), "tx-byte": str(tx), **more}


def feed_of(*readings: list[Record], seconds: float = 2.0) -> Feed:
    """A feed that has seen these readings, one every `seconds`."""
    clock = FakeClock()
    feed = Feed("core", FakeClient("core", clock), VIEW, interval_s=1, at_once=asyncio.Semaphore())
    for records in readings:
        clock.advance(seconds)
        feed.before = feed.now
        feed.now = Snapshot({"interface": records}, {"interface": clock()}, {})
    return feed


def rates(feed: Feed) -> dict[object, object]:
    """Receive rate by interface."""
    return {line.values["name"]: line.values["rx"] for line in lines_of(SECTION, [feed])}


def test_a_rate_is_what_a_counter_grew_by_over_the_time_that_passed() -> None:
    """2,000 bytes in 2 seconds are 8,000 bit/s."""
    assert rates(feed_of([interface("a", 500)], [interface("a", 2500)])) == {"a": 8000}


def test_a_counter_set_back_gives_no_rate() -> None:
    """After a reset nobody knows how much there was; a new row has no rate either, and one reading gives none."""
    feed = feed_of([interface("a", 500)], [interface("a", 100), interface("b", 900)])
    assert rates(feed) == {"a": None, "b": None}
    assert rates(feed_of([interface("a", 500)])) == {"a": None}


def names(feed: Feed, choice: Choice) -> list[object]:
    """Names of the chosen lines, in order."""
    return [line.values["name"] for line in chosen(SECTION, lines_of(SECTION, [feed]), choice)]


BEFORE = [interface("slow", 0), interface("Busy", 0), interface("idle", 0)]
AFTER = [interface("slow", 10, comment="to the TOWER"), interface("Busy", 5, 500), interface("idle", 0)]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (Choice(), ["Busy", "slow", "idle"]),
        (Choice(reverse=True), ["idle", "slow", "Busy"]),
        (Choice("rx"), ["slow", "Busy", "idle"]),
        (Choice("rx_total_bytes"), ["slow", "Busy", "idle"]),
        (Choice("name"), ["Busy", "idle", "slow"]),
        (Choice("name", reverse=True), ["slow", "idle", "Busy"]),
        (Choice(top=1), ["Busy"]),
        (Choice(text="tower"), ["slow"]),
        (Choice(text="ETHER", top=2), ["Busy", "slow"]),
        (Choice(text="nothing of the kind"), []),
    ],
)
def test_lines_are_chosen_and_ordered(choice: Choice, expected: list[str]) -> None:
    """By traffic, both ways together, unless a column is named; numbers begin with the largest."""
    assert names(feed_of(BEFORE, AFTER), choice) == expected


def test_totals_stand_in_for_rates_while_there_is_one_reading() -> None:
    """The order by traffic needs no second reading."""
    assert names(feed_of(AFTER), Choice()) == ["Busy", "slow", "idle"]


@pytest.mark.parametrize("view", ALL, ids=lambda view: view.name)
def test_columns_of_a_view_are_well_formed(view: object) -> None:
    """Names and JSON keys are unique, one column at least always stays, and traffic names measured columns."""
    found = next(one for one in ALL if one is view)
    for section in found.sections:
        assert len({column.name for column in section.columns}) == len(section.columns)
        assert len({column.key for column in section.columns} | {"router"}) == len(section.columns) + 1
        assert [column for column in section.columns if column.rank == 0]
        columns = {column.name: column for column in section.columns}
        assert all(columns[name].measured for name in section.traffic)
        assert not any(columns[name].measured for name in section.totals)
        assert section.clock_table in {table.name for table in found.tables}


def test_a_column_cannot_name_what_its_table_does_not_read() -> None:
    """A field or metric that the collector's table lacks is refused when the table is written."""
    table = named(COLLECTORS["interface"], "interface")
    with pytest.raises(ValueError, match="no field"):
        said(table, "no-such-field")
    with pytest.raises(StopIteration):
        metric(table, "mikrotik_no_such_metric")


def test_what_cannot_be_read_is_not_known() -> None:
    """A value that is no number shows as unknown, not as zero."""
    (line,) = lines_of(SECTION, [feed_of([interface("a", 1) | {"link-downs": "many", "rx-error": "3"}])])
    assert (line.values["downs"], line.values["lost"]) == (None, 3)


CHARACTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Mn", "Me", "Zl", "Zp"))
VALUES = st.lists(
    st.tuples(st.text(CHARACTERS, max_size=30), st.text(CHARACTERS, max_size=30), st.integers(0, 10**15)),
    min_size=1,
    max_size=4,
)
COLUMNS = (
    Column("name", "name", Unit.TEXT, lambda record: None),
    Column("rx", "rx bit/s", Unit.BIT_RATE, lambda record: None),
    Column("drops", "drops", Unit.COUNT, lambda record: None, rank=1),
    Column("a", "a", Unit.BYTES, lambda record: None, rank=2),
    Column("b", "b", Unit.BYTES, lambda record: None, rank=2),
    Column("comment", "comment", Unit.TEXT, lambda record: None, rank=3),
)


def lines(values: list[tuple[str, str, int]]) -> list[Line]:
    """Lines with these names, comments and numbers."""
    return [
        Line("core", {"name": n, "comment": c, "rx": i, "drops": i, "a": i, "b": i}) for n, c, i in values
    ]


@given(VALUES, st.integers(22, 140))
def test_a_table_never_is_wider_than_the_terminal(values: list[tuple[str, str, int]], width: int) -> None:
    """Columns go and text is cut until it fits; numbers are never cut; columns of one rank go together."""
    kept, left_out = fit(cells_of(COLUMNS, lines(values)), width)
    assert all(cell_len(line) <= width for line in [head(kept), *body(kept)])
    assert {one.column.title for one in kept} | set(left_out) == {column.title for column in COLUMNS}
    assert ("a" in left_out) == ("b" in left_out)
    for one in kept:
        if one.column.unit is Unit.COUNT:
            assert [one.cell(text).strip() for text in one.texts] == list(one.texts)


@given(VALUES)
def test_without_a_terminal_nothing_is_left_out(values: list[tuple[str, str, int]]) -> None:
    """In a pipe lines are as long as they are, and columns begin at the same place in each."""
    kept, left_out = fit(cells_of(COLUMNS, lines(values)), None)
    assert left_out == []
    assert [one.column for one in kept] == list(COLUMNS)
    assert all(max(map(cell_len, one.texts)) <= one.width for one in kept)
    assert sum(one.width + GAP for one in kept) - GAP >= cell_len(head(kept))


def test_a_page_fits_the_height_of_the_terminal() -> None:
    """While watching, rows that find no room are counted instead of scrolling away, and so are routers in trouble."""
    many = feed_of([interface(f"ether{number}", number) for number in range(100)])
    dead = []
    for number in range(20):
        feed = Feed(
            f"edge-{number}", FakeClient("edge", FakeClock()), VIEW, interval_s=1, at_once=asyncio.Semaphore()
        )
        feed.now = Snapshot({}, {}, {"interface": gone(f"edge-{number}")})
        feed.cause = gone(f"edge-{number}")
        dead.append(feed)
    text = compose(VIEW, [many, *dead], Choice(), Frame(80, 24), above="interfaces").plain.splitlines()
    assert len(text) <= 24
    assert text[0] == "interfaces"
    assert any(line.startswith("and 9") and line.endswith("more rows") for line in text)
    assert text[-1] == "and 13 more lines like these"
    assert all(cell_len(line) <= 80 for line in text)


def gone(router: str) -> RouterUnreachable:
    """A router that is not there."""
    return RouterUnreachable("nobody is there", reason=UnreachableReason.REFUSED, router=router)


async def test_a_router_that_fails_is_not_read_a_second_time() -> None:
    """One reading is enough to know that there is nothing to measure."""
    client = FakeClient("core", FakeClock())
    client.error = gone("core")
    turns: list[None] = []
    feed = Feed(
        "core",
        client,
        VIEW,
        interval_s=0,
        at_once=asyncio.Semaphore(),
        changed=lambda: turns.append(None),
    )
    await feed.run(2)
    assert (len(turns), feed.is_dead, str(feed.cause)) == (1, True, "core: nobody is there")


async def test_an_open_breaker_does_not_hide_what_opened_it() -> None:
    """While nothing is sent, the page goes on to tell the router's own trouble, until it answers again."""
    client = FakeClient("core", FakeClock())
    client.error = gone("core")
    feed = Feed("core", client, VIEW, interval_s=0, at_once=asyncio.Semaphore())
    await feed.run(1)
    client.error = BreakerOpen("left alone", router="core", retry_in_s=60)
    await feed.run(1)
    assert "nobody is there" in str(feed.cause)
    client.error = None
    client.replies[MENU] = [interface("a", 1)]
    await feed.run(1)
    assert feed.cause is None


async def test_a_menu_that_a_board_lacks_is_no_failure() -> None:
    """It is told where the menu is what was asked for, and not where it only fills a column."""
    client = FakeClient("core", FakeClock())
    client.errors["/ip/hotspot/active/print"] = CommandUnsupported(
        "no such command", path="/ip/hotspot/active/print"
    )
    client.errors["/system/health/print"] = CommandUnsupported("no such command", path="/system/health/print")
    hotspot = Feed("core", client, BY_NAME["hotspot"], interval_s=0, at_once=asyncio.Semaphore())
    system = Feed("core", client, BY_NAME["system"], interval_s=0, at_once=asyncio.Semaphore())
    await hotspot.run(1)
    await system.run(1)
    assert hotspot.cause is system.cause is None
    page = compose(BY_NAME["hotspot"], [hotspot], Choice(), Frame()).plain
    assert page == "core: /ip/hotspot/active: this router has no such menu (package, board or version)"
    assert "health" not in compose(BY_NAME["system"], [system], Choice(), Frame()).plain


def test_a_section_without_rows_of_its_own_is_the_tables() -> None:
    """A section shows the rows of its table unless it says otherwise."""
    section = Section("x", named(COLLECTORS["interface"], "interface"), COLUMNS, ("name",))
    assert section.records({"interface": [{"name": "a"}]}) == [{"name": "a"}]
    assert section.records({}) == []
