"""The package as somebody else meets it: its example, its errors, its hooks, its settings."""

from __future__ import annotations

import asyncio
import textwrap
from dataclasses import dataclass, field

import pytest

import routeros
from routeros import (
    FAILURE_CLASSES,
    BreakerSettings,
    CommandDeadline,
    CommandFailed,
    CommandUnsupported,
    LoginRefused,
    PermissionDenied,
    PoolExhausted,
    PoolSettings,
    RouterError,
    RouterUnreachable,
    Target,
    UnreachableReason,
    failure_class,
)
from routeros.observer import CLOSE_REASONS, NullObserver
from tests.fakes.scripted_router import Done, HangUp, Row, ScriptedRouter, Trap
from tests.routeros.conftest import Connect


def example() -> str:
    """The code in the package's docstring."""
    assert routeros.__doc__ is not None
    _, _, code = routeros.__doc__.partition("::\n\n")
    code, _, _ = code.partition("\nSettings are")
    return textwrap.dedent(code)


async def test_the_example_runs(device: ScriptedRouter, capsys: pytest.CaptureFixture[str]) -> None:
    """The example in the docstring does what it says, on Python as it stands there."""
    device.on("/interface/print", Row({"name": "ether1", "rx-byte": "5"}), Done())
    device.on("/ip/dhcp-server/lease/print", Done(ret="17"))
    device.on("/ppp/active/print", Row({"name": "a", "uptime": "1m"}), Done())
    code = example().replace('address="192.168.88.1"', f'address="127.0.0.1", port={device.port}')
    await asyncio.to_thread(exec, code, {})
    assert capsys.readouterr().out == "ether1 5 -\n17 leases\n[60.0]\n"
    assert ("/ppp/active/print", "=.proplist=name,uptime") in device.log


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (RouterUnreachable("m", reason=UnreachableReason.NAME), "unreachable"),
        (CommandDeadline("m", path="/x", allowed_s=1.0), "deadline"),
        (LoginRefused("m"), "login_refused"),
        (CommandFailed("m", path="/x"), "failed"),
        (CommandUnsupported("m", path="/x"), "unsupported"),
        (PermissionDenied("m", path="/x", policy="read"), "permission"),
        (PoolExhausted("m"), "pool_exhausted"),
        (RouterError("m"), "internal"),
        (asyncio.CancelledError(), "cancelled"),
        (ZeroDivisionError(), "internal"),
    ],
)
def test_failure_classes(error: BaseException, word: str) -> None:
    """Each error is counted under one stable word, and all words are known beforehand."""
    assert failure_class(error) == word
    assert word in FAILURE_CLASSES


def test_an_error_again_is_the_same_and_another() -> None:
    """The copy for another caller says the same and is an object of its own."""
    error = PermissionDenied("m", path="/x", policy="read", category=3, router="core")
    error.__cause__ = ZeroDivisionError()
    twin = error.again()
    assert twin is not error
    assert vars(twin) == vars(error)
    assert (str(twin), repr(twin), twin.__cause__) == (str(error), repr(error), error.__cause__)


@dataclass
class Diary(NullObserver):
    """Writes down what it is told."""

    lines: list[str] = field(default_factory=list)

    def command_finished(self, router: str, path: str, outcome: str, duration_s: float, rows: int) -> None:
        assert 0 <= duration_s < 5
        self.lines.append(f"{router} {path} {outcome} {rows}")

    def command_retried(self, router: str, path: str, attempt: int) -> None:
        self.lines.append(f"{router} {path} again {attempt}")

    def connection_opened(self, router: str, duration_s: float) -> None:
        assert 0 < duration_s < 5
        self.lines.append(f"{router} opened")

    def connection_closed(self, router: str, reason: str) -> None:
        assert reason in CLOSE_REASONS
        self.lines.append(f"{router} closed {reason}")

    def connect_failed(self, router: str, reason: UnreachableReason | None) -> None:
        self.lines.append(f"{router} no connection {reason.value if reason else None}")

    def login_failed(self, router: str) -> None:
        self.lines.append(f"{router} login failed")

    def breaker_changed(self, router: str, old: str, new: str) -> None:
        self.lines.append(f"{router} {old} to {new}")


