"""A Prometheus and an Alertmanager over real HTTP that say what a test wrote down, or stall."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

Labels = Mapping[str, str]


@asynccontextmanager
async def _served(app: web.Application) -> AsyncIterator[str]:
    runner = web.AppRunner(app, shutdown_timeout=0.2, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@dataclass
class WrittenPrometheus:
    """Answers the first of `answers` whose key stands in the expression; nothing for others."""

    url: str = ""
    answers: dict[str, list[tuple[Labels, float]]] = field(default_factory=dict)
    ranges: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    error: tuple[int, str] | None = None
    stalls: bool = False
    asked: list[str] = field(default_factory=list)
    _ending: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["WrittenPrometheus"]:
        app = web.Application()
        app.add_routes([web.post("/api/v1/query", self._query), web.post("/api/v1/query_range", self._range)])
        async with _served(app) as self.url:
            yield self
            self._ending.set()

    async def _heard(self, request: web.Request) -> str:
        expression = str((await request.post())["query"])
        self.asked.append(expression)
        if self.stalls:
            await self._ending.wait()
        return expression

    async def _query(self, request: web.Request) -> web.Response:
        expression = await self._heard(request)
        if self.error is not None:
            return web.json_response(
                {"status": "error", "errorType": "bad_data", "error": self.error[1]}, status=self.error[0]
            )
        found = next((values for key, values in self.answers.items() if key in expression), [])
        result = [{"metric": dict(labels), "value": [1.0, str(value)]} for labels, value in found]
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": result}})

    async def _range(self, request: web.Request) -> web.Response:
        expression = await self._heard(request)
        found = [points for key, points in self.ranges.items() if key in expression]
        result = [
            {"metric": {}, "values": [[at, str(value)] for at, value in points]} for points in found[:1]
        ]
        return web.json_response({"status": "success", "data": {"resultType": "matrix", "result": result}})


@dataclass
class WrittenAlertmanager:
    """Keeps silences as Alertmanager does; `firing` are the labels of what fires, by fingerprint."""

    url: str = ""
    firing: dict[str, Labels] = field(default_factory=dict)
    silences: dict[str, dict[str, Any]] = field(default_factory=dict)
    posts: list[dict[str, Any]] = field(default_factory=list)
    stalls: set[str] = field(default_factory=set)  # paths that get no answer, though they are carried out
    refusal: str = ""
    status: int = 200
    _numbers: Any = field(default_factory=lambda: itertools.count(1))
    _ending: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["WrittenAlertmanager"]:
        app = web.Application()
        app.add_routes(
            [
                web.get("/api/v2/alerts", self._alerts),
                web.get("/api/v2/silences", self._silences),
                web.post("/api/v2/silences", self._post),
                web.delete("/api/v2/silence/{id}", self._delete),
            ]
        )
        async with _served(app) as self.url:
            yield self
            self._ending.set()

    @property
    def standing(self) -> list[dict[str, Any]]:
        """Silences that nobody ended."""
        return [one for one in self.silences.values() if one["status"]["state"] == "active"]

    async def _answer(self, path: str, value: object) -> web.Response:
        if path in self.stalls:
            await self._ending.wait()
        if self.status != 200:
            return web.Response(status=self.status, text="out of order")
        return web.json_response(value)

    async def _alerts(self, request: web.Request) -> web.Response:
        assert request.query["silenced"] == request.query["inhibited"] == "true"
        found = [
            {
                "fingerprint": fingerprint,
                "labels": dict(labels),
                "annotations": {},
                "startsAt": "2026-01-01T00:00:00Z",
                "status": {"state": "suppressed", "silencedBy": []},
            }
            for fingerprint, labels in self.firing.items()
        ]
        return await self._answer("alerts", found)

    async def _silences(self, _: web.Request) -> web.Response:
        return await self._answer("silences", list(self.silences.values()))

    async def _post(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.posts.append(body)
        if self.refusal:
            return web.json_response(self.refusal, status=400)
        if self.status != 200:
            return await self._answer("silences", None)
        known = body.get("id")
        if known and known not in self.silences:
            return web.json_response("silence not found", status=404)
        silence_id = known or f"00000000-0000-4000-8000-{next(self._numbers):012d}"
        self.silences[silence_id] = {**body, "id": silence_id, "status": {"state": "active"}}
        return await self._answer("post", {"silenceID": silence_id})

    async def _delete(self, request: web.Request) -> web.Response:
        silence = self.silences.get(request.match_info["id"])
        if silence is None:
            return web.Response(status=404)
        if self.status == 200:
            silence["status"] = {"state": "expired"}
        return await self._answer("delete", {})

    def end(self, silence_id: str, at_s: float) -> None:
        """Somebody ended it in Alertmanager's own page."""
        silence = self.silences[silence_id]
        silence["status"] = {"state": "expired"}
        silence["endsAt"] = datetime.fromtimestamp(at_s, UTC).isoformat()


def seconds(text: str) -> float:
    """Unix seconds of a time in a silence."""
    return datetime.fromisoformat(text).timestamp()


def shown(value: object) -> str:
    """JSON, for messages of assertions."""
    return json.dumps(value, indent=1)
