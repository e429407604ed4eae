"""What one configuration makes: the parts know each other."""

from pathlib import Path

import aiohttp

from alertbridge.alerts import Alert, AlertStatus
from alertbridge.config import Config
from alertbridge.deliver.fallback import preface
from alertbridge.deliver.limit.store import LimitStore
from alertbridge.parts import Parts
from alertbridge.selfmetrics import SelfMetrics
from alertbridge.store.database import Database
from runtime.loading import parse
from tests.fakes.channel_sections import provider_of
from tests.fakes.clock import FakeClock

CONFIG = """
channels:
  - {{name: wa, kind: file, path: {folder}/wa.jsonl}}
  - {{name: sms, kind: file, path: {folder}/sms.jsonl}}
recipients:
  - {{name: noc, channel: wa, to: noc, language: en, fallback: [{{channel: sms, to: noc}}]}}
  - {{name: boss, channel: wa, to: boss}}
routes:
  - {{name: all, to: [noc]}}
"""


async def test_an_emergency_reaches_those_whom_the_routes_name(
    database: Database, clock: FakeClock, tmp_path: Path
) -> None:
    """What could not be stored is told at once over the fallback, without the number that only the store gives."""
    async with aiohttp.ClientSession() as session:
        parts = Parts(
            parse(CONFIG.format(folder=tmp_path), Config),
            database=database,
            session=session,
            metrics=SelfMetrics(),
            limits=LimitStore(database, clock),
            clock=clock,
            owner="one",
        )
        alert = Alert(
            fingerprint="8a07086b74f3ba78",
            status=AlertStatus.FIRING,
            labels={"alertname": "RouterDown", "severity": "critical"},
            annotations={},
            starts_at_s=clock.time(),
        )
        assert await parts.delivery.emergency([alert]) == 1
        assert await parts.delivery.emergency([alert]) == 0
    told = (tmp_path / "sms.jsonl").read_text(encoding="utf-8")
    assert "RouterDown" in told
    assert "#0" not in told
    assert not (tmp_path / "wa.jsonl").exists()


async def test_only_waha_needs_a_mend_to_tell(clock: FakeClock) -> None:
    """Its FAILED may be a broken session or one that was logged out; the others say which."""
    async with aiohttp.ClientSession() as session:
        tells = {
            name: provider_of(name, "http://127.0.0.1:1", session, clock).traits.mends_tell
            for name in ("waha", "evolution", "gowa", "wuzapi", "bot")
        }
    assert tells == {"waha": 1, "evolution": None, "gowa": None, "wuzapi": None, "bot": None}


def test_the_reason_for_another_way_is_in_the_language_of_the_message() -> None:
    """A word of the program is no reason that people read."""
    told = preface("id", way="sms", first="wa", why="channel_stopped")
    assert told == "[Lewat sms: wa tidak bisa dipakai (kanal berhenti)]"
    assert "odd thing" in preface("en", way="sms", first="wa", why="odd_thing")
