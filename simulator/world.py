"""The state of one router: its tables, its clock, and what is going to happen in it.

Nothing runs by itself. Each reading first lets happen what is due, so an idle router costs nothing.
"""

import heapq
import itertools
from collections.abc import Callable, Iterable
from typing import Final

from . import formats
from .call import Call, Trap
from .menu import Menu, Moving, Traits
from .menus import menus_of
from .plan import Plan
from .spec import RouterSpec
from .table import Row, Table
from .traffic import Flow, Moment, Rate, seeded

Adjust = Callable[[Menu, dict[str, str | None], dict[str, Moving]], None]
"""Changes the fields of a reply before it is encoded: how a fault bends values."""

LOG_ROWS: Final = 1000
_PLANS_PER_TABLE: Final = 12


class World:
    """Tables of one router at the time its clock tells.

    Args:
        clock: seconds that only grow; `wall_s` is the Unix time at its reading now.
    """

    def __init__(self, spec: RouterSpec, clock: Callable[[], float], wall_s: float) -> None:
        self.spec = spec
        self.board = spec.shape.board
        self.version = spec.release
        self.random = seeded(spec.seed, spec.name, spec.profile)
        self.traits = Traits(self.version, spec.shape.packages, self.board.hardware)
        self.menus = menus_of(self.traits)
        self.tables: dict[str, Table] = {}
        self._clock = clock
        self.start_s = clock()
        self._wall_offset_s = wall_s - self.start_s
        self.boot_s = self.start_s - self.random.uniform(2, 60) * 86400
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._sequence = itertools.count()
        self.moment = self._moment(self.start_s)
        self.sessions: Callable[[], Iterable[tuple[str, str, float]]] = tuple
        """Who is logged in over the API: user, peer address, since when (clock)."""
        self.reboot_asked: Callable[[], None] = lambda: None
        self.switched: Callable[[Row], None] = lambda row: None
        """Told of an interface that was disabled or enabled."""
        self.on_reboot: list[Callable[[], None]] = []
        """What the inhabitants of the world do when the power goes."""

    def __repr__(self) -> str:
        rows = sum(map(len, self.tables.values()))
        return f"<World {self.spec.name} {len(self.tables)} tables {rows} rows {len(self._events)} events>"

    # -- time ------------------------------------------------------------------------------------------

    @property
    def now_s(self) -> float:
        """The instant up to which everything has happened."""
        return self.moment.now_s

    @property
    def uptime_s(self) -> float:
        """Seconds since boot."""
        return max(0.0, self.now_s - self.boot_s)

    def wall(self, at_s: float) -> float:
        """Unix time of a clock reading."""
        return at_s + self._wall_offset_s

    def date(self, at_s: float) -> str:
        """A clock reading as this RouterOS writes dates."""
        return formats.date(self.wall(at_s), formats.GMT_OFFSET_S, self.version)

    def at(self, at_s: float, action: Callable[[], None]) -> None:
        """Let `action` happen when the clock reaches `at_s`."""
        heapq.heappush(self._events, (at_s, next(self._sequence), action))

    @property
    def next_event_s(self) -> float | None:
        """Clock reading of the next event."""
        return self._events[0][0] if self._events else None

    def advance(self) -> Moment:
        """Let everything happen that is due, and give the present moment."""
        now_s = self._clock()
        events = self._events
        while events and events[0][0] <= now_s:
            at_s, _, action = heapq.heappop(events)
            self.moment = self._moment(max(at_s, self.moment.now_s))
            action()
        self.moment = self._moment(now_s)
        return self.moment

    def _moment(self, now_s: float) -> Moment:
        return Moment(now_s, now_s - self.start_s, self.wall(now_s))

    def reboot(self, boot_s: float) -> None:
        """Everything that counts starts from zero; what was configured stays."""
        self.advance()
        self.boot_s = boot_s
        for table in self.tables.values():
            for row in table:
                if row.flow is not None:
                    row.flow.reset(self.moment)
        for action in self.on_reboot:
            action()
        log = self.table("/log")
        for row in list(log):
            log.remove(row)
        self.log("system,info", "router rebooted")

    # -- tables ----------------------------------------------------------------------------------------

    def table(self, path: str) -> Table:
        """The table of that path; empty when nothing was ever put there."""
        table = self.tables.get(path)
        if table is None:
            menu = self.menus.get(path)
            table = self.tables[path] = Table(path, menu.first_id if menu else 1)
        return table

    def add(self, path: str, *, flow: Flow | None = None, since_s: float = 0.0, **values: str) -> Row:
        """A row in the table of `path`; underscores in names stand for hyphens."""
        stored = {key.replace("_", "-"): value for key, value in values.items()}
        return self.table(path).add(stored, flow=flow, since_s=since_s)

    def rows(self, menu: Menu) -> tuple[list[Row], list[Row]]:
        """The stored rows of a menu, and those made for this reading."""
        stored: Iterable[Row] = self.table(menu.source)
        if menu.where is not None:
            stored = filter(menu.where, stored)
        return list(stored), list(menu.rows(self)) if menu.rows else []

    def plan(self, menu: Menu, proplist: str | None, call: Call, adjust: Adjust | None = None) -> Plan:
        """How the rows of `menu` are encoded for a call; kept for the next call of the same shape."""
        shape = (menu.path, proplist, "stats" in call.args, "detail" in call.args, call.policies)
        readers = self.table(menu.source).readers
        if adjust is None and isinstance(plan := readers.get(shape), Plan):
            return plan
        stored, moving = self._fields(menu, proplist, call)
        if adjust is not None:
            adjust(menu, stored, moving)
            return Plan(menu, stored, moving)
        if len(readers) >= _PLANS_PER_TABLE:
            del readers[next(iter(readers))]
        readers[shape] = plan = Plan(menu, stored, moving)
        return plan

    def _fields(
        self, menu: Menu, proplist: str | None, call: Call
    ) -> tuple[dict[str, str | None], dict[str, Moving]]:
        known = menu.fields_of(self.version)
        if proplist is not None:
            names: Iterable[str] = filter(None, proplist.split(","))
        elif "stats" in call.args and menu.stats:
            names = (".id", *menu.stats.split())
        else:
            hidden = () if "detail" in call.args else menu.detail.split()
            names = (".id", *(name for name in known if name not in hidden))
        secret = () if "sensitive" in call.policies else menu.sensitive.split()
        stored: dict[str, str | None] = {}
        moving: dict[str, Moving] = {}
        for name in names:
            if name == ".id":
                if not menu.singleton:
                    stored[name] = None
            elif name in known and name not in secret:
                if name in menu.moving:
                    moving[name] = menu.moving[name]
                else:
                    stored[name] = known[name]
        return stored, moving

    def missing(self, call: Call) -> Trap:
        """What this RouterOS says of a command whose menu or name it does not know."""
        if call.menu in self.menus:
            return Trap("no such command", 0)
        if self.version < (7,):
            return Trap("no such command prefix", 0)
        parts = call.menu.split("/")[1:]
        for depth, part in enumerate(parts, start=1):
            prefix = "/" + "/".join(parts[:depth])
            if not any(path == prefix or path.startswith(prefix + "/") for path in self.menus):
                return Trap(f"no such command or directory ({part})", 0)
        return Trap("no such command", 0)

    # -- what others do to it ----------------------------------------------------------------------------

    def log(self, topics: str, message: str) -> None:
        """Write a row of the router's own log, at the moment that is happening."""
        table = self.table("/log")
        table.add({"topics": topics, "message": message, "buffer": "memory"}, since_s=self.now_s, owner=self)
        while len(table) > LOG_ROWS:
            table.remove(next(iter(table)))

    def rate_of(self, name: str, menu: str = "/interface") -> Rate:
        """The true rates at this moment of the row called `name` (or `user`) in a menu.

        Raises:
            KeyError: no such row, or one without traffic.
        """
        moment = self.advance()
        for row in self.table(self.menus[menu].source):
            if name in (row.values.get("name"), row.values.get("user")) and row.flow is not None:
                return row.flow.rate(moment)
        raise KeyError(f"no row {name!r} with traffic in {menu}")
