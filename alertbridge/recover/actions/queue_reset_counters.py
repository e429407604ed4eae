"""Sets the counters of a queue to zero."""

from typing import ClassVar, Literal

from pydantic import Field

from alertbridge.recover.actions.base import About, Done, Evidence, Stage, Verdict
from alertbridge.recover.actions.resources import Resources
from alertbridge.recover.actions.routerwork import RouterAction
from routeros import Record
from runtime.sections import Section


class QueueResetCountersSettings(Section):
    """Parameters of `queue_reset_counters`."""

    router: str = Field(description="Name of the router under `actions.routers`.")
    queue: str = Field(min_length=1, description="Name of the queue.")
    kind: Literal["simple", "tree"] = Field(
        default="simple", description="Which of the router's queue menus."
    )


class QueueResetCounters(RouterAction):
    """One queue, found by its name."""

    name = "queue_reset_counters"
    about: ClassVar[About] = About(
        changes="Sets the counters of one simple or tree queue to zero. The exporter sees a counter reset, which rates "
        "survive.",
        verified="The queue's byte counters are below what they were.",
        undone="Not at all: the counters' values before are in the audit.",
    )
    repeatable = True

    def __init__(self, settings: QueueResetCountersSettings, resources: Resources) -> None:
        super().__init__(settings.router, resources)
        self._queue = settings.queue
        self._menu = f"/queue/{settings.kind}"

    @property
    def place(self) -> str:
        return f"queue:{self._queue}"

    async def _found(self, stage: Stage = Stage.PRECHECK) -> Record:
        fields = (".id", "name", "bytes", "packets", "dropped")
        rows = await self.rows(self._menu, *fields, queries=(f"?name={self._queue}",), stage=stage)
        if not rows:
            raise self.refuse("no_such_queue", f"there is no queue {self._queue!r}", stage=stage)
        return rows[0]

    async def before(self) -> Evidence:
        return _told(await self._found())

    async def run(self) -> Done:
        row = await self._found(Stage.RUN)
        self.remember(bytes=_bytes(row))
        await self.write(f"{self._menu}/reset-counters", {".id": row[".id"]})
        return Done(True, _told(row))

    async def look(self) -> Verdict:
        before = self.remembered("bytes")
        if before is None:
            return Verdict.UNKNOWN
        now = _bytes(await self._found())
        return Verdict.HOLDS if now < before or not before else Verdict.FAILS


def _bytes(row: Record) -> int:
    """Both directions together; a simple queue says ``up/down``."""
    return sum(int(part) for part in row.get("bytes", "0").split("/") if part.strip().isdecimal())


def _told(row: Record) -> Evidence:
    return Evidence({"bytes": row.get("bytes"), "packets": row.get("packets"), "dropped": row.get("dropped")})
