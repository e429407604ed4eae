"""The programs of the demo: what each is started with, and what it needs to be there first."""

import os
import secrets
import shutil
import sys
from pathlib import Path

from scripts import system
from scripts.children import Child
from scripts.demo.bridgeconfig import OPERATOR, SMS_CHAT, STORE_FILE, TOKEN_FILE, WRITER, bridge_config
from scripts.demo.cast import Cast
from scripts.demo.configs import (
    ROOT,
    alertmanager_config,
    bot_section,
    database_section,
    exporter_config,
    prometheus_config,
)
from scripts.demo.hurry import write_rules
from scripts.demo.ports import HOST, CannotStart, Ports
from scripts.demo.state import State

LATENCY_MS = "20-80"  # what a small router takes for a command
READ_AFTER_S = "2"
RESENT_AFTER = "10s"
"""What fires before Prometheus has found Alertmanager, as the sign of life does, is lost until it is sent again."""
BRIDGE = "the bridge"
PROGRAMS = ("prometheus", "prometheus-alertmanager")


def require_programs() -> None:
    """Raises CannotStart with how to get what is missing."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        told = "\n".join(
            system.report(package, system.missing_parts(package))
            for package in dict.fromkeys(map(system.package_of, missing))
        )
        raise CannotStart(
            f"it needs programs that are not here:\n{told}\nmake system installs them, where it may"
        )


class Workshop:
    """Everything in one folder: configurations, data, logs; and the programs made of them."""

    def __init__(self, folder: Path, ports: Ports, cast: Cast) -> None:
        self.folder = folder
        self.ports = ports
        self.cast = cast
        self.token = secrets.token_urlsafe(24)
        self.simulated = folder / "simulator.yml"
        self.bot_pids = {name: folder / f"{name}.pid" for name in cast.bots}
        self.bridge_config = folder / "alertbridge.yml"
        self.store = folder / STORE_FILE
        (folder / TOKEN_FILE).touch(mode=0o600)
        (folder / TOKEN_FILE).write_text(self.token, encoding="utf-8")

    def state(self) -> State:
        """What others must know to find the demo."""
        return State(os.getpid(), self.ports.urls(), self.token, OPERATOR, SMS_CHAT)

    def routers(self) -> list[dict[str, object]]:
        """Where each router will be; the simulator takes ports in a row."""
        return [
            {"name": name, "address": HOST, "port": port}
            for port, name in enumerate(self.cast.profiles, start=self.ports.first_router)
        ]

    def _module(self, name: str, module: str, *arguments: str) -> Child:
        return self._program(name, sys.executable, "-m", module, *arguments)

    def _program(self, name: str, *command: str) -> Child:
        return Child(name, command, self.folder / f"{name.replace(' ', '-')}.log")

    def _written(self, name: str, text: str) -> str:
        file = self.folder / name
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
        return str(file)

    # -- what needs nothing

    def simulator(self) -> Child:
        """The routers."""
        profiles = [word for name in self.cast.profiles for word in ("--profile", f"{name}:1")]
        return self._module(
            *("the simulator", "simulator", *profiles, "--base-port", str(self.ports.first_router)),
            *("--latency-ms", LATENCY_MS, "--account", f"{WRITER['username']}:{WRITER['password']}"),
            *("--control", f"{HOST}:{self.ports.simulator}", "--write-config", str(self.simulated)),
        )

    def phone(self) -> Child:
        """WAHA's side, and everybody's phone."""
        return self._module(
            *("the phone", "simulator.whatsapp", "--host", HOST, "--port", str(self.ports.phone)),
            *("--via", "waha", "--read-after", READ_AFTER_S),
            *("--webhook", f"waha={self.ports.url('bridge')}/webhooks/wa"),
        )

    def bot(self, name: str) -> Child:
        """A bot of customers, started again whenever it ends."""
        port = str(self.cast.bots[name])
        return self._module(
            *(f"the bot {name}", "simulator.bot", "--respawn", "--host", HOST, "--port", port),
            *("--pid-file", str(self.bot_pids[name]), "--phone", self.ports.url("phone")),
        )

    def prometheus(self) -> Child:
        """The real one, with the repository's rules in a hurry."""
        write_rules(ROOT / "prometheus" / "rules", self.folder / "rules")
        config = self._written("prometheus.yml", prometheus_config(self.ports, self.folder))
        return self._program(
            *("Prometheus", "prometheus", f"--config.file={config}", "--log.level=warn"),
            f"--storage.tsdb.path={self.folder / 'prometheus'}",
            f"--web.listen-address={HOST}:{self.ports.prometheus}",
            f"--rules.alert.resend-delay={RESENT_AFTER}",
        )

    def alertmanager(self) -> Child:
        """The real one."""
        config = self._written("alertmanager.yml", alertmanager_config(self.ports, self.folder))
        return self._program(
            *("Alertmanager", "prometheus-alertmanager", f"--config.file={config}", "--log.level=warn"),
            *(f"--storage.path={self.folder / 'alertmanager'}", "--cluster.listen-address="),
            f"--web.listen-address={HOST}:{self.ports.alertmanager}",
        )

    def bridge(self) -> Child:
        """Of this repository."""
        text = bridge_config(self.ports, self.folder, self.cast, self.routers())
        config = self._written(self.bridge_config.name, text)
        return self._module(BRIDGE, "alertbridge", "serve", "--config", config)

    # -- what needs the simulator's list of routers and the numbers of the bots' processes

    def exporter(self) -> Child:
        """Of this repository."""
        text = exporter_config(
            self.simulated.read_text(encoding="utf-8"),
            self.ports.exporter,
            bots=tuple(bot_section(name, port, self.bot_pids[name]) for name, port in self.cast.bots.items()),
            databases=tuple(database_section(name, file) for name, file in self.cast.databases.items()),
        )
        config = self._written("exporter.yml", text)
        return self._module("the exporter", "exporter", "serve", "--config", config)
