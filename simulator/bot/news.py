"""What the bot tells others: acknowledgements and messages to a webhook, what it sent to the phone's simulator."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=5)
WAITS_S = (0.0, 1.0, 2.0)
"""Before each try; then the news is gone."""
QUEUE_LIMIT = 10_000


class Sent(Protocol):
    """A message that went out."""

    id: str
    to: str
    text: str
    image: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class News:
    """The body for the webhook, and the message that has come to its recipient's phone or failed on the way."""

    body: Mapping[str, object]
    message: Sent | None = None


class Reporter:
    """Tells in the background, in order; without addresses it tells nobody."""

    def __init__(self, *, webhook: str = "", phone: str = "", token: str = "") -> None:
        self._webhook = webhook
        self._phone = phone.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._queue: asyncio.Queue[tuple[str, str, Mapping[str, object]]] = asyncio.Queue(QUEUE_LIMIT)
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Ready to tell."""
        if self._webhook or self._phone:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """What is not told is dropped."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def register(self, own_url: str) -> None:
        """Say to the phone where what people write shall go."""
        if self._phone:
            self._put("PUT", f"{self._phone}/control/settings/bot", {"webhook": own_url})

    def tell(self, news: News) -> None:
        """Tell whoever wants to know."""
        if self._phone and news.message is not None:
            message = news.message
            self._put(
                "POST",
                f"{self._phone}/phone/messages",
                {
                    "id": message.id,
                    "client_id": message.id,
                    "to": message.to,
                    "text": message.text,
                    "via": "bot",
                    "image": message.image,
                    "state": news.body["status"],
                    "error": message.error,
                },
            )
        if self._webhook:
            self._put("POST", self._webhook, news.body)

    def _put(self, method: str, url: str, body: Mapping[str, object]) -> None:
        if self._task is not None and not self._queue.full():
            self._queue.put_nowait((method, url, body))

    async def _run(self) -> None:
        async with aiohttp.ClientSession(timeout=TIMEOUT) as client:
            while True:
                method, url, body = await self._queue.get()
                headers = self._headers if url == self._webhook else {}
                for wait_s in WAITS_S:
                    await asyncio.sleep(wait_s)
                    if await _told(client, method, url, body, headers):
                        break


async def _told(
    client: aiohttp.ClientSession,
    method: str,
    url: str,
    body: Mapping[str, object],
    headers: Mapping[str, str],
) -> bool:
    try:
        async with client.request(method, url, json=body, headers=headers) as answer:
            await answer.read()
            return answer.status < 500
    except (aiohttp.ClientError, TimeoutError):
        return False
