"""What a channel may be configured as, and what is said of what is allowed and yet hardly meant."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from alertbridge.deliver.providers.apprise.config import AppriseSection
from alertbridge.deliver.providers.registry import KINDS
from alertbridge.deliver.providers.section import ChannelBase
from alertbridge.numbers import AddressRefused
from runtime.sections import Surroundings, secret_values
from tests.fakes.channel_sections import ACCOUNT, KEY, SECTIONS, channel_of, section_of

URL = "http://127.0.0.1:3000"
WAHA = {"kind": "waha", "name": "noc", "url": URL, "api_key": KEY}
BOT = {"kind": "bot", "name": "noc", "url": URL}
TWILIO = {"kind": "twilio", "name": "noc", "account_sid": ACCOUNT, "auth_token": KEY}


def mistakes(given: dict[str, Any]) -> list[str]:
    """What is wrong, with the last part of its place."""
    with pytest.raises(ValidationError) as found:
        channel_of(given)
    assert KEY not in str(found.value)
    return [f"{(error['loc'] or ('',))[-1]}: {error['msg']}" for error in found.value.errors()]


@pytest.mark.parametrize("name", SECTIONS)
def test_the_usual_channels_are_right(name: str) -> None:
    """Each kind with what it needs, and no secret in its repr or its JSON schema."""
    section = section_of(name, URL)
    assert secret_values(section)
    assert not any(secret in repr(section) for secret in secret_values(section))
    assert section.name == name


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_of_every_kind_is_described(kind: str) -> None:
    """The reference and the editor's hints are made of the descriptions."""
    section = KINDS[kind].section
    assert section.__doc__
    assert [name for name, field in section.model_fields.items() if not field.description] == []
    assert json.dumps(section.model_json_schema())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "waa"}, "waa"),
        ({"name": "Two Words"}, "name"),
        ({"url": "ftp://host"}, "must be an address such as"),
        ({"url": f"http://user:{KEY}@host"}, "must not hold a user or password"),
        ({"url": "http://host/?a=b"}, 'must not hold a "?"'),
        ({"api_key": None}, "needs one of api_key"),
        ({"api_key_file": "x"}, "give only one of"),
        ({"own_number": "0812"}, "too short"),
        ({"own_number": "120363000000000001@newsletter"}, "channel"),
        ({"region": "Indonesia"}, "two capital letters"),
        ({"timeout_s": 0}, "greater than 0"),
        ({"session": "a b"}, "session"),
        ({"colour": "red"}, "colour"),
        ({"ca_file": "nowhere.pem"}, "nowhere.pem"),
    ],
)
def test_mistakes_are_told_with_their_place(changes: dict[str, Any], said: str) -> None:
    """The message says what is allowed, and holds no secret."""
    given = {key: value for key, value in {**WAHA, **changes}.items() if value is not None}
    assert any(said in one for one in mistakes(given))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kind": "gowa", "name": "g", "url": URL, "webhook": {"secret": "secret"}}, "GOWA's default"),
        ({**TWILIO}, "needs one of sender"),
        ({**TWILIO, "account_sid": "AC1", "sender": "+15005550006"}, "account_sid"),
        (
            {**TWILIO, "service": "sms", "sender": "+15005550006", "content": {"sid": "HX" + "0" * 32}},
            "is for WhatsApp only",
        ),
        ({**BOT, "send": {"body": {"text": "{{ txt }}"}}}, "'txt' is undefined"),
        ({**BOT, "send": {"body": {"a": [{"b": "{% for %}"}]}}}, "not a template"),
        ({**BOT, "send": {"path": "{{ id }}"}}, "pattern"),
        ({**BOT, "send": {"headers": {"bad name": "x"}}}, "name of an HTTP header"),
        ({**BOT, "send": {"body": "{{ ''.__class__.__mro__ }}"}}, "not a template"),
        ({**BOT, "preset": "mine"}, "preset"),
        ({"kind": "apprise", "name": "a", "url": "ntfy.example.net"}, "must be an Apprise URL"),
        ({"kind": "file", "name": "f"}, "path"),
        (
            {
                "kind": "cloud",
                "name": "c",
                "phone_number_id": "106540352242922",
                "token": KEY,
                "plain_template": {"name": "plain"},
            },
            "stands in for `template`",
        ),
    ],
)
def test_mistakes_of_single_kinds(given: dict[str, Any], said: str) -> None:
    """What only one provider knows is checked in its folder."""
    assert any(said in one for one in mistakes(given))


