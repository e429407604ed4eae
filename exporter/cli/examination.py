"""Examines one router as the exporter would use it: a connection, then each collector after the other."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from exporter.cardinality import Cardinality, Mode
from exporter.cli.advice import advise, worth_probing
from exporter.cli.findings import CollectorFinding, RouterFinding, TableFinding, Verdict
from exporter.cli.portprobe import PROBE_S, Found, probe
from exporter.cli.setupcommands import Access
from exporter.collectors import BY_NAME
from exporter.collectors.reader import Reader, Reading, Source
from exporter.collectors.table import Collector, Facts, Table
from exporter.config import CollectorSettings
from routeros import PermissionDenied, Priority, Record, Reply, Router, RouterError

Step = Callable[[str, str], None]
"""Told the router and what is being asked of it; the text is empty when one step is done."""

_DNS_S = 3.0
"""Seconds for finding out this machine's own address, which is only a hint."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an examination may take, in seconds: to connect and say who one is, and in all."""

    test_s: float
    all_s: float


class TimedSource:
    """A source that notes how long each command took, from its first to its last answer where it is sent often."""

    def __init__(self, source: Source, clock: Callable[[], float]) -> None:
        self._spans_s: dict[str, tuple[float, float]] = {}
        self._source = source
        self._clock = clock

    def __repr__(self) -> str:
        return f"<TimedSource commands={len(self._spans_s)}>"

    @property
    def durations_s(self) -> dict[str, float]:
        """Seconds by command."""
        return {command: end_s - began_s for command, (began_s, end_s) in self._spans_s.items()}

    async def call(
        self,
        command: str,
        *,
        args: Mapping[str, str] = {},
        proplist: Sequence[str] = (),
        queries: Sequence[str] = (),
        priority: Priority = Priority.NORMAL,
        idempotent: bool = False,
        large: bool = False,
    ) -> Reply:
        """The source's own answer."""
        began_s = self._clock()
        try:
            return await self._source.call(
                command,
                args=args,
                proplist=proplist,
                queries=queries,
                priority=priority,
                idempotent=idempotent,
                large=large,
            )
        finally:
            first_s, _ = self._spans_s.get(command, (began_s, began_s))
            self._spans_s[command] = (first_s, self._clock())


class Examination:
    """Of one router. `step` hears how far it is."""

    def __init__(
        self,
        router: Router,
        settings: Mapping[str, CollectorSettings],
        patience: Patience,
        *,
        step: Step = lambda router, what: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._router = router
        self._target = router.target
        self._settings = settings
        self._patience = patience
        self._step = step
        self._clock = clock
        self._facts = Facts()

    def __repr__(self) -> str:
        return f"<Examination {self._target.name} collectors={sorted(self._settings)}>"

    async def run(self) -> RouterFinding:
        """Everything there is to find out; closes the router."""
        until_s = self._clock() + self._patience.all_s
        where = f"{self._target.address}:{self._target.effective_port}"
        try:
            self._step(self._target.name, "connection")
            access = Access(
                username=self._target.username,
                tls=self._target.tls is not None,
                source=await _own_address(self._target.address, self._target.effective_port),
            )
            try:
                test = await self._router.test(deadline_s=self._patience.test_s)
            except RouterError as error:
                advice = advise(error, self._target, await self._probe(error))
                return RouterFinding(self._target.name, where, access, trouble=error, advice=advice)
            self._step(self._target.name, "")
            version, board = await self._ask_version()
            collectors = tuple(
                [await self._collector(name, own, until_s) for name, own in self._settings.items()]
            )
            return RouterFinding(self._target.name, where, access, test, version, board, collectors)
        finally:
            await self._router.close()

    async def _probe(self, error: RouterError) -> Found | None:
        if not worth_probing(error):
            return None
        self._step(self._target.name, "port")
        timeout_s = min(PROBE_S, self._patience.test_s)
        return await probe(self._target.address, self._target.effective_port, timeout_s=timeout_s)

    async def _ask_version(self) -> tuple[str, str]:
        try:
            rows = await self._router.print("/system/resource", proplist=("version", "board-name"))
        except RouterError:
            return "", ""  # the collector that reads this menu tells why
        row: Record = rows[0] if rows else {}
        return row.get("version", ""), row.get("board-name", "")

    async def _collector(self, name: str, settings: CollectorSettings, until_s: float) -> CollectorFinding:
        left_s = until_s - self._clock()
        if left_s <= 0:
            return CollectorFinding(name, missed=f"the {self._patience.all_s:g} s for this router were over")
        self._step(self._target.name, name)
        collector = BY_NAME[name]
        source = TimedSource(self._router, self._clock)
        reader = Reader(
            collector,
            source,
            self._facts,
            router_label="",
            cardinality=Cardinality(Mode(settings.mode), settings.limit, settings.top),
            clock=self._clock,
        )
        began_s = self._clock()
        try:
            async with asyncio.timeout(left_s):
                reading = await reader.read()
        except TimeoutError:
            missed = f"no end to it within the {self._patience.all_s:g} s for this router"
            return CollectorFinding(name, missed=missed)
        finally:
            self._step(self._target.name, "")
        return _finding(collector, reading, source.durations_s, self._clock() - began_s)


def _finding(
    collector: Collector, reading: Reading, durations_s: Mapping[str, float], duration_s: float
) -> CollectorFinding:
    tables = [_table_finding(table, reading, durations_s) for table in collector.tables if not table.made]
    unparsable = [
        (field, first) for part in reading.parts.values() for field, (_, first) in part.unparsable.items()
    ]
    return CollectorFinding(
        collector.name,
        tuple(table for table in tables if table is not None),
        duration_s,
        tuple(unparsable),
    )


def _table_finding(table: Table, reading: Reading, durations_s: Mapping[str, float]) -> TableFinding | None:
    """None for a table that this module has no use for, and for a monitor of a menu that is not there."""
    duration_s = durations_s.get(table.command)
    menu = table.command.removesuffix("/print")
    if table.name in reading.unsupported:
        if table.numbers in reading.unsupported:
            return None
        return TableFinding(table.name, menu, Verdict.UNSUPPORTED, duration_s=duration_s)
    if (error := reading.failures.get(table.name)) is not None:
        denied = isinstance(error, PermissionDenied)
        verdict = Verdict.NO_PERMISSION if denied else Verdict.FAILED
        return TableFinding(table.name, menu, verdict, duration_s=duration_s, error=error)
    if (part := reading.parts.get(table.name)) is not None:
        return TableFinding(table.name, menu, Verdict.WORKS, part.rows, duration_s)
    return None


async def _own_address(address: str, port: int) -> str:
    """The address of this machine on the way to the router; "" when unknown or this machine itself. Sends nothing."""
    try:
        async with asyncio.timeout(_DNS_S):
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                asyncio.DatagramProtocol, remote_addr=(address, port)
            )
    except (OSError, TimeoutError):
        return ""
    own = str(transport.get_extra_info("sockname")[0])
    transport.close()
    return "" if own.startswith("127.") or own == "::1" else own
