"""Asks a Prometheus server over its HTTP API. What it does not know is absent, never a zero.

async with aiohttp.ClientSession() as session:
    prometheus = Prometheus(section, session)
    for series in await prometheus.query('up{job="routers"}'):
        print(series.labels, series.value)
"""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Generic, Literal, TypeVar

import aiohttp
from pydantic import BaseModel, Field, SecretStr, TypeAdapter, ValidationError

from alertbridge.webcall import CallFailed, call
from runtime.sections import SecretSection

T = TypeVar("T")

_ERROR_SHOWN_CHARS = 300


class PrometheusSection(SecretSection):
    """The Prometheus server whose data reports, answers and recovery conditions are made from."""

    secret_name: ClassVar[str] = "token"  # noqa: S105  the name of a key
    secret_required: ClassVar[bool] = False

    url: str = Field(pattern=r"^https?://", description="Base URL, such as http://prometheus:9090.")
    timeout_s: float = Field(default=10.0, gt=0, le=120, description="Longest wait for one answer.")
    token: SecretStr | None = Field(default=None, description="Bearer token, where it asks for one.")
    token_file: str | None = Field(default=None, description="File that holds the token.")
    token_env: str | None = Field(default=None, description="Environment variable that holds the token.")


class PrometheusError(Exception):
    """A question was not answered; the message is a sentence without secrets."""


class PrometheusUnavailable(PrometheusError):
    """The server cannot be reached, is too slow, or says something that is no answer: try again later."""


class BadQuery(PrometheusError):
    """The server refuses the expression; asking again will not help."""


@dataclass(frozen=True, slots=True)
class Value:
    """One series at one time."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """One series over time; `points` are pairs of Unix seconds and a value, oldest first."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


class _Vector(BaseModel):
    metric: dict[str, str] = {}
    value: tuple[float, str]


class _Matrix(BaseModel):
    metric: dict[str, str] = {}
    values: list[tuple[float, str]] = []


class _VectorData(BaseModel):
    resultType: Literal["vector"]  # noqa: N815  Prometheus's name
    result: list[_Vector]


class _MatrixData(BaseModel):
    resultType: Literal["matrix"]  # noqa: N815  Prometheus's name
    result: list[_Matrix]


class _ScalarData(BaseModel):
    resultType: Literal["scalar", "string"]  # noqa: N815  Prometheus's name
    result: tuple[float, str]


