"""`check` asks Prometheus about recovery rules: unknown metrics, refused queries, alerts that end too late."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from alertbridge.__main__ import main
from alertbridge.cli.exitcodes import ExitCode
from alertbridge.prometheus import Prometheus, PrometheusSection
from alertbridge.recover.foresight import group_interval_s, longest_range_s, scrape_interval_s, seconds
from tests.fakes.prometheus_process import Samples, fill, prometheus

CONFIG = """\
store: {path: bridge.db}
channels: [{name: wa, kind: console}]
recipients: [{name: noc, channel: wa, to: "0812000000012"}]
prometheus: {url: "URL"}
alertmanager: {urls: ["URL"]}
recovery:
  tell: noc
  rules:
    - name: mend
      match: {labels: 'alertname="BotDisconnected"'}
      steps:
        - action: bot_reconnect
          with: {channel: wa}
          precondition:
            promql: bot_conected{bot="{{ labels.bot }}"} == 0
          verify:
            by: [target, promql, alert]
            promql: sum by (bot) (bot_connected{bot="{{ labels.bot }}"}) == bool
            settle_s: 60
            deadline_s: 90
        - action: bot_restart
          with: {channel: wa}
          verify: {by: alert, settle_s: 60, deadline_s: 400}
        - action: bot_restart
          with: {channel: wa}
          verify: {by: target}
"""
RULES = {
    "groups": [
        {
            "interval": 15,
            "rules": [
                {
                    "type": "alerting",
                    "name": "BotDisconnected",
                    "query": "max_over_time(bot_connected[2m]) == 0",
                    "keepFiringFor": 60,
                    "labels": {"severity": "critical", "place": "{{ $labels.bot }}"},
                },
                {"type": "alerting", "name": "Other", "query": "up[1d]", "keepFiringFor": 9000},
            ],
        }
    ]
}
PARTS = "scrape 30 + range 120 + evaluation 15 + keep_firing_for 60 + Alertmanager's group_interval 180"


def told(data: object) -> web.Response:
    return web.json_response({"status": "success", "data": data})


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Both at one address."""

    async def query(request: web.Request) -> web.Response:
        form = await request.post()
        if "bool" in str(form["query"]):
            error = {"status": "error", "errorType": "bad_data", "error": "parse error: unexpected end"}
            return web.json_response(error, status=400)
        return told({"resultType": "vector", "result": []})

    async def names(request: web.Request) -> web.Response:
        return told(["bot_connected", "up"])

    async def rules(request: web.Request) -> web.Response:
        return told(RULES)

    async def config(request: web.Request) -> web.Response:
        return told({"yaml": "global: {scrape_interval: 30s}\n"})

    async def alerts(request: web.Request) -> web.Response:
        return web.json_response([])

    async def status(request: web.Request) -> web.Response:
        original = "route: {group_interval: 10m, routes: [{group_interval: 3m}, {}]}"
        return web.json_response({"config": {"original": original}})

    app = web.Application()
    app.add_routes(
        [
            web.post("/api/v1/query", query),
            web.get("/api/v1/label/__name__/values", names),
            web.get("/api/v1/rules", rules),
            web.get("/api/v1/status/config", config),
            web.get("/api/v2/alerts", alerts),
            web.get("/api/v2/status", status),
        ]
    )
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def checked(
    folder: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> tuple[int, list[dict[str, str]]]:
    """How `check` ends, and what it finds about recovery."""
    file = folder / "alertbridge.yml"
    await asyncio.to_thread(file.write_text, CONFIG.replace("URL", url), encoding="utf-8")
    code = await asyncio.to_thread(main, ["check", "--json", "--config", str(file)])
    found = json.loads(capsys.readouterr().out)["findings"]
    return code, [one for one in found if one["kind"] == "recovery"]


async def test_check_says_what_prometheus_says(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A metric that it has not and a query that it refuses are faults at their line; what is too short, a remark."""
    code, found = await checked(tmp_path, url, capsys)
    place = "recovery > rules[0] (mend) > steps"
    assert code == ExitCode.SOME_FAILED
    assert [(one["name"], one["verdict"], one["note"]) for one in found] == [
        (
            "alertbridge.yml line 15",
            "failed",
            (
                f"{place}[0] > precondition > promql: Prometheus has no metric bot_conected; "
                'did you mean "bot_connected"?'
            ),
        ),
        (
            "alertbridge.yml line 18",
            "failed",
            f"{place}[0] > verify > promql: Prometheus refuses it: parse error: unexpected end",
        ),
        (
            "alertbridge.yml line 19",
            "remark",
            (
                f"{place}[0] > verify > settle_s: settle_s is 60, and BotDisconnected may fire for 405 s after a cure "
                f"({PARTS}): a cure may be told as none"
            ),
        ),
        (
            "alertbridge.yml line 23",
            "remark",
            (
                f"{place}[1] > verify > deadline_s: may never hold: deadline_s is 400, and BotDisconnected may fire "
                f"for 405 s after a cure ({PARTS})"
            ),
        ),
    ]


async def test_without_an_answer_nothing_is_said_to_be_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That the rules were not checked is a remark of its own."""
    _, found = await checked(tmp_path, "http://127.0.0.1:9", capsys)
    (one,) = found
    assert one["verdict"] == "remark"
    assert one["note"].startswith("rules were not checked against Prometheus: cannot be reached")


@pytest.mark.system("prometheus", "promtool")
async def test_a_real_prometheus_tells_its_names_rules_and_configuration(tmp_path: Path) -> None:
    """The answers are as they are read."""
    fill(tmp_path, [Samples("traffic", {"router": "core-1"}, [(1_760_000_000.0, 1.0)])])
    async with prometheus(tmp_path) as address, aiohttp.ClientSession() as session:
        client = Prometheus(PrometheusSection.model_validate({"url": address}), session)
        assert "traffic" in await client.metric_names()
        assert await client.alert_rules() == []
        assert scrape_interval_s(await client.configuration()) > 0


def test_durations_are_read_as_prometheus_writes_them() -> None:
    """Ranges, subqueries, several units; what is not written has its default."""
    assert [seconds(text) for text in ("90s", "1h30m", "500ms", "")] == [90.0, 5400.0, 0.5, 0.0]
    assert longest_range_s("rate(a[5m]) + max_over_time(b[1h:1m])") == 3600.0
    assert longest_range_s("up == 0") == 0.0
    assert scrape_interval_s("global: {}") == 60.0
    assert group_interval_s("route: {receiver: x}") == 300.0
    assert group_interval_s("nothing") == 300.0
