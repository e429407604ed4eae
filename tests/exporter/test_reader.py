"""A reader asks for what its tables need, survives what single tables do, and remembers menus that are not there."""

from pathlib import Path

import pytest

from exporter.cardinality import Cardinality, Mode
from exporter.collectors import ALL, BY_NAME
from exporter.collectors.reader import UNSUPPORTED_RETRY_S, Reader, Reading
from exporter.collectors.table import Collector, Facts, Label, Table, count, counter, gauge, info, switch
from routeros import CommandFailed
from tests.fakes.clock import FakeClock
from tests.fakes.recording import Recording

GOLDEN = Path(__file__).parent / "golden"


def reader(
    collector: Collector,
    source: Recording,
    clock: FakeClock | None = None,
    cardinality: Cardinality | None = None,
) -> Reader:
    return Reader(
        collector,
        source,
        Facts(),
        router_label='router="r"',
        cardinality=cardinality or Cardinality(),
        clock=clock or FakeClock(),
        wall_clock=lambda: 0.0,
    )


def text(reading: Reading) -> str:
    return "".join(block.decode() for part in reading.parts.values() for block in part.blocks.values())


THING = Collector(
    name="thing",
    help="Things.",
    ttl_s=10,
    tables=(
        Table(
            name="thing",
            path="/thing",
            labels=(Label("thing", "name"),),
            rows=(
                counter("thing_bytes_total", "Bytes.", "bytes"),
                gauge("thing_load", "Load.", "load"),
                switch("thing_running", "Running.", "running"),
                info("thing_info", "About.", Label("comment")),
                count("things", "Things.", Label("kind")),
            ),
        ),
        Table(name="other", path="/other", rows=(gauge("other_value", "Other.", "value"),)),
    ),
)
OTHER = "/other/print\n!re | =value=1\n"


def things(*rows: str) -> Recording:
    return Recording(OTHER + "/thing/print\n" + "\n".join(rows))


async def test_absent_is_absent_and_never_zero() -> None:
    """A field that is not there gives no sample; only a flag that RouterOS leaves out when false is 0."""
    reading = await reader(THING, things("!re | =name=a | =bytes=5")).read()
    assert text(reading) == (
        'thing_bytes_total{router="r",thing="a"} 5\n'
        'thing_running{router="r",thing="a"} 0\n'
        'thing_info{router="r",thing="a"} 1\n'
        'things{router="r"} 1\n'
        'other_value{router="r"} 1\n'
    )


@pytest.mark.parametrize("value", ["", "abc", "²", "٣", "1e", "--"])
async def test_a_value_that_is_no_number_is_named_and_the_rest_goes_on(value: str) -> None:
    """One odd field costs its own sample only; digits of other scripts are no numbers to Prometheus."""
    reading = await reader(
        THING, things(f"!re | =name=a | =bytes={value}", "!re | =name=b | =bytes=7")
    ).read()
    assert 'thing_bytes_total{router="r",thing="b"} 7' in text(reading)
    assert 'thing="a"} ' + (value or "|") not in text(reading)
    named = reading.parts["thing"].unparsable
    assert named == ({"bytes": (1, value)} if value else {})


async def test_every_value_that_is_no_number_is_counted() -> None:
    """The count tells how many values were left out, repeated ones as well; the first is kept as an example."""
    rows = [f"!re | =name={i} | =bytes={value}" for i, value in enumerate(("x", "y", "x", "5"))]
    reading = await reader(THING, things(*rows)).read()
    assert reading.parts["thing"].unparsable == {"bytes": (3, "x")}


async def test_rows_of_one_name_become_one_series() -> None:
    """Prometheus refuses a whole scrape for one duplicate, so the first row stands and the others are counted."""
    rows = ("!re | =name=a | =bytes=1", "!re | =name=b | =bytes=2", "!re | =name=a | =bytes=3")
    reading = await reader(THING, things(*rows)).read()
    assert [line for line in text(reading).splitlines() if "bytes" in line] == [
        'thing_bytes_total{router="r",thing="a"} 1',
        'thing_bytes_total{router="r",thing="b"} 2',
    ]
    assert reading.parts["thing"].duplicates == 1


async def test_one_table_that_fails_costs_only_its_own_metrics() -> None:
    """The failure is in the reading, the other table's part beside it."""
    source = things("!re | =name=a")
    source.broken["/other/print"] = CommandFailed("failure: x", path="/other/print")
    reading = await reader(THING, source).read()
    assert set(reading.parts) == {"thing"}
    assert set(reading.failures) == {"other"}
    assert not reading.succeeded
    assert reading.supported


