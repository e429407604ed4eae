"""Every panel has data: a real Prometheus has scraped the simulated network, the bot, the bridge, and asks itself."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from grafana.checks.reading import FOLDER, Asked, Dashboard, dashboards, spelled_out
from tests.fakes.observed_network import BOT, DATABASE, PROGRAMS, Observed, liven, observed_network

ROOT = Path(__file__).resolve().parents[2]
BOARDS = dashboards(ROOT / FOLDER)
LEAST_S = 60.0
RANGE_S = 120
STEP_S = 5

pytestmark = [pytest.mark.system(*PROGRAMS), pytest.mark.timeout(300)]

WEEK = " offset 1w"
_YOUNG = "needs a longer past than a minute"
_SERVER = "of database servers; the network has a SQLite file"
_DELIVERED = "every alert of this minute was told"
MAY_BE_EMPTY: dict[str, str] = {
    "tikwatch-fleet/Least available, 30 days": _YOUNG,
    "tikwatch-interfaces/Against the normal/B": _YOUNG,
    "tikwatch-interfaces/Against the normal/C": _YOUNG,
    "tikwatch-interfaces/Deviation from the normal": _YOUNG,
    "tikwatch-subscribers/PPP lost, 2 min": _YOUNG,
    "tikwatch-subscribers/Lost, 10 min": _YOUNG,
    "tikwatch-subscribers/Against the normal/B": _YOUNG,
    "tikwatch-subscribers/Against the normal/C": _YOUNG,
    "tikwatch-subscribers/Sessions lost at once": _YOUNG,
    "tikwatch-services/Bots/F": "absent until a session was lost",
    "tikwatch-services/Connections": _SERVER,
    "tikwatch-services/Replication lag": _SERVER,
    "tikwatch-services/Longest transaction": _SERVER,
    "tikwatch-alerts/Notices and what was held back/B": _DELIVERED,
    "tikwatch-alerts/Reached nobody": _DELIVERED,
}
"""`uid/title of the panel/letter`, or without the letter for all its queries -> why there is nothing in a minute."""


@dataclass(frozen=True)
class Seen:
    """The network, and what the variables of dashboards are."""

    observed: Observed
    values: dict[str, str]

    def has_data(self, asked: Asked) -> bool:
        """Whether a query gives at least one value, for now or at some time of the last minutes."""
        expr = spelled_out(asked.expr, self.values)
        now = time.time()
        if asked.target.get("instant"):
            moments = (now, now - STEP_S, now - 4 * STEP_S)  # a session may just have ended
            return any(one["value"][1] != "NaN" for at in moments for one in self.observed.query(expr, at))
        found = self.observed.range(expr, now - RANGE_S, now, STEP_S)
        return any(value != "NaN" for one in found for _, value in one["values"])


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    began = time.monotonic()
    with observed_network(tmp_path_factory.mktemp("observed")) as observed:
        observed.until("count(router:up:min == 1)", lambda found: found == len(observed.routers))
        observed.until("count(router_user:receive_bits:rate5m)", lambda found: found > 0)
        liven(observed)
        time.sleep(max(0.0, LEAST_S - (time.monotonic() - began)))  # the age of the series, not a condition
        top = observed.query(
            "topk(1, mikrotik_ppp_session_uptime_seconds and on (user) router_user:receive_bits:rate5m)"
        )[0]["metric"]
        everything = {"router": ".+", "interface": ".+", "queue": ".+", "channel": ".+"}
        yield Seen(observed, {**everything, "bot": BOT, "database": DATABASE, "subscriber": top["user"]})


def _key(board: Dashboard, asked: Asked) -> str:
    return f"{board.uid}/{asked.panel['title']}"


def _excuse(board: Dashboard, asked: Asked) -> str | None:
    if WEEK in asked.expr:
        return "there is no week before"
    key = _key(board, asked)
    return MAY_BE_EMPTY.get(f"{key}/{asked.target['refId']}", MAY_BE_EMPTY.get(key))


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_every_panel_has_data(seen: Seen, board: Dashboard) -> None:
    """Each query of each panel gives values, or is on the list with its reason."""
    empty = [
        f"{asked.place}: {asked.expr}"
        for asked in board.asked()
        if asked.panel and _excuse(board, asked) is None and not seen.has_data(asked)
    ]
    assert not empty, "\n".join(empty)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_annotations_and_variables_can_be_asked(seen: Seen, board: Dashboard) -> None:
    """Prometheus understands every annotation, and every variable has something to choose."""
    now = time.time()
    for asked in board.asked():
        if not asked.panel:
            seen.observed.range(spelled_out(asked.expr, seen.values), now - RANGE_S, now, STEP_S)
    for name, variable in board.variables().items():
        if variable["type"] == "query":
            assert _choices(seen, variable), f"{board.file}: variable {name} has nothing to choose"


def _choices(seen: Seen, variable: dict[str, Any]) -> set[str]:
    selector, _, label = variable["query"].removeprefix("label_values(").removesuffix(")").rpartition(",")
    found = seen.observed.series(spelled_out(selector, seen.values))
    return {one[label.strip()] for one in found if label.strip() in one}


def test_what_happened_is_marked(seen: Seen) -> None:
    """The router that stopped answering and the one that restarted are among the annotations."""
    (fleet,) = [board for board in BOARDS if board.uid == "tikwatch-fleet"]
    now = time.time()
    marks = {
        asked.target["name"]: seen.observed.range(
            spelled_out(asked.expr, seen.values), now - RANGE_S, now, STEP_S
        )
        for asked in fleet.asked()
        if not asked.panel
    }
    assert {one["metric"]["alertname"] for one in marks["Alerts"]} >= {"RouterDown"}
    assert "chr" in {one["metric"]["router"] for one in marks["Restarts"]}


def test_the_list_of_empty_panels_is_about_panels_that_exist() -> None:
    """Nothing is excused that is not there any more."""
    there = {_key(board, asked) for board in BOARDS for asked in board.asked() if asked.panel}
    there |= {
        f"{_key(board, asked)}/{asked.target['refId']}"
        for board in BOARDS
        for asked in board.asked()
        if asked.panel
    }
    assert MAY_BE_EMPTY.keys() <= there


def test_what_is_not_there_is_no_zero(seen: Seen) -> None:
    """For a router that nobody watches, every query is empty instead of 0."""
    values = {**seen.values, "router": "nowhere"}
    for board in BOARDS:
        for asked in board.asked():
            if not asked.panel or "$router" not in asked.expr or "Watchdog" in asked.expr:
                continue
            assert seen.observed.query(spelled_out(asked.expr, values)) == [], asked.place
