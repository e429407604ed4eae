"""What the configuration of every channel has, and what those that are asked over HTTP add to it."""

import re
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import InitErrorDetails

from alertbridge.deliver.limit.config import ChannelLimitsSection
from alertbridge.numbers import DEFAULT_REGION, Address, AddressRefused, parse_address
from runtime.sections import SecretSection, Section, Surroundings, fault
from runtime.tls import check_authorities
from runtime.web import ExistingFile

WHATSAPP_TEXT_LIMIT = 65_000
"""Characters that WhatsApp takes in a text, with room to spare (the unofficial gateways have no limit of their own)."""

_URL_CHARACTERS = re.compile(r"[!-~]+")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_REGION = re.compile(r"[A-Z]{2}")


def checked_url(text: str) -> str:
    """An http or https address without user, query and fragment, and without a slash at its end.

    Raises ValueError, which never quotes it.
    """
    if not _URL_CHARACTERS.fullmatch(text):
        raise ValueError("must be an address of printable ASCII characters without spaces")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("must be an address such as http://127.0.0.1:3000") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("must be an address such as http://127.0.0.1:3000")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or password; they have keys of their own")
    if parts.fragment or parts.query:
        raise ValueError('must not hold a "?" or "#"')
    return text.rstrip("/")


def checked_header_name(text: str) -> str:
    """A name that an HTTP header can have. Raises ValueError."""
    if not _HEADER_NAME.fullmatch(text):
        raise ValueError("must be the name of an HTTP header")
    return text


def checked_region(text: str) -> str:
    """A country as two letters. Raises ValueError."""
    if not _REGION.fullmatch(text):
        raise ValueError("must be a country as two capital letters, such as ID")
    return text


Url = Annotated[str, AfterValidator(checked_url)]
HeaderName = Annotated[str, AfterValidator(checked_header_name)]
Region = Annotated[str, AfterValidator(checked_region)]
ChannelName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
"""Stands in labels and in the address of the channel's webhook."""


class ProbeSection(Section):
    """A message to the own number now and then, when nothing else proves that the session lives."""

    enabled: bool = Field(default=True, description="Whether the own number is written to at all.")
    after_s: float = Field(
        default=120.0,
        ge=30,
        le=86_400,
        description="Seconds without proof of a delivery after which a probe is sent.",
    )
    every_s: float = Field(
        default=120.0, ge=60, le=86_400, description="Least number of seconds from one probe to the next."
    )


class ChannelBase(Section):
    """One way out, by its `name`."""

    name: ChannelName = Field(description="Name of the channel in routes, labels and webhook addresses.")
    timeout_s: float = Field(
        default=10.0, gt=0, le=60, description="Seconds that one attempt to send may take as a whole."
    )
    own_number: str = Field(
        default="", description="The number that sends; where probes go. Empty: as the provider tells it."
    )
    region: Region = Field(
        default=DEFAULT_REGION, description="Country of numbers that are written without their country code."
    )
    pairing_url: str = Field(
        default="",
        max_length=300,
        description="Page where an operator pairs the number again, without a secret. Empty: the provider's usual one.",
    )
    limits: ChannelLimitsSection = Field(
        default=ChannelLimitsSection(), description="How much may be sent through the channel."
    )
    probe: ProbeSection = Field(default=ProbeSection(), description="Whether a silent session is tried out.")

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        region = given.get("region", DEFAULT_REGION)
        own = given.get("own_number")
        if isinstance(own, str) and own and isinstance(region, str) and _REGION.fullmatch(region):
            try:
                return {**given, "own_number": str(parse_address(own, region=region, allow_lid=False))}
            except AddressRefused as refused:
                faults.append(fault(str(refused), "own_number"))
        return given

    def address(self, text: str) -> str:
        """A recipient's address in the form that is stored. Raises AddressRefused with the reason."""
        return str(self.parsed(text, allow_lid=False))

    def parsed(self, text: str, *, allow_lid: bool = True) -> Address:
        """The address that `text` means here. Raises AddressRefused."""
        return parse_address(text, region=self.region, allow_lid=allow_lid)

    def remarks(self) -> tuple[str, ...]:
        """What is allowed and yet probably not meant, as sentences for `check`."""
        return ()


class HttpSection(ChannelBase):
    """A channel that is asked over HTTP."""

    url: Url = Field(description="Address of the gateway, such as `http://127.0.0.1:3000`.")
    tls_verify: bool = Field(default=True, description="Check the certificate of an https address at all.")
    ca_file: Annotated[ExistingFile, AfterValidator(check_authorities)] | None = Field(
        default=None, description="PEM file with the authorities that may have signed the certificate."
    )

    def remarks(self) -> tuple[str, ...]:
        if self.tls_verify:
            return super().remarks()
        return (*super().remarks(), "tls_verify is off: anybody on the way can read messages and keys")


class KeySection(HttpSection, SecretSection):
    """A channel that is asked over HTTP with one key."""

    secret_name: ClassVar[str] = "api_key"  # noqa: S105  the name of a key

    api_key: SecretStr | None = Field(default=None, description="Key that the gateway asks for.")
    api_key_file: str | None = Field(default=None, description="File that holds the key.")
    api_key_env: str | None = Field(default=None, description="Environment variable that holds the key.")


class WebhookSecret(SecretSection):
    """What proves that a webhook is the provider's."""

    secret_name: ClassVar[str] = "secret"  # noqa: S105  the name of a key
    secret_required: ClassVar[bool] = False

    secret: SecretStr | None = Field(
        default=None, min_length=1, description="Secret shared with the provider."
    )
    secret_file: str | None = Field(default=None, description="File that holds the secret.")
    secret_env: str | None = Field(default=None, description="Environment variable that holds the secret.")

    @property
    def key(self) -> bytes:
        """The secret; empty when there is none, and then every webhook is refused."""
        return self.secret.get_secret_value().encode() if self.secret is not None else b""

    @property
    def configured(self) -> bool:
        return bool(self.key)


NO_WEBHOOK = (
    "webhook.secret is not set: every webhook of this channel is refused, so nothing proves that a message arrived, "
    "replies are not heard, and a session that is half dead goes unnoticed"
)
