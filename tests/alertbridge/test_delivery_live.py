"""The running bridge while the world around it changes: a reload, an hour that begins, replicas beside it."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from pathlib import Path

import aiohttp
import pytest
import yaml

from alertbridge.bridge import Bridge
from alertbridge.config import Config
from alertbridge.deliver.model import MessageState, NoticeState
from alertbridge.selfmetrics import SelfMetrics
from alertbridge.store.config import StoreSection
from alertbridge.store.database import Database
from benchmarks.bridge import alert, notification, phone, post, start
from benchmarks.programs import HOST, free_port, is_listening
from runtime.loading import parse
from runtime.logs import Redactor
from tests.fakes.accepting import alert_values, firing, group
from tests.fakes.clock import FakeClock
from tests.fakes.phone_world import phone_world
from tests.fakes.told import moment
from tests.fakes.whole_bridge import rows_of, until, whole_bridge

UNDER_WAY = (NoticeState.PENDING.value, NoticeState.COMPOSED.value)
FAST = {"spacing_s": 0, "per_minute": 100_000, "slack_s": 0}
QUICK = {"folding": {"gather_s": 0, "pauses_s": [0.2], "critical_pauses_s": [0.1]}}
MANY = {"recipient": {"count": 100_000, "burst": 0}}


async def all_told(database: Database) -> bool:
    """Nothing is under way."""
    told, _ = await rows_of(database)
    return bool(told) and not any(row["state"] in UNDER_WAY for row in told)


# -- a reload


async def test_a_reload_in_the_middle_of_sending_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """While five people are told sixty alerts by a gateway that takes its time, the configuration is read again and
    again: what the phones show is, message by message, what the store says was told."""
    async with phone_world() as world:
        await world.fault("gowa", "slow", seconds=0.15)
        config = {
            "store": {"path": str(tmp_path / "bridge.db")},
            "channels": [
                {
                    "name": "wa",
                    "kind": "gowa",
                    "url": f"{world.url}/gowa",
                    "username": "noc",
                    "password": "gowa-password",
                    "limits": FAST,
                }
            ],
            "recipients": [
                {"name": f"person-{number}", "channel": "wa", "to": f"62812000000{number:02d}"}
                for number in range(1, 6)
            ],
            "limits": MANY,
            "sending": QUICK,
        }
        texts = [
            yaml.safe_dump({**config, "delivery": {"language": language}}, sort_keys=False)
            for language in ("id", "en")
        ]
        async with whole_bridge(tmp_path, texts[0]) as running:
            for number in range(60):
                labels = {"alertname": f"Reload{number}", "severity": "warning"}
                values = alert_values(f"{number:016x}", labels=labels)
                assert await running.post(values, group=f"group-{number}") == 200
                if number % 10 == 5:
                    assert await running.reload(texts[number // 10 % 2]) == 200
            database = running.bridge.database
            await until(lambda: all_told(database))
            told, sent = await rows_of(database)
        shown = [message["text"] for message in await world.messages()]
    assert Counter(shown) == Counter(row["text"] for row in sent)
    assert not any(row["repeated"] for row in sent)
    assert {row["state"] for row in sent} == {MessageState.ACKED.value}
    assert len({row["episode_id"] for row in told}) == 60
    assert {row["state"] for row in told} <= {NoticeState.DELIVERED.value, NoticeState.MERGED.value}
    assert {row["extra"]["language"] for row in sent} == {"id", "en"}, "each configuration had its time"


# -- an hour that begins

NIGHTS = """
store: {{path: {folder}/bridge.db}}
channels:
  - {{name: out, kind: file, path: {folder}/told.jsonl, limits: {{spacing_s: 0, per_minute: 1000, slack_s: 0}}}}
recipients:
  - {{name: noc, channel: out, to: noc}}
  - {{name: ani, channel: out, to: ani}}
  - {{name: budi, channel: out, to: budi}}
schedules:
  - {{name: night, hours: "22:00-06:00"}}
rotas:
  - {{name: duty, start: 2026-02-03, members: [ani, budi], turn: day, handover: "02:00"}}
routes:
  - {{name: office, to: [noc], quiet: {{schedule: night}}, continue: true}}
  - {{name: duty, when: night, to: [duty]}}
sending: {{folding: {{gather_s: 0}}}}
"""


class Told:
    """What the file channel wrote."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def lines(self) -> list[tuple[str, str]]:
        if not self._file.exists():
            return []
        found = [json.loads(line) for line in self._file.read_text(encoding="utf-8").splitlines()]
        return [(line["to"], line["text"]) for line in found]

    async def who(self, name: str) -> set[str]:
        """Who was told of `name`, once somebody was."""

        async def somebody() -> bool:
            return any(name in text for _, text in self.lines())

        await until(somebody)
        return {to for to, text in self.lines() if name in text}


@pytest.fixture
async def night(tmp_path: Path) -> AsyncIterator[tuple[Bridge, FakeClock]]:
    """A bridge on a Tuesday evening in Jakarta, a second before ten, with a clock that is driven."""
    clock = FakeClock(time_s=moment("2026-02-03T21:59:59"))
    bridge = await Bridge.opened(
        parse(NIGHTS.format(folder=tmp_path), Config, source="alertbridge.yml", folder=tmp_path),
        metrics=SelfMetrics(process=False),
        clock=clock,
        redactor=Redactor(),
    )
    yield bridge, clock
    await bridge.close()