def test_an_own_number_is_normalised_and_known_of_a_sender() -> None:
    """However it is written; Twilio's sender already is one."""
    assert channel_of({**WAHA, "own_number": "0812-0000-0001"}).own_number == "6281200000001"
    assert channel_of({**TWILIO, "sender": "+6281200000001"}).own_number == "6281200000001"


def test_secrets_may_stand_in_files_and_variables(tmp_path: Path) -> None:
    """Beside the configuration, as everywhere else."""
    (tmp_path / "key").write_text(f"{KEY}\n", encoding="utf-8")
    (tmp_path / "key").chmod(0o600)
    around = Surroundings(folder=tmp_path, environment={"HOOK": "from-the-environment"})
    given = {**WAHA, "api_key_file": "key", "webhook": {"secret_env": "HOOK"}}
    given.pop("api_key")
    section = KINDS["waha"].section.model_validate(given, context=around)
    assert secret_values(section) == {KEY, "from-the-environment"}


def test_a_file_lies_beside_the_configuration(tmp_path: Path) -> None:
    """A relative path starts at the configuration's folder."""
    given = {"kind": "file", "name": "f", "path": "sent.jsonl"}
    section = KINDS["file"].section.model_validate(given, context=Surroundings(folder=tmp_path))
    assert getattr(section, "path", None) == tmp_path / "sent.jsonl"


def test_a_preset_is_joined_with_what_is_given() -> None:
    """Objects are joined, a body is one thing."""
    section = KINDS["bot"].section.model_validate(
        {**BOT, "preset": "rickicode", "send": {"body": {"msg": "{{ text }}"}, "path": "/x"}}
    )
    send = section.model_dump()["send"]
    assert (send["path"], send["body"], send["queued_at"]) == ("/x", {"msg": "{{ text }}"}, "queued")
    bare = KINDS["bot"].section.model_validate({**BOT, "preset": "none"}).model_dump()
    assert (bare["health"], bare["status"], bare["send"]["queued_at"]) == (None, None, "")


def remarks(**changes: object) -> str:
    section: ChannelBase = channel_of({**WAHA, **changes})
    return " | ".join(section.remarks())


def test_what_is_hardly_meant_is_remarked() -> None:
    """`check` says what will be missed: webhooks without a secret above all."""
    assert "webhook.secret is not set" in remarks()
    assert remarks(webhook={"secret": "x" * 20}) == ""
    assert "anybody on the way" in remarks(tls_verify=False)
    cloud = {"kind": "cloud", "name": "c", "phone_number_id": "106540352242922", "token": KEY}
    said = channel_of(cloud).remarks()
    assert [any(word in one for one in said) for word in ("webhook", "handshake", "template")] == [True] * 3
    gowa = channel_of({"kind": "gowa", "name": "g", "url": URL}).remarks()
    assert any("anybody who reaches the server" in one for one in gowa)
    assert any(
        "goes" in one or "go to nobody" in one
        for one in channel_of({"kind": "console", "name": "c"}).remarks()
    )


def test_addresses_are_checked_when_they_are_configured() -> None:
    """Each channel says which addresses it can reach."""
    waha, cloud = section_of("waha", URL), section_of("cloud", URL)
    assert waha.address("0813-0000-0002") == "6281300000002"
    assert waha.address("120363000000000001@g.us") == "120363000000000001@g.us"
    for section, text in (
        (waha, "987654321012345@lid"),
        (cloud, "120363000000000001@g.us"),
        (waha, "operator"),
    ):
        with pytest.raises(AddressRefused):
            section.address(text)
    sms = AppriseSection(kind="apprise", name="s", url="twilio://sid:token@+15005550006/{number}")
    assert sms.address("0813-0000-0002") == "6281300000002"
    with pytest.raises(AddressRefused):
        sms.address("120363000000000001@g.us")
    mail = AppriseSection(kind="apprise", name="m", url="mailtos://u:p@smtp.example.net?to={to}")
    assert mail.address(" noc@example.net ") == "noc@example.net"
