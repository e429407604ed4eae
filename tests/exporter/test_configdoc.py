"""The reference page and the JSON schema say what the models accept, key by key."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from exporter import configdoc
from exporter.config import json_schema
from exporter.fleet import KNOWN_COLLECTORS

EXAMPLES = Path(__file__).parents[2] / "examples"
BROKEN = Path(__file__).parent / "broken_configs"
SCHEMA = json_schema(["system", "interface", "hotspot", "ppp"])


def accepts(text: str) -> bool:
    """Whether an editor with the schema finds nothing wrong with `text`."""
    return jsonschema.Draft202012Validator(SCHEMA).is_valid(yaml.safe_load(text))


def properties(node: object) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every key of the schema with what it says of it."""
    if isinstance(node, Mapping):
        for name, child in node.get("properties", {}).items():
            yield name, child
        for child in node.values():
            yield from properties(child)


def test_the_schema_is_one() -> None:
    """The schema itself follows the dialect it names, and has no generated titles; null is a collector's alone."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]
    assert configdoc.schema_text().count('"null"') == 1
    assert configdoc.schema_text().count('"title"') == 1


@pytest.mark.parametrize(
    "text",
    [
        "web: {listen: 127.0.0.1:9436}\nrouters: [{name: a, address: 127.0.0.1, port: 8728, username: m, password: s}]",
        "routers: [{address: a, tls: true}, {address: b, tls: {verify: false}}]",
        "routers: [{address: a}]\nmodules: {a: {collectors: [system]}, b: {collectors: {hotspot: {mode: top}}}, c: {}}",
        "routers: [{address: a, labels: {site: x}, pool: {max_in_flight: 2}}]\npool: {preset: production}",
    ],
)
def test_good_files_pass(text: str) -> None:
    """What the program accepts the schema accepts."""
    assert accepts(text)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("exporter*.yml")), ids=lambda path: path.stem)
def test_the_examples_pass(path: Path) -> None:
    """An editor that knows the schema underlines nothing in the examples, names without settings included."""
    problems = jsonschema.Draft202012Validator(json_schema(KNOWN_COLLECTORS)).iter_errors(
        yaml.safe_load(path.read_text(encoding="utf-8"))
    )
    assert [problem.message for problem in problems] == []


@pytest.mark.parametrize(
    "name",
    [
        "misspelt_key",
        "unknown_collector",
        "wrong_preset",
        "durations_with_units",
        "list_as_mapping",
        "string_for_list",
        "no_routers",
        "unquoted_password",
        "port_in_address",
    ],
)
def test_typical_mistakes_are_marked_in_the_editor(name: str) -> None:
    """Misspelt keys, wrong kinds and numbers out of bounds are found before the file is ever loaded."""
    assert not accepts((BROKEN / f"{name}.yml").read_text(encoding="utf-8"))


def test_every_key_is_explained() -> None:
    """Each key has a description that ends in a full stop, and its row on the page."""
    page = configdoc.page()
    found = list(properties(SCHEMA))
    assert len(found) > 60
    for name, child in found:
        section = str(child.get("$ref", "")).rpartition("/")[2]
        description = child.get("description", SCHEMA["$defs"].get(section, {}).get("description", ""))
        assert description.endswith("."), name
        assert f"| `{name}` |" in page
        assert description.replace("|", "\\|") in page


def test_the_page_shows_each_kind_of_cell() -> None:
    """Types with bounds, choices, defaults of models and presets, and nested sections are all spelled out."""
    page = configdoc.page()
    for part in (
        "| `max_stale_s` | number from 0 to 86,400 | `300` |",
        "| `failure_limit` | whole number from 1 to 1,000 | `5` (preset) |",
        "| `preset` | `default`, `production`, `development` | `default` |",
        "| `address` | text | required |",
        "| `allow` | list of texts |",
        "| `basic_auth` | list of sections |",
        "| `labels` | a text per name |",
        "## `modules.NAME.collectors.NAME`",
        "## `routers[].tls`",
        "| `pool.acquire_timeout_s` | 10 | 8 | 15 |",
        "| `retry.attempts` | 3 | 5 | 3 |",
    ):
        assert part in page


def test_stale_files_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` fails while a file is missing or old, names it, and passes after `--write`."""
    monkeypatch.chdir(tmp_path)
    assert configdoc.main(["--check"]) == 1
    assert configdoc.main(["--write"]) == 0
    assert configdoc.main(["--check"]) == 0
    capsys.readouterr()
    with configdoc.SCHEMA.open("a") as file:
        file.write(" ")
    assert configdoc.main(["--check"]) == 1
    assert "config.schema.json" in capsys.readouterr().err