async def test_quiet_hours_hand_over_to_the_rota_at_the_minute(
    night: tuple[Bridge, FakeClock], tmp_path: Path
) -> None:
    """Until the last second of the day the office is told, from the first of the night whoever is on call, each to the
    second of the handover; what the office missed it hears in the first second of the morning."""
    bridge, clock = night
    told = Told(tmp_path / "told.jsonl")
    fingerprints = iter(range(1, 100))

    async def fires(name: str, at: str, severity: str = "warning") -> set[str]:
        clock.advance(moment(at) - clock.time())
        one = firing(f"{next(fingerprints):016x}", clock.time(), alertname=name, severity=severity)
        await bridge.intake.take(group(one))
        return await told.who(name)

    assert await fires("BeforeTen", "2026-02-03T21:59:59") == {"noc"}
    assert await fires("AtTen", "2026-02-03T22:00:00") == {"ani"}
    assert await fires("BeforeTwo", "2026-02-04T01:59:59") == {"ani"}
    assert await fires("AtTwo", "2026-02-04T02:00:00") == {"budi"}
    spared = await fires("Pressing", "2026-02-04T05:59:59", severity="critical")
    assert spared <= {"noc", "budi"}

    async def noc_heard_the_pressing_one() -> bool:
        return ("noc" in {to for to, text in told.lines() if "Pressing" in text}) and len(spared) > 0

    await until(noc_heard_the_pressing_one)
    assert not any(to == "noc" and "AtT" in text for to, text in told.lines())
    assert await fires("AtSix", "2026-02-04T06:00:00") == {"noc"}

    async def the_office_knows() -> bool:
        heard = "\n".join(text for to, text in told.lines() if to == "noc")
        return all(name in heard for name in ("AtTen", "BeforeTwo", "AtTwo"))

    await until(the_office_knows)
    assert await told.who("AtTen") == {"ani", "noc"}


# -- replicas

SPACING_S, SLACK_S = 0.7, 0.8


@pytest.mark.timeout(300)
@pytest.mark.system("pg_ctlcluster")
async def test_three_replicas_send_each_message_once_and_within_the_limits(
    postgresql_section: StoreSection, tmp_path: Path
) -> None:
    """Three bridges on one PostgreSQL take turns at the notifications of two dozen alerts for three people: the gateway
    gets every message once, and no two closer to each other than the channel may send."""
    assert postgresql_section.url is not None
    ports = [free_port() for _ in range(3)]
    with ExitStack() as stack:
        _, phone_url = stack.enter_context(phone(tmp_path, {}))
        for number, port in enumerate(ports):
            config = tmp_path / f"replica-{number}.yml"
            config.write_text(
                _replica(port, phone_url, postgresql_section.url.get_secret_value()), encoding="utf-8"
            )
            stack.enter_context(start(config, tmp_path, f"replica-{number}"))
        for port in ports:
            await until(partial(_listens, port), within_s=200)
        async with aiohttp.ClientSession() as session:
            for number in range(24):
                one = alert(
                    "Replicas", number, severity="warning" if number % 4 else "critical", at_s=1_770_000_000.0
                )
                body = notification([one], f"group-{number}")
                # both Alertmanagers of a cluster tell it, to different replicas
                for port in (ports[number % 3], ports[(number + 1) % 3]):
                    while True:  # as Alertmanager does
                        status, _ = await post(session, f"http://{HOST}:{port}", body)
                        if status == 200:
                            break
                        assert status == 503
            visitor = await Database.visit(postgresql_section)
            await until(lambda: all_told(visitor))
            told, sent = await rows_of(visitor)
            await visitor.close()
            async with session.get(f"{phone_url}/phone/messages") as answer:
                shown = [message["text"] for message in await answer.json()]
            async with session.get(f"{phone_url}/phone/arrivals") as answer:
                arrivals = sorted(one["monotonic_s"] for one in await answer.json())
    assert len(told) == 24 * 3
    assert {row["state"] for row in told} <= {NoticeState.DELIVERED.value, NoticeState.MERGED.value}
    assert Counter(shown) == Counter(row["text"] for row in sent)
    assert len(arrivals) == len(sent) == len({row["id"] for row in sent})
    assert not any(row["repeated"] for row in sent)
    gaps_s = [later - earlier for earlier, later in pairwise(arrivals)]
    assert min(gaps_s) >= SPACING_S


async def _listens(port: int) -> bool:
    return is_listening(port)


def _replica(port: int, phone_url: str, url: str) -> str:
    return yaml.safe_dump(
        {
            "web": {
                "listen": f"{HOST}:{port}",
                "bearer": [{"name": "alertmanager", "token": "benchmark-token-0123"}],
            },
            "store": {"url": url, "connections": 3},
            "channels": [
                {
                    "name": "wa",
                    "kind": "gowa",
                    "url": f"{phone_url}/gowa",
                    "username": "noc",
                    "password": "gowa-password",
                    "probe": {"enabled": False},
                    "limits": {"spacing_s": SPACING_S, "per_minute": 100_000, "slack_s": SLACK_S},
                }
            ],
            "recipients": [
                {"name": f"person-{number}", "channel": "wa", "to": f"62812000000{number:02d}"}
                for number in range(1, 4)
            ],
            "limits": MANY,
            "sending": {**QUICK, "poll_s": 0.2, "lease_s": 5},
            "log": {"level": "warning"},
        }
    )
