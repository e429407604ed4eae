"""The JSON API tells where everything is: what fires, messages with their fate, channels, limits, the account."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from alertbridge.alerts import Severity
from alertbridge.deliver.limit.limits import Room
from alertbridge.deliver.model import MessageState, NoticeState
from alertbridge.deliver.providers.base import Outcome, OutcomeClass
from alertbridge.serve.fate import FILTERS, Fate
from alertbridge.serve.recent import recent
from alertbridge.store.schema import messages, rejects
from tests.fakes.bridge_app import LOGIN, TOKEN, Bench, bench
from tests.fakes.bridge_scene import add_episode, add_message, add_notice, bad_day, tell


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Bench]:
    """A bridge after a bad day."""
    async with bench(tmp_path) as found:
        async with found.database.write() as connection:
            await bad_day(connection, found.clock.time())
        yield found


async def test_what_fires_comes_worst_first_with_who_was_told(bridge: Bench) -> None:
    """Critical before warning before info, the older one first; each recipient with the fate of its message."""
    found = await bridge.json("/api/v1/firing")
    assert found["counts"] == {"critical": 2, "warning": 7, "info": 1, "none": 0}
    assert found["matching"] == 10
    names = [one["name"] for one in found["episodes"]]
    assert names[:3] == ["RouterDown", "BotSessionDead", "InterfaceErrors"]
    assert names[-1] == "CertificateExpires"
    down = found["episodes"][0]
    assert down["acknowledged_by"] == "Budi"
    told = {one["recipient"]: one for one in down["told"]}
    assert told["noc"]["fate"] == "read"
    assert not told["noc"]["by_fallback"]
    assert told["boss"]["fate"] == "believed"
    assert told["boss"]["by_fallback"]
    assert found["episodes"][1]["told"][0]["fate"] == "sent"
    held = next(
        one for one in found["episodes"] if one["name"] == "PoolNearlyFull" and one["told"][0]["held_until"]
    )
    assert held["told"][0]["fate"] == "held"
    assert found["episodes"][-1]["told"] == [
        {
            "recipient": "",
            "fate": "suppressed",
            "reason": "no_route",
            "message_id": "",
            "by_fallback": False,
            "at": found["episodes"][-1]["told"][0]["at"],
            "held_until": None,
        }
    ]


async def test_what_fires_is_narrowed_and_paged(bridge: Bench) -> None:
    """By severity, by words in name and labels, and piece by piece without gaps."""
    assert (await bridge.json("/api/v1/firing?severity=critical"))["matching"] == 2
    assert [one["name"] for one in (await bridge.json("/api/v1/firing?q=NOC-bot"))["episodes"]] == [
        "BotSessionDead"
    ]
    assert (await bridge.json("/api/v1/firing?q=tower-1+interfaceerrors"))["matching"] == 2
    assert (await bridge.json("/api/v1/firing?q=100%25"))["matching"] == 0
    whole = [one["episode"] for one in (await bridge.json("/api/v1/firing"))["episodes"]]
    pieces = []
    for offset in range(0, 12, 3):
        piece = await bridge.json(f"/api/v1/firing?limit=3&offset={offset}")
        pieces += [one["episode"] for one in piece["episodes"]]
    assert pieces == whole


async def test_a_message_in_parts_has_the_fate_of_its_worst_part(bridge: Bench) -> None:
    """It comes once, and is not read before every part is."""
    now_s = bridge.clock.time()
    async with bridge.database.write() as connection:
        name = await add_message(
            connection, "noc", "wa", "one", MessageState.ACKED, at_s=now_s, read=True, parts=2
        )
        await add_message(
            connection,
            "noc",
            "wa",
            "two",
            MessageState.SENT,
            at_s=now_s,
            bundle=name,
            part=2,
            parts=2,
        )
    newest = (await bridge.json("/api/v1/messages?limit=1"))["messages"][0]
    assert (newest["id"], newest["parts"], newest["fate"]) == (name, 2, "sent")


async def test_messages_are_asked_for_by_recipient_and_fate(bridge: Bench) -> None:
    """Each fate gives messages of that fate alone, and together they are all messages."""
    everything = await bridge.json("/api/v1/messages?limit=100")
    seen = []
    for fate in FILTERS:
        found = (await bridge.json(f"/api/v1/messages?fate={fate.value}"))["messages"]
        assert {one["fate"] for one in found} <= {fate.value}
        seen += [one["id"] for one in found]
    assert sorted(seen) == sorted(one["id"] for one in everything["messages"])
    boss = (await bridge.json("/api/v1/messages?recipient=boss"))["messages"]
    assert {one["recipient"] for one in boss} == {"boss"}
    assert [one["by_fallback"] for one in boss] == [False, True]


async def test_messages_go_on_where_the_page_before_ended(bridge: Bench) -> None:
    """Page by page every message comes once, newest first, also those made in the same moment."""
    async with bridge.database.write() as connection:
        for _ in range(4):
            await add_message(
                connection, "noc", "wa", "same", MessageState.ACKED, at_s=bridge.clock.time() - 20
            )
    whole = [one["id"] for one in (await bridge.json("/api/v1/messages?limit=100"))["messages"]]
    found, older = [], ""
    while True:
        page = await bridge.json(f"/api/v1/messages?limit=3&before={older}")
        found += [one["id"] for one in page["messages"]]
        older = page["older"]
        if not older:
            break
    assert found == whole


async def test_channels_tell_state_session_and_limit(bridge: Bench) -> None:
    """A stopped channel says why; what is reserved is missing from what is left."""
    bridge.parts.channels.record("cloud", Outcome(OutcomeClass.CONFIG, reason="token_expired"))
    bridge.parts.channels.report("wa", await bridge.parts.providers["wa"].session())
    buckets = bridge.parts.buckets(
        channel="wa", address="62812000000001", lane="noc", severity=Severity.WARNING, room=Room.NORMAL
    )
    async with bridge.database.write() as connection:
        assert await bridge.parts.limits.reserve(connection, buckets, Room.NORMAL) == 0
    found = await bridge.json("/api/v1/channels")
    by_name = {one["name"]: one for one in found["channels"]}
    assert by_name["cloud"]["state"] == "stopped"
    assert by_name["cloud"]["reason"] == "token_expired"
    assert by_name["wa"]["session"]["state"] == "working"
    assert by_name["wa"]["limit"]["most"] == by_name["wa"]["limit"]["left"] + 1
    assert by_name["wa"]["limit"]["critical_left"] > by_name["wa"]["limit"]["left"]
    assert found["recipients"][0]["about"] == "noc"
    assert found["recipients"][0]["left"] == found["recipients"][0]["most"] - 1


async def test_where_finds_an_episode_by_number_fingerprint_and_message(bridge: Bench) -> None:
    """Each of them leads to the same episode, with its notices, messages and attempts."""
    episode = (await bridge.json("/api/v1/firing"))["episodes"][0]
    keys = (str(episode["episode"]), episode["fingerprint"], episode["told"][0]["message_id"])
    found = [(await bridge.json(f"/api/v1/where/{key}"))["episodes"] for key in keys]
    assert [[one["episode"] for one in each] for each in found] == [[episode["episode"]]] * 3
    (one,) = found[0]
    assert one["state"] == "delivered"
    assert len(one["notices"]) == 2
    assert len(one["attempts"]) == len(one["messages"]) == 2
    assert (await bridge.json("/api/v1/where/ffffffffffffffff"))["episodes"] == []


async def test_the_account_of_a_day_closes_and_names_each_difference(bridge: Bench) -> None:
    """received is the sum of the states, and each has its reasons; another day has nothing."""
    async with bridge.database.write() as connection:
        await connection.execute(
            rejects.insert().values(at=bridge.clock.time(), path="alerts[1]", reason="odd")
        )
    found = await bridge.json("/api/v1/account/today")
    states = ("delivered", "merged", "expired", "dead", "suppressed", "under_way")
    assert found["received"] == sum(found[state] for state in states) > 0
    assert found["closes"]
    assert found["merged"] == 5
    assert found["reasons"]["dead"] == {"timeout": 2}
    assert found["rejected"] == 1
    assert (await bridge.json("/api/v1/account/2001-01-01"))["received"] == 0


async def test_dead_letters_are_listed(bridge: Bench) -> None:
    """Newest first, with what was to be told and why nobody was; a notice without a message too."""
    async with bridge.database.write() as connection:
        episode = await add_episode(connection, "Orphan", now_s=bridge.clock.time())
        await add_notice(
            connection, episode, "gone", NoticeState.DEAD, at_s=bridge.clock.time(), reason="recipient_gone"
        )
    found = await bridge.json("/api/v1/dead-letters")
    assert [one["reason"] for one in found["dead_letters"]] == ["recipient_gone", "timeout", "timeout"]
    assert found["dead_letters"][0]["id"].startswith("N")
    assert not found["more"]
    assert (await bridge.json("/api/v1/dead-letters?limit=2"))["more"]


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("firing?severity=critica1", 'did you mean "critical"'),
        ("firing?limit=0", "limit must be a whole number from 1 to 500"),
        ("firing?offset=-1", "offset must be a whole number"),
        ("messages?fate=rread", 'did you mean "read"'),
        ("account/yesterday", "name a day as"),
    ],
)
async def test_what_cannot_be_is_told(bridge: Bench, path: str, detail: str) -> None:
    """400 with a problem document that says what is wrong."""
    async with bridge.client.get(f"/api/v1/{path}", headers=LOGIN) as response:
        assert response.status == 400
        assert response.content_type == "application/problem+json"
        assert detail in (await response.json())["detail"]


async def test_a_store_that_is_away_is_503(bridge: Bench, tmp_path: Path) -> None:
    """The API says so, and that it is worth coming again; the metrics still come."""
    await bridge.database.close()
    (tmp_path / "bridge.db").unlink()
    (tmp_path / "bridge.db").mkdir()
    async with bridge.client.get("/api/v1/firing", headers=LOGIN) as response:
        assert response.status == 503
        assert response.headers["Retry-After"] == "5"
        assert "the store is not available" in (await response.json())["detail"]
    async with bridge.client.get("/", headers={**LOGIN, "Accept": "text/html"}) as response:
        assert response.status == 503
        assert response.content_type == "text/html"
    async with bridge.client.get("/metrics", headers=LOGIN) as response:
        assert response.status == 200


async def test_metrics_tell_the_tokens_left_now(bridge: Bench) -> None:
    """They are looked up at the scrape; the format is the one that is asked for."""
    text = await bridge.text("/metrics")
    assert 'alertbridge_limit_tokens{bucket="channel:wa"} 12.0' in text
    assert 'alertbridge_limit_tokens{bucket="recipient:noc"} 6.0' in text
    buckets = bridge.parts.buckets(
        channel="wa", address="62812000000001", lane="noc", severity=Severity.WARNING, room=Room.NORMAL
    )
    async with bridge.database.write() as connection:
        await bridge.parts.limits.reserve(connection, buckets, Room.NORMAL)
    text = await bridge.text("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert 'alertbridge_limit_tokens{bucket="channel:wa"} 11.0' in text
    assert text.endswith("# EOF\n")


async def test_a_filter_looks_no_further_than_its_bound(bridge: Bench) -> None:
    """What is rare among many comes with a later page, and `older` leads there."""
    found: list[str] = []
    older = ""
    pages = 0
    while older or not pages:
        async with bridge.database.read() as connection:
            page = await recent(connection, fate=Fate.DEAD, before=older, scanned_most=3)
        found += [one.reason for one in page.shown]
        older, pages = page.older, pages + 1
    assert found == ["timeout", "timeout"]
    assert pages > 2


async def test_a_token_reads_too_and_a_stranger_does_not(bridge: Bench) -> None:
    """Where there are logins, nothing is told without one."""
    async with bridge.client.get("/api/v1/firing") as response:
        assert response.status == 401
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with bridge.client.get("/api/v1/firing", headers=headers) as response:
        assert response.status == 200


async def test_an_episode_that_was_told_again_shows_the_newest_message(bridge: Bench) -> None:
    """A repeat that is under way counts, not the firing message that was read an hour ago."""
    now_s = bridge.clock.time()
    async with bridge.database.write() as connection:
        episode = await add_episode(connection, "Old", severity="none", now_s=now_s, age_s=4000)
        await tell(
            connection, episode, "noc", "wa", "first", MessageState.ACKED, at_s=now_s - 3900, read=True
        )
        await add_notice(connection, episode, "noc", NoticeState.PENDING, at_s=now_s, kind="repeat")
        await add_notice(connection, episode, "noc", NoticeState.DELIVERED, at_s=now_s, kind="resolved")
    found = await bridge.json("/api/v1/firing?q=Old")
    assert [one["fate"] for one in found["episodes"][0]["told"]] == ["waiting"]
    async with bridge.database.read() as connection:
        assert (await connection.execute(messages.select())).first() is not None
