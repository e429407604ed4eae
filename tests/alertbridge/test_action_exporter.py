"""Resetting a pool in the exporter, on the exporter's own API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from alertbridge.recover.actions.base import Stage, Verdict
from alertbridge.recover.actions.config import ActionExporterSection
from alertbridge.recover.actions.exporter_pool_reset import ExporterPoolReset, ExporterPoolResetSettings
from alertbridge.recover.actions.resources import Resources, Routers
from alertbridge.recover.ports import NoSuchTarget
from routeros import LoginRefused
from tests.fakes.acting import failing
from tests.fakes.client import QUIET
from tests.fakes.clock import FakeClock
from tests.fakes.fleet import FakeFleet

TOKEN = "a-token-of-ours"
BEARER = {"bearer": [{"name": "recovery", "token": TOKEN}]}


@asynccontextmanager
async def resetting(
    fake: FakeFleet, router: str, *, token: str = TOKEN, url: str = ""
) -> AsyncIterator[ExporterPoolReset]:
    """The action against a running API."""
    async with fake.serve() as client, aiohttp.ClientSession() as session:
        section = ActionExporterSection.model_validate(
            {"url": url or str(client.make_url("")), "token": token, "timeout_s": 2.0}
        )
        yield ExporterPoolReset(
            ExporterPoolResetSettings(router=router),
            Resources(
                routers=Routers([]), session=session, clock=FakeClock(), keep_dir=Path(), exporter=section
            ),
        )


async def test_a_pool_is_reset_and_seen_to_connect_again() -> None:
    """What was open is told; until the next scrape has connected nobody knows more."""
    fake = FakeFleet("hq core", web=BEARER)
    async with resetting(fake, "hq core") as action:
        assert action.target == "exporter:hq core"
        before = await action.before()
        assert before.facts["breaker"] == "closed"
        done = await action.run()
        assert done.changed
        assert done.evidence.facts["breaker_before"] == "closed"
        assert fake["hq core"].resets == 1
        assert await action.verify() is Verdict.UNKNOWN
        fake["hq core"].numbers = replace(QUIET, connections_open=1)
        assert await action.verify() is Verdict.HOLDS
        breaker = fake["hq core"].breaker
        breaker.refused(breaker.admit(), LoginRefused("wrong password"))
        assert await action.verify() is Verdict.FAILS
        assert (await failing(action.undo())).stage is Stage.UNDO


@pytest.mark.parametrize(
    ("router", "token", "reason"),
    [("nobody", TOKEN, "unknown_router"), ("a", "another-token-entirely", "unauthorised")],
)
async def test_what_the_exporter_refuses_changes_nothing(router: str, token: str, reason: str) -> None:
    """A router it does not know, a token it does not know; the token is in no message."""
    fake = FakeFleet("a", web=BEARER)
    async with resetting(fake, router, token=token) as action:
        failed = await failing(action.run())
        assert (failed.reason, failed.stage, failed.changed) == (reason, Stage.RUN, False)
        assert token not in str(failed)
        assert fake["a"].resets == 0


async def test_an_exporter_that_is_not_there_leaves_it_open() -> None:
    """No answer: the precheck changed nothing, the run is not known to have; verification knows nothing."""
    async with resetting(FakeFleet("a", web=BEARER), "a", url="http://127.0.0.1:9") as action:
        before = await failing(action.before())
        assert (before.reason, before.changed) == ("unreachable", False)
        assert (await failing(action.run())).changed is None
        assert await action.verify() is Verdict.UNKNOWN


async def test_without_an_exporter_there_is_nothing_to_reset() -> None:
    """Known when the action is made."""
    async with aiohttp.ClientSession() as session:
        resources = Resources(routers=Routers([]), session=session, clock=FakeClock(), keep_dir=Path())
        with pytest.raises(NoSuchTarget):
            ExporterPoolReset(ExporterPoolResetSettings(router="a"), resources)
