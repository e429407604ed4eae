"""The machine that the exporter runs on, for those who run no node_exporter: read with psutil."""

import contextlib
import fnmatch
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil
import structlog

from exporter.config import Config, HostSection
from exporter.probes.base import Measured, counter, gauge, info
from exporter.probes.host_peer import NodeExporterWatch
from exporter.probes.registry import Planned, ProbeKind
from exporter.samples import Family

LATE_MARGIN_S = 1.0
FILE_HANDLES = Path("/proc/sys/fs/file-nr")
BLOCK_DEVICES = Path("/sys/block")
NETWORK_FILE_SYSTEMS = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "afs", "fuse.sshfs", "fuse.rclone")
)
"""Asking one whose server is gone would hang."""
_IGNORED_DISKS = ("loop*", "ram*", "zram*", "sr*", "fd*")

LEFT_TO_PEER = gauge(
    "tikwatch_host_left_to_node_exporter",
    "1 if node_exporter was found here, so that nothing else is told; else 0.",
)
CPU = counter(
    "tikwatch_host_cpu_seconds_total", "Time that all processors together spent in each mode.", "mode"
)
CPUS = gauge("tikwatch_host_cpus", "Logical processors.")
LOAD = gauge(
    "tikwatch_host_load_average", "Average number of processes that run or wait to, over minutes.", "minutes"
)
MEMORY = gauge("tikwatch_host_memory_bytes", "Main memory.")
MEMORY_FREE = gauge(
    "tikwatch_host_memory_available_bytes",
    "Memory that programs could have without swapping, caches included.",
)
SWAP = gauge("tikwatch_host_swap_bytes", "Swap space.")
SWAP_USED = gauge("tikwatch_host_swap_used_bytes", "Swap space in use.")
SWAPPED_IN = counter("tikwatch_host_swap_in_bytes_total", "Bytes brought back from swap.")
SWAPPED_OUT = counter("tikwatch_host_swap_out_bytes_total", "Bytes moved out to swap.")
DISK = gauge("tikwatch_host_disk_bytes", "Size of a file system.", "mount", "device", "fstype")
DISK_FREE = gauge(
    "tikwatch_host_disk_available_bytes",
    "Space of a file system that ordinary users may still take.",
    "mount",
    "device",
    "fstype",
)
INODES = gauge("tikwatch_host_disk_inodes", "Inodes of a file system.", "mount", "device", "fstype")
INODES_FREE = gauge(
    "tikwatch_host_disk_inodes_free", "Free inodes of a file system.", "mount", "device", "fstype"
)
READ_ONLY = gauge(
    "tikwatch_host_disk_read_only",
    "1 if a file system is mounted read-only, as after errors; else 0.",
    "mount",
    "device",
    "fstype",
)
DISK_READ = counter("tikwatch_host_disk_read_bytes_total", "Bytes read from a disk.", "disk")
DISK_WRITTEN = counter("tikwatch_host_disk_written_bytes_total", "Bytes written to a disk.", "disk")
DISK_READS = counter("tikwatch_host_disk_reads_total", "Readings from a disk.", "disk")
DISK_WRITES = counter("tikwatch_host_disk_writes_total", "Writings to a disk.", "disk")
DISK_BUSY = counter("tikwatch_host_disk_busy_seconds_total", "Time that a disk had work to do.", "disk")
NET_RECEIVED = counter("tikwatch_host_network_receive_bytes_total", "Bytes received.", "interface")
NET_SENT = counter("tikwatch_host_network_transmit_bytes_total", "Bytes sent.", "interface")
NET_RECEIVED_PACKETS = counter(
    "tikwatch_host_network_receive_packets_total", "Packets received.", "interface"
)
NET_SENT_PACKETS = counter("tikwatch_host_network_transmit_packets_total", "Packets sent.", "interface")
NET_RECEIVE_ERRORS = counter(
    "tikwatch_host_network_receive_errors_total", "Packets received with errors.", "interface"
)
NET_SEND_ERRORS = counter(
    "tikwatch_host_network_transmit_errors_total", "Packets that could not be sent.", "interface"
)
NET_RECEIVE_DROPS = counter(
    "tikwatch_host_network_receive_drops_total", "Packets received and dropped.", "interface"
)
NET_SEND_DROPS = counter(
    "tikwatch_host_network_transmit_drops_total", "Packets dropped before sending.", "interface"
)
NET_UP = gauge("tikwatch_host_network_up", "1 if a network interface is up, else 0.", "interface")
TEMPERATURE = gauge("tikwatch_host_temperature_celsius", "Temperature of a sensor.", "chip", "sensor")
TEMPERATURE_LIMIT = gauge(
    "tikwatch_host_temperature_limit_celsius", "Temperature that a sensor calls critical.", "chip", "sensor"
)
PROCESSES = gauge("tikwatch_host_processes", "Processes.")
HANDLES = gauge("tikwatch_host_file_descriptors", "Open files of the whole machine.")
HANDLES_LIMIT = gauge("tikwatch_host_file_descriptors_limit", "Open files that the whole machine may have.")
BOOTED = gauge("tikwatch_host_boot_timestamp_seconds", "When the machine was started.")
INFO = info(
    "tikwatch_host_info", "Name and system of the machine.", "hostname", "system", "release", "machine"
)

