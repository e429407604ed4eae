"""Links that come and go: what happens to an interface when its cable does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .table import Row

if TYPE_CHECKING:
    from .world import World


def lose_link(world: World, row: Row) -> None:
    """The interface stops running at this moment; its counters stand still."""
    if row.values.get("running") != "true":
        return
    if row.flow is not None:
        row.flow.stop(world.moment)
    downs = int(row.values.get("link-downs", "0")) + 1
    world.table("/interface").change(
        row, running="false", link_downs=str(downs), last_link_down_time=world.date(world.now_s)
    )
    world.log("interface,info", f"{row.values['name']} link down")


def gain_link(world: World, row: Row) -> None:
    """The interface runs from this moment, unless it is disabled."""
    if row.values.get("running") == "true" or row.values.get("disabled") == "true":
        return
    if row.flow is not None:
        row.flow.start(world.moment)
    world.table("/interface").change(row, running="true", last_link_up_time=world.date(world.now_s))
    world.log("interface,info", f"{row.values['name']} link up (speed 1Gbps, full duplex)")


def port_named(world: World, name: str) -> Row:
    """The interface of that name; the last ethernet port without one.

    Raises:
        KeyError: no such interface.
    """
    ports = [row for row in world.table("/interface") if row.values.get("type") == "ether"]
    named = world.table("/interface").named(name) if name else ports[-1]
    if named is None:
        raise KeyError(f"no interface {name!r}; there are {', '.join(row.values['name'] for row in ports)}")
    return named


class FlappingLink:
    """A port whose link changes every `period_s`, until ended.

    Raises:
        KeyError: no such interface.
    """

    def __init__(self, world: World, name: str, period_s: float) -> None:
        self._world = world
        world.advance()
        self._row = port_named(world, name)
        self._period_s = period_s
        self._going_on = True
        self._change()

    def __repr__(self) -> str:
        return f"<FlappingLink {self._row.values['name']} every {self._period_s} s>"

    def _change(self) -> None:
        if not self._going_on:
            return
        if self._row.values.get("running") == "true":
            lose_link(self._world, self._row)
        else:
            gain_link(self._world, self._row)
        self._world.at(self._world.now_s + self._period_s, self._change)

    def end(self) -> None:
        """The link stays up."""
        self._world.advance()
        self._going_on = False
        gain_link(self._world, self._row)
