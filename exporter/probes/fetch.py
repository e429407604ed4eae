"""One GET of a JSON document, bounded in time and in bytes, that ends in the document or in a reason."""

import contextlib
import json
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from typing import cast

import requests
import urllib3

from exporter.pointers import Json

BODY_LIMIT_BYTES = 1024 * 1024
"""A health endpoint that says more than this is not one."""
_CHUNK_BYTES = 64 * 1024
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")


class Failure(StrEnum):
    """Why an endpoint gave no document; the value is a stable word for labels."""

    UNREACHABLE = "unreachable"
    NAME = "name"
    TIMEOUT = "timeout"
    TLS = "tls"
    CLOSED = "closed"
    REDIRECT = "redirect"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not_found"
    STATUS = "status"
    TOO_LARGE = "too_large"
    HTML = "html"
    NOT_JSON = "not_json"
    UNEXPECTED = "unexpected"
    """JSON, but none of what was looked for is in it."""


class FetchFailed(Exception):
    """No document; `failure` says why. Holds neither address, nor header, nor anything that was received."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.value)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Document:
    """What came: the JSON, and the server's own idea of the time (Unix seconds), when it told one."""

    content: Json
    date_s: float | None


class Fetcher:
    """Asks HTTP endpoints for JSON, without proxies, without following redirects, without keeping connections.

    `authorities` is a PEM file that certificates are checked with; with `verify` False nobody checks them.
    """

    def __init__(
        self,
        *,
        timeout_s: float,
        verify: bool = True,
        authorities: str | None = None,
        limit_bytes: int = BODY_LIMIT_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeout_s = timeout_s
        self._verify: bool | str = authorities if verify and authorities else verify
        self._limit_bytes = limit_bytes
        self._clock = clock
        if not verify:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)

    def deadline_s(self) -> float:
        """When (by the clock) what begins now must have ended."""
        return self._clock() + self._timeout_s

    def get(
        self, url: str, headers: Mapping[str, str], *, accepts: Collection[int], deadline_s: float
    ) -> Document:
        """The document at `url`, if it comes with one of the statuses in `accepts`. Raises FetchFailed."""
        with _failures(), requests.Session() as session:
            session.trust_env = False  # neither proxies nor .netrc: what is asked is what the file says
            session.headers.update({"Accept": "application/json", "Accept-Encoding": "identity", **headers})
            left_s = self._left_s(deadline_s)
            with session.get(
                url, stream=True, allow_redirects=False, timeout=(left_s, left_s), verify=self._verify
            ) as response:
                _check_status(response.status_code, accepts)
                body = self._body(response, deadline_s)
                return Document(_parsed(body), _date_s(response.headers.get("Date")))

    def _left_s(self, deadline_s: float) -> float:
        left_s = deadline_s - self._clock()
        if left_s <= 0:
            raise FetchFailed(Failure.TIMEOUT)
        return left_s

    def _body(self, response: requests.Response, deadline_s: float) -> bytes:
        """The body, read piece by piece as it comes: one that drips is given up at the deadline, one that is too
        large at the limit."""
        announced = response.headers.get("Content-Length", "")
        if announced.isascii() and announced.isdigit() and int(announced[:18]) > self._limit_bytes:
            raise FetchFailed(Failure.TOO_LARGE)
        raw = cast("urllib3.HTTPResponse", response.raw)
        body = bytearray()
        while piece := raw.read1(_CHUNK_BYTES, decode_content=False):
            body += piece
            if len(body) > self._limit_bytes:
                raise FetchFailed(Failure.TOO_LARGE)
            self._left_s(deadline_s)
        if announced.isascii() and announced.isdigit() and len(body) < int(announced[:18]):
            raise FetchFailed(Failure.CLOSED)
        return bytes(body)


def _check_status(status: int, accepts: Collection[int]) -> None:
    if status in accepts:
        return
    if 300 <= status < 400:
        raise FetchFailed(Failure.REDIRECT)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise FetchFailed(Failure.UNAUTHORIZED)
    raise FetchFailed(Failure.NOT_FOUND if status == HTTPStatus.NOT_FOUND else Failure.STATUS)


def _parsed(body: bytes) -> Json:
    if body[:200].lstrip().lower().startswith(_MARKUP):
        raise FetchFailed(Failure.HTML)
    try:
        content: Json = json.loads(body)
    except (ValueError, RecursionError):  # from None: the message would quote what was received
        raise FetchFailed(Failure.NOT_JSON) from None
    return content


def _date_s(header: str | None) -> float | None:
    if not header:
        return None
    try:
        return parsedate_to_datetime(header).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    """Turn what the libraries raise into FetchFailed, without its text, which may quote the address."""
    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise FetchFailed(_failure_of(error)) from None


_BY_CLASS: tuple[tuple[type[BaseException], Failure], ...] = (
    (requests.exceptions.SSLError, Failure.TLS),
    (urllib3.exceptions.SSLError, Failure.TLS),
    (requests.exceptions.Timeout, Failure.TIMEOUT),
    (urllib3.exceptions.NameResolutionError, Failure.NAME),
    (urllib3.exceptions.NewConnectionError, Failure.UNREACHABLE),
    (urllib3.exceptions.TimeoutError, Failure.TIMEOUT),
    (TimeoutError, Failure.TIMEOUT),
    (urllib3.exceptions.ProtocolError, Failure.CLOSED),
    (requests.exceptions.ChunkedEncodingError, Failure.CLOSED),
)


def _failure_of(error: BaseException) -> Failure:
    """The reason behind `error`: that of the innermost exception that tells one."""
    for one in reversed(list(_chain(error))):
        for kind, failure in _BY_CLASS:
            if isinstance(one, kind):
                return failure
    return Failure.UNREACHABLE


def _chain(error: BaseException) -> Iterator[BaseException]:
    """`error` and what it was made of, outermost first."""
    seen: set[int] = set()
    here: BaseException | None = error
    while here is not None and id(here) not in seen:
        seen.add(id(here))
        yield here
        inside = next((arg for arg in here.args if isinstance(arg, BaseException)), None)
        here = getattr(here, "reason", None) if inside is None else inside
        if not isinstance(here, BaseException):
            here = None