FAMILIES: tuple[Family, ...] = (
    LEFT_TO_PEER,
    CPU,
    CPUS,
    LOAD,
    MEMORY,
    MEMORY_FREE,
    SWAP,
    SWAP_USED,
    SWAPPED_IN,
    SWAPPED_OUT,
    DISK,
    DISK_FREE,
    INODES,
    INODES_FREE,
    READ_ONLY,
    DISK_READ,
    DISK_WRITTEN,
    DISK_READS,
    DISK_WRITES,
    DISK_BUSY,
    NET_RECEIVED,
    NET_SENT,
    NET_RECEIVED_PACKETS,
    NET_SENT_PACKETS,
    NET_RECEIVE_ERRORS,
    NET_SEND_ERRORS,
    NET_RECEIVE_DROPS,
    NET_SEND_DROPS,
    NET_UP,
    TEMPERATURE,
    TEMPERATURE_LIMIT,
    PROCESSES,
    HANDLES,
    HANDLES_LIMIT,
    BOOTED,
    INFO,
)

_log = structlog.stdlib.get_logger("exporter.probes")


class Host:
    """This machine, as a probe. `peer` tells whether it is left to node_exporter; None measures it in any case."""

    name = "host"
    labels: Mapping[str, str] = {}

    def __init__(self, section: HostSection, peer: NodeExporterWatch | None) -> None:
        self._section = section
        self._peer = peer
        self._left = False

    def __repr__(self) -> str:
        return f"<Host left_to_node_exporter={self._left}>"

    def measure(self) -> Sequence[Measured]:
        """See `exporter.probes.base.Probe`. What this machine does not have, or does not let us see, is left out."""
        left = self._peer is not None and self._peer.is_here()
        if left is not self._left:  # nothing is said of what everybody expects
            self._left = left
            _log.info("host.left_to_node_exporter" if left else "host.measured")
        measured = [Measured(LEFT_TO_PEER, int(left))]
        if not left:
            for part in (_processors, _memory, self._file_systems, _disks, self._network, _sensors, _system):
                with contextlib.suppress(OSError, psutil.Error, NotImplementedError):
                    measured.extend(part())
        return measured

    def silent(self) -> Sequence[Measured]:
        """See `exporter.probes.base.Probe`."""
        return ()

    def _file_systems(self) -> Iterator[Measured]:
        seen: set[str] = set()
        for partition in psutil.disk_partitions(all=False):
            if partition.fstype in NETWORK_FILE_SYSTEMS or partition.device in seen:
                continue
            if _matches(partition.mountpoint, self._section.ignore_mounts):
                continue
            with contextlib.suppress(OSError):
                state = os.statvfs(partition.mountpoint)
                seen.add(partition.device)  # a device that is mounted twice is told once
                where = {
                    "mount": partition.mountpoint,
                    "device": partition.device,
                    "fstype": partition.fstype,
                }
                yield Measured(DISK, state.f_blocks * state.f_frsize, where)
                yield Measured(DISK_FREE, state.f_bavail * state.f_frsize, where)
                if state.f_files:
                    yield Measured(INODES, state.f_files, where)
                    yield Measured(INODES_FREE, state.f_ffree, where)
                yield Measured(READ_ONLY, int(bool(state.f_flag & os.ST_RDONLY)), where)

    def _network(self) -> Iterator[Measured]:
        states = psutil.net_if_stats()
        for name, n in psutil.net_io_counters(pernic=True).items():
            if name == "lo" or _matches(name, self._section.ignore_interfaces):
                continue
            where = {"interface": name}
            yield Measured(NET_RECEIVED, n.bytes_recv, where)
            yield Measured(NET_SENT, n.bytes_sent, where)
            yield Measured(NET_RECEIVED_PACKETS, n.packets_recv, where)
            yield Measured(NET_SENT_PACKETS, n.packets_sent, where)
            yield Measured(NET_RECEIVE_ERRORS, n.errin, where)
            yield Measured(NET_SEND_ERRORS, n.errout, where)
            yield Measured(NET_RECEIVE_DROPS, n.dropin, where)
            yield Measured(NET_SEND_DROPS, n.dropout, where)
            if name in states:
                yield Measured(NET_UP, int(states[name].isup), where)


