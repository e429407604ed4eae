"""The label `client`: learnt from the lease table, read once, on infos only, and only where a module asks for it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from exporter.cardinality import Cardinality, Mode
from exporter.collectors import BY_NAME
from exporter.collectors.clients import NAME_LIMIT, ClientNames
from exporter.collectors.reader import Reader, Reading
from exporter.collectors.table import Facts
from simulator import Device, Network, RouterSpec
from tests.fakes.clock import FakeClock
from tests.fakes.recording import Recording
from tests.fakes.served import PASSWORD, Served, config_text, router_of, served, until

LEASE_COMMAND = "/ip/dhcp-server/lease/print"
ACTIVE = """\
/ip/hotspot/active/print
!re | =server=hs | =user=v1 | =mac-address=02:30:00:00:00:01 | =bytes-in=5 | =address=10.0.0.9
!re | =server=hs | =user=v2 | =mac-address=02:30:00:00:00:02 | =bytes-in=6
"""
OTHERS = "".join(f"/ip/hotspot{menu}/print\n" for menu in ("", "/host", "/user", "/user/profile"))


class Leases:
    """A lease table as the cache has it; the test says when a reading is due and when it ends."""

    def __init__(self) -> None:
        self.due: asyncio.Task[object] | None = None
        self.has_some = True

    def begin(self) -> asyncio.Task[object] | None:
        return self.due

    def holds(self, table: str) -> bool:
        return self.has_some and table == "leases"


def named(names: ClientNames, mac: str) -> str | None:
    record = {"mac-address": mac}
    names.put_on([record], "mac-address")
    return record.get("@client")


@pytest.mark.parametrize(
    ("leases", "name"),
    [
        ([{"mac-address": "02:AA", "host-name": "phone"}], "phone"),
        ([{"mac-address": "02:aa", "host-name": "phone", "comment": "Budi"}], "Budi"),
        ([{"mac-address": "02:AA", "host-name": " \x07pho\nne "}], "phone"),
        ([{"mac-address": "02:AA", "host-name": "x" * 500}], "x" * NAME_LIMIT),
        ([{"mac-address": "02:AA", "host-name": "\x00", "comment": "  "}], None),
        ([{"mac-address": "02:AB", "host-name": "phone"}], None),
        ([{"host-name": "phone"}], None),
        ([{"mac-address": "02:BB", "active-mac-address": "02:AA", "host-name": "tv"}], "tv"),
        (
            [
                {"mac-address": "02:AA", "host-name": "old"},
                {"mac-address": "02:AA", "active-mac-address": "02:AA", "host-name": "new"},
            ],
            "new",
        ),
    ],
)
def test_a_name_is_the_comment_or_else_what_the_client_says(
    leases: list[dict[str, str]], name: str | None
) -> None:
    """What the operator wrote goes before the client's own word, which is cut to printable characters."""
    names = ClientNames(Leases)
    names.learn(leases)
    assert named(names, "02:aa") == name
    assert named(names, "") is None


async def test_names_are_waited_for_no_longer_than_patience_has() -> None:
    """A lease table that does not come leaves the names of the reading before; too old ones are forgotten."""
    leases, end = Leases(), asyncio.Event()
    names = ClientNames(lambda: leases, patience_s=0.01)
    names.learn([{"mac-address": "02:AA", "host-name": "phone"}])
    leases.due = asyncio.create_task(end.wait())
    await names.settle()
    assert named(names, "02:AA") == "phone"
    assert not leases.due.done()
    leases.has_some = False
    await names.settle()
    assert named(names, "02:AA") is None
    end.set()
    await leases.due


def reader(names: ClientNames | None, mode: Mode, text: str = ACTIVE + OTHERS) -> tuple[Reader, Recording]:
    source = Recording(text)
    made = Reader(
        BY_NAME["hotspot"],
        source,
        Facts(),
        router_label='router="r"',
        cardinality=Cardinality(mode),
        clients=names,
        clock=FakeClock(),
    )
    return made, source


def lines(reading: Reading) -> Iterator[str]:
    for part in reading.parts.values():
        for block in part.blocks.values():
            yield from block.decode().splitlines()


async def test_only_infos_bear_the_name() -> None:
    """A counter's series must not end when a phone gets a new name; who has no lease has no label."""
    names = ClientNames(Leases)
    names.learn([{"mac-address": "02:30:00:00:00:01", "host-name": 'Ani"s phone'}])
    made, source = reader(names, Mode.FULL)
    reading = await made.read()
    (line,) = [line for line in lines(reading) if "client=" in line]
    assert line == (
        'mikrotik_hotspot_session_info{router="r",server="hs",user="v1",mac_address="02:30:00:00:00:01",'
        'address="10.0.0.9",client="Ani\\"s phone"} 1'
    )
    assert LEASE_COMMAND not in [command for command, _ in source.asked]


