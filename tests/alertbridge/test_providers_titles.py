"""What is said once is not said twice: the title of a message over Apprise."""

import pytest

from alertbridge.deliver.providers.apprise.config import AppriseSection
from alertbridge.deliver.providers.apprise.provider import Apprise, Letter
from alertbridge.deliver.providers.base import Outgoing
from tests.fakes.channel_sections import channel_of

LINE = "\U0001f198 BotDown belum pulih: bot:noc, 5 percobaan gagal (belum pulih)."


@pytest.mark.parametrize(
    ("url", "title", "text", "sent"),
    [
        ("json://gateway.example/sms", LINE, LINE, ""),
        ("json://gateway.example/sms", f"{LINE[:40]}\u2026", LINE, ""),
        ("json://gateway.example/sms", LINE, f"Lewat sms.\n{LINE}", ""),
        ("json://gateway.example/sms", "KRITIS BotDown noc", LINE, "KRITIS BotDown noc"),
        ("mailto://u:p@mail.example?to=a@mail.example", LINE, LINE, LINE),
    ],
)
async def test_a_title_that_the_text_says_is_left_out(url: str, title: str, text: str, sent: str) -> None:
    """A recovery message is one line; only an e-mail needs a subject all the same."""
    letters: list[Letter] = []

    def send(letter: Letter) -> bool:
        letters.append(letter)
        return True

    section = channel_of({"kind": "apprise", "name": "fallback", "url": url})
    assert isinstance(section, AppriseSection)
    provider = Apprise(section, send=send)
    await provider.send(Outgoing("A" * 32, "+62812000000012", text, template_fields={"title": title}))
    await provider.close()
    assert [(one.title, one.body) for one in letters] == [(sent, text)]
