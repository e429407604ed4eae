"""Talks to Alertmanager's API v2: what is active, and silences.

Of a cluster every member is configured; one is asked, the next when it does not answer. A silence is written to one
member only, since gossip spreads it: writing to two makes two.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, TypeVar

import aiohttp
from pydantic import AwareDatetime, BaseModel, Field, SecretStr, TypeAdapter, ValidationError

from alertbridge.webcall import CallFailed, call
from runtime.sections import SecretSection

T = TypeVar("T")


class AlertmanagerSection(SecretSection):
    """The Alertmanager that sends to the bridge, to be asked what is active and to be told silences."""

    secret_name: ClassVar[str] = "token"  # noqa: S105  the name of a key
    secret_required: ClassVar[bool] = False

    urls: tuple[str, ...] = Field(
        min_length=1, description="Base URL of each member of the cluster, such as http://alertmanager:9093."
    )
    timeout_s: float = Field(default=5.0, gt=0, le=60, description="Longest wait for one answer.")
    token: SecretStr | None = Field(default=None, description="Bearer token, where it asks for one.")
    token_file: str | None = Field(default=None, description="File that holds the token.")
    token_env: str | None = Field(default=None, description="Environment variable that holds the token.")


class AlertmanagerError(Exception):
    """A call did not come to its end; the message is a sentence without secrets."""


class AlertmanagerUnavailable(AlertmanagerError):
    """No member answers as it should: try again later."""


class AlertmanagerRefused(AlertmanagerError):
    """It will not do that, and asking again will not help."""


class UnknownSilence(AlertmanagerRefused):
    """There is no silence of that id."""


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """An alert that Alertmanager holds. `state` is active, suppressed or unprocessed."""

    fingerprint: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at_s: float
    state: str
    silenced_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label; equality unless told otherwise."""

    name: str
    value: str
    is_regex: bool = False
    is_equal: bool = True


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence; `state` is pending, active or expired."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at_s: float
    ends_at_s: float
    created_by: str
    comment: str
    state: str


class _Status(BaseModel):
    state: str
    silencedBy: list[str] = []  # noqa: N815  Alertmanager's name


class _Alert(BaseModel):
    fingerprint: str
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    startsAt: AwareDatetime  # noqa: N815  Alertmanager's name
    status: _Status


class _Matcher(BaseModel):
    name: str
    value: str
    isRegex: bool = False  # noqa: N815  Alertmanager's name
    isEqual: bool = True  # noqa: N815  Alertmanager's name


class _SilenceStatus(BaseModel):
    state: str


class _Silence(BaseModel):
    id: str
    matchers: list[_Matcher]
    startsAt: AwareDatetime  # noqa: N815  Alertmanager's name
    endsAt: AwareDatetime  # noqa: N815  Alertmanager's name
    createdBy: str  # noqa: N815  Alertmanager's name
    comment: str = ""
    status: _SilenceStatus


class _Configuration(BaseModel):
    original: str


class _State(BaseModel):
    config: _Configuration


class _Made(BaseModel):
    silenceID: str  # noqa: N815  Alertmanager's name


_NOTHING_TO_END = b"not found"
"""Older ones (0.25 does) say so with a 500, as if it were their own fault."""
_ALERTS = TypeAdapter(list[_Alert])
_SILENCES = TypeAdapter(list[_Silence])
_SILENCE = TypeAdapter(_Silence)
_MADE = TypeAdapter(_Made)
_STATE = TypeAdapter(_State)


