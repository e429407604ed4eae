"""The OpenAPI document and the reference page, both from the one table that also gives the routes."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest
from aiohttp import web
from openapi_spec_validator import OpenAPIV31SpecValidator

from exporter import apidoc
from exporter.app import ROUTES
from exporter.fleet import KNOWN_COLLECTORS
from exporter.judgement import RULES
from exporter.serve import api, openapi
from runtime.serving.operation import PROBLEM
from tests.fakes.fleet import FakeFleet

ROOT = Path(__file__).resolve().parents[2]


def test_the_document_is_valid() -> None:
    """A validator that we did not write finds no fault with it as OpenAPI 3.1."""
    assert list(OpenAPIV31SpecValidator(openapi.DOCUMENT.document()).iter_errors()) == []


async def test_it_is_served_as_it_is_made() -> None:
    """`/api/v1/openapi.json` is that document, with the exporter's version."""
    async with FakeFleet("a").serve() as client, client.get("/api/v1/openapi.json") as response:
        assert response.status == 200
        found = await response.json()
    assert found == openapi.DOCUMENT.document()
    assert found["openapi"].startswith("3.1.")
    assert found["info"]["version"] == version("tikwatch")


def test_every_route_is_described_and_every_description_has_a_route() -> None:
    """What the application answers and what the document tells are the same."""
    app = web.Application()
    for module in ROUTES:
        app.add_routes(module.routes())
    routed = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    described = {(operation.method, operation.path) for operation in openapi.OPERATIONS}
    assert described == routed


def test_path_parameters_and_ids_are_sound() -> None:
    """Each part of a path that varies is a described parameter; ids are told apart."""
    for operation in openapi.OPERATIONS:
        in_path = {parameter.name for parameter in operation.parameters if parameter.where == "path"}
        assert in_path == set(re.findall(r"{(\w+)}", operation.path))
    ids = [operation.id for operation in openapi.OPERATIONS]
    assert len(set(ids)) == len(ids)


def test_parameters_tell_what_is_allowed() -> None:
    """What would be refused for its value alone is outside the schema already."""
    paths = openapi.DOCUMENT.document()["paths"]

    def schema(path: str, method: str, name: str) -> object:
        (found,) = (p["schema"] for p in paths[path][method]["parameters"] if p["name"] == name)
        return found

    assert schema("/api/v1/routers/{name}/test", "post", "timeout_s") == {
        "type": "number",
        "exclusiveMinimum": 0,
        "maximum": 60.0,
    }
    assert schema("/probe", "get", "target") == {"type": "string", "minLength": 1}
    for path in ("/metrics", "/probe"):
        collect = schema(path, "get", "collect[]")
        assert collect == {"type": "array", "items": {"type": "string", "enum": list(KNOWN_COLLECTORS)}}


def test_calls_that_act_are_posts_that_want_a_token() -> None:
    """In the document as in the code: POST with bearer only, and everything else a GET."""
    for operation in api.OPERATIONS:
        assert operation.bearer == (operation.method == "POST")
        described = openapi.DOCUMENT.document()["paths"][operation.path][operation.method.lower()]
        assert described.get("security") == ([{"bearer": []}] if operation.bearer else None)


def test_every_refusal_of_the_api_is_a_problem_document() -> None:
    """No error of the API is described as anything but a problem."""
    for operation in api.OPERATIONS:
        for answer in operation.answers:
            assert (answer.media == (PROBLEM,)) == (answer.status >= 400)


async def test_answers_are_as_described() -> None:
    """Each GET of the API answers with exactly the fields that its schema names."""
    fake = FakeFleet("a")
    await fake.scrape()
    schemas = openapi.DOCUMENT.schemas
    async with fake.serve() as client:
        for operation in api.OPERATIONS:
            if operation.method != "GET":
                continue
            async with client.get(operation.path.replace("{name}", "a")) as response:
                found = await response.json()
            model = operation.answers[0].model
            assert model is not None
            schema = schemas[model.__name__]
            assert set(found) == set(schema["properties"]) == set(schema["required"])


def test_the_reference_page_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    """`docs/reference/api.md` is what the table gives."""
    monkeypatch.chdir(ROOT)
    assert apidoc.main(["--check"]) == 0


def test_the_reference_page_names_every_call_and_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Writing makes the page, and checking notices a change to it."""
    monkeypatch.chdir(tmp_path)
    assert apidoc.main(["--check"]) == 1
    assert "make docs" in capsys.readouterr().err
    assert apidoc.main(["--write"]) == 0
    assert apidoc.main(["--check"]) == 0
    text = apidoc.DOC.read_text(encoding="utf-8")
    for operation in openapi.OPERATIONS:
        assert f"`{operation.method} {operation.path}`" in text
    for rule in RULES:
        assert f"`{rule.code}`" in text
    apidoc.DOC.write_text(f"{text}more\n", encoding="utf-8")
    assert apidoc.main(["--check"]) == 1
