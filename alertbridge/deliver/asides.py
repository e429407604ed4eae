"""Tasks that nobody waits for: what goes wrong in one is logged and counted, never lost."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import structlog

log = structlog.get_logger(__name__)

T = TypeVar("T")


def watched(task: "asyncio.Task[T]", name: str, faulted: Callable[[str], None]) -> "asyncio.Task[T]":
    """`task`, of which an exception is told when it ends; `faulted` counts it under `name`. One that is cancelled is
    no fault."""

    def ended(done: "asyncio.Task[T]") -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is not None:
            faulted(name)
            log.error("task.failed", task=name, exc_info=error)

    task.add_done_callback(ended)
    return task
