"""HTTP calls to the demo's programs: JSON in and out, with one error for whatever goes wrong."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Container, Mapping
from typing import Any

TIMEOUT_S = 5.0


class Unreachable(Exception):
    """A program did not answer, or not with what was asked for; the message says which address and why."""


def fetch(method: str, url: str, body: object = None, *, token: str = "", also: Container[int] = ()) -> bytes:
    """The body of the answer; one with a status of `also` is as good as another. Raises Unreachable."""
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers, method=method)  # noqa: S310  our own http://
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        if error.code in also:
            return bytes(error.read())
        said = error.read(300).decode(errors="replace").strip()
        raise Unreachable(f"{method} {url}: HTTP {error.code} {said}") from error
    except (OSError, ValueError) as error:
        raise Unreachable(f"{method} {url}: {error}") from error


def ask(method: str, url: str, body: object = None) -> Any:
    """The answer as JSON. Raises Unreachable."""
    text = fetch(method, url, body)
    try:
        return json.loads(text) if text else None
    except ValueError as error:
        raise Unreachable(f"{method} {url}: no JSON") from error


def get(url: str, parameters: Mapping[str, str] | None = None) -> Any:
    """What is there, as JSON. Raises Unreachable."""
    return ask("GET", f"{url}?{urllib.parse.urlencode(parameters)}" if parameters else url)
