"""Containers: which run, and what they use."""

from exporter.collectors.table import (
    Collector,
    Facts,
    Label,
    Record,
    Table,
    counter,
    gauge,
    info,
    ratio,
    size,
    state,
)

_STATES = ("running", "stopped", "starting", "stopping", "extracting", "error")
_HEALTH = ("healthy", "unhealthy")
_TRUE = ("true", "yes", "")

_CONTAINERS = Table(
    name="containers",
    path="/container",
    labels=(Label("container", "name"),),
    also=("status", *_STATES, *_HEALTH),
    rows=(
        state(
            "mikrotik_container_state",
            "What a container does: 1 for the state that holds.",
            "@state",
            _STATES,
        ),
        gauge(
            "mikrotik_container_healthy",
            "1 if the container's own check succeeds; absent without one.",
            "@healthy",
            source="/container healthy, unhealthy",
        ),
        gauge("mikrotik_container_memory_bytes", "Memory a container uses.", "memory-current", size),
        gauge("mikrotik_container_cpu_ratio", "Processor time a container uses (0-1).", "cpu-usage", ratio),
        counter("mikrotik_container_restarts_total", "Times a container was started anew.", "restart-count"),
        info(
            "mikrotik_container_info",
            "Image of a container.",
            Label("tag"),
            Label("os"),
            Label("arch"),
        ),
    ),
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    for row in replies.get("containers", ()):  # a word in older RouterOS 7, a flag for each state in newer
        flags = [name for name in (*_STATES, *_HEALTH) if row.get(name, "false") in _TRUE]
        if states := [name for name in flags if name in _STATES]:
            row["@state"] = states[0]
        elif status := row.get("status"):
            row["@state"] = status
        if health := [name for name in flags if name in _HEALTH]:
            row["@healthy"] = str(int(health == ["healthy"]))


CONTAINER = Collector(
    name="container",
    help="State, memory, processor time and restarts of containers.",
    ttl_s=60,
    tables=(_CONTAINERS,),
    derive=_derive,
    on_by_default=False,
)
