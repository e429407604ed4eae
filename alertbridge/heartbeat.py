"""Pings a service outside while the whole chain is fine, so that somebody hears of it when the bridge itself is gone.

Fine means: the watchdog arrives, the store can be written, nothing waits too long in the outbox, a channel works.
"""

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import ClassVar, Protocol

import aiohttp
import structlog
from pydantic import Field, SecretStr, field_validator
from sqlalchemy import func, select
from yarl import URL

from alertbridge.deliver.outbox.notices import UNDER_WAY
from alertbridge.store.database import Database
from alertbridge.store.errors import StoreError
from alertbridge.store.schema import notices
from alertbridge.webcall import CallFailed, call
from runtime.clock import Clock
from runtime.sections import SecretSection

log = structlog.get_logger(__name__)


class HeartbeatSection(SecretSection):
    """The address to ping. It is a secret: who has it can hide that the bridge is gone."""

    secret_name: ClassVar[str] = "url"  # noqa: S105  the name of a key

    url: SecretStr | None = Field(
        default=None, description="Address that is asked with GET, such as https://hc-ping.com/ and an id."
    )
    url_file: str | None = Field(default=None, description="File that holds the address.")
    url_env: str | None = Field(default=None, description="Environment variable that holds the address.")
    every_s: float = Field(default=60.0, ge=10, le=86_400, description="How often.")
    timeout_s: float = Field(default=10.0, gt=0, le=60, description="Longest wait for an answer.")
    outbox_age_s: float = Field(
        default=900.0,
        gt=0,
        description="When something has waited to be told for longer, all is not well and nothing is pinged.",
    )
    tell_failures: bool = Field(
        default=False,
        description=(
            "Whether to ask the address with /fail behind it when all is not well, as healthchecks.io takes it, "
            "instead of only staying silent."
        ),
    )

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None:
            try:
                url = URL(secret.get_secret_value())
            except ValueError:
                url = URL()
            if url.scheme not in ("http", "https") or not url.host:
                raise ValueError("must be an address that begins with http:// or https://")
        return secret


class Fault(Enum):
    """What is not well; words of the log."""

    WATCHDOG = "watchdog"
    STORE = "store"
    OUTBOX = "outbox"
    CHANNELS = "channels"


class Watched(Protocol):
    """Knows whether the watchdog arrives; see deadman.DeadMan."""

    leads: bool
    fresh: bool


class Heartbeat:
    """Pings `section.url` while this replica leads. `any_channel_ok`: whether any way out works."""

    def __init__(
        self,
        section: HeartbeatSection,
        *,
        watchdog: Watched,
        database: Database,
        clock: Clock,
        session: aiohttp.ClientSession,
        any_channel_ok: Callable[[], bool],
    ) -> None:
        assert section.url is not None, "the section was checked"  # noqa: S101
        self._section = section
        self._url = URL(section.url.get_secret_value())
        self._watchdog = watchdog
        self._database = database
        self._clock = clock
        self._session = session
        self._any_channel_ok = any_channel_ok
        self._task: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return "<Heartbeat>"

    async def start(self) -> None:
        """Begins to ping."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Ends at once."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            try:
                await self.beat()
            except Exception:  # the edge of a task that must not end
                log.exception("heartbeat.failed")
            await asyncio.sleep(self._section.every_s)

    async def beat(self) -> bool:
        """Looks at everything and pings once; whether a ping that all is well was answered."""
        if not self._watchdog.leads:
            return False
        fault = await self.fault()
        if fault is None:
            return await self._ping(self._url)
        log.warning("heartbeat.withheld", fault=fault.value)
        if self._section.tell_failures:
            await self._ping((self._url / "fail").with_query(self._url.query_string))
        return False

    async def fault(self) -> Fault | None:
        """The first thing that is not well; None when all is."""
        if not self._watchdog.fresh:
            return Fault.WATCHDOG
        try:
            await self._database.prove_writable()
            waited_s = await self._longest_wait_s()
        except StoreError:
            return Fault.STORE
        if waited_s > self._section.outbox_age_s:
            return Fault.OUTBOX
        return None if self._any_channel_ok() else Fault.CHANNELS

    async def _longest_wait_s(self) -> float:
        """Of what is to be told; what is held until the morning waits from then on."""
        since = func.coalesce(notices.c.not_before_at, notices.c.created_at)
        async with self._database.read() as connection:
            oldest = await connection.scalar(select(func.min(since)).where(notices.c.state.in_(UNDER_WAY)))
        return 0.0 if oldest is None else self._clock.time() - float(oldest)

    async def _ping(self, url: URL) -> bool:
        try:
            status, _ = await call(
                self._session, "GET", str(url), timeout_s=self._section.timeout_s, headers={}
            )
        except CallFailed as error:
            log.warning("heartbeat.not_answered", detail=str(error))
            return False
        if not 200 <= status < 300:
            log.warning("heartbeat.refused", status=status)
            return False
        return True
