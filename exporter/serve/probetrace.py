"""What happened in one probe, for `debug=true`."""

import asyncio
from collections.abc import Iterator, Mapping

from exporter.cache import Slot
from exporter.collectors.reader import Reading
from exporter.watch import Watched
from routeros import failure_class


class ProbeTrace:
    """Remembers how the slots stood before a probe and tells what became of them."""

    def __init__(self, watched: Watched, module: str, slots: Mapping[str, Slot]) -> None:
        self._watched = watched
        self._module = module
        self._slots = slots
        self._before = {name: slot.last for name, slot in slots.items()}
        self._joined = {name for name, slot in slots.items() if slot.is_refreshing}
        self._clock = asyncio.get_running_loop().time
        self._began_s = self._clock()

    def text(self, deadline_s: float) -> str:
        """One line per collector and failure, as comments of the exposition format."""
        return "".join(f"# {line}\n" for line in self._lines(deadline_s))

    def _lines(self, deadline_s: float) -> Iterator[str]:
        section, client = self._watched.section, self._watched.client
        took_s = self._clock() - self._began_s
        yield f"probe of {section.name} at {section.address}:{section.effective_port}, module {self._module}"
        yield f"took {took_s:.3f} s of {deadline_s:g} s"
        yield f"breaker {client.breaker.state.value}, {client.stats().connections_open} connections open"
        for name, slot in self._slots.items():
            yield f"{name}: {self._outcome(name, slot)}"
            if slot.last is not None:
                yield from _details(slot.last)
        yield ""

    def _outcome(self, name: str, slot: Slot) -> str:
        joined = ", which was under way before" if name in self._joined else ""
        age = "nothing to serve" if slot.age_s is None else f"serving what is {slot.age_s:.1f} s old"
        if slot.is_refreshing:
            return f"refresh not done at the deadline{joined}; {age}"
        if slot.last is self._before[name]:
            return f"not asked, still fresh (TTL {slot.ttl_s:g} s); {age}"
        return f"refreshed in {slot.duration_s or 0.0:.3f} s{joined}; {age}"


def _details(reading: Reading) -> Iterator[str]:
    for table, part in reading.parts.items():
        yield f"    {table}: {part.rows} rows, {part.samples} samples"
        for field, (count, _) in part.unparsable.items():
            yield f"    {table}: {field} could not be read as what it should be in {count} rows"
    for table in sorted(reading.unsupported):
        yield f"    {table}: the router has no such menu"
    for table, error in reading.failures.items():
        message = " ".join(str(error).split())  # a line break would end the comment
        yield f"    {table}: {failure_class(error)}: {message}"