class Alertmanager:
    """A client of one Alertmanager or of one cluster."""

    def __init__(self, section: AlertmanagerSection, session: aiohttp.ClientSession) -> None:
        self._bases = tuple(f"{url.rstrip('/')}/api/v2" for url in section.urls)
        self._timeout_s = section.timeout_s
        self._headers = (
            {} if section.token is None else {"Authorization": f"Bearer {section.token.get_secret_value()}"}
        )
        self._session = session

    def __repr__(self) -> str:
        return f"<Alertmanager members={len(self._bases)}>"

    async def alerts(self, *, silenced: bool = False, inhibited: bool = False) -> list[ActiveAlert]:
        """What fires now; with what is silenced or inhibited if asked for. Raises AlertmanagerError."""
        params = {
            "active": "true",
            "silenced": str(silenced).lower(),
            "inhibited": str(inhibited).lower(),
            "unprocessed": "true",
        }
        found = await self._read("/alerts", _ALERTS, params)
        return [
            ActiveAlert(
                alert.fingerprint,
                alert.labels,
                alert.annotations,
                alert.startsAt.timestamp(),
                alert.status.state,
                tuple(alert.status.silencedBy),
            )
            for alert in found
        ]

    async def configuration(self) -> str:
        """Its configuration in YAML, as it was written. Raises AlertmanagerError."""
        return (await self._read("/status", _STATE, {})).config.original

    async def silences(self) -> list[Silence]:
        """Every silence that it still knows. Raises AlertmanagerError."""
        return [_silence(found) for found in await self._read("/silences", _SILENCES, {})]

    async def silence(self, silence_id: str) -> Silence:
        """One silence. Raises AlertmanagerError; UnknownSilence when there is none."""
        return _silence(await self._read(f"/silence/{silence_id}", _SILENCE, {}))

    async def add_silence(
        self,
        matchers: Sequence[Matcher],
        *,
        starts_at_s: float,
        ends_at_s: float,
        created_by: str,
        comment: str,
        silence_id: str = "",
    ) -> str:
        """Makes a silence, or changes the end of `silence_id`; returns its id, which may be a new one.

        Raises AlertmanagerError; UnknownSilence when `silence_id` is not known any more.
        """
        body: dict[str, object] = {
            "matchers": [
                {"name": m.name, "value": m.value, "isRegex": m.is_regex, "isEqual": m.is_equal}
                for m in matchers
            ],
            "startsAt": _rfc3339(starts_at_s),
            "endsAt": _rfc3339(ends_at_s),
            "createdBy": created_by,
            "comment": comment,
        }
        if silence_id:
            body["id"] = silence_id

        async def ask(base: str) -> str:
            status, answer = await self._call("POST", f"{base}/silences", json=body)
            return _checked(status, answer, _MADE).silenceID

        return await self._any(ask)

    async def expire_silence(self, silence_id: str) -> None:
        """Ends a silence. Raises AlertmanagerError; UnknownSilence when there is none."""

        async def ask(base: str) -> None:
            status, answer = await self._call("DELETE", f"{base}/silence/{silence_id}")
            if status == 500 and _NOTHING_TO_END in answer:
                raise UnknownSilence("there is no such silence")
            if status != 200:
                raise _refusal(status, answer)

        await self._any(ask)

    async def _read(self, path: str, kind: TypeAdapter[T], params: Mapping[str, str]) -> T:
        async def ask(base: str) -> T:
            status, answer = await self._call("GET", base + path, params=params)
            return _checked(status, answer, kind)

        return await self._any(ask)

    async def _any(self, ask: Callable[[str], Awaitable[T]]) -> T:
        """What the first member says that can be asked."""
        last: AlertmanagerUnavailable | None = None
        for base in self._bases:
            try:
                return await ask(base)
            except AlertmanagerUnavailable as error:
                last = error
        raise last or AlertmanagerUnavailable("no member is configured")

    async def _call(
        self, method: str, url: str, *, params: Mapping[str, str] | None = None, json: object = None
    ) -> tuple[int, bytes]:
        try:
            return await call(
                self._session,
                method,
                url,
                timeout_s=self._timeout_s,
                headers=self._headers,
                params=params,
                json=json,
            )
        except CallFailed as error:
            raise AlertmanagerUnavailable(str(error)) from error


def _checked(status: int, answer: bytes, kind: TypeAdapter[T]) -> T:
    if status != 200:
        raise _refusal(status, answer)
    try:
        return kind.validate_json(answer)
    except ValidationError as error:
        raise AlertmanagerUnavailable("it says something that is no answer of Alertmanager") from error


def _refusal(status: int, answer: bytes) -> AlertmanagerError:
    if status == 404:
        return UnknownSilence("there is no such silence")
    text = answer[:300].decode("utf-8", "replace").strip().strip('"')
    if status >= 500:
        return AlertmanagerUnavailable(f"HTTP {status}")
    return AlertmanagerRefused(f"HTTP {status}: {text}")


def _silence(found: _Silence) -> Silence:
    return Silence(
        found.id,
        tuple(Matcher(m.name, m.value, m.isRegex, m.isEqual) for m in found.matchers),
        found.startsAt.timestamp(),
        found.endsAt.timestamp(),
        found.createdBy,
        found.comment,
        found.status.state,
    )


def _rfc3339(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