async def test_a_menu_that_is_not_there_is_asked_again_after_an_hour() -> None:
    """ "No such command" is no failure, and is believed for an hour."""
    source = Recording(OTHER + "/thing/print\n!trap | =message=no such command prefix\n")
    clock = FakeClock()
    reads = reader(THING, source, clock)
    first = await reads.read()
    assert first.succeeded
    assert first.unsupported == {"thing"}
    await reads.read()
    assert [command for command, _ in source.asked].count("/thing/print") == 1
    clock.advance(UNSUPPORTED_RETRY_S + 1)
    await reads.read()
    assert [command for command, _ in source.asked].count("/thing/print") == 2


async def test_a_reboot_brings_unsupported_menus_back_into_question() -> None:
    """A package may have been installed with the reboot."""
    source = Recording(OTHER + "/thing/print\n!trap | =message=no such command prefix\n")
    facts = Facts()
    reads = Reader(THING, source, facts, router_label="", cardinality=Cardinality(), clock=FakeClock())
    await reads.read()
    facts.reboots_seen += 1
    await reads.read()
    assert [command for command, _ in source.asked].count("/thing/print") == 2


def ethernet(ports: str, monitor: str) -> Recording:
    poe = "/interface/ethernet/poe/print\n!trap | =message=no such command\n"
    return Recording(f"/interface/ethernet/print\n{ports}\n{monitor}\n{poe}")


async def test_a_monitor_runs_beside_its_table_once_the_ports_are_known() -> None:
    """The first reading asks one after the other, later ones side by side, by the ids remembered."""
    source = ethernet(
        "!re | =.id=*1 | =name=a", "/interface/ethernet/monitor numbers=*1\n!re | =name=a | =status=link-ok"
    )
    reads = reader(BY_NAME["ethernet"], source)
    assert 'mikrotik_interface_link_up{router="r",interface="a"} 1' in text(await reads.read())
    source.asked.clear()
    await reads.read()
    assert sorted(command for command, _ in source.asked) == [
        "/interface/ethernet/monitor",
        "/interface/ethernet/print",
    ]


async def test_a_port_that_came_is_monitored_in_the_same_reading() -> None:
    """When the ports at hand are not those remembered, the monitor is asked again with the right ones."""
    source = ethernet(
        "!re | =.id=*1 | =name=a", "/interface/ethernet/monitor numbers=*1\n!re | =name=a | =status=no-link"
    )
    reads = reader(BY_NAME["ethernet"], source)
    await reads.read()
    more = ethernet(
        "!re | =.id=*1 | =name=a\n!re | =.id=*2 | =name=b",
        "/interface/ethernet/monitor numbers=*1\n/interface/ethernet/monitor numbers=*1,*2\n"
        "!re | =name=a | =status=no-link\n!re | =name=b | =status=link-ok",
    )
    source.replies = more.replies
    reading = await reads.read()
    assert 'mikrotik_interface_link_up{router="r",interface="b"} 1' in text(reading)
    assert reading.succeeded


async def test_without_ports_no_monitor_is_sent() -> None:
    """A monitor over nothing would be an error on the router."""
    source = ethernet("", "")
    reading = await reader(BY_NAME["ethernet"], source).read()
    assert reading.succeeded
    assert [c for c, _ in source.asked] == ["/interface/ethernet/print", "/interface/ethernet/poe/print"]


RADIO = Collector(
    name="radio",
    help="Radios.",
    ttl_s=10,
    tables=(
        Table(name="radio", path="/radio", labels=(Label("radio", "name"),), also=(".id",), rows=()),
        Table(
            name="state",
            path="/radio",
            numbers="radio",
            each=True,
            labels=(Label("radio", "name"),),
            rows=(gauge("radio_power", "Power.", "power"),),
        ),
        Table(
            name="older",
            path="/radio",
            numbers="radio",
            each=True,
            verb="info",
            number_word="number",
            instead_of="state",
            labels=(Label("radio", "name"),),
            rows=(gauge("radio_power", "Power.", "power"),),
        ),
    ),
)
RADIOS = "/radio/print\n!re | =.id=*1 | =name=a\n!re | =.id=*2 | =name=b\n"
POWERS = ('radio_power{router="r",radio="a"} 5\n', 'radio_power{router="r",radio="b"} 7\n')


async def test_a_monitor_that_takes_one_row_is_sent_once_for_each() -> None:
    """Its replies need not tell whose they are: the labels come from the row that was asked about."""
    source = Recording(
        RADIOS + "/radio/monitor numbers=*1\n!re | =power=5\n/radio/monitor numbers=*2\n!re | =power=7\n"
    )
    reads = reader(RADIO, source)
    assert text(await reads.read()) == "".join(POWERS)
    assert text(await reads.read()) == "".join(POWERS)
    assert [command for command, _ in source.asked].count("/radio/info") == 0


