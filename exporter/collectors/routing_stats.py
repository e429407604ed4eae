"""Processes of RouterOS 7's routing: time they took, memory they hold."""

from exporter.collectors.table import (
    Collector,
    Facts,
    Label,
    Record,
    Table,
    counter,
    duration,
    gauge,
    info,
    size,
)


def _derive(replies: dict[str, list[Record]], facts: Facts) -> None:
    del facts
    for record in replies.get("processes", ()):
        record["@tasks"] = " ".join(record.get("tasks", "").split())  # one a line


ROUTING_STATS = Collector(
    name="routing_stats",
    help="Processes of routing (RouterOS 7): processor time, memory, longest work.",
    ttl_s=60,
    tables=(
        Table(
            name="processes",
            path="/routing/stats/process",
            labels=(Label("process", "id"),),
            also=("tasks",),
            rows=(
                counter(
                    "mikrotik_routing_process_seconds_total",
                    "Processor time that the process took.",
                    "process-time",
                    duration,
                ),
                counter(
                    "mikrotik_routing_process_kernel_seconds_total",
                    "Processor time that the kernel took for the process.",
                    "kernel-time",
                    duration,
                ),
                gauge(
                    "mikrotik_routing_process_max_busy_seconds",
                    "Longest time that the process was busy at a stretch.",
                    "max-busy",
                    duration,
                ),
                gauge(
                    "mikrotik_routing_process_max_calculation_seconds",
                    "Longest time that the process calculated at a stretch.",
                    "max-calc",
                    duration,
                ),
                gauge(
                    "mikrotik_routing_process_resident_bytes", "Memory that the process holds.", "rss", size
                ),
                gauge(
                    "mikrotik_routing_process_virtual_bytes",
                    "Address space of the process.",
                    "vms",
                    size,
                ),
                gauge(
                    "mikrotik_routing_process_private_bytes",
                    "Memory blocks that the process has for itself.",
                    "private-mem-blocks",
                    size,
                ),
                gauge(
                    "mikrotik_routing_process_shared_bytes",
                    "Memory blocks that the process shares.",
                    "shared-mem-blocks",
                    size,
                ),
                info("mikrotik_routing_process_info", "What the process works on.", Label("tasks", "@tasks")),
            ),
        ),
    ),
    derive=_derive,
    on_by_default=False,
)
