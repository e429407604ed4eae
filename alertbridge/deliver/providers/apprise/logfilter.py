"""Keeps secrets of Apprise's URLs out of the log: its plugins, and the library below them, log whole addresses."""

import logging
import re
from urllib.parse import unquote

from runtime.logs import Redactor

LOGGERS = ("apprise", "urllib3.connectionpool")
_SHORTEST = 6
"""A shorter part of a URL is no secret, or too common a word to be masked wherever it stands."""


class SecretFilter(logging.Filter):
    """Masks what was registered, in the text of each record."""

    def __init__(self) -> None:
        super().__init__()
        self._redactor = Redactor()

    def register(self, url: str) -> None:
        """Masks the URL and each part of it from now on."""
        self._redactor.register(parts_of(url))

    def filter(self, record: logging.LogRecord) -> bool:
        """Lets every record through, without secrets."""
        record.msg, record.args = self._redactor.text(record.getMessage()), None
        record.exc_info = record.exc_text = None  # a traceback quotes what was called with
        return True


def parts_of(url: str) -> frozenset[str]:
    """The URL, and whatever in it may be a user, a password or a token, as it stands and decoded."""
    _, _, rest = url.partition("://")
    parts = {part for part in re.split(r"[/:@?&=,]+", rest) if len(part) >= _SHORTEST}
    user_and_host = rest.partition("/")[0]
    parts |= {piece for piece in (url, rest, user_and_host) if len(piece) >= _SHORTEST}
    return frozenset(parts | {unquote(part) for part in parts})


def keep_out(url: str) -> None:
    """Masks the secrets of `url` in everything that Apprise logs. One filter serves the whole process."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        found = next((one for one in logger.filters if isinstance(one, SecretFilter)), None)
        if found is None:
            found = SecretFilter()
            logger.addFilter(found)
        found.register(url)
