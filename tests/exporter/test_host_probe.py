"""The host is measured as psutil and the kernel tell it, unless node_exporter does so already."""

import http.server
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from exporter.config import Config, HostSection
from exporter.probes import host_peer
from exporter.probes.base import blocks
from exporter.probes.host import HOST, Host
from exporter.probes.host_peer import NodeExporterWatch
from tests.fakes.clock import FakeClock
from tests.fakes.database_servers import free_port
from tests.fakes.measured import values
from tests.fakes.served import logged

NODE_EXPORTER = "<html><head><title>Node Exporter</title></head><body><h1>Node Exporter</h1></body></html>"


class Peer(NodeExporterWatch):
    """A node_exporter that is here as long as a test says so."""

    def __init__(self, here: bool, clock: FakeClock | None = None) -> None:
        self.here = here
        super().__init__(answers=lambda: self.here, names=lambda: ["init"], clock=clock or FakeClock())


def test_the_machine_is_told_in_numbers() -> None:
    """Processors, memory, disks, processes and files are there and agree with what the kernel says."""
    found = values(Host(HostSection(), None).measure())
    assert found["tikwatch_host_left_to_node_exporter"] == 0
    assert found["tikwatch_host_memory_bytes"] == psutil.virtual_memory().total
    assert 0 < found["tikwatch_host_memory_available_bytes"] < found["tikwatch_host_memory_bytes"]
    assert found["tikwatch_host_cpu_seconds_total{mode=user}"] > 0
    assert found["tikwatch_host_cpu_seconds_total{mode=idle}"] > 0
    assert found["tikwatch_host_cpus"] == psutil.cpu_count()
    assert found["tikwatch_host_load_average{minutes=5}"] == pytest.approx(os.getloadavg()[1], abs=1)
    assert found["tikwatch_host_processes"] >= 1
    assert 0 < found["tikwatch_host_file_descriptors"] <= found["tikwatch_host_file_descriptors_limit"]
    assert found["tikwatch_host_boot_timestamp_seconds"] == pytest.approx(psutil.boot_time(), abs=5)
    assert [key for key in found if key.startswith(f"tikwatch_host_info{{hostname={os.uname().nodename},")]


def test_file_systems_have_space_and_inodes() -> None:
    """What is free is no more than there is; a device is told once; patterns leave mount points out."""
    found = values(Host(HostSection(), None).measure())
    sizes = {key: value for key, value in found.items() if key.startswith("tikwatch_host_disk_bytes{")}
    assert len({key.partition("device=")[2] for key in sizes}) == len(sizes)
    for key, size in sizes.items():
        where = key.removeprefix("tikwatch_host_disk_bytes")
        assert 0 <= found[f"tikwatch_host_disk_available_bytes{where}"] <= size
        assert found[f"tikwatch_host_disk_read_only{where}"] in (0, 1)
    none = values(Host(HostSection(ignore_mounts=("*",)), None).measure())
    assert not [key for key in none if key.startswith("tikwatch_host_disk_bytes")]


def test_interfaces_are_counted_but_for_those_left_out() -> None:
    """The loopback never is; patterns leave others out."""
    found = values(Host(HostSection(), None).measure())
    assert "tikwatch_host_network_receive_bytes_total{interface=lo}" not in found
    none = values(Host(HostSection(ignore_interfaces=("*",)), None).measure())
    assert not [key for key in none if key.startswith("tikwatch_host_network")]


def test_every_sample_is_of_a_family_that_is_told() -> None:
    """Nothing is measured that the page would leave out, and labels are those of the family."""
    measured = Host(HostSection(), None).measure()
    assert {one.family for one in measured} <= set(HOST.families)
    assert len(blocks({}, measured)) > 15


def test_where_node_exporter_is_found_nothing_else_is_told() -> None:
    """Only the fact itself; it is logged once per change, and looked at again after a while."""
    clock = FakeClock()
    peer = Peer(True, clock)
    host = Host(HostSection(), peer)
    with logged() as log:
        for _ in range(2):
            assert values(host.measure()) == {"tikwatch_host_left_to_node_exporter": 1}
        peer.here = False
        clock.advance(host_peer.LOOK_AGAIN_S - 1)
        assert len(host.measure()) == 1
        clock.advance(1)
        assert len(host.measure()) > 1
        assert log.getvalue().count("event=host.left_to_node_exporter") == 1
        assert log.getvalue().count("event=host.measured") == 1
    assert repr(host) == "<Host left_to_node_exporter=False>"


@pytest.mark.parametrize("name", ["node_exporter", "prometheus-node"])
def test_its_process_is_enough(name: str) -> None:
    """A process of that name counts, whatever its port."""
    assert NodeExporterWatch(answers=lambda: False, names=lambda: ["systemd", name]).is_here()
    assert not NodeExporterWatch(answers=lambda: False, names=lambda: ["systemd", ""]).is_here()
    assert "" not in host_peer.NAMES


@contextmanager
def page(text: str) -> Iterator[int]:
    """A web server with that page; its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("text", "is_it"), [(NODE_EXPORTER, True), ("<h1>Printer</h1>", False), ("", False)])
def test_what_answers_on_the_port_must_be_node_exporter(text: str, is_it: bool) -> None:
    """Port 9100 is a printer's as well."""
    with page(text) as port:
        assert host_peer.answers(port) is is_it


def test_nobody_on_the_port_is_no_node_exporter() -> None:
    """A closed port is told at once."""
    assert host_peer.answers(free_port()) is False


def test_names_of_processes_are_read() -> None:
    """This process is among them."""
    assert psutil.Process().name() in set(host_peer.process_names())


@pytest.mark.parametrize(("enabled", "planned"), [("auto", 1), (True, 1), (False, 0)])
def test_the_configuration_switches_it(enabled: object, planned: int) -> None:
    """`false` plans nothing; `true` measures without looking for node_exporter."""
    router = {"address": "192.0.2.1", "username": "monitor", "password": "secret"}
    config = Config.model_validate({"routers": [router], "host": {"enabled": enabled}})
    found = list(HOST.planned(config))
    assert len(found) == planned
    for one in found:
        assert one.make().name == "host"
        assert one.make().silent() == ()


def test_no_name_is_node_exporters() -> None:
    """Both may be scraped into one Prometheus."""
    assert [family.name for family in HOST.families if not family.name.startswith("tikwatch_host_")] == []
    assert Path("/proc/sys/fs/file-nr").exists()
