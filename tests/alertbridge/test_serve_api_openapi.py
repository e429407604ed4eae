"""The OpenAPI document: valid, complete, and what is answered is what it says."""

import re
from pathlib import Path

import jsonschema
import pytest
from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator

from alertbridge.serve import alerts, api, inbound, metrics, openapi, pages
from runtime.serving import health, reload
from runtime.serving.operation import PROBLEM
from tests.fakes.bridge_app import bench
from tests.fakes.bridge_scene import bad_day


def test_the_document_is_valid() -> None:
    """A validator that we did not write finds no fault with it as OpenAPI 3.1."""
    assert list(OpenAPIV31SpecValidator(openapi.DOCUMENT.document()).iter_errors()) == []


def test_every_route_is_described_and_every_description_has_a_route() -> None:
    """What the bridge answers and what the document tells are the same."""
    app = web.Application()
    for module in (alerts, api, inbound, metrics, openapi, pages, reload, health):
        app.add_routes(module.routes())
    routed = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert {(operation.method, operation.path) for operation in openapi.OPERATIONS} == routed


def test_path_parameters_ids_and_tags_are_sound() -> None:
    """Each part of a path that varies is a described parameter; ids are told apart; tags are those there are."""
    for operation in openapi.OPERATIONS:
        in_path = {parameter.name for parameter in operation.parameters if parameter.where == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", operation.path))
        assert operation.tag in dict(openapi.TAGS)
    ids = [operation.id for operation in openapi.OPERATIONS]
    assert len(set(ids)) == len(ids)


def test_what_changes_something_asks_for_a_login_and_a_reason() -> None:
    """Every action of the API is so described, with its body."""
    document = openapi.DOCUMENT.document()
    for operation in api.OPERATIONS:
        described = document["paths"][operation.path][operation.method.lower()]
        acts = operation.method == "POST"
        assert operation.login is acts
        assert ("requestBody" in described) is acts
        assert described.get("security") == ([{"bearer": []}, {"basic": []}] if acts else None)
    assert document["components"]["schemas"]["Why"]["required"] == ["reason"]


async def test_it_is_served_as_it_is_made(tmp_path: Path) -> None:
    """`/api/v1/openapi.json` is that document."""
    async with bench(tmp_path) as bridge:
        assert await bridge.json("/api/v1/openapi.json") == openapi.DOCUMENT.document()


@pytest.mark.parametrize(
    ("path", "described"),
    [
        ("/api/v1/firing", "/api/v1/firing"),
        ("/api/v1/where/1", "/api/v1/where/{key}"),
        ("/api/v1/messages", "/api/v1/messages"),
        ("/api/v1/channels", "/api/v1/channels"),
        ("/api/v1/account/today", "/api/v1/account/{day}"),
        ("/api/v1/dead-letters", "/api/v1/dead-letters"),
    ],
)
async def test_answers_are_as_described(tmp_path: Path, path: str, described: str) -> None:
    """A validator that we did not write holds each answer against its schema; refusals are problems."""
    document = openapi.DOCUMENT.document()
    answers = document["paths"][described]["get"]["responses"]
    assert all(set(answer["content"]) == {PROBLEM} for status, answer in answers.items() if status != "200")
    schema = answers["200"]["content"]["application/json"]["schema"]
    async with bench(tmp_path) as bridge:
        async with bridge.database.write() as connection:
            await bad_day(connection, bridge.clock.time())
        found = await bridge.json(path)
    jsonschema.validate(found, {**schema, "components": document["components"]})
