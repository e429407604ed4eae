"""What breaks and mends in the demo, without the demo: requests, the lock of the database, the buttons' door."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from scripts.demo.billing import HOLDER_NAME, LockHolder, make_billing
from scripts.demo.breaking import Breaker, UnknownFault
from scripts.demo.calls import Unreachable, ask, fetch
from scripts.demo.control import buttons, serving
from scripts.demo.faults import FAULTS
from scripts.demo.ports import HOST, free_ports
from scripts.demo.watching import samples


@dataclass
class Alarms:
    """Alarms that ring when the test says so."""

    set_: list[tuple[float, Callable[[], None]]] = field(default_factory=list)

    def __call__(self, seconds: float, call: Callable[[], None]) -> Callable[[], None]:
        entry = (seconds, call)
        self.set_.append(entry)
        return lambda: self.set_.remove(entry) if entry in self.set_ else None


@pytest.fixture
def billing(tmp_path: Path) -> Path:
    """The demo's database."""
    file = tmp_path / "billing" / "billing.db"
    make_billing(file)
    return file


@pytest.fixture
def alarms() -> Alarms:
    """Alarms of the breaker."""
    return Alarms()


def crashes() -> None:
    """There is no bridge to kill."""
    raise OSError("no bridge here")


@pytest.fixture
def breaker(billing: Path, alarms: Alarms) -> Iterator[Breaker]:
    """A breaker that reaches none of the demo's programs."""
    nowhere = f"http://{HOST}:{free_ports(1)}"
    with Breaker(
        {"bot": nowhere, "simulator": nowhere}, LockHolder(billing), crash_bridge=crashes, alarm=alarms
    ) as made:
        yield made


def is_locked(file: Path) -> bool:
    """Whether nobody can begin to write."""
    with closing(sqlite3.connect(file, timeout=0.1, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        connection.execute("ROLLBACK")
        return False


def holders() -> list[psutil.Process]:
    """Our own children that hold the lock."""
    return [child for child in psutil.Process().children() if child.name() == HOLDER_NAME]


def test_the_database_is_locked_by_a_process_of_its_own(billing: Path, breaker: Breaker) -> None:
    """It has the name that the bridge may end; mended, it is gone and nothing of its work stays."""
    breaker.break_("db")
    assert is_locked(billing)
    assert len(holders()) == 1
    breaker.break_("db")
    assert len(holders()) == 1
    breaker.mend("db")
    assert not is_locked(billing)
    assert holders() == []
    with closing(sqlite3.connect(billing)) as connection:
        assert connection.execute("SELECT min(paid) FROM customers").fetchone() == (1,)


def test_whoever_is_ended_by_somebody_else_can_be_started_again(billing: Path, breaker: Breaker) -> None:
    """Ended by recovery, the holder is no more in the way of the next fault."""
    breaker.break_("db")
    [holder] = holders()
    holder.terminate()
    holder.wait(5)
    assert not is_locked(billing)
    breaker.break_("db")
    assert is_locked(billing)


def test_what_a_button_breaks_is_mended_by_itself(billing: Path, breaker: Breaker, alarms: Alarms) -> None:
    """After its time the lock is gone; who mends it before calls that off."""
    breaker.break_("db", mend_after_s=60)
    [(seconds, ring)] = alarms.set_
    assert seconds == 60
    assert "db" in breaker.broken
    ring()
    assert not is_locked(billing)
    breaker.break_("db", mend_after_s=60)
    breaker.mend("db")
    assert len(alarms.set_) <= 1
    assert not breaker.broken


def test_an_unknown_fault_is_told_with_those_that_there_are(breaker: Breaker) -> None:
    """The message lists the names."""
    with pytest.raises(UnknownFault, match="there are bot, queue"):
        breaker.break_("fire")


def test_what_cannot_be_reached_is_told(breaker: Breaker) -> None:
    """A program that is away is no broken demo."""
    with pytest.raises(Unreachable, match="/control/faults"):
        breaker.break_("bot")
    assert breaker.broken == ()


def test_the_door_breaks_mends_and_lists(billing: Path, breaker: Breaker) -> None:
    """What the buttons and `make demo-fault` ask for."""
    port = free_ports(1)
    url = f"http://{HOST}:{port}"
    with serving(port, breaker):
        assert ask("POST", f"{url}/faults/db") == {"broken": ["db"]}
        assert is_locked(billing)
        assert ask("GET", f"{url}/faults")["known"].keys() == FAULTS.keys()
        assert ask("DELETE", f"{url}/faults/db") == {"broken": []}
        assert not is_locked(billing)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/faults/fire", 404),
        ("POST", "/faults", 404),
        ("POST", "/else/db", 404),
        ("GET", "/", 404),
        ("POST", "/faults/db?mend_after_s=soon", 400),
        ("POST", "/faults/bot", 502),
    ],
)
def test_the_door_says_what_is_wrong(breaker: Breaker, method: str, path: str, status: int) -> None:
    """No such fault, no such path, no number, a program that is away."""
    port = free_ports(1)
    with serving(port, breaker), pytest.raises(Unreachable, match=f"HTTP {status}"):
        fetch(method, f"http://{HOST}:{port}{path}")


def test_the_bridge_is_killed_by_the_door(breaker: Breaker) -> None:
    """For whoever plays a fault and knows the moment."""
    port = free_ports(1)
    with serving(port, breaker), pytest.raises(Unreachable, match=r"HTTP 502 .*no bridge here"):
        ask("POST", f"http://{HOST}:{port}/bridge/crash")


def test_there_is_a_button_for_each_fault() -> None:
    """And one that mends everything; each is what the phone takes. No button knows when to kill the bridge."""
    found = buttons("http://127.0.0.1:1")
    assert len(found) == sum(fault.crash_after is None for fault in FAULTS.values()) + 1
    assert {button["method"] for button in found} == {"POST", "DELETE"}
    assert all(str(button["url"]).startswith("http://127.0.0.1:1/faults") for button in found)


def test_samples_of_a_page_are_read() -> None:
    """Name, labels and value; comments and what has no labels are left out."""
    page = '# HELP a b\na_total{rule="x",action="y"} 2.0\nup 1.0\n'
    assert list(samples(page)) == [("a_total", {"rule": "x", "action": "y"}, 2.0)]
