"""What changes something wants a login from this site, is done once, and is kept with the name of who did it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from alertbridge.deliver.channel.standing import ChannelState
from alertbridge.deliver.providers.base import Outcome, OutcomeClass
from alertbridge.store.schema import messages, notices
from tests.fakes.bridge_app import LOGIN, TOKEN, USER, Bench, bench
from tests.fakes.bridge_scene import bad_day

ACTIONS = {
    "/api/v1/dead-letters/X/retry": {"reason": "the gateway is back"},
    "/api/v1/dead-letters/X/drop": {"reason": "seen"},
    "/api/v1/channels/wa/resume": {"reason": "mended"},
    "/api/v1/test": {"recipient": "noc"},
}


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Bench]:
    """A bridge after a bad day."""
    async with bench(tmp_path) as found:
        async with found.database.write() as connection:
            await bad_day(connection, found.clock.time())
        yield found


async def letter(bridge: Bench) -> str:
    found = await bridge.json("/api/v1/dead-letters")
    return str(found["dead_letters"][0]["id"])


async def audit(bridge: Bench, message_id: str) -> tuple[str, str, list[str]]:
    """State, reason and audit of a message."""
    async with bridge.database.read() as connection:
        row = (await connection.execute(select(messages).where(messages.c.id == message_id))).one()
    return row.state, row.reason, row.extra.get("audit", [])


async def test_a_dead_letter_is_tried_again(bridge: Bench) -> None:
    """Its notice waits again, and the row says who wanted it, when and why."""
    name = await letter(bridge)
    status, answer = await bridge.post(f"/api/v1/dead-letters/{name}/retry", {"reason": " back again "})
    assert (status, answer) == (200, {"done": "retried", "by": USER})
    state, reason, entries = await audit(bridge, name)
    assert (state, reason) == ("dropped", "retried_by_operator")
    assert entries == [f"{bridge.clock.time():.0f} retried_by_operator by {USER}: back again"]
    async with bridge.database.read() as connection:
        found = await connection.execute(select(notices.c.state).where(notices.c.message_id == name))
        assert found.scalars().all() == ["pending"]
    status, answer = await bridge.post(f"/api/v1/dead-letters/{name}/retry", {"reason": "again"})
    assert status == 404
    assert "somebody was faster" in answer["detail"]


async def test_a_dead_letter_is_dropped(bridge: Bench) -> None:
    """The account of the day says that an operator ended it."""
    name = await letter(bridge)
    status, _ = await bridge.post(f"/api/v1/dead-letters/{name}/drop", {"reason": "told by phone"})
    assert status == 200
    found = await bridge.json("/api/v1/account/today")
    assert found["reasons"]["expired"] == {"dropped_by_operator": 1}
    assert found["dead"] == 1
    assert found["closes"]


async def test_a_token_acts_under_its_name(bridge: Bench) -> None:
    """What is kept is the name of the token."""
    name = await letter(bridge)
    async with bridge.client.post(
        f"/api/v1/dead-letters/{name}/drop",
        json={"reason": "seen"},
        headers={"Authorization": f"Bearer {TOKEN}"},
    ) as response:
        assert await response.json() == {"done": "dropped", "by": "grafana"}


async def test_a_stopped_channel_is_resumed(bridge: Bench) -> None:
    """It may be used again at once; one that is not there is told with those that are."""
    bridge.parts.channels.record("cloud", Outcome(OutcomeClass.CONFIG, reason="token_expired"))
    status, answer = await bridge.post("/api/v1/channels/cloud/resume", {"reason": "new token"})
    assert (status, answer["done"]) == (200, "resumed")
    assert bridge.parts.channels.standing("cloud").state is ChannelState.OK
    status, answer = await bridge.post("/api/v1/channels/clout/resume", {"reason": "new token"})
    assert status == 404
    assert 'did you mean "cloud"' in answer["detail"]


async def test_a_test_message_is_sent_within_the_limits(
    bridge: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    """It goes out at once and names who sent it; the next one must wait for the channel's spacing."""
    status, answer = await bridge.post("/api/v1/test", {"recipient": "noc"})
    assert (status, answer["taken"], answer["channel"], answer["proof"]) == (200, True, "wa", "acked")
    shown = capsys.readouterr().out
    assert f"Test message of tikwatch alertbridge, sent by {USER}" in shown
    status, answer = await bridge.post("/api/v1/test", {"recipient": "noc"})
    assert status == 409
    assert "the limits of wa" in answer["detail"]
    status, answer = await bridge.post("/api/v1/test", {"recipient": "noc", "channel": "sms"})
    assert (status, answer["channel"]) == (200, "sms")