async def test_a_row_that_cannot_be_monitored_costs_only_itself() -> None:
    """The others' samples are there, and the failure is told."""
    source = Recording(RADIOS + "/radio/monitor numbers=*1\n!fail | =message=failure: x\n")
    source.replies |= Recording("/radio/monitor numbers=*2\n!re | =power=7\n").replies
    reading = await reader(RADIO, source).read()
    assert text(reading) == POWERS[1]
    assert set(reading.failures) == {"state"}


async def test_without_their_table_replies_of_single_rows_are_not_told() -> None:
    """When the rows cannot be read, nobody knows whose the replies are."""
    source = Recording(
        RADIOS + "/radio/monitor numbers=*1\n!re | =power=5\n/radio/monitor numbers=*2\n!re | =power=7\n"
    )
    reads = reader(RADIO, source)
    await reads.read()
    source.broken["/radio/print"] = CommandFailed("failure: x", path="/radio/print")
    reading = await reads.read()
    assert not text(reading)
    assert set(reading.failures) == {"radio", "state"}


async def test_a_stand_in_is_asked_where_the_usual_menu_does_not_exist() -> None:
    """In the same reading, and from then on alone."""
    nothing = "!trap | =message=no such command\n"
    source = Recording(
        RADIOS
        + f"/radio/monitor numbers=*1\n{nothing}/radio/monitor numbers=*2\n{nothing}"
        + "/radio/info number=*1\n!re | =power=5\n/radio/info number=*2\n!re | =power=7\n"
    )
    reads = reader(RADIO, source)
    reading = await reads.read()
    assert text(reading) == "".join(POWERS)
    assert reading.succeeded
    assert reading.unsupported == {"state"}
    source.asked.clear()
    assert text(await reads.read()) == "".join(POWERS)
    assert {command for command, _ in source.asked} == {"/radio/print", "/radio/info"}


async def test_where_no_menu_exists_the_stand_in_is_unsupported_as_well() -> None:
    """The collector is then one that the router does not support."""
    reading = await reader(RADIO, Recording("/radio/print\n!trap | =message=no such command\n")).read()
    assert reading.succeeded
    assert not reading.supported


@pytest.mark.parametrize("name", ["hotspot-v7", "ppp-v7", "queue-v7"])
async def test_mode_off_gives_counts_but_no_subscriber(name: str) -> None:
    """With mode off what is one per subscriber is neither exported nor, where nothing else needs it, asked for."""
    source = Recording.load(GOLDEN / f"{name}.replies")
    collector = BY_NAME[name.split("-")[0]]
    reading = await reader(collector, source, cardinality=Cardinality(Mode.OFF)).read()
    lines = text(reading)
    assert "_session_" not in lines
    assert "mikrotik_simple_queue_" not in lines
    assert reading.succeeded
    if name == "ppp-v7":
        assert 'mikrotik_ppp_active_sessions{router="r",service="pppoe"} 3' in lines
        assert "/interface/print" not in [command for command, _ in source.asked]


async def test_mode_aggregate_gives_one_growing_sum() -> None:
    """The sums of PPP sessions come from the joined interfaces and start at 0."""
    source = Recording.load(GOLDEN / "ppp-v7.replies")
    reads = reader(BY_NAME["ppp"], source, cardinality=Cardinality(Mode.AGGREGATE))
    assert 'mikrotik_ppp_session_receive_bytes_total{router="r",user="_rest"} 0' in text(await reads.read())
    for _, row in source.replies["/interface/print"]:
        row["rx-byte"] = str(int(row["rx-byte"]) + 5)
    assert 'mikrotik_ppp_session_receive_bytes_total{router="r",user="_rest"} 20' in text(await reads.read())


@pytest.mark.parametrize("name", ["hotspot-v7", "ppp-v7", "queue-v7"])
async def test_the_rest_has_traffic_and_nothing_else(name: str) -> None:
    """The row that stands for many is neither enabled nor described: it gives counters only."""
    source = Recording.load(GOLDEN / f"{name}.replies")
    reads = reader(BY_NAME[name.split("-")[0]], source, cardinality=Cardinality(Mode.TOP, top=1))
    of_the_rest = [line for line in text(await reads.read()).splitlines() if '"_rest"' in line]
    assert of_the_rest
    assert [line for line in of_the_rest if "_total{" not in line] == []


def test_no_table_asks_for_a_secret() -> None:
    """No collector ever asks for a field that holds a password or key, or for every field where there could be one."""
    secrets = {"password", "private-key", "secret", "source", "on-event", "imei", "imsi"}
    asked = {field for c in ALL for table in c.tables for field in table.fields}
    assert asked & secrets == set()
    without = {
        "/system/health",
        "/interface/wifi/registration-table",
        "/interface/wifiwave2/registration-table",
    }
    assert all(table.proplist for c in ALL for table in c.tables if table.path not in without)
