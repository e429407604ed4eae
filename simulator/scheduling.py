"""The scheduler: entries that were added over the API really run, at their interval or when the router boots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .call import Trap
from .formats import duration, seconds_of
from .scripting import run_script
from .table import Row

if TYPE_CHECKING:
    from .world import World

MENU = "/system/scheduler"
AFTER_BOOT_S = 3.0


def added(world: World, row: Row) -> None:
    """The first run is one interval from now; with `start-time=startup` and no interval, at each boot instead."""
    try:
        every_s = seconds_of(row.values.get("interval", "0s"))
    except ValueError as error:
        world.table(MENU).remove(row)
        raise Trap("invalid value for argument interval", 1) from error
    row.values["runs"] = "0"
    if every_s > 0:
        row.values |= {"interval": duration(every_s), "next-run": world.date(world.now_s + every_s)}
        world.at(world.now_s + every_s, _Due(world, row, every_s))
    elif row.values.get("start-time") == "startup":
        world.on_reboot.append(lambda: world.at(world.boot_s + AFTER_BOOT_S, _Due(world, row, 0.0)))


class _Due:
    """The event of an entry's time having come. While the router is booting nothing runs."""

    __slots__ = ("_every_s", "_row", "_world")

    def __init__(self, world: World, row: Row, every_s: float) -> None:
        self._world, self._row, self._every_s = world, row, every_s

    def __call__(self) -> None:
        world, row, table = self._world, self._row, self._world.table(MENU)
        if table.rows.get(row.id) is not row:
            return
        if self._every_s:
            world.at(world.now_s + self._every_s, self)
        if row.values.get("disabled") == "true" or world.now_s < world.boot_s:
            return
        table.change(row, runs=str(int(row.values["runs"]) + 1))
        script = world.table("/system/script").named(row.values.get("on-event", ""))
        source = script.values.get("source", "") if script is not None else row.values.get("on-event", "")
        try:
            run_script(world, source, frozenset(row.values.get("policy", "").split(",")))
        except Trap as trap:
            world.log("script,error", f"scheduled {row.values.get('name', '')}: {trap.message}")
