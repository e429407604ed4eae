"""The demo's life: programs start, the loop closes, things break and mend, everything ends and leaves nothing."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from scripts.children import Child
from scripts.demo.billing import LockHolder, make_billing
from scripts.demo.breaking import Breaker
from scripts.demo.bridgeconfig import OPERATOR, OPERATOR_NAME, SMS_CHAT
from scripts.demo.calls import Unreachable, fetch, get
from scripts.demo.cast import DATABASE, Cast
from scripts.demo.control import buttons, serving
from scripts.demo.faults import CUSTOMER, FLAKY
from scripts.demo.ports import CannotStart, Ports
from scripts.demo.programs import BRIDGE, Workshop
from scripts.demo.welcome import welcome

READY_TIMEOUT_S = 150.0  # a machine that is busy with something else as well
POLL_INTERVAL_S = 0.1
OTHER_TARGETS = 4  # exporter, bridge, Alertmanager, Prometheus itself
WATCHDOG = "alertbridge_watchdog_last_timestamp_seconds"
PEOPLE: Mapping[str, str] = {OPERATOR: OPERATOR_NAME, SMS_CHAT: "SMS piket", CUSTOMER: "Pelanggan"}


@dataclass(slots=True)
class Demo:
    """Everything that runs. `stop` is set by whoever wants the end."""

    ports: Ports
    cast: Cast
    folder: Path
    stop: threading.Event
    children: list[Child] = field(default_factory=list)

    def run(self, stack: ExitStack, state_file: Path, *, for_s: float | None) -> None:
        """Until `stop` is set or `for_s` seconds have passed since it was ready.

        Raises:
            ChildDied: one of its programs ended by itself.
            CannotStart: one of them did not become ready.
        """
        began_s = time.monotonic()
        shop = self.begin(stack)
        if self.stop.is_set():
            return
        holder = LockHolder(self.cast.databases[DATABASE])
        bridge = self.child(BRIDGE)
        breaker = stack.enter_context(Breaker(self.ports.urls(), holder, crash_bridge=bridge.crash))
        stack.enter_context(serving(self.ports.control, breaker))
        self._furnish(breaker)
        stack.callback(state_file.unlink, missing_ok=True)
        shop.state().write(state_file)
        print(welcome(self.ports, time.monotonic() - began_s), flush=True)
        end_s = None if for_s is None else time.monotonic() + for_s
        while not self.stop.wait(POLL_INTERVAL_S) and (end_s is None or time.monotonic() < end_s):
            self.check()

    def begin(self, stack: ExitStack) -> Workshop:
        """Starts everything; returns when the loop is whole, or when `stop` is set. Raises ChildDied, CannotStart."""
        shop = Workshop(self.folder, self.ports, self.cast)
        self._start(shop, stack)
        self._wait(lambda: self._is_whole(shop.token), "the loop")
        return shop

    def child(self, name: str) -> Child:
        """The program that is called so."""
        return next(child for child in self.children if child.name == name)

    def _start(self, shop: Workshop, stack: ExitStack) -> None:
        """Those that need nothing at once, the others when what they need is there. Prometheus comes last, so that
        nothing is missing when it first looks."""

        def begin(*makes: Callable[[], Child]) -> None:
            for make in makes:
                if not self.stop.is_set():
                    self.children.append(stack.enter_context(make()))

        for file in self.cast.databases.values():
            make_billing(file)
        begin(shop.simulator, shop.bridge, shop.phone, shop.alertmanager)
        begin(*(partial(shop.bot, name) for name in self.cast.bots))
        needed = (shop.simulated, *shop.bot_pids.values())
        self._wait(lambda: all(map(_is_written, needed)), "the simulator or a bot")
        begin(shop.exporter)
        self._wait(lambda: self.answers("exporter", "/-/ready"), "the exporter")
        self._wait(lambda: self.answers("bridge", "/-/ready"), "the bridge")
        begin(shop.prometheus)

    def _furnish(self, breaker: Breaker) -> None:
        """Names and buttons on the phone, and a router that is never quite well."""
        phone = self.ports.url("phone")
        for number, name in PEOPLE.items():
            fetch("PUT", f"{phone}/phone/people/{number}", {"name": name})
        fetch("PUT", f"{phone}/phone/panel", buttons(self.ports.url("control")))
        for request in FLAKY:
            breaker.send(request)

    # -- waiting

    def check(self) -> None:
        """Raises ChildDied when a program ended by itself."""
        for child in self.children:
            child.check()

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        """Returns when the condition holds or somebody asked to stop. Raises ChildDied, CannotStart."""
        deadline_s = time.monotonic() + READY_TIMEOUT_S
        while not self.stop.is_set() and not condition():
            self.check()
            if time.monotonic() > deadline_s:
                last = "\n".join(f"{child.name} said last:\n{child.tail()}" for child in self.children)
                raise CannotStart(f"{what} is not there after {READY_TIMEOUT_S:.0f} s\n{last}")
            self.stop.wait(POLL_INTERVAL_S)

    def answers(self, program: str, path: str) -> bool:
        """Whether a program, by its name in `Ports`, says that all is well there."""
        try:
            fetch("GET", self.ports.url(program) + path)
        except Unreachable:
            return False
        return True

    def _is_whole(self, token: str) -> bool:
        """Prometheus asked everything and has an Alertmanager, and its sign of life came through to the bridge."""
        try:
            prometheus = self.ports.url("prometheus")
            targets = get(f"{prometheus}/api/v1/targets", {"state": "active"})["data"]["activeTargets"]
            if len(targets) < len(self.cast.profiles) + OTHER_TARGETS or any(
                one["health"] != "up" for one in targets
            ):
                return False
            if not get(f"{prometheus}/api/v1/alertmanagers")["data"]["activeAlertmanagers"]:
                return False
            page = fetch("GET", f"{self.ports.url('bridge')}/metrics", token=token).decode()
        except Unreachable:
            return False
        return any(
            line.startswith(f"{WATCHDOG} ") and float(line.split()[1]) > 0 for line in page.splitlines()
        )


def _is_written(file: Path) -> bool:
    """A file is there before what is in it: for a moment it is empty."""
    return file.is_file() and file.stat().st_size > 0
