"""What is written about the bridge is so: examples are read, tables name everything, the schema accepts what we do."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest
import yaml

from alertbridge import apidoc, configdoc, metricsdoc
from alertbridge.__main__ import main
from alertbridge.cli.exitcodes import ExitCode
from alertbridge.config import Config, json_schema
from alertbridge.deliver.channel.standing import ChannelState
from alertbridge.deliver.providers.registry import KINDS
from alertbridge.deliver.render.facts import AlertFacts, ManyFacts
from alertbridge.deliver.render.styles import sandbox
from alertbridge.selfmetrics import SelfMetrics
from alertbridge.serve import openapi
from runtime.loading import parse

ROOT = Path(__file__).resolve().parents[2]
HOW_TO = ROOT / "docs/how-to"
ENVIRONMENT = {
    "BRIDGE_PASSWORD": "w4lnut-orchard",
    "BRIDGE_TOKEN": "t0ken-of-alertmanager",
    "WAHA_API_KEY": "key",
    "WAHA_HOOK_HMAC_KEY": "hmac",
    "TELEGRAM_URL": "tgram://token/chat",
}


def blocks(page: str) -> list[dict[str, Any]]:
    """The YAML in a page."""
    text = (HOW_TO / page).read_text(encoding="utf-8")
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]


def test_the_example_passes_check(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a mistake, and without anything odd to remark."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    file = ROOT / "examples/alertbridge.yml"
    assert main(["check", "--offline", "--config", str(file)]) == ExitCode.OK
    assert "remark" not in capsys.readouterr().out


def test_an_editor_finds_nothing_wrong_with_the_example() -> None:
    """The schema is one, and accepts the example."""
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    found = yaml.safe_load((ROOT / "examples/alertbridge.yml").read_text(encoding="utf-8"))
    found["rotas"][0]["start"] = str(found["rotas"][0]["start"])
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(found)) == []
    found["channels"][0]["kind"] = "wahaa"
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(found)) != []


@pytest.mark.parametrize("page", ["bridge-quickstart.md", "providers.md", "routing.md"])
def test_configurations_in_pages_are_read(page: str, tmp_path: Path) -> None:
    """Each block that has channels or routes is taken, once what it leaves out for short is there."""
    for name in set(re.findall(r"_file: ([\w-]+)", (HOW_TO / page).read_text(encoding="utf-8"))):
        (tmp_path / name).write_text("mailtos://user:pass@smtp.example.net?to={to}")
    usual: dict[str, Any] = {
        "channels": [{"name": "wa", "kind": "console"}, {"name": "sms", "kind": "console"}],
        "recipients": [],
    }
    read = 0
    for block in blocks(page):
        if not {"channels", "routes"} & block.keys():
            continue
        whole = {**usual, **block}
        if not whole["recipients"]:
            channel = whole["channels"][0]["name"]
            whole["recipients"] = [{"name": "noc", "channel": channel, "to": "0812000000001"}]
        parse(json.dumps(whole, default=str), Config, folder=tmp_path)  # in which numbers in quotes stay so
        read += 1
    assert read


def test_every_kind_and_state_is_told() -> None:
    """providers.md has each kind of channel in its table, and each state."""
    text = (HOW_TO / "providers.md").read_text(encoding="utf-8")
    for word in (*KINDS, *(state.value for state in ChannelState)):
        assert re.search(rf"^\| .*`{word}`", text, re.MULTILINE), word


def test_every_variable_and_filter_is_told() -> None:
    """routing.md names what templates can say, and no filter that there is not."""
    text = (HOW_TO / "routing.md").read_text(encoding="utf-8")
    for field in fields(AlertFacts):
        assert f"`{field.name}`" in text, field.name
    for field in fields(ManyFacts):
        assert f"`all.{field.name}`" in text or field.name == "sorts_more", field.name
    filters = set(sandbox("en", ZoneInfo("Asia/Jakarta"), rich=True).filters)
    table = text.partition("| filter |")[2].partition("\n\n")[0]
    told = set(
        re.findall(r"`(\w+)(?:\([a-z]\))?`", "\n".join(row.split("|")[1] for row in table.splitlines()[2:]))
    )
    assert told == filters - {"turns", "joined"}  # made of loops and of +, written by nobody


def test_generated_pages_tell_everything() -> None:
    """Each operation, each metric and each kind of channel has its place."""
    api, metrics, config = apidoc.page(), metricsdoc.document(), configdoc.page()
    for operation in openapi.OPERATIONS:
        assert f"### `{operation.method} {operation.path}`" in api
    for family in SelfMetrics(process=False).registry.collect():
        assert f"`{family.name}" in metrics, family.name
    for kind in KINDS:
        assert f"\n### `{kind}`\n" in config
    assert "`except`" in config
    assert "`continue`" in config
