"""Our exporter in a process of its own, on simulated routers."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml

from benchmarks.pages import Page, scrape
from benchmarks.programs import HOST, Program, free_port, is_listening
from benchmarks.simulated import PASSWORD, USERNAME
from exporter.fleet import KNOWN_COLLECTORS

Settings = Mapping[str, object]
COLLECTORS = ("system", "health", "interface", "ethernet", "hotspot", "ppp", "queue")
"""What the figures are about. Others may be on by default; figures of another set could not be compared."""


def collecting(settings: Mapping[str, Settings] | None = None, **everywhere: object) -> Settings:
    """The module that runs `COLLECTORS` and those in `settings`, with these settings, and some for `everywhere`."""
    own = settings or {}
    names = dict.fromkeys((*COLLECTORS, *own))
    return {
        "modules": {"default": {"collectors": {name: {**everywhere, **own.get(name, {})} for name in names}}}
    }


ALWAYS_FRESH = collecting(ttl_s=0)
"""Every scrape asks for everything: a cache would answer instead of the router."""
EVERY_DEFAULT: Settings = {
    "modules": {
        "default": {
            "collectors": {name: {"ttl_s": 0} for name, own in KNOWN_COLLECTORS.items() if own.on_by_default}
        }
    }
}
"""The same with every collector that runs when the configuration says nothing."""


class Exporting:
    """The exporter that runs."""

    def __init__(self, program: Program, port: int) -> None:
        self.program = program
        self.port = port
        self.startup_cpu_s = program.cpu_s()

    def __repr__(self) -> str:
        return f"<Exporting port={self.port}>"

    def scrape(
        self, path: str = "/metrics", *, compressed: bool = False, deadline_s: float | None = None
    ) -> Page:
        """One scrape, see `benchmarks.pages.scrape`."""
        return scrape(self.port, path, compressed=compressed, deadline_s=deadline_s)


@contextmanager
def exporting(
    routers: Mapping[str, int], folder: Path, settings: Settings | None = None
) -> Iterator[Exporting]:
    """The exporter on routers by name and port, with the figures' collectors unless `settings` say others."""
    port = free_port()
    config = {
        "web": {"listen": f"{HOST}:{port}"},
        "credentials": {"username": USERNAME, "password": PASSWORD},
        "routers": [{"name": name, "address": HOST, "port": number} for name, number in routers.items()],
        **(settings or collecting()),
    }
    file = folder / f"exporter-{port}.yml"
    file.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    command = [sys.executable, "-m", "exporter", "serve", "--config", str(file)]
    with Program("the exporter", command, folder / f"exporter-{port}.log") as program:
        program.wait_until(lambda: is_listening(port), "listening")
        yield Exporting(program, port)
