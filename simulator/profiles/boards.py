"""Hardware as data: what a board has, and what a profile makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sensor:
    """A health sensor that swings around a value; a state when `unit` is empty."""

    name: str
    value: float | str
    unit: str
    swing: float = 0.0
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Board:
    """One model of router. `hardware` names the parts that decide which menus exist."""

    name: str
    model: str
    architecture: str
    cpu: str
    cores: int
    mhz: int
    memory_mib: int
    disk_mib: int
    ethers: int
    sfps: int = 0
    sfp_name: str = "sfp-sfpplus"
    poe_ports: tuple[int, ...] = ()
    sensors: tuple[Sensor, ...] = ()
    hardware: frozenset[str] = frozenset({"routerboard", "health", "flash"})
    licence_level: str = "6"


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of router: board, version, packages, and how much of everything there is."""

    name: str
    description: str
    board: Board
    version: str
    counts: Mapping[str, int] = field(default_factory=dict)
    packages: frozenset[str] = frozenset()
