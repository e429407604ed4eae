"""Apprise: says only yes, no or nothing at all, so a yes is believed."""

import asyncio
import concurrent.futures
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote

import apprise
from apprise.attachment.memory import AttachMemory
from apprise.exception import AppriseException

from alertbridge.deliver.providers.apprise.config import NUMBER, TO, AppriseSection
from alertbridge.deliver.providers.apprise.logfilter import keep_out
from alertbridge.deliver.providers.base import Outcome, Outgoing, Session, SessionState, Traits
from alertbridge.deliver.providers.local import Local
from alertbridge.deliver.providers.verdicts import accept, config, permanent, retry, unknown
from alertbridge.numbers import AddressRefused

THREADS = 4
"""Calls that may hang at once; they cannot be ended, only waited for no longer."""
_SAMPLE = "6281200000001"
_FALLBACK_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Letter:
    """What is handed to Apprise."""

    url: str
    title: str
    body: str
    image: bytes | None = None


_E_MAIL = "mailtos"
"""A message without a subject looks like a fault there."""


class Notify(Protocol):
    """Sends a letter in the calling thread: True for sent, False for refused, None when nobody was addressed."""

    def __call__(self, letter: Letter) -> bool | None: ...


def notify(letter: Letter) -> bool | None:
    """By Apprise, with an object of its own, so that the answer is about this one target."""
    sender = apprise.Apprise(asset=_asset())
    if not sender.add(letter.url):
        return None
    attach = apprise.AppriseAttachment() if letter.image is not None else None
    if attach is not None:
        picture = AttachMemory(letter.image, name="chart.png", mimetype="image/png")  # type: ignore[no-untyped-call]
        attach.add(picture)
    result = sender.notify(
        body=letter.body, title=letter.title, body_format=apprise.NotifyFormat.TEXT, attach=attach
    )
    return bool(result)


def _asset() -> apprise.AppriseAsset:
    return apprise.AppriseAsset(async_mode=False, secure_logging=True)


class Apprise(Local[AppriseSection]):
    """One target, or as many as there are recipients."""

    def __init__(self, section: AppriseSection, *, send: Notify = notify) -> None:
        keep_out(section.target)
        plugin = apprise.Apprise.instantiate(
            _filled(section.target, _SAMPLE), asset=_asset(), suppress_exceptions=True
        )
        self._usable = isinstance(plugin, apprise.NotifyBase)
        limit = int(plugin.body_maxlen) if isinstance(plugin, apprise.NotifyBase) else _FALLBACK_LIMIT
        pictures = isinstance(plugin, apprise.NotifyBase) and bool(plugin.attachment_support)
        self._titled = isinstance(plugin, apprise.NotifyBase) and plugin.title_maxlen > 0
        self._needs_title = getattr(plugin, "secure_protocol", None) == _E_MAIL
        super().__init__(
            section,
            Traits(
                text_limit=max(1, limit), formats_whatsapp=False, sends_images=pictures, caption_limit=limit
            ),
        )
        self._send = send
        self._threads = concurrent.futures.ThreadPoolExecutor(THREADS, thread_name_prefix="apprise")
        self._running: set[concurrent.futures.Future[bool | None]] = set()

    async def send(self, message: Outgoing) -> Outcome:
        """A call that does not end in time goes on in its thread, so its outcome is unknown."""
        if not self._usable:
            return config("bad_url").outcome("Apprise does not know this kind of URL")
        try:
            address = self._section.address(message.address)
        except AddressRefused as refused:
            return permanent("bad_address").outcome(f"the address {refused}")
        self._running = {one for one in self._running if not one.done()}
        if len(self._running) >= THREADS:
            return retry("busy").outcome("earlier calls still hang")
        image = message.image.png if message.image is not None and self._traits.sends_images else None
        title = message.template_fields.get("title", "") if self._titled else ""
        if not self._needs_title and _repeats(title, message.text):
            title = ""
        letter = Letter(_filled(self._section.target, address), title, message.text, image)
        call = self._threads.submit(self._tried, letter)
        self._running.add(call)
        try:
            async with asyncio.timeout(self._section.timeout_s):
                sent = await asyncio.wrap_future(call)
        except TimeoutError:
            return unknown("timeout").outcome()
        if sent is None:
            return config("bad_url").outcome("Apprise takes the URL for none of its own")
        return (
            accept().outcome()
            if sent
            else retry("refused").outcome("Apprise says no more than that it failed")
        )

    def _tried(self, letter: Letter) -> bool | None:
        try:
            return self._send(letter)
        except (AppriseException, TypeError, ValueError, OSError):
            return False  # without its text, which may quote the URL

    async def session(self) -> Session:
        """Only whether the URL is one that Apprise knows."""
        if self._usable:
            return Session(SessionState.WORKING)
        return Session(SessionState.MISCONFIGURED, "Apprise does not know this kind of URL")

    async def close(self) -> None:
        """Starts nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _repeats(title: str, text: str) -> bool:
    """Whether a line of `text` begins with all that `title` says: gateways for SMS put one before the other."""
    said = title.removesuffix("\N{HORIZONTAL ELLIPSIS}").rstrip()
    return any(line.startswith(said) for line in text.splitlines()[:2])


def _filled(url: str, address: str) -> str:
    return url.replace(TO, quote(address, safe="")).replace(NUMBER, quote(address, safe=""))
