"""Every usual way to write an address becomes one form, and what is none is refused with the reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertbridge.numbers import (
    Address,
    AddressKind,
    AddressRefused,
    chat_of,
    parse_address,
    parse_number,
    person_of,
    split_jid,
)

OURS = "6281200000001"


@pytest.mark.parametrize(
    "written",
    [
        "081200000001",
        "0812-0000-0001",
        "(0812) 0000 0001",
        "0812.0000.0001",
        "81200000001",
        "6281200000001",
        "62 812 0000 0001",
        "+6281200000001",
        "+62 812-0000-0001",
        "+62 (0) 812 0000 0001",
        "+62081200000001",
        "006281200000001",
        "  +62 812 0000 0001\n",
        "\u202a+62\u00a0812\u20110000\u20110001\u202c",  # as copied from a contact
        "\uff10\uff18\uff11\uff12\uff10\uff10\uff10\uff10\uff10\uff10\uff10\uff11",  # full width
        "\u0660\u0668\u0661\u0662\u0660\u0660\u0660\u0660\u0660\u0660\u0660\u0661",  # Arabic digits
        "6281200000001@s.whatsapp.net",
        "6281200000001@c.us",
        "6281200000001:12@s.whatsapp.net",
        "6281200000001.0:3@s.whatsapp.net",
        "6281200000001_1@c.us",
        "+6281200000001@C.US",
        "whatsapp:+6281200000001",
        "tel:+62-812-0000-0001",
        "https://wa.me/6281200000001",
        "wa.me/6281200000001",
    ],
)
def test_a_number_is_understood_however_it_is_written(written: str) -> None:
    """All of them are the same number."""
    address = parse_address(written)
    assert address == Address(AddressKind.PERSON, OURS)
    assert (str(address), address.e164, address.jid(), address.jid("c.us")) == (
        OURS,
        f"+{OURS}",
        f"{OURS}@s.whatsapp.net",
        f"{OURS}@c.us",
    )


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("\u200b", "empty"),
        ("0812", "too short"),
        ("+62812", "too short"),
        ("+", "must be one phone number"),
        ("0812-0000-0001-0000-0000", "too long"),
        ("+6281200000001" + "0" * 70, "longer than"),
        ("0812-ALARM-01", "letters"),
        ("operator", "letters"),
        ("081200000001 ext 5", "letters"),
        ("081200000001/081200000002", "must be one phone number"),
        ("081200000001,081200000002", "must be one phone number"),
        ("081200000001;", "must be one phone number"),
        ("+999 123 456 789", "country code"),
        ("+62 000 0000 0000", "looks like no phone number"),
        ("++6281200000001", "not a phone number|looks like|must be"),
        ("6281200000001@example.net", "server"),
        ("6281200000001@", "server"),
        ("operator@s.whatsapp.net", "only digits"),
        ("0812@s.whatsapp.net", "too short|country code"),
        ("120363000000000001@newsletter", "channel"),
        ("status@broadcast", "broadcast"),
        ("abc@g.us", "not a group"),
        ("77@g.us", "not a group"),
        ("x@lid", "not a LID"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(written: str, reason: str) -> None:
    """The reason is part of a sentence, and does not repeat what was written."""
    with pytest.raises(AddressRefused, match=reason) as refused:
        parse_address(written)
    assert len(written.strip()) < 4 or written.strip() not in str(refused.value)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("120363000000000001@g.us", "120363000000000001@g.us"),
        ("120363000000000001", "120363000000000001@g.us"),
        ("6281200000001-1500000000@g.us", "6281200000001-1500000000@g.us"),
        ("6281200000001-1500000000", "6281200000001-1500000000@g.us"),
        (" 120363000000000001@G.US ", "120363000000000001@g.us"),
    ],
)
def test_groups_have_an_old_and_a_new_form(written: str, stored: str) -> None:
    """With or without the server behind it."""
    address = parse_address(written)
    assert (str(address), address.is_group, address.jid("c.us")) == (stored, True, stored)


def test_a_lid_is_an_address_for_answers_and_none_for_a_configuration() -> None:
    """Nobody can know a LID beforehand; whoever writes one down has probably copied it from somewhere."""
    assert str(parse_address("987654321012345:2@lid")) == "987654321012345@lid"
    with pytest.raises(AddressRefused, match="LID"):
        parse_address("987654321012345@lid", allow_lid=False)


def test_the_region_is_whose_trunk_prefix_a_zero_is() -> None:
    """The same digits are another number elsewhere; with the country code they are the same everywhere."""
    assert parse_number("020 7946 0018", region="GB") == "442079460018"
    assert parse_number("(202) 555-0142", region="US") == "12025550142"
    for region in ("ID", "GB", "US"):
        assert parse_number("+6281200000001", region=region) == OURS


def test_a_number_that_can_be_read_in_two_ways_is_asked_about() -> None:
    """Ten digits without a + can be one of here, or one of another country: nobody guesses who is woken up."""
    with pytest.raises(AddressRefused, match="write it with the"):
        parse_number("6592345678", region="US")


def test_jids_of_providers_are_read_without_their_device() -> None:
    """WhatsApp's own word is believed; what is no JID gives nothing."""
    assert split_jid("6281200000001:12@s.whatsapp.net") == (OURS, "s.whatsapp.net")
    assert person_of("987:3@lid", "6281200000001.0:1@s.whatsapp.net", "999@lid") == (OURS, "987")
    assert person_of("120363000000000001@g.us", "operator", "", "6281200000001") == ("", "")
    chats = (
        "6281200000001:3@c.us",
        "987@lid",
        "120363000000000001@g.us",
        "1@newsletter",
        "status@broadcast",
        "x",
    )
    assert [chat_of(jid) for jid in chats] == [OURS, "987@lid", "120363000000000001@g.us", "", "", ""]


@given(st.text(max_size=100))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    """Nothing else is raised, and what is stored is read again as itself."""
    try:
        address = parse_address(text)
    except AddressRefused:
        return
    assert parse_address(str(address)) == address


@given(st.text(alphabet="0123456789+-@.:gusclidwhatapnet ", max_size=40))
def test_what_looks_like_an_address_is_one_or_refused(text: str) -> None:
    """As above, with texts that come close; and a provider's JID never raises."""
    split_jid(text), person_of(text), chat_of(text)
    try:
        address = parse_address(text)
    except AddressRefused:
        return
    assert parse_address(str(address)) == address
