"""/system: what the box is, how it is, and what it does by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..call import NOT_PERMITTED, Answer, Call, Outcome, Trap
from ..commands import seconds, targets
from ..formats import day as day_of
from ..formats import duration
from ..menu import Command, Menu
from ..profiles import Sensor
from ..scheduling import added
from ..scripting import run_script
from ..table import Row
from ..traffic import Moment
from .interface import monitor

if TYPE_CHECKING:
    from ..world import World


def made(**values: str) -> Row:
    """A row made for one reading; underscores stand for hyphens."""
    return Row("*0", {key.replace("_", "-"): value for key, value in values.items()})


def cpu_load(world: World, core: int = 0) -> int:
    """Percent, between 2 and 40, different for each core."""
    slope = world.moment.slopes[(core * 5 + world.spec.seed) % 16]
    return int(12 + 40 * abs(slope - 1.0) + core % 3)


def _load(world: World) -> int:
    cores = range(world.board.cores)
    return round(sum(cpu_load(world, core) for core in cores) / len(cores))


def _free_memory(world: World) -> int:
    total = world.board.memory_mib * 1024 * 1024
    return int(total * (0.6 + 0.2 * (world.moment.slopes[3] - 1.0)))


def _resource(world: World) -> Iterable[Row]:
    board, uptime_s = world.board, world.uptime_s
    disk = board.disk_mib * 1024 * 1024
    values = {
        "uptime": duration(uptime_s),
        "version": f"{world.spec.version} ({'stable' if world.version >= (7,) else 'long-term'})",
        "build-time": f"{day_of(1_740_000_000, 0, world.version)} 09:26:36",
        "free-memory": str(_free_memory(world)),
        "total-memory": str(board.memory_mib * 1024 * 1024),
        "cpu": board.cpu,
        "cpu-count": str(board.cores),
        "cpu-frequency": str(board.mhz),
        "cpu-load": str(_load(world)),
        "free-hdd-space": str(int(disk * 0.68)),
        "total-hdd-space": str(disk),
        "architecture-name": board.architecture,
        "board-name": board.name,
        "platform": "MikroTik",
    }
    if "flash" in board.hardware:
        sectors = int(uptime_s / 11)
        values |= {
            "write-sect-since-reboot": str(sectors),
            "write-sect-total": str(4_000_000 + world.spec.seed % 1000 + sectors),
            "bad-blocks": "0",
            "factory-software": "6.44.6",
        }
    return [Row("*0", values)]


def _cores(world: World) -> Iterable[Row]:
    return [
        Row(
            f"*{core}",
            {"cpu": f"cpu{core}", "load": str(cpu_load(world, core)), "irq": str(core % 3), "disk": "0"},
        )
        for core in range(world.board.cores)
    ]


def _resource_sample(world: World, _row: Row) -> list[tuple[str, str]]:
    per_core = ",".join(f"{cpu_load(world, core)}%" for core in range(world.board.cores))
    return [
        ("cpu-used", str(_load(world))),
        ("cpu-used-per-core", per_core),
        ("free-memory", str(_free_memory(world) // 1024)),
    ]


def _routerboard(world: World) -> Iterable[Row]:
    board = world.board
    if "routerboard" not in board.hardware:
        return [made(routerboard="false")]
    firmware = world.spec.version
    return [
        made(
            routerboard="true",
            board_name=board.name,
            model=board.model,
            revision="r2",
            serial_number=f"EX{abs(hash_of(world)) % 10**8:08d}",
            firmware_type=f"{board.architecture}fw",
            factory_firmware="6.44.6" if world.version < (7,) else "7.8",
            current_firmware=firmware,
            upgrade_firmware=firmware if world.spec.seed % 3 else f"{firmware}.1",
        )
    ]


def hash_of(world: World) -> int:
    """A number of a router's own that stays the same from run to run."""
    number = world.spec.seed
    for sign in world.spec.name:
        number = (number * 131 + ord(sign)) % 999_999_937
    return number


def _licence(world: World) -> Iterable[Row]:
    level = world.board.licence_level
    if "chr" not in world.board.hardware:
        return [made(software_id=f"EX{hash_of(world) % 100:02d}-MPLE", nlevel=level, features="")]
    if level == "free":
        return [made(level=level, system_id="example0000")]
    return [
        made(
            level=level,
            system_id="example0000",
            next_renewal_at=world.date(world.now_s + 20 * 86400),
            deadline_at=world.date(world.now_s + 50 * 86400),
            limited_upgrades="false",
        )
    ]


def _clock(world: World) -> Iterable[Row]:
    day, _, time = world.date(world.now_s).partition(" ")
    return [
        made(
            time=time,
            date=day,
            time_zone_autodetect="true",
            time_zone_name="Asia/Jakarta",
            gmt_offset="+07:00",
            dst_active="false",
        )
    ]


def _update(world: World) -> Iterable[Row]:
    return [
        made(
            channel="stable" if world.version >= (7,) else "long-term",
            installed_version=world.spec.version,
            latest_version=world.spec.version,
            status="System is already up to date",
        )
    ]


