"""What there is in a demo to be watched and mended: kinds of routers, bots of customers, databases."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.demo.ports import PROFILES, Ports, free_ports

BOT = "noc"
DATABASE = "billing"


@dataclass(frozen=True, slots=True)
class Cast:
    """`profiles` are simulated routers, each called after its kind; `bots` have a port each, `databases` a file."""

    profiles: tuple[str, ...]
    bots: Mapping[str, int]
    databases: Mapping[str, Path]

    @classmethod
    def of(
        cls,
        folder: Path,
        ports: Ports,
        *,
        bots: Iterable[str] = (BOT,),
        databases: Iterable[str] = (DATABASE,),
        profiles: Iterable[str] = PROFILES,
    ) -> "Cast":
        """The demo's own one, or another with more. The first bot has the port that was chosen for it."""
        first, *more = bots
        return cls(
            tuple(profiles),
            {first: ports.bot, **{name: free_ports(1) for name in more}},
            {name: folder / name / f"{name}.db" for name in databases},
        )
