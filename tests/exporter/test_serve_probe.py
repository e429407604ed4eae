"""/probe: one router by name or address, without the `router` label, whatever the others do."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from exporter.fleet import KNOWN_COLLECTORS
from simulator import Network, RouterSpec
from tests.fakes.served import OPENMETRICS, PASSWORD, Served, config_text, router_of, served, until

TIMEOUT = "X_Prometheus_Scrape_Timeout_Seconds"
MODULES = {"small": {"collectors": ["system"]}}


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    specs = [RouterSpec("hut", password=PASSWORD), RouterSpec("tower", password=PASSWORD)]
    async with Network(specs) as network:
        yield network


@pytest.fixture
async def exporter(network: Network, tmp_path: Path) -> AsyncIterator[Served]:
    text = config_text(
        [
            router_of(network["hut"], labels={"site": "hill"}),
            router_of(network["tower"], module="small", address="localhost"),
        ],
        modules=MODULES,
        web={"max_concurrent_scrapes": 2},
    )
    async with served(tmp_path, text) as exporter:
        yield exporter


async def test_a_probe_tells_one_router_without_its_label(exporter: Served) -> None:
    """Every series of the router is there, and neither its name nor its own labels are: the target bears them."""
    page = await exporter.get("/probe?target=hut")
    assert page.status == 200
    assert page.value("mikrotik_up") == 1
    assert page.value("mikrotik_collector_success", collector="interface") == 1
    assert page.value("mikrotik_interface_receive_bytes_total", interface="ether1") is not None
    labels = {name for _, pairs in page.samples for name, _ in pairs}
    assert not labels & {"router", "site"}
    assert not [name for name, _ in page.samples if name.startswith(("tikwatch_", "process_"))]


async def test_a_probe_and_the_page_of_all_tell_the_same(exporter: Served) -> None:
    """What `/metrics` says of a router and what `/probe` says of it differ by its labels alone."""
    page = await exporter.get("/metrics")
    probe = await exporter.get("/probe?target=hut", Accept=OPENMETRICS)
    own = {("router", "hut"), ("site", "hill")}
    of_hut = {
        (name, labels - own)
        for name, labels in page.samples
        if labels >= own and not name.startswith(("tikwatch_", "mikrotik_router_info"))
    }
    assert of_hut == set(probe.samples)


async def test_a_router_is_found_by_its_address(exporter: Served, network: Network) -> None:
    """The address, alone or with the port, names the router that has it."""
    page = await exporter.get(f"/probe?target=127.0.0.1:{network['hut'].port}&collect[]=system")
    assert page.value("mikrotik_up") == 1
    page = await exporter.get("/probe?target=localhost&collect[]=system")
    assert page.value("mikrotik_up") == 1


async def test_the_module_chooses_the_collectors(exporter: Served) -> None:
    """Without `module` it is the router's own, and any other one can be asked for."""
    page = await exporter.get("/probe?target=tower")
    assert {dict(labels).get("collector") for name, labels in page.samples if "success" in name} == {"system"}
    page = await exporter.get("/probe?target=tower&module=default&collect[]=queue")
    assert {dict(labels).get("collector") for name, labels in page.samples if "success" in name} == {"queue"}


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "say which target; known: hut, tower\n"),
        ("?target=", "say which target; known: hut, tower\n"),
        ("?target=hutt", 'there is no target "hutt"; known: hut, tower\n'),
        ("?target=192.0.2.1", 'there is no target "192.0.2.1"; known: hut, tower\n'),
        ("?target=hut&module=big", 'there is no module "big"; known: default, small\n'),
        ("?target=%1b[31m%22x", 'there is no target "?[31m"x"; known: hut, tower\n'),
        (
            "?target=hut&collect[]=wi-fi",
            f'there is no collector "wi-fi"; known: {", ".join(KNOWN_COLLECTORS)}\n',
        ),
        (
            "?target=tower&collect[]=queue",
            "module small has none of the collectors in collect[]; it has: system\n",
        ),
    ],
)
async def test_what_cannot_be_probed_is_refused_with_what_can(
    exporter: Served, network: Network, query: str, text: str
) -> None:
    """An unknown target, module or collector is answered with 400 and the known ones, and no router is asked."""
    page = await exporter.get("/probe" + query)
    assert (page.status, page.text) == (400, text)
    assert page.headers["Content-Type"].startswith("text/plain")
    assert not any(device.log for device in network)