@pytest.mark.parametrize("mode", [Mode.OFF, Mode.AGGREGATE])
async def test_nothing_is_read_where_no_session_has_a_series(mode: Mode) -> None:
    """Names nobody would see are not asked for."""

    def nobody() -> Leases:
        raise AssertionError("the lease table was asked for")

    made, _ = reader(ClientNames(nobody), mode)
    assert (await made.read()).succeeded


@pytest.fixture
async def device() -> AsyncIterator[Device]:
    async with Network([RouterSpec("hut", password=PASSWORD, counts={"leases": 40})]) as network:
        yield network["hut"]


def lease_reads(device: Device) -> int:
    return sum(received.path == LEASE_COMMAND for received in device.log)


def module(*names: str, asked: bool = True, **ttl_s: float) -> dict[str, object]:
    collectors = {name: {"ttl_s": ttl_s.get(name, 0)} for name in names}
    if "wifi" in collectors:
        collectors["wifi"]["mode"] = "full"  # type: ignore[assignment]
    return {"collectors": collectors, "client_names": asked}


def text_of(device: Device, modules: dict[str, dict[str, object]]) -> str:
    return config_text([router_of(device)], modules=modules)


async def infos(exporter: Served, path: str = "/metrics") -> list[dict[str, str]]:
    page = await exporter.get(path)
    return [dict(labels) for name, labels in page.samples if name == "mikrotik_wifi_station_info"]


async def test_a_reader_of_its_own_reads_the_leases_once_per_minute(device: Device, tmp_path: Path) -> None:
    """Without the collector `dhcp`, stations have names, from one reading for many of their own."""
    async with served(tmp_path, text_of(device, {"default": module("wifi", "system")})) as exporter:
        found = await infos(exporter)
        assert found
        assert all(labels["client"] for labels in found)
        for _ in range(3):
            await infos(exporter)
        page = await exporter.get("/metrics")
    assert lease_reads(device) == 1
    assert {dict(labels).get("collector") for _, labels in page.samples} >= {"wifi", "system"}
    named = {name for name, labels in page.samples if "client" in dict(labels)}
    assert named == {"mikrotik_wifi_station_info"}


async def test_beside_the_collector_dhcp_there_is_no_second_reading(device: Device, tmp_path: Path) -> None:
    """One command per scrape serves both, whichever collector comes first in its turn."""
    async with served(tmp_path, text_of(device, {"default": module("wifi", "dhcp", "system")})) as exporter:
        for turn in range(1, 5):
            assert all(labels["client"] for labels in await infos(exporter))
            assert lease_reads(device) == turn
        page = await exporter.get("/metrics")
    assert any(name == "mikrotik_dhcp_leases" for name, _ in page.samples)


async def test_a_module_that_does_not_ask_has_no_names(device: Device, tmp_path: Path) -> None:
    """Two modules on one router: names in one, none in the other, and none of its lease fields asked for."""
    modules = {"default": module("wifi", "dhcp", asked=False), "named": module("wifi", "dhcp")}
    async with served(tmp_path, text_of(device, modules)) as exporter:
        assert all(labels["client"] for labels in await infos(exporter, "/probe?target=hut&module=named"))
        plain = await infos(exporter, "/probe?target=hut&module=default")
        assert plain
        assert not any("client" in labels for labels in plain)
    asked = [received.words for received in device.log if received.path == LEASE_COMMAND]
    assert ["host-name" in " ".join(words) for words in asked] == [True, False]


async def test_a_lease_table_that_fails_costs_the_names_and_nothing_else(
    device: Device, tmp_path: Path
) -> None:
    """Stations are told without names, and their collector succeeds."""
    device.faults.set("no_permission", menu="/ip/dhcp-server/lease")
    async with served(tmp_path, text_of(device, {"default": module("wifi")})) as exporter:
        found = await infos(exporter)
        assert found
        assert not any("client" in labels for labels in found)
        page = await exporter.get("/metrics")
        assert page.value("mikrotik_collector_success", router="hut", collector="wifi") == 1


def has_no_names_slot(exporter: Served) -> Callable[[], bool]:
    (watched,) = exporter.fleet
    return lambda: watched.names_slot is None


async def test_a_reload_without_names_ends_the_reading_for_them(device: Device, tmp_path: Path) -> None:
    """What no module asks for any more is let go of."""
    async with served(tmp_path, text_of(device, {"default": module("wifi")})) as exporter:
        await infos(exporter)
        assert not has_no_names_slot(exporter)()
        exporter.file.write_text(text_of(device, {"default": module("wifi", asked=False)}), encoding="utf-8")
        await exporter.reload()
        await until(has_no_names_slot(exporter))
        assert not any("client" in labels for labels in await infos(exporter))
