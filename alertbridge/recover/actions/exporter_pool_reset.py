"""Resets a router's connection pool in the exporter, over the exporter's API."""

from typing import ClassVar, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alertbridge.recover.actions.base import About, ActionFailed, Done, Evidence, Stage, Verdict
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.ports import NoSuchTarget
from alertbridge.webcall import CallFailed, call
from runtime.sections import Section

_REASONS = {401: "unauthorised", 403: "unauthorised", 404: "unknown_router"}


class _Pool(BaseModel):
    model_config = ConfigDict(extra="ignore")

    connections_open: int
    waiting: int = 0


class _Breaker(BaseModel):
    model_config = ConfigDict(extra="ignore")

    state: str


class _Reset(BaseModel):
    model_config = ConfigDict(extra="ignore")

    connections_closed: int
    breaker_before: str


_Model = TypeVar("_Model", _Pool, _Breaker, _Reset)


class ExporterPoolResetSettings(Section):
    """Parameters of `exporter_pool_reset`."""

    router: str = Field(min_length=1, description="Name of the router in the exporter's configuration.")


class ExporterPoolReset:
    """One call of the exporter."""

    name: ClassVar[str] = "exporter_pool_reset"
    about: ClassVar[About] = About(
        changes="Closes the exporter's connections to a router and its breaker; commands under way fail, the next "
        "scrape connects anew. Nothing is changed on the router.",
        verified="The breaker is closed and the exporter is connected again.",
        undone="Not needed.",
    )
    repeatable: ClassVar[bool] = True

    def __init__(self, settings: ExporterPoolResetSettings, resources: Resources) -> None:
        if resources.exporter is None:
            raise NoSuchTarget("`actions.exporter` is not configured")
        self._exporter = resources.exporter
        self._router = settings.router
        self._session = resources.session

    def __repr__(self) -> str:
        return f"<ExporterPoolReset {self.target}>"

    @property
    def target(self) -> str:
        return f"exporter:{self._router}"

    async def before(self) -> Evidence:
        pool = await self._read(_Pool, "GET", "pool", Stage.PRECHECK)
        breaker = await self._read(_Breaker, "GET", "breaker", Stage.PRECHECK)
        return Evidence(
            {"connections": pool.connections_open, "waiting": pool.waiting, "breaker": breaker.state}
        )

    async def run(self) -> Done:
        reset = await self._read(_Reset, "POST", "reset", Stage.RUN)
        return Done(
            True,
            Evidence(
                {"connections_closed": reset.connections_closed, "breaker_before": reset.breaker_before}
            ),
        )

    async def verify(self) -> Verdict:
        """Until the next scrape has connected there is nothing to see."""
        try:
            breaker = await self._read(_Breaker, "GET", "breaker", Stage.RUN)
            if breaker.state != "closed":
                return Verdict.FAILS
            pool = await self._read(_Pool, "GET", "pool", Stage.RUN)
        except ActionFailed:
            return Verdict.UNKNOWN
        return Verdict.HOLDS if pool.connections_open else Verdict.UNKNOWN

    async def undo(self) -> Done:
        raise ActionFailed(Stage.UNDO, "not_undoable", "a reset cannot be taken back", changed=False)

    async def _read(self, model: type[_Model], method: str, tail: str, stage: Stage) -> _Model:
        """What the exporter answers. Raises ActionFailed."""
        exporter = self._exporter
        token = "" if exporter.token is None else exporter.token.get_secret_value()
        unknown = None if method == "POST" else False
        url = f"{exporter.url.rstrip('/')}/api/v1/routers/{quote(self._router, safe='')}/{tail}"
        try:
            status, body = await call(
                self._session,
                method,
                url,
                timeout_s=exporter.timeout_s,
                headers={"Authorization": f"Bearer {token}"},
            )
        except CallFailed as error:
            raise ActionFailed(stage, "unreachable", f"the exporter: {error}", changed=unknown) from error
        if status != 200:
            detail = f"the exporter answers HTTP {status} for {self._router!r}"
            changed = unknown if status >= 500 else False
            raise ActionFailed(stage, _REASONS.get(status, "refused"), detail, changed=changed)
        try:
            return model.model_validate_json(body)
        except ValidationError as error:
            raise ActionFailed(
                stage, "malformed", "the exporter's answer is not as known", changed=unknown
            ) from error