class _Answer(BaseModel):
    status: Literal["success", "error"]
    data: _VectorData | _MatrixData | _ScalarData | None = None
    error: str = ""
    errorType: str = ""  # noqa: N815  Prometheus's name


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A rule that alerts: its static labels, how often it is evaluated, and how long it goes on after its condition."""

    name: str
    expression: str
    labels: Mapping[str, str]
    interval_s: float
    keep_firing_for_s: float


class _Rule(BaseModel):
    name: str
    query: str = ""
    type: str = ""
    labels: dict[str, str] = {}
    keepFiringFor: float = 0.0  # noqa: N815  Prometheus's name


class _RuleGroup(BaseModel):
    interval: float = 0.0
    rules: list[_Rule] = []


class _RuleGroups(BaseModel):
    groups: list[_RuleGroup]


class _Configuration(BaseModel):
    yaml: str


class _Told(BaseModel, Generic[T]):
    status: Literal["success"]
    data: T


_NAMES = TypeAdapter(_Told[list[str]])
_RULES = TypeAdapter(_Told[_RuleGroups])
_CONFIGURATION = TypeAdapter(_Told[_Configuration])


class Prometheus:
    """A client of one server."""

    def __init__(self, section: PrometheusSection, session: aiohttp.ClientSession) -> None:
        self._base = section.url.rstrip("/")
        self._timeout_s = section.timeout_s
        self._headers = (
            {} if section.token is None else {"Authorization": f"Bearer {section.token.get_secret_value()}"}
        )
        self._session = session

    def __repr__(self) -> str:
        return f"<Prometheus {self._base}>"

    async def query(self, expression: str, *, at_s: float | None = None) -> list[Value]:
        """The series of `expression` now, or at `at_s` (Unix seconds); NaN is left out, since it says nothing.

        Raises PrometheusUnavailable, BadQuery.
        """
        form = {"query": expression} | ({} if at_s is None else {"time": f"{at_s:.3f}"})
        data = await self._ask("/api/v1/query", form)
        if isinstance(data, _VectorData):
            found = [Value(item.metric, float(item.value[1])) for item in data.result]
        elif isinstance(data, _ScalarData) and data.resultType == "scalar":
            found = [Value({}, float(data.result[1]))]
        else:
            raise BadQuery("the expression gives neither an instant vector nor a scalar")
        return [value for value in found if not math.isnan(value.value)]

    async def query_range(
        self, expression: str, *, start_s: float, end_s: float, step_s: float
    ) -> list[Series]:
        """The series of `expression` from `start_s` to `end_s`; gaps stay gaps.

        Raises PrometheusUnavailable, BadQuery.
        """
        form = {
            "query": expression,
            "start": f"{start_s:.3f}",
            "end": f"{end_s:.3f}",
            "step": f"{step_s:.3f}",
        }
        data = await self._ask("/api/v1/query_range", form)
        if not isinstance(data, _MatrixData):
            raise BadQuery("the expression gives no series over time")
        return [
            Series(item.metric, tuple((at, float(text)) for at, text in item.values if text != "NaN"))
            for item in data.result
        ]

    async def metric_names(self) -> frozenset[str]:
        """Every metric that it has, or had within its retention. Raises PrometheusUnavailable."""
        names: list[str] = await self._read("/api/v1/label/__name__/values", _NAMES)
        return frozenset(names)

    async def alert_rules(self) -> list[AlertRule]:
        """Its rules that alert. Raises PrometheusUnavailable."""
        found = await self._read("/api/v1/rules", _RULES, {"type": "alert"})
        return [
            AlertRule(rule.name, rule.query, rule.labels, group.interval, rule.keepFiringFor)
            for group in found.groups
            for rule in group.rules
            if rule.type in ("", "alerting")
        ]

    async def configuration(self) -> str:
        """Its configuration in YAML, with defaults filled in. Raises PrometheusUnavailable."""
        return (await self._read("/api/v1/status/config", _CONFIGURATION)).yaml

    async def _read(
        self, path: str, kind: TypeAdapter[_Told[T]], params: Mapping[str, str] = MappingProxyType({})
    ) -> T:
        try:
            status, body = await call(
                self._session,
                "GET",
                self._base + path,
                timeout_s=self._timeout_s,
                headers=self._headers,
                params=params,
            )
        except CallFailed as error:
            raise PrometheusUnavailable(str(error)) from error
        try:
            return (await asyncio.to_thread(kind.validate_json, body)).data
        except ValidationError as error:
            raise PrometheusUnavailable(f"HTTP {status} with what is no answer of Prometheus") from error

    async def _ask(
        self, path: str, form: Mapping[str, str]
    ) -> _VectorData | _MatrixData | _ScalarData | None:
        try:
            status, body = await call(
                self._session,
                "POST",
                self._base + path,
                timeout_s=self._timeout_s,
                headers=self._headers,
                form=form,
            )
        except CallFailed as error:
            raise PrometheusUnavailable(str(error)) from error
        if status in {401, 403}:
            raise PrometheusUnavailable(f"it refuses us (HTTP {status}); is the token right?")
        try:
            answer = await asyncio.to_thread(_Answer.model_validate_json, body)
        except ValidationError as error:
            raise PrometheusUnavailable(f"HTTP {status} with what is no answer of Prometheus") from error
        if answer.status == "error":
            kind = BadQuery if answer.errorType in {"bad_data", "execution"} else PrometheusUnavailable
            raise kind(answer.error[:_ERROR_SHOWN_CHARS])
        return answer.data
