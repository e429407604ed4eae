"""Operations that every service has: whether it runs, whether it is ready, its configuration, its description."""

from collections.abc import Callable

from aiohttp import hdrs, web

from runtime.serving.document import document
from runtime.serving.operation import JSON, TEXT, Answer, Operation

OPENMETRICS = "application/openmetrics-text"
EXPOSITION = Answer(200, "Metrics, in the format that the client likes best.", media=(TEXT, OPENMETRICS))
"""What `/metrics` answers."""


def plain(status: int, text: str) -> Answer:
    """An answer of plain text."""
    return Answer(status, text, media=(TEXT,))


def life(*, ready: str, is_ready: str, is_not: str) -> tuple[Operation, ...]:
    """Health, readiness and reloading; `ready` says what readiness is, the others what its two answers say."""
    return (
        Operation(
            method="GET",
            path="/-/healthy",
            id="getHealthy",
            tag="life",
            summary="Whether the process runs",
            answers=(plain(200, "It runs."),),
        ),
        Operation(
            method="GET",
            path="/-/ready",
            id="getReady",
            tag="life",
            summary=ready,
            answers=(plain(200, is_ready), plain(503, is_not)),
        ),
        Operation(
            method="POST",
            path="/-/reload",
            id="reload",
            tag="life",
            summary="Read the configuration again",
            answers=(
                plain(200, "The new one is in force."),
                plain(400, "The request has a body, which it may not have."),
                plain(500, "The new one has mistakes, which are listed; the old one stays in force."),
            ),
        ),
    )


def description(path: str, text: Callable[[], str]) -> Operation:
    """The OpenAPI document itself, served at `path`; `text` gives it once all operations are known."""

    async def answer(request: web.Request) -> web.Response:
        return await document(request, text, media=JSON, headers={hdrs.CACHE_CONTROL: "max-age=300"})

    return Operation(
        method="GET",
        path=path,
        id="getOpenApi",
        tag="life",
        summary="This document",
        answers=(Answer(200, "An OpenAPI 3.1 document."),),
        handler=answer,
    )
