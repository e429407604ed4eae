"""Queues that an operator made: simple ones up to the profile's number, the tree, the types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..formats import ipv4
from ..traffic import Flow, seeded
from .names import user_name
from .networks import LAN
from .ports import bridge_name

if TYPE_CHECKING:
    from ..world import World

_TYPES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("default", "pfifo", {"pfifo-limit": "50"}),
    ("ethernet-default", "pfifo", {"pfifo-limit": "50"}),
    ("wireless-default", "sfq", {"sfq-perturb": "5", "sfq-allot": "1514"}),
    ("synchronous-default", "red", {"red-limit": "60", "red-min-threshold": "10", "red-max-threshold": "50"}),
    ("pcq-upload-default", "pcq", {"pcq-rate": "0", "pcq-limit": "50KiB", "pcq-classifier": "src-address"}),
    ("pcq-download-default", "pcq", {"pcq-rate": "0", "pcq-limit": "50KiB", "pcq-classifier": "dst-address"}),
    ("only-hardware-queue", "none", {}),
    ("multi-queue-ethernet-default", "mq-pfifo", {"mq-pfifo-limit": "50"}),
    ("default-small", "pfifo", {"pfifo-limit": "10"}),
)


def add_queues(world: World) -> None:
    """Static queues beside the dynamic ones of subscribers and guests."""
    random = seeded("queues", world.spec.seed, world.spec.name)
    for name, kind, settings in _TYPES:
        world.table("/queue/type").add({"name": name, "kind": kind, "default": "true", **settings})
    if world.version >= (7,):
        world.table("/queue/type").add({"name": "cake-down", "kind": "cake", "cake-bandwidth": "0"})
    simple = world.table("/queue/simple")
    wanted = world.spec.count("queues") - len(simple)
    for number in range(1, wanted + 1):
        up, down = random.choice(((5, 20), (10, 50), (20, 100)))
        rate = random.uniform(1e3, 8e4)
        values = {
            "name": user_name("client", number),
            "target": f"{ipv4(LAN + 1 + number)}/32",
            "max-limit": f"{up}000000/{down}000000",
        }
        if number == 1:
            values |= {"name": "total-office", "target": bridge_name(world), "max-limit": "0/0"}
        elif number % 3 == 0:
            values |= {"parent": "total-office", "limit-at": f"{up}00000/{down}00000"}
        if number % 10 == 4:
            values["comment"] = f"contract {1000 + number}\nsee folder 7"
        if number % 50 == 49:
            values["disabled"] = "true"
        flow = Flow(rate * 0.2, rate, world.moment, phase=number, age_s=world.uptime_s)
        if "disabled" in values:
            flow.stop(world.moment)
        simple.add(values, flow=flow, since_s=world.boot_s)
    tree = world.table("/queue/tree")
    for number in range(1, world.spec.count("queue_tree") + 1):
        direction, mark = ("down", "up")[number % 2], ("voip", "web", "bulk", "games")[number // 2 % 4]
        rate = random.uniform(1e3, 4e5)
        values = {
            "name": f"{direction}-{mark}" if number <= 8 else f"{direction}-{mark}-{number}",
            "parent": bridge_name(world) if direction == "down" else "ether1",
            "packet-mark": mark,
            "limit-at": "1000000",
            "max-limit": str(random.choice((5, 20, 100)) * 1_000_000),
            "priority": str(1 + number % 8),
        }
        tree.add(values, flow=Flow(0.0, rate, world.moment, phase=number, age_s=world.uptime_s))