async def test_a_test_message_goes_nowhere_that_it_should_not(bridge: Bench) -> None:
    """Not through a channel that stopped, nor to somebody unknown, nor by a way that the recipient has not."""
    bridge.parts.channels.record("wa", Outcome(OutcomeClass.CONFIG, reason="banned"))
    status, answer = await bridge.post("/api/v1/test", {"recipient": "noc"})
    assert (status, "wa is stopped (banned)" in answer["detail"]) == (409, True)
    status, answer = await bridge.post("/api/v1/test", {"recipient": "nocc"})
    assert (status, answer["known"]) == (404, ["noc", "boss", "field-team"])
    status, answer = await bridge.post("/api/v1/test", {"recipient": "boss", "channel": "sms"})
    assert (status, "only through wa" in answer["detail"]) == (409, True)


@pytest.mark.parametrize("path", ACTIONS)
async def test_nothing_is_done_without_a_login(tmp_path: Path, path: str) -> None:
    """Where nobody can log in nobody can act: the answer names what to add. A wrong login is refused."""
    async with (
        bench(tmp_path, logins=False) as found,
        found.client.post(path, json=ACTIONS[path]) as response,
    ):
        assert response.status == 403
        assert "basic_auth" in (await response.json())["detail"]
    async with (
        bench(tmp_path) as found,
        found.client.post(path, json=ACTIONS[path], headers={"Authorization": "Bearer nonsense"}) as response,
    ):
        assert response.status == 401


@pytest.mark.parametrize("path", ACTIONS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
    ids=str,
)
async def test_a_page_of_another_site_cannot_act(bridge: Bench, path: str, headers: dict[str, str]) -> None:
    """Although the visitor's browser sends the login along."""
    async with bridge.client.post(path, json=ACTIONS[path], headers={**LOGIN, **headers}) as response:
        assert response.status == 403
        assert "another site" in (await response.json())["detail"]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "reason: Field required"),
        ({"reason": "   "}, "at least 1 character"),
        ({"reason": "x" * 201}, "at most 200"),
        ({"reason": "x", "by": "root"}, "by: Extra inputs are not permitted"),
    ],
)
async def test_a_reason_is_wanted(bridge: Bench, body: dict[str, str], detail: str) -> None:
    """A body that is not as described is told what is wrong; nothing is done."""
    name = await letter(bridge)
    status, answer = await bridge.post(f"/api/v1/dead-letters/{name}/drop", body)
    assert status == 400
    assert detail in answer["detail"]
    assert (await audit(bridge, name))[0] == "dead"


async def test_a_form_of_another_kind_is_refused(bridge: Bench) -> None:
    """Only JSON acts: what a plain form of any site could send does not."""
    name = await letter(bridge)
    for data, kind in (
        (b'{"reason": "x"}', "text/plain"),
        (b"reason=x", "application/x-www-form-urlencoded"),
    ):
        async with bridge.client.post(
            f"/api/v1/dead-letters/{name}/drop", data=data, headers={**LOGIN, "Content-Type": kind}
        ) as response:
            assert response.status == 415
    async with bridge.client.post(
        f"/api/v1/dead-letters/{name}/drop",
        data=b'{"reason": ',
        headers={**LOGIN, "Content-Type": "application/json"},
    ) as response:
        assert response.status == 400