async def test_an_address_of_two_routers_names_neither(network: Network, tmp_path: Path) -> None:
    """A probe by an address that two routers share is refused rather than guessed."""
    async with served(tmp_path, config_text(map(router_of, network))) as exporter:
        page = await exporter.get("/probe?target=127.0.0.1")
    assert page.status == 400
    assert "known: hut, tower" in page.text


async def test_debug_tells_how_the_probe_went(exporter: Served, network: Network) -> None:
    """`debug=true` names each collector, whether it was asked and how long that took, then the metrics as text."""
    network["hut"].faults.set("no_permission", menu="/queue/simple")
    page = await exporter.get("/probe?target=hut&debug=true", Accept=OPENMETRICS)
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/plain; charset=utf-8"
    lines = page.text.splitlines()
    assert lines[0] == f"# probe of hut at 127.0.0.1:{network['hut'].port}, module default"
    assert any(line.startswith("# system: refreshed in 0.") for line in lines)
    assert any(line.startswith("#     simple: permission: hut: ") for line in lines)
    assert any(line.startswith("#     interface: ") and " rows, " in line for line in lines)
    assert "mikrotik_up 1" in lines
    again = await exporter.get("/probe?target=hut&debug=true&collect[]=interface")
    assert "# interface: not asked, still fresh (TTL 10 s); serving what is 0." in again.text
    assert page.samples  # the parser takes the lines of the debug page for comments


async def test_debug_tells_what_was_not_done_in_time(exporter: Served, network: Network) -> None:
    """A refresh that is still under way at the deadline is named as such, also by the probe that joins it."""
    network["hut"].faults.set("hang")
    page = await exporter.get("/probe?target=hut&debug=true&collect[]=system", **{TIMEOUT: "0.2"})
    assert "# system: refresh not done at the deadline; nothing to serve" in page.text
    page = await exporter.get("/probe?target=hut&debug=true&collect[]=system", **{TIMEOUT: "0.2"})
    assert "# system: refresh not done at the deadline, which was under way before; nothing" in page.text


async def test_probes_of_a_router_that_hangs_leave_room_for_the_others(
    exporter: Served, network: Network
) -> None:
    """The limit holds for each router by itself: one more probe of the hanging one is refused, others are served."""
    network["hut"].faults.set("hang")
    hanging = [asyncio.create_task(exporter.get("/probe?target=hut", **{TIMEOUT: "6"})) for _ in range(2)]
    await until(lambda: bool(network["hut"].log))
    refused = await exporter.get("/probe?target=hut")
    assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
    assert refused.text == "2 probes of this router are under way already\n"
    page = await exporter.get("/probe?target=tower")
    assert page.value("mikrotik_up") == 1
    assert not any(probe.done() for probe in hanging)
    assert [page.value("mikrotik_up") for page in await asyncio.gather(*hanging)] == [0, 0]
    page = await exporter.get("/metrics?collect[]=system", **{TIMEOUT: "0.2"})
    assert page.value("tikwatch_requests_refused_total", reason="busy") == 1
    assert page.value("tikwatch_scrapes_late_total", endpoint="probe") == 2
    assert page.value("tikwatch_scrapes_total", endpoint="probe") == 3


async def test_many_probes_ask_the_router_once(network: Network, tmp_path: Path) -> None:
    """However many scrape at once, a table is asked for once per TTL."""
    async with served(
        tmp_path, config_text([router_of(network["hut"])], web={"max_concurrent_scrapes": 50})
    ) as exporter:
        pages = await asyncio.gather(*[exporter.get("/probe?target=hut&collect[]=queue") for _ in range(20)])
    assert {page.value("mikrotik_up") for page in pages} == {1}
    asked = [command.path for command in network["hut"].log if command.path.startswith("/queue/simple")]
    assert len(asked) == 1
