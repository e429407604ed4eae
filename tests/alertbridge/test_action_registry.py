"""The table of actions and its page: complete, in step, and made of what the configuration lists."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from alertbridge import actionsdoc
from alertbridge.recover.actions.config import ActionsSection
from alertbridge.recover.actions.interface_bounce import InterfaceBounceSettings
from alertbridge.recover.actions.registry import ACTIONS, KNOWN, Actions
from alertbridge.recover.actions.resources import Resources, Routers
from alertbridge.recover.ports import NoSuchTarget
from runtime.sections import Section, secret_values
from tests.fakes.acting import acting

ROUTER = {"name": "core", "address": "192.0.2.1", "username": "recovery", "password": "a-secret-of-ours"}


def test_every_action_is_described_under_its_own_name() -> None:
    """The name in the table is the action's; what it changes, how that is verified and undone is said."""
    for name, kind in ACTIONS.items():
        assert getattr(kind.make, "name", name) == name
        assert all(
            text.endswith(".") for text in (kind.about.changes, kind.about.verified, kind.about.undone)
        )
        assert issubclass(kind.settings, Section)
        assert all(field.description for field in kind.settings.model_fields.values())
        assert KNOWN[name].about is kind.about
    assert ACTIONS["router_reboot"].about.ask_only


def test_the_page_is_what_the_code_gives(root: Path) -> None:
    """docs/reference/actions.md is up to date, and has every action."""
    page = actionsdoc.page()
    assert (root / actionsdoc.DOC).read_text(encoding="utf-8") == page
    assert all(f"### `{name}`" in page for name in ACTIONS)


@pytest.fixture
def root() -> Path:
    return Path(__file__).resolve().parents[2]


async def test_what_is_not_listed_is_not_acted_upon() -> None:
    """An unknown router, an unknown action and parameters of another one are refused before anything is done."""
    async with acting() as bench:
        actions, settings = bench.actions, InterfaceBounceSettings(router="branch", interface="ether1")
        assert actions.known == KNOWN
        with pytest.raises(NoSuchTarget, match="'branch' is not under"):
            actions.make("interface_bounce", settings)
        for name in ("interface_bonce", "ppp_kick"):
            with pytest.raises(NoSuchTarget, match="there is no action"):
                actions.make(name, settings)
        assert bench.device.connections_total == 0


def test_the_section_holds_the_routers_with_their_own_user() -> None:
    """Passwords are secrets that the log knows, and stand in no representation."""
    section = ActionsSection.model_validate(
        {"routers": [{**ROUTER, "tls": {"fingerprint_sha256": "AB:" * 31 + "AB"}, "scripts": ["flush"]}]}
    )
    (router,) = section.routers
    assert router.target.effective_port == 8729
    assert router.target.tls is not None
    assert router.target.tls.fingerprint_sha256 == "ab" * 32
    assert router.password == SecretStr("a-secret-of-ours")
    assert secret_values(section) == {"a-secret-of-ours"}
    assert "a-secret-of-ours" not in repr(section) + repr(router.target)
    assert ActionsSection().routers == ()


def test_mistakes_are_told_together() -> None:
    """Two routers of one name, no password, a wrong port and fingerprint: each with its place."""
    given = [
        ROUTER,
        {**ROUTER, "port": 70_000},
        {"name": "b", "address": "x", "username": "u", "tls": {"fingerprint_sha256": "12"}},
    ]
    with pytest.raises(ValidationError) as caught:
        ActionsSection.model_validate({"routers": given})
    places = {tuple(error["loc"]) for error in caught.value.errors()}
    assert {
        ("routers", 1, "name"),
        ("routers", 1, "port"),
        ("routers", 2),
        ("routers", 2, "tls", "fingerprint_sha256"),
    } <= places
    assert "a-secret-of-ours" not in str(caught.value)


async def test_closing_leaves_nothing_open() -> None:
    """Connections end with the resources, and a router that was never asked was never connected to."""
    async with acting() as bench:
        await bench.make("interface_enable", interface="ether3").before()
        assert bench.device.connections_open == 1
        await bench.resources.close()
        await bench.until(lambda: bench.device.connections_open == 0)
        assert repr(bench.resources.routers) == "<Routers core>"
        idle = Resources(
            routers=Routers([]), session=bench.resources.session, clock=bench.clock, keep_dir=Path()
        )
        await idle.close()
        assert Actions(idle).known
