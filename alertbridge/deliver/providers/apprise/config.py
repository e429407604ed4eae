"""The `apprise` channel: one target of Apprise, such as an SMS gateway, Telegram, e-mail or ntfy."""

from typing import Any, ClassVar, Literal

from pydantic import Field, SecretStr
from pydantic_core import InitErrorDetails

from alertbridge.deliver.limit.config import FallbackLimitsSection
from alertbridge.deliver.providers.section import ChannelBase
from alertbridge.numbers import AddressRefused
from runtime.sections import SecretSection, Surroundings, fault

TO, NUMBER = "{to}", "{number}"
ADDRESS_LIMIT_CHARS = 200


class AppriseSection(ChannelBase, SecretSection):
    """A target of Apprise, by its URL."""

    secret_name: ClassVar[str] = "url"  # noqa: S105  the name of a key

    kind: Literal["apprise"] = Field(description="Anything that Apprise speaks.")
    url: SecretStr | None = Field(
        default=None,
        description=(
            "Apprise URL, such as `mailtos://user:pass@smtp.example.net?to={to}`. `{to}` is the recipient's address "
            "as it is, `{number}` a phone number in digits."
        ),
    )
    url_file: str | None = Field(default=None, description="File that holds the URL.")
    url_env: str | None = Field(default=None, description="Environment variable that holds the URL.")
    timeout_s: float = Field(
        default=20.0, gt=0, le=60, description="Seconds that one attempt to send may take as a whole."
    )
    limits: FallbackLimitsSection = Field(
        default=FallbackLimitsSection(), description="How much may be sent through the channel."
    )

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        url = given.get("url")
        shown = url.get_secret_value() if isinstance(url, SecretStr) else url
        if isinstance(shown, str) and "://" not in shown:
            faults.append(fault("must be an Apprise URL, such as ntfys://ntfy.example.net/topic", "url"))
        return given

    @property
    def target(self) -> str:
        """The URL, with its placeholders."""
        return self.url.get_secret_value() if self.url is not None else ""

    def address(self, text: str) -> str:
        """A phone number where the URL wants one; else the text as it is. Raises AddressRefused."""
        if NUMBER in self.target:
            address = self.parsed(text, allow_lid=False)
            if address.is_group:
                raise AddressRefused("is a group; this channel wants a phone number")
            return str(address)
        shown = text.strip()
        if len(shown) > ADDRESS_LIMIT_CHARS or not shown.isprintable():
            raise AddressRefused(f"must be at most {ADDRESS_LIMIT_CHARS} printable characters")
        return shown