async def test_observer_hears_of_commands_and_connections(device: ScriptedRouter, connect: Connect) -> None:
    """Each command, retry and connection is told once, with how it ended."""
    diary = Diary()
    router = connect(device, observer=diary)
    device.on("/x/print", Row({"n": "1"}), Row({"n": "2"}), Done())
    await router.print("/x")
    with pytest.raises(CommandUnsupported):
        await router.print("/nowhere")
    turns = iter((True, False))
    device.when("/y/print", lambda words: (HangUp(),) if next(turns) else (Done(),))
    await router.print("/y")
    await router.close()
    assert diary.lines == [
        "core opened",
        "core /x/print ok 2",
        "core /nowhere/print unsupported 0",
        "core closed lost",
        "core /y/print unreachable 0",
        "core /y/print again 2",
        "core opened",
        "core /y/print ok 0",
        "core closed shutdown",
    ]


async def test_observer_hears_of_failing_connections(device: ScriptedRouter, connect: Connect) -> None:
    """A refused login and a refused connection are told, and the breaker's change with them."""
    diary = Diary()
    with pytest.raises(LoginRefused):
        await connect(device, observer=diary, password="wrong").print("/x")
    await device.stop()
    with pytest.raises(RouterUnreachable):
        await connect(device, observer=diary, breaker=BreakerSettings(failure_limit=1)).print("/x")
    assert diary.lines == [
        "core login failed",
        "core closed to open",
        "core no connection refused",
        "core closed to open",
    ]


async def test_two_policies_of_one_user(device: ScriptedRouter, connect: Connect) -> None:
    """What one menu refuses does not keep another from answering."""
    device.on("/x/print", Trap("not enough permissions (9)"), Done())
    device.on("/y/print", Row({"n": "1"}), Done())
    router = connect(device)
    results = await asyncio.gather(router.print("/x"), router.print("/y"), return_exceptions=True)
    assert isinstance(results[0], PermissionDenied)
    assert results[1] == [{"n": "1"}]


def test_ports_follow_tls() -> None:
    """The port is the usual one of the way it is spoken to, unless it is given."""
    assert Target("a", "192.0.2.1").effective_port == 8728
    assert Target("a", "192.0.2.1", tls=routeros.TlsSettings()).effective_port == 8729
    assert Target("a", "192.0.2.1", port=18728, tls=routeros.TlsSettings()).effective_port == 18728


def test_target_hides_its_password() -> None:
    """No repr of a target shows its password."""
    assert "hunter2" not in repr(Target("a", "192.0.2.1", username="u", password="hunter2"))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: PoolSettings(min_size=3, max_size=2), "pool sizes"),
        (lambda: PoolSettings(max_size=0, min_size=0), "pool sizes"),
        (lambda: PoolSettings(max_in_flight=0), "max_in_flight"),
        (lambda: PoolSettings(commands_per_connection=0), "commands_per_connection"),
        (lambda: Target("a", "192.0.2.1", port=0), "between 1 and 65535"),
        (lambda: Target("a", "192.0.2.1", password="\ud800"), "the password of a holds half a surrogate"),
    ],
)
def test_settings_that_cannot_be(build: object, message: str) -> None:
    """Settings that make no sense are refused where they are made."""
    assert callable(build)
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize("address", ["a..b", "x" * 300, "nul\0byte"])
async def test_addresses_that_no_name_can_have(address: str) -> None:
    """Text that cannot be a name is told like a name that does not exist."""
    target = Target("a", address)
    async with routeros.Router(target, retry=routeros.RetrySettings(attempts=1)) as router:
        with pytest.raises(RouterUnreachable, match="no address for") as unknown:
            await router.print("/x")
    assert unknown.value.reason is UnreachableReason.NAME