def _matches(text: str, patterns: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(text, pattern) for pattern in patterns)


def _processors() -> Iterator[Measured]:
    for mode, seconds in psutil.cpu_times()._asdict().items():
        yield Measured(CPU, seconds, {"mode": mode})
    if (number := psutil.cpu_count()) is not None:
        yield Measured(CPUS, number)
    for minutes, load in zip(("1", "5", "15"), psutil.getloadavg(), strict=True):
        yield Measured(LOAD, load, {"minutes": minutes})


def _memory() -> Iterator[Measured]:
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    yield Measured(MEMORY, memory.total)
    yield Measured(MEMORY_FREE, memory.available)
    yield Measured(SWAP, swap.total)
    yield Measured(SWAP_USED, swap.used)
    yield Measured(SWAPPED_IN, swap.sin)
    yield Measured(SWAPPED_OUT, swap.sout)


def _disks() -> Iterator[Measured]:
    """Whole disks; what is counted for a partition is counted for its disk as well."""
    whole = {path.name for path in BLOCK_DEVICES.iterdir()} if BLOCK_DEVICES.is_dir() else None
    for name, disk in (psutil.disk_io_counters(perdisk=True) or {}).items():
        if _matches(name, _IGNORED_DISKS) or (whole is not None and name.replace("/", "!") not in whole):
            continue
        where = {"disk": name}
        yield Measured(DISK_READ, disk.read_bytes, where)
        yield Measured(DISK_WRITTEN, disk.write_bytes, where)
        yield Measured(DISK_READS, disk.read_count, where)
        yield Measured(DISK_WRITES, disk.write_count, where)
        yield Measured(DISK_BUSY, disk.busy_time / 1000, where)


def _sensors() -> Iterator[Measured]:
    for chip, sensors in psutil.sensors_temperatures().items():
        for number, sensor in enumerate(sensors):
            where = {"chip": chip, "sensor": sensor.label or str(number)}
            if sensor.current is not None:
                yield Measured(TEMPERATURE, sensor.current, where)
            if sensor.critical:
                yield Measured(TEMPERATURE_LIMIT, sensor.critical, where)


def _system() -> Iterator[Measured]:
    yield Measured(PROCESSES, len(psutil.pids()))
    yield Measured(BOOTED, psutil.boot_time())
    system = platform.uname()
    names = {"hostname": system.node, "system": system.system}
    yield Measured(INFO, 1, {**names, "release": system.release, "machine": system.machine})
    allocated, _, most = FILE_HANDLES.read_text(encoding="ascii").split()
    yield Measured(HANDLES, int(allocated))
    yield Measured(HANDLES_LIMIT, int(most))


def _planned(config: Config) -> Iterator[Planned]:
    section = config.host
    if section.enabled is False:
        return

    def make() -> Host:
        return Host(section, NodeExporterWatch() if section.enabled == "auto" else None)

    yield Planned("host", section, section.ttl_s, section.timeout_s + LATE_MARGIN_S, make)


HOST = ProbeKind(
    "host",
    "The machine that the exporter runs on. Off where node_exporter is found, unless `host.enabled` is `true`. What "
    "the machine does not have gives no sample.",
    FAMILIES,
    _planned,
)
