"""Addresses of people and groups on WhatsApp: every usual way to write one becomes one form, or a reason why not."""

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, ValidationResult

DEFAULT_REGION = "ID"
"""Whose trunk prefix a leading 0 is."""
LENGTH_LIMIT_CHARS = 80
"""Longer text is no address, whatever it is."""

_PERSON_SERVERS = frozenset({"s.whatsapp.net", "c.us"})
_REFUSED_SERVERS = {
    "newsletter": "is a channel (newsletter), which nobody can write to",
    "broadcast": "is a broadcast list, not a person or a group",
    "bot": "is one of Meta's own bots",
    "call": "is a call, not a person or a group",
}
_GROUP = re.compile(r"[0-9]{15,20}|[1-9][0-9]{6,14}-[0-9]{8,13}")
_LID = re.compile(r"[0-9]{5,20}")
_SCHEMES = re.compile(r"(?:whatsapp:|tel:|(?:https?://)?(?:www\.)?wa\.me/)", re.IGNORECASE)
_INVISIBLE = frozenset({"Cf", "Cc"})
"""Marks that come along when a number is copied out of a contact: direction marks, zero-width spaces."""
_WRITTEN = re.compile(r"\+?[0-9 ().\-]+")


class AddressKind(Enum):
    """What an address leads to."""

    PERSON = "person"
    GROUP = "group"
    LID = "lid"  # a person whose number WhatsApp hides


class AddressRefused(ValueError):
    """Text that is no address; the message is a sentence part that says why, and does not repeat the text."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a message goes. `user` is digits with the country code, a group's id, or the digits of a LID."""

    kind: AddressKind
    user: str

    @property
    def is_group(self) -> bool:
        return self.kind is AddressKind.GROUP

    @property
    def e164(self) -> str:
        """``+62812…``; only of a person."""
        return f"+{self.user}"

    def jid(self, person_server: str = "s.whatsapp.net") -> str:
        """As ``user@server``; `person_server` is ``c.us`` for what stands on WhatsApp Web."""
        servers = {AddressKind.PERSON: person_server, AddressKind.GROUP: "g.us", AddressKind.LID: "lid"}
        return f"{self.user}@{servers[self.kind]}"

    def __str__(self) -> str:
        """The one form that is stored and compared: a person's digits, else the JID."""
        return self.user if self.kind is AddressKind.PERSON else self.jid()


def parse_address(text: str, *, region: str = DEFAULT_REGION, allow_lid: bool = True) -> Address:
    """The address that `text` means. Raises AddressRefused.

    `region` (ISO 3166, such as ID) is where numbers without a country code are at home.
    """
    bare = _cleaned(text)
    user, at, server = bare.partition("@")
    server = server.lower()
    if not at:
        if re.fullmatch(r"[0-9]{18,20}", user) or re.fullmatch(r"[1-9][0-9]{9,14}-[0-9]{9,13}", user):
            return Address(AddressKind.GROUP, user)  # a group's id without its server
        return Address(AddressKind.PERSON, parse_number(user, region=region))
    if server in _REFUSED_SERVERS:
        raise AddressRefused(_REFUSED_SERVERS[server])
    if server == "g.us":
        if not _GROUP.fullmatch(user):
            raise AddressRefused("is not a group: its id must be digits such as 120363000000000001@g.us")
        return Address(AddressKind.GROUP, user)
    if server == "lid":
        return _lid(user, allowed=allow_lid)
    if server not in _PERSON_SERVERS:
        raise AddressRefused(
            "ends in a server that WhatsApp does not have; allowed: @s.whatsapp.net, @c.us, @g.us"
        )
    digits = _without_device(user).removeprefix("+")
    if not digits.isascii() or not digits.isdigit():
        raise AddressRefused("must have only digits before the @")
    return Address(AddressKind.PERSON, parse_number(f"+{digits}", region=region))


def parse_number(text: str, *, region: str = DEFAULT_REGION) -> str:
    """A phone number as digits with the country code. Raises AddressRefused."""
    written = _cleaned(text)
    if any(character.isalpha() for character in written):
        raise AddressRefused("has letters in it; a phone number has none")
    if not _WRITTEN.fullmatch(written):
        raise AddressRefused("must be one phone number of digits, such as +62 812-0000-0001")
    if sum(character.isdigit() for character in written) < 5:
        raise AddressRefused("is too short for a phone number")
    if written.startswith("00"):
        written = f"+{written[2:]}"
    if written.startswith("+"):
        return _digits(_checked(_parsed(written, None)))
    return _digits(_without_country_code(written, region))


