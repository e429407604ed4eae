"""PPPoE subscribers: they dial in, use their line, and drop off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formats import ipv4, ipv4_number, mac
from ..table import Row
from ..traffic import Flow, seeded
from .names import user_name
from .ports import bridge_name

if TYPE_CHECKING:
    from ..world import World

POOL = ipv4_number("100.64.0.0")
MEAN_SESSION_S = 4 * 3600
_PLANS = (("prof-10m", 2, 10), ("prof-20m", 5, 20), ("prof-50m", 10, 50), ("prof-100m", 20, 100))
_REASONS = ("peer-request", "hung-up", "nas-error")


def add_pppoe(world: World) -> None:
    """Servers, profiles, secrets and the sessions that are up."""
    if "/ppp/secret" not in world.menus:
        return
    world.add("/ppp/profile", name="default", default="true")
    world.add("/ppp/profile", name="default-encryption", default="true", use_encryption="yes")
    world.add("/ppp/aaa", use_radius="false")
    online, secrets = world.spec.count("pppoe"), world.spec.count("secrets")
    secrets = max(online, secrets)
    if not secrets:
        return
    for name, up, down in _PLANS:
        world.add(
            "/ppp/profile", name=name, local_address="100.64.0.1", remote_address="pppoe-pool",
            rate_limit=f"{up}M/{down}M", only_one="yes", dns_server="192.0.2.53",
        )  # fmt: skip
    world.table("/ip/pool").add(
        {"name": "pppoe-pool", "ranges": f"{ipv4(POOL + 2)}-{ipv4(POOL + 1 + secrets)}"}, owner=world
    )
    ports = [row.values["name"] for row in world.table("/interface") if row.values["type"] == "vlan"][:4]
    ports = ports or [bridge_name(world)]
    for number, port in enumerate(ports, start=1):
        world.add(
            "/interface/pppoe-server/server", service_name=f"isp-{number}", interface=port,
            default_profile="prof-20m", disabled="true" if number == 4 else "false",
            max_sessions=str(secrets) if number == 2 else "unlimited",
        )  # fmt: skip
    random = seeded("pppoe", world.spec.seed, world.spec.name)
    for number in range(1, secrets + 1):
        plan = random.choice(_PLANS)
        name = user_name("home", number)
        secret = world.add("/ppp/secret", name=name, service="pppoe", profile=plan[0], password=f"pw{number}")
        place = number % min(3, len(ports))
        subscriber = Subscriber(number, secret, plan, place + 1, ports[place], random.uniform(0.01, 0.2))
        if number <= online:
            subscriber.dial(world, age_s=min(world.uptime_s, random.expovariate(1 / MEAN_SESSION_S)))
        elif number % 9 == 0:
            secret.values |= {"disabled": "true", "comment": "moved away\r\nequipment returned"}
    world.on_reboot.append(lambda: _power_cut(world))


def _power_cut(world: World) -> None:
    for row in list(world.table("/ppp/active")):
        if isinstance(row.owner, Subscriber):
            row.owner.drop(world, "reboot")
            world.at(world.boot_s + world.random.uniform(2, 60), _Dialling(world, row.owner))


def lose_sessions(world: World, share: float) -> list[Subscriber]:
    """Drops that share of the sessions that are up; the homes stay offline until they are let back."""
    online = [row.owner for row in world.table("/ppp/active") if isinstance(row.owner, Subscriber)]
    lost = online[: round(len(online) * share)]
    for subscriber in lost:
        subscriber.drop(world, "hung-up")
    return lost


def regain_sessions(world: World, lost: list[Subscriber]) -> None:
    """The homes dial in again, one after the other."""
    for subscriber in lost:
        world.at(world.now_s + world.random.uniform(0.1, 3), _Dialling(world, subscriber))


class Subscriber:
    """A home on a line. While online it has a session, an interface and a queue, which share one flow."""

    __slots__ = ("_generation", "_number", "_plan", "_port", "_rows", "_secret", "_service", "_share", "name")

    def __init__(
        self, number: int, secret: Row, plan: tuple[str, int, int], service: int, port: str, share: float
    ) -> None:
        self.name = secret.values["name"]
        self._number = number
        self._secret = secret
        self._plan = plan
        self._service = f"isp-{service}"
        self._port = port
        self._share = share
        self._rows: tuple[tuple[str, Row], ...] = ()
        self._generation = 0

    def __repr__(self) -> str:
        return f"<Subscriber {self.name} {'online' if self._rows else 'offline'}>"

    def dial(self, world: World, *, age_s: float = 0.0) -> None:
        """Come online, unless the secret is disabled. `age_s` is for how long it has been."""
        if self._rows or self._secret.values.get("disabled") == "true":
            return
        self._generation += 1
        since_s = world.now_s - age_s
        name, number = self.name, self._number
        _, up, down = self._plan
        hardware, address = mac(0x40, number), ipv4(POOL + 1 + number)
        flow = Flow(
            up * 125_000 * self._share, down * 125_000 * self._share, world.moment, phase=number, age_s=age_s
        )
        session = f"<pppoe-{name}>"
        interface = world.table("/interface").add(
            {
                "name": session,
                "type": "pppoe-in",
                "mtu": "1480",
                "actual-mtu": "1480",
                "mru": "1480",
                "running": "true",
                "dynamic": "true",
                "user": name,
                "service": self._service,
                "interface": self._port,
                "remote-address": hardware,
                "last-link-up-time": world.date(since_s),
            },
            flow=flow,
            since_s=since_s,
            row_id=f"*F{self._generation % 4096:03X}{number:04X}",
        )
        active = world.table("/ppp/active").add(
            {
                "name": name,
                "service": "pppoe",
                "caller-id": hardware,
                "address": address,
                "session-id": f"0x81{self._generation % 256:02X}{number:04X}",
                "pool": "pppoe-pool",
            },
            since_s=since_s,
            owner=self,
        )
        queue = world.table("/queue/simple").add(
            {
                "name": session,
                "target": session,
                "queue": "default-small/default-small",
                "max-limit": f"{up}000000/{down}000000",
                "dynamic": "true",
            },
            flow=flow,
            since_s=since_s,
        )
        self._rows = (("/ppp/active", active), ("/interface", interface), ("/queue/simple", queue))
        if not age_s:
            world.log("pppoe,ppp,info", f"{session}: connected")
        world.at(
            world.now_s + world.random.expovariate(1 / MEAN_SESSION_S), _Ending(world, self, self._generation)
        )

    def drop(self, world: World, reason: str) -> None:
        """Go offline: session, interface and queue are gone."""
        rows, self._rows = self._rows, ()
        for path, row in rows:
            world.table(path).remove(row)
        world.table("/ppp/secret").change(
            self._secret,
            last_logged_out=world.date(world.now_s),
            last_caller_id=mac(0x40, self._number),
            last_disconnect_reason=reason,
        )
        world.log("pppoe,ppp,info", f"<pppoe-{self.name}>: terminating... - {reason}")

    def thrown_out(self, world: World) -> None:
        """Dropped by an operator; the client redials in seconds."""
        self.drop(world, "nas-request")
        world.at(world.now_s + world.random.uniform(3, 8), _Dialling(world, self))

    def session_ended(self, world: World, generation: int) -> None:
        """The line goes down by itself, if this is still the same session."""
        if self._rows and generation == self._generation:
            self.drop(world, world.random.choice(_REASONS))
            world.at(world.now_s + world.random.uniform(5, 90), _Dialling(world, self))


class _Dialling:
    """The event of coming online."""

    __slots__ = ("_subscriber", "_world")

    def __init__(self, world: World, subscriber: Subscriber) -> None:
        self._world, self._subscriber = world, subscriber

    def __call__(self) -> None:
        self._subscriber.dial(self._world)


class _Ending:
    """The event of a session's natural end."""

    __slots__ = ("_generation", "_subscriber", "_world")

    def __init__(self, world: World, subscriber: Subscriber, generation: int) -> None:
        self._world, self._subscriber, self._generation = world, subscriber, generation

    def __call__(self) -> None:
        self._subscriber.session_ended(self._world, self._generation)
