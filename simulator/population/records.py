"""Small tables: identity, log, netwatch, scripts, certificates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formats import duration
from ..traffic import seeded

if TYPE_CHECKING:
    from ..world import World

_LOG = (
    ("system,info", "item changed by admin"),
    ("dhcp,info", "dhcp-lan assigned 10.30.0.44 to 02:00:50:00:00:2C"),
    ("system,error,critical", "login failure for user root from 203.0.113.9 via ssh"),
    ("interface,info", "ether3 link up (speed 1G, full duplex)"),
    (
        "firewall,info",
        "forward: in:ether1 out:bridge, proto TCP (SYN), 203.0.113.9:4433->10.30.0.7:22, len 60",
    ),
    ("script,warning", 'backup "nightly" took 34s\nsecond line'),
)


def add_records(world: World) -> None:
    """What is left."""
    world.add("/system/identity", name=world.spec.name)
    _log(world)
    _netwatch(world)
    _scripts(world)
    for number in range(1, world.spec.count("certificates") + 1):
        left_s = 400 * 86400.0 if number == 1 else 12 * 86400.0
        world.add(
            "/certificate", since_s=world.now_s + left_s, name=f"api-cert-{number}", common_name=world.spec.name,
            digest_algorithm="sha256", key_type="rsa", key_size="2048", issuer=f"CN={world.spec.name}",
            serial_number=f"00EF{number:04d}", fingerprint=f"{number:064x}", trusted="true", private_key="true",
            invalid_before=world.date(world.now_s + left_s - 730 * 86400),
            invalid_after=world.date(world.now_s + left_s), days_valid="730",
        )  # fmt: skip


def _log(world: World) -> None:
    random = seeded("log", world.spec.seed, world.spec.name)
    count = world.spec.count("log")
    ages = sorted((random.expovariate(1 / 20_000) for _ in range(count)), reverse=True)
    for number, age_s in enumerate(ages):
        topics, message = _LOG[number % len(_LOG)]
        world.table("/log").add(
            {"topics": topics, "message": message, "buffer": "memory"},
            since_s=world.now_s - age_s,
            owner=world,
        )


def _netwatch(world: World) -> None:
    for number in range(1, world.spec.count("netwatch") + 1):
        down = number % 4 == 0
        age_s = 3600.0 * number
        values = {
            "host": f"192.0.2.{50 + number}",
            "name": f"probe {number}",
            "type": "icmp" if number % 3 else "simple",
            "status": "down" if down else "up",
            "since": world.date(world.now_s - age_s),
            "comment": "DNS, do not remove" if number == 1 else "",
        }
        if number != 1:
            del values["comment"]
        world.table("/tool/netwatch").add(values, since_s=world.now_s - age_s)


def _scripts(world: World) -> None:
    for number in range(1, world.spec.count("scripts") + 1):
        name = "backup nightly" if number == 1 else f"script-{number}"
        world.add(
            "/system/script", name=name, owner="admin", policy="read,write,test", source=":log info done",
            run_count=str(number * 7), last_started=world.date(world.now_s - number * 3600),
            invalid="true" if number == 3 else "false",
        )  # fmt: skip
        every_s = 3600.0 * number
        world.add(
            "/system/scheduler", since_s=world.now_s - 1800, name=f"run {name}", interval=duration(every_s),
            on_event=name, owner="admin", policy="read,write,test", next_run=world.date(world.now_s + every_s - 1800),
            every=str(every_s), runs=str(number * 7),
        )  # fmt: skip