def split_jid(jid: str) -> tuple[str, str]:
    """User and server of what a provider tells, without the device (``62…:12@…``, ``62….0:12@…``); both empty for
    what is no JID. The number is believed, since WhatsApp said it."""
    user, at, server = jid.strip().partition("@")
    user = _without_device(user)
    if not at or not re.fullmatch(r"[0-9]{1,20}(?:-[0-9]{1,13})?", user):
        return "", ""
    return user, server.lower()


def person_of(*jids: str) -> tuple[str, str]:
    """Number (digits) and LID of a person whom a provider names in one or several typed fields; the first of each."""
    number = lid = ""
    for jid in jids:
        user, server = split_jid(jid)
        if server in _PERSON_SERVERS and "-" not in user:
            number = number or user
        elif server == "lid":
            lid = lid or user
    return number, lid


def chat_of(jid: str) -> str:
    """The stored form of the chat that a provider names by JID; empty for channels, broadcasts and what is no JID."""
    user, server = split_jid(jid)
    if server in _PERSON_SERVERS:
        return user
    return f"{user}@{server}" if server in ("g.us", "lid") else ""


def _cleaned(text: str) -> str:
    """Without blanks around, invisible marks, and what links and providers put before a number."""
    if len(text) > LENGTH_LIMIT_CHARS:
        raise AddressRefused(f"is longer than {LENGTH_LIMIT_CHARS} characters, too long for an address")
    shown = "".join(
        c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) not in _INVISIBLE
    )
    shown = re.sub(r"[\u2010-\u2015\u2212]", "-", shown).strip()
    shown = _SCHEMES.sub("", shown, count=1) if _SCHEMES.match(shown) else shown
    if not shown:
        raise AddressRefused("is empty")
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in shown)


def _without_device(user: str) -> str:
    return re.sub(r"(?:[._][0-9]+)?(?::[0-9]+)?\Z", "", user)


def _lid(user: str, *, allowed: bool) -> Address:
    digits = _without_device(user)
    if not allowed:
        raise AddressRefused("is a LID, by which WhatsApp hides a number; give the phone number itself")
    if not _LID.fullmatch(digits):
        raise AddressRefused("is not a LID: it must have only digits before @lid")
    return Address(AddressKind.LID, digits)


def _parsed(text: str, region: str | None) -> PhoneNumber:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            raise AddressRefused("begins with a country code that does not exist") from None
        if error.error_type in (NumberParseException.TOO_SHORT_NSN, NumberParseException.TOO_SHORT_AFTER_IDD):
            raise AddressRefused("is too short for a phone number") from None
        if error.error_type == NumberParseException.TOO_LONG:
            raise AddressRefused("is too long for a phone number") from None
        raise AddressRefused("is not a phone number") from None


def _without_country_code(written: str, region: str) -> PhoneNumber:
    """A number without +: at home in `region`, or with the country code and only the + left out."""
    at_home = _parsed(written, region)
    if written.lstrip("(").startswith("0"):
        return _checked(at_home)
    abroad = None
    try:
        abroad = _checked(_parsed(f"+{written}", None))
    except AddressRefused:
        return _checked(at_home)
    if phonenumbers.is_valid_number(at_home) and _digits(at_home) != _digits(abroad):
        raise AddressRefused(
            f"can be read as +{_digits(at_home)} and as +{_digits(abroad)}; write it with the + and country code"
        )
    return abroad


_POSSIBLE = {
    ValidationResult.TOO_SHORT: "is too short for a phone number",
    ValidationResult.TOO_LONG: "is too long for a phone number",
    ValidationResult.INVALID_COUNTRY_CODE: "begins with a country code that does not exist",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "lacks its area code",
    ValidationResult.INVALID_LENGTH: "has a length that no phone number of its country has",
}


def _checked(number: PhoneNumber) -> PhoneNumber:
    result = phonenumbers.is_possible_number_with_reason(number)
    if result in _POSSIBLE:
        raise AddressRefused(_POSSIBLE[result])
    if not phonenumbers.is_valid_number(number):
        raise AddressRefused(f"looks like no phone number of country code {number.country_code}")
    return number


def _digits(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164).removeprefix("+")
