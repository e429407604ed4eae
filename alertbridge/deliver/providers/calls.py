"""One HTTP call to a gateway, bounded in time and bytes, that ends in its answer or in what became of the attempt.

Whether the request had been written when it failed decides between "send it again" and "it may be out", so the
body tells when its writing begins. Connections are not kept: a gateway that closes an idle one just as a message
leaves would make an unknown outcome of it.
"""

import asyncio
import base64
import json
import secrets
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urlencode

import aiohttp
from aiohttp.abc import AbstractStreamWriter

from alertbridge.deliver.providers.base import Outcome
from alertbridge.deliver.providers.section import HttpSection
from alertbridge.deliver.providers.verdicts import Verdict, retry, unknown
from runtime.clock import Clock
from runtime.logs import Redactor
from runtime.sections import secret_values
from runtime.tls import load_authorities

ANSWER_LIMIT_BYTES = 256 * 1024
"""More than any answer to a message has; what is beyond it is not read."""
DETAIL_LIMIT_CHARS = 200
RETRY_AFTER_LIMIT_S = 24 * 3600.0

_NO_TIMEOUT = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)
"""The attempt as a whole has a deadline; aiohttp's own would only blur when it fell."""

Model = TypeVar("Model")


@dataclass(frozen=True, slots=True)
class Content:
    """A request's body."""

    type: str
    data: bytes = field(repr=False)


def as_json(value: object) -> Content:
    return Content("application/json", json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def as_form(fields: Mapping[str, str]) -> Content:
    return Content("application/x-www-form-urlencoded", urlencode(fields, errors="replace").encode())


def as_multipart(fields: Mapping[str, str], name: str, file_name: str, data: bytes, kind: str) -> Content:
    """Text fields and one file. Field names and `file_name` are ours, without quotes and line ends."""
    boundary = secrets.token_hex(16)
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode(
            "utf-8", "replace"
        )
        for key, value in fields.items()
    ]
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
    parts += [f"{head}Content-Type: {kind}\r\n\r\n".encode(), data, f"\r\n--{boundary}--\r\n".encode()]
    return Content(f"multipart/form-data; boundary={boundary}", b"".join(parts))


def basic_login(user: str, password: str) -> str:
    """What `Authorization` says for HTTP Basic."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; at most `ANSWER_LIMIT_BYTES` of it."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status < 300

    def header(self, name: str) -> str:
        """A header whatever its case; empty when there is none."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")


class Deadline:
    """When an attempt must have ended, over all of its calls."""

    def __init__(self, allowed_s: float) -> None:
        self._at_s = asyncio.get_running_loop().time() + allowed_s

    @property
    def at_s(self) -> float:
        """By the event loop's clock."""
        return self._at_s


class _Watched(aiohttp.Payload):
    """A body that tells when its writing begins: from then on the other side may have got the request."""

    _autoclose = True

    def __init__(self, content: Content) -> None:
        super().__init__(content.data, content_type=content.type)
        self._size = len(content.data)
        self._data = content.data
        self.begun = False

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self._data.decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        self.begun = True
        await writer.write(self._data)


_NEVER_LEFT: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientSSLError, "tls"),
    (aiohttp.ClientConnectorError, "unreachable"),
    (TimeoutError, "connect_timeout"),
)
"""Why a request was never written; the first row that fits."""


def _failure(error: BaseException, *, begun: bool) -> Verdict:
    if not begun:
        fits = (reason for kind, reason in _NEVER_LEFT if isinstance(error, kind))
        return retry(next(fits, "unreachable"))
    if isinstance(error, TimeoutError):
        return unknown("timeout")
    return unknown("malformed" if isinstance(error, aiohttp.ClientResponseError) else "connection_lost")


class Calls:
    """The calls of one channel. `headers` carry its key and are in no repr."""

    def __init__(
        self,
        section: HttpSection,
        session: aiohttp.ClientSession,
        clock: Clock,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._section = section
        self._session = session
        self._clock = clock
        self._headers = {"Connection": "close", "Accept": "application/json", **(headers or {})}
        self._tls = _tls_of(section)
        self._redactor = Redactor(secret_values(section))

    def __repr__(self) -> str:
        return f"<Calls channel={self._section.name}>"

    def deadline(self) -> Deadline:
        """For an attempt of several calls that begins now."""
        return Deadline(self._section.timeout_s)

    def say(self, text: str) -> str:
        """What a gateway said, fit to be shown: printable, short, without a secret of the channel."""
        shown = self._redactor.text(text[: 20 * DETAIL_LIMIT_CHARS])
        return "".join(c if c.isprintable() else " " for c in shown).strip()[:DETAIL_LIMIT_CHARS]

    def refused(self, verdict: Verdict, answer: Answer, detail: str = "") -> Outcome:
        """`verdict` on an answer, with what it says of when to come again."""
        after_s = self._retry_after_s(answer.header("Retry-After"))
        detail = self.say(detail) or f"HTTP {answer.status}"
        return verdict.outcome(detail, retry_after_s=after_s)

    async def ask(
        self,
        method: str,
        path: str,
        content: Content | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        within: Deadline | None = None,
    ) -> Answer | Outcome:
        """The answer of `url` + `path`, whatever its status, or what became of a request without one."""
        body = _Watched(content) if content is not None else None
        try:
            async with asyncio.timeout_at((within or self.deadline()).at_s):
                async with self._session.request(
                    method,
                    f"{self._section.url}{path}",
                    data=body,
                    headers={**self._headers, **(headers or {})},
                    allow_redirects=False,
                    timeout=_NO_TIMEOUT,
                    ssl=self._tls,
                ) as response:
                    return await _read(response)
        except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
            begun = body is not None and body.begun
            return _failure(error, begun=begun).outcome(_named(error))
        except RuntimeError as error:
            if not self._session.closed:
                raise
            return retry("stopping").outcome(type(error).__name__)

    def _retry_after_s(self, header: str) -> float | None:
        """Seconds to wait by `Retry-After`, which is a number or a date."""
        text = header.strip()
        if text.isascii() and text.isdigit():
            return min(float(text[:9]), RETRY_AFTER_LIMIT_S)
        try:
            at_s = parsedate_to_datetime(text).timestamp() if text else None
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
        return None if at_s is None else min(max(0.0, at_s - self._clock.time()), RETRY_AFTER_LIMIT_S)


async def _read(response: aiohttp.ClientResponse) -> Answer:
    """The answer with as much of its body as is wanted. One that refuses needs no body to be understood."""
    body = bytearray()
    try:
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > ANSWER_LIMIT_BYTES:
                del body[ANSWER_LIMIT_BYTES:]
                break
    except (aiohttp.ClientError, OSError, ValueError):
        if response.status < 400:
            raise
    return Answer(response.status, dict(response.headers), bytes(body))


def _tls_of(section: HttpSection) -> ssl.SSLContext | bool:
    """What aiohttp checks certificates with: True for the machine's authorities, False for nothing."""
    if not section.tls_verify or section.ca_file is None:
        return section.tls_verify
    context = ssl.create_default_context()
    load_authorities(context, section.ca_file)
    return context


def _named(error: BaseException) -> str:
    """The kind of an error and no more: its text may quote the address, and what was received."""
    return type(error).__name__