def _packages(world: World) -> Iterable[Row]:
    version, build = world.spec.version, f"{day_of(1_740_000_000, 0, world.version)} 09:26:36"
    if world.version < (7,):
        names = sorted(world.traits.packages)
        return [
            Row(f"*{n:X}", {"name": name, "version": version, "build-time": build})
            for n, name in enumerate(names, start=1)
        ]
    rows = [
        Row("*1", {"name": "routeros", "version": version, "build-time": build, "size": "11800000"}),
        *(
            Row(f"*{n:X}", {"name": name, "version": version, "build-time": build, "size": "400000"})
            for n, name in enumerate(sorted(world.traits.packages), start=2)
        ),
    ]
    if world.version >= (7, 18):
        rows += [
            Row(f"*{n:X}", {"name": name, "size": "900000", "available": "true"})
            for n, name in enumerate(("container", "wifi-qcom"), start=40)
        ]
    return rows


def _reading(sensor: Sensor, world: World, index: int) -> str:
    if isinstance(sensor.value, str):
        return sensor.value
    value = sensor.value + sensor.swing * 4 * (world.moment.slopes[index % 16] - 1.0)
    return f"{value:.{sensor.digits}f}"


def _health_v6(world: World) -> Iterable[Row]:
    sensors = world.board.sensors
    return [Row("*0", {"fan-mode": "auto", **{s.name: _reading(s, world, i) for i, s in enumerate(sensors)}})]


def _health_v7(world: World) -> Iterable[Row]:
    return [
        Row(f"*{i + 13:X}", {"name": s.name, "value": _reading(s, world, i), "type": s.unit})
        for i, s in enumerate(world.board.sensors)
    ]


def _reboot(world: World, _menu: Menu, _call: Call) -> Outcome:
    world.reboot_asked()
    return Answer()


def _run_script(world: World, menu: Menu, call: Call) -> Outcome:
    waits_s = 0.0
    for row in targets(world, menu, call, "number"):
        if row.values.get("invalid") == "true":
            raise Trap("failure: script is invalid", 3)
        needed = set(filter(None, row.values.get("policy", "").split(",")))
        if needed - call.policies and row.values.get("dont-require-permissions") != "true":
            raise Trap(NOT_PERMITTED)
        runs = int(row.values.get("run-count", "0")) + 1
        world.table("/system/script").change(row, run_count=str(runs), last_started=world.date(world.now_s))
        waits_s += run_script(world, row.values.get("source", ""), call.policies)
        world.log("script,info", f"script {row.values['name']} ran")
    return Answer(delay_s=waits_s)


def _check_for_updates(world: World, _menu: Menu, call: Call) -> Outcome:
    rows = [call.row(("channel", "stable"), ("status", "finding out latest version...")), *_said(world, call)]
    return Answer(rows, delay_s=min(1.0, seconds(call, "duration", 1.0)))


def _said(world: World, call: Call) -> list[bytes]:
    return [call.row(*row.values.items()) for row in _update(world)]


def _runs(row: Row, moment: Moment) -> str | None:
    """How often a scheduler row has run: once per interval."""
    every_s = float(row.values.get("every", "0"))
    base = int(row.values.get("runs", "0"))
    return str(base + int((moment.now_s - row.since_s) / every_s)) if every_s else str(base)


SYSTEM = (
    Menu("/system", "", commands_only=True, commands={"reboot": Command(_reboot, "reboot")}),
    Menu(
        "/system/resource",
        "uptime version build-time factory-software free-memory total-memory cpu cpu-count cpu-frequency cpu-load "
        "free-hdd-space total-hdd-space write-sect-since-reboot write-sect-total bad-blocks architecture-name "
        "board-name platform",
        rows=_resource,
        singleton=True,
        commands={"monitor": monitor(_resource_sample)},
    ),
    Menu("/system/resource/cpu", "cpu load irq disk", rows=_cores, editable=False),
    Menu("/system/identity", "name=MikroTik", singleton=True),
    Menu(
        "/system/routerboard",
        "routerboard board-name model revision serial-number firmware-type factory-firmware current-firmware "
        "upgrade-firmware",
        rows=_routerboard,
        singleton=True,
    ),
    Menu(
        "/system/license",
        "software-id nlevel features level system-id next-renewal-at deadline-at limited-upgrades",
        rows=_licence,
        singleton=True,
    ),
    Menu(
        "/system/clock",
        "time date time-zone-autodetect time-zone-name gmt-offset dst-active",
        rows=_clock,
        singleton=True,
    ),
    Menu(
        "/system/package",
        "name version build-time scheduled= bundle@<7= size@7 available@7.18=false disabled=false",
        rows=_packages,
        editable=False,
    ),
    Menu(
        "/system/package/update",
        "channel installed-version latest-version status",
        rows=_update,
        singleton=True,
        commands={"check-for-updates": Command(_check_for_updates, "write")},
    ),
    Menu(
        "/system/health",
        "fan-mode voltage temperature cpu-temperature current power-consumption fan1-speed fan2-speed psu1-state "
        "psu2-state psu1-voltage psu2-voltage board-temperature1",
        rows=_health_v6,
        singleton=True,
        until=(7,),
        hardware="health",
    ),
    Menu("/system/health", "name value type", rows=_health_v7, since=(7,), hardware="health", editable=False),
    Menu(
        "/system/script",
        "name owner policy dont-require-permissions=false last-started run-count=0 source invalid=false comment",
        commands={"run": Command(_run_script, "write")},
    ),
    Menu(
        "/system/scheduler",
        "name start-date start-time=startup interval=0s on-event owner policy run-count next-run disabled=false "
        "comment",
        moving={"run-count": _runs},
        on_add=added,
    ),
)
