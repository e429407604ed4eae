"""Hotspot guests: vouchers, staff with several devices, trials, MAC logins, cookies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formats import duration, ipv4, ipv4_number, mac
from ..table import Row
from ..traffic import Flow, seeded
from .names import user_name
from .ports import bridge_name

if TYPE_CHECKING:
    from ..world import World

NETWORK = ipv4_number("10.100.0.0")
MEAN_SESSION_S = 3600.0
TRIAL_S = 1800.0
_LOGINS = ("http-chap", "cookie", "https", "mac-cookie", "http-pap", "mac", "trial", "http-chap")
_PROFILES = (("default", 1, ""), ("voucher-1h", 1, "1M/4M"), ("staff", 5, "5M/20M"), ("vip", 2, "4M/10M"))
_STAFF_DEVICES = 3


def add_hotspot(world: World) -> None:
    """Servers, profiles, users, cookies, hosts and the sessions that are up."""
    servers = world.spec.count("hotspot_servers")
    if "/ip/hotspot" not in world.menus:
        return
    world.add("/ip/hotspot/profile", name="default", default="true")
    world.add("/ip/hotspot/user/profile", name="default", default="true")
    if not servers:
        return
    names = [_server(world, number) for number in range(1, servers + 1)]
    for name, shared, limit in _PROFILES[1:]:
        values = {"name": name, "shared-users": str(shared), "rate-limit": limit, "address-pool": "hs-pool"}
        world.table("/ip/hotspot/user/profile").add(values)
    active, hosts = world.spec.count("hotspot_active"), world.spec.count("hotspot_hosts")
    size = max(active, hosts) + 500
    world.table("/ip/pool").add(
        {"name": "hs-pool", "ranges": f"{ipv4(NETWORK + 2)}-{ipv4(NETWORK + 1 + size)}"}, owner=world
    )
    users = _users(world, max(world.spec.count("hotspot_users"), active * 10 // 9 + 10))
    random = seeded("hotspot", world.spec.seed, world.spec.name)
    for number in range(1, active + 1):
        guest = Guest(world, number, names[number % servers if number % 7 else 0], users)
        age_s = min(world.uptime_s, guest.longest_s * 0.9, random.expovariate(1 / MEAN_SESSION_S))
        guest.log_in(world, age_s=age_s)
    _strangers(world, range(active + 1, hosts + 1), names)
    _cookies(world)
    world.on_reboot.append(lambda: _power_cut(world))


def _server(world: World, number: int) -> str:
    vlans = [row.values["name"] for row in world.table("/interface") if row.values["type"] == "vlan"]
    name = "hs-lobby" if number == 1 else f'hs "Café {number}"' if number == 2 else f"hs-{number}"
    profile = f"hsprof{number}"
    world.add(
        "/ip/hotspot/profile", name=profile, hotspot_address="10.100.0.1", dns_name=f"login{number}.example",
        trial_uptime_limit="30m", login_by="cookie,http-chap,https,mac-cookie,trial",
    )  # fmt: skip
    world.add(
        "/ip/hotspot", name=name, interface=vlans[-number] if len(vlans) >= number else bridge_name(world),
        address_pool="hs-pool", profile=profile, HTTPS="true" if number == 1 else "false",
        ip_of_dns_name="10.100.0.1",
    )  # fmt: skip
    return name


def _users(world: World, count: int) -> list[Row]:
    """Local users; the first are staff, who may log in several times, and a few are used up or disabled."""
    table, rows = world.table("/ip/hotspot/user"), []
    table.add(
        {"name": "default-trial", "profile": "default", "default": "true", "comment": "counters for trials"}
    )
    for number in range(1, count + 1):
        profile = "staff" if number <= max(1, count // 50) else "vip" if number % 10 == 0 else "voucher-1h"
        values = {
            "name": user_name("guest", number),
            "profile": profile,
            "password": f"pw{number}",
            "past-in": str(number * 104_729 % 300_000_000),
            "past-out": str(number * 1_299_709 % 3_000_000_000),
            "past-uptime": str(number * 7919 % 200_000),
        }
        if profile == "voucher-1h":
            values["limit-uptime"] = "4h"
            values["past-uptime"] = str(number * 7919 % 9000)
        if number % 17 == 0:
            values |= {"limit-bytes-total": "1000000000"}
        if number > count * 9 // 10:
            if number % 2:
                values["disabled"] = "true"
            else:
                values |= {"limit-uptime": "1h", "past-uptime": "3600", "comment": "expired"}
        rows.append(table.add(values))
    return rows


def _strangers(world: World, numbers: range, servers: list[str]) -> None:
    """Devices that are on the network without having logged in."""
    table = world.table("/ip/hotspot/host")
    for number in numbers:
        values = _host_values(number, servers[number % len(servers)])
        if number % 11 == 0:
            values["bypassed"] = "true"
        flow = Flow(60.0, 90.0, world.moment, phase=number, age_s=float(number % 900))
        table.add(values, flow=flow, since_s=world.now_s - number % 900)


def _host_values(number: int, server: str) -> dict[str, str]:
    address = ipv4(NETWORK + 1 + number)
    return {
        "mac-address": mac(0x30, number),
        "address": address,
        "to-address": address,
        "server": server,
        "bridge-port": f"ether{3 + number % 2}",
        "keepalive-timeout": "2m",
        "found-by": f"ARP from {address}" if number % 3 else f"UDP :5353 -> {address}:443",
        "DHCP": "true",
    }


def _cookies(world: World) -> None:
    count = world.spec.count("hotspot_cookies")
    table = world.table("/ip/hotspot/cookie")
    for row in list(world.table("/ip/hotspot/active")):
        if len(table) >= count:
            return
        if row.values["login-by"] in ("cookie", "mac-cookie"):
            add_cookie(world, row)
    for number in range(len(table), count):
        table.add(
            {"user": user_name("guest", number + 2), "mac-address": mac(0x31, number)},
            since_s=world.now_s + 3600 + number * 97 % 250_000,
        )


def add_cookie(world: World, session: Row) -> None:
    """Remember the device of a session for three days."""
    values = {
        "user": session.values["user"],
        "mac-address": session.values["mac-address"],
        "mac-cookie": "true" if session.values["login-by"] == "mac-cookie" else "false",
    }
    world.table("/ip/hotspot/cookie").add(values, since_s=world.now_s + 3 * 86400)


def _power_cut(world: World) -> None:
    for row in list(world.table("/ip/hotspot/active")):
        if isinstance(row.owner, Guest):
            guest = row.owner
            guest.log_out(world, "reboot")
            world.at(world.boot_s + world.random.uniform(10, 120), _LoggingIn(world, guest))


class Guest:
    """A device of a guest. While logged in it has a session, a host row and perhaps a queue: one flow."""

    __slots__ = ("_generation", "_host", "_number", "_rows", "_server", "_user", "login_by", "name")

    def __init__(self, world: World, number: int, server: str, users: list[Row]) -> None:
        self._number = number
        self._server = server
        self.login_by = _LOGINS[number % len(_LOGINS)]
        staff = max(1, len(users) // 50)
        if self.login_by == "mac":
            self.name, self._user = mac(0x30, number), None
        elif self.login_by == "trial":
            self.name, self._user = f"T-{mac(0x30, number)}", None
        else:
            person = (
                number % (len(users) * 9 // 10) if number % 30 else (number // 30 // _STAFF_DEVICES) % staff
            )
            self._user = users[person]
            self.name = self._user.values["name"]
        self._rows: tuple[tuple[str, Row], ...] = ()
        self._host: Row | None = None
        self._generation = 0

    def __repr__(self) -> str:
        return f"<Guest {self.name} by {self.login_by} {'in' if self._rows else 'out'}>"

    @property
    def longest_s(self) -> float:
        """How long a session may last."""
        return TRIAL_S if self.login_by == "trial" else 14_400.0 if "voucher" in self._profile else 86_400.0

    @property
    def _profile(self) -> str:
        return self._user.values["profile"] if self._user else "default"

    @property
    def _limit(self) -> str:
        return next(limit for name, _, limit in _PROFILES if name == self._profile)

    def log_in(self, world: World, *, age_s: float = 0.0, by: str = "") -> None:
        """Come in; `by` another way than usual. `age_s` is for how long it has been."""
        if self._rows:
            return
        self._generation += 1
        number, since_s = self._number, world.now_s - age_s
        up, down = 2000 + number * 37 % 30_000, 9000 + number * 101 % 250_000
        flow = Flow(float(up), float(down), world.moment, phase=number, age_s=age_s)
        session = {
            "server": self._server,
            "user": self.name,
            "address": ipv4(NETWORK + 1 + number),
            "mac-address": mac(0x30, number),
            "login-by": by or self.login_by,
            "keepalive-timeout": "2m",
            "idle-timeout": "5m",
            "pool": "hs-pool",
        }
        if self.longest_s < 86_400:
            session["until"] = str(since_s + self.longest_s)
        if number % 17 == 0:
            session["limit-bytes-total"] = "1000000000"
        row_id = f"*A14{self._generation % 16:X}{number:04X}"
        active = world.table("/ip/hotspot/active").add(
            session, flow=flow, since_s=since_s, owner=self, row_id=row_id
        )
        rows = [("/ip/hotspot/active", active)]
        if self._host is not None:
            world.table("/ip/hotspot/host").remove(self._host)
        self._host = world.table("/ip/hotspot/host").add(
            {**_host_values(number, self._server), "authorized": "true"},
            flow=flow,
            since_s=since_s,
            owner=self,
        )
        if self._limit:
            rows.append(("/queue/simple", self._queue(world, flow, since_s)))
        if self.login_by == "trial":
            trial = {
                "name": self.name,
                "server": self._server,
                "dynamic": "true",
                "limit-uptime": duration(TRIAL_S),
            }
            rows.append(
                ("/ip/hotspot/user", world.table("/ip/hotspot/user").add(trial, flow=flow, since_s=since_s))
            )
        elif self._user is not None and self._user.flow is None:
            self._user.flow, self._user.since_s = flow, since_s
        self._rows = tuple(rows)
        if not age_s:
            world.log(
                "hotspot,info,debug",
                f"{self.name} ({session['address']}): logged in by {session['login-by']}",
            )
        stay_s = min(world.random.expovariate(1 / MEAN_SESSION_S), self.longest_s - age_s)
        world.at(world.now_s + max(1.0, stay_s), _LoggingOut(world, self, self._generation))

    def _queue(self, world: World, flow: Flow, since_s: float) -> Row:
        table = world.table("/queue/simple")
        shared = self._profile in ("staff", "vip")
        name = f"<hotspot-{self.name}-{self._number}>" if shared else f"<hotspot-{self.name}>"
        up, down = (text.replace("M", "000000") for text in self._limit.split("/"))
        values = {
            "name": name,
            "target": f"{ipv4(NETWORK + 1 + self._number)}/32",
            "max-limit": f"{up}/{down}",
            "dynamic": "true",
        }
        return table.add(values, flow=flow, since_s=since_s)

    def log_out(self, world: World, reason: str) -> None:
        """Leave: session and queue are gone, the device stays visible as a host."""
        rows, self._rows = self._rows, ()
        flow = rows[0][1].flow if rows else None
        for path, row in rows:
            world.table(path).remove(row)
        if self._host is not None:
            world.table("/ip/hotspot/host").change(self._host, authorized="false")
        user = self._user
        if user is not None and flow is not None:
            moment = world.moment
            world.table("/ip/hotspot/user").change(
                user,
                past_in=str(int(user.values["past-in"]) + flow.rx(moment)),
                past_out=str(int(user.values["past-out"]) + flow.tx(moment)),
                past_uptime=str(int(float(user.values["past-uptime"]) + moment.now_s - user.since_s)),
            )
            if user.flow is flow:
                user.flow = None
        world.log(
            "hotspot,info,debug", f"{self.name} ({ipv4(NETWORK + 1 + self._number)}): logged out: {reason}"
        )

    def thrown_out(self, world: World) -> None:
        """Dropped by an operator: a cookie or a MAC login brings the device back at once."""
        if self._rows:
            self.log_out(world, "admin reset")
        hardware = mac(0x30, self._number)
        cookie = any(row.values["mac-address"] == hardware for row in world.table("/ip/hotspot/cookie"))
        if cookie or self.login_by == "mac":
            self.log_in(world, by="mac" if self.login_by == "mac" else "cookie")
        else:
            self._leave(world)

    def session_ended(self, world: World, generation: int) -> None:
        """The guest goes, if this is still the same session; another day he is back."""
        if self._rows and generation == self._generation:
            self.log_out(world, "keepalive timeout" if self._number % 2 else "session timeout")
            self._leave(world)

    def _leave(self, world: World) -> None:
        if self._host is not None:
            world.table("/ip/hotspot/host").remove(self._host)
            self._host = None
        world.at(world.now_s + world.random.uniform(30, 120), _LoggingIn(world, self))


class _LoggingIn:
    """The event of a login."""

    __slots__ = ("_guest", "_world")

    def __init__(self, world: World, guest: Guest) -> None:
        self._world, self._guest = world, guest

    def __call__(self) -> None:
        self._guest.log_in(self._world)


class _LoggingOut:
    """The event of a session's natural end."""

    __slots__ = ("_generation", "_guest", "_world")

    def __init__(self, world: World, guest: Guest, generation: int) -> None:
        self._world, self._guest, self._generation = world, guest, generation

    def __call__(self) -> None:
        self._guest.session_ended(self._world, self._generation)
