"""Text as WhatsApp takes it: values that change no formatting, long texts in numbered parts, plain text for SMS."""


def escape(value: str) -> str:
    """`value` as one line that shows as it is: no marks, no control characters, right-to-left isolated."""
    raise NotImplementedError


def split(text: str, limit: int) -> tuple[str, ...]:
    """`text` in parts of at most `limit` characters, numbered ``(1/3)`` at their ends when there are several."""
    raise NotImplementedError


def shorten(text: str, limit: int, language: str) -> str:
    """`text`, or as many of its lines as go into `limit` characters and how many more there were."""
    raise NotImplementedError


def plain(text: str) -> str:
    """`text` without WhatsApp's marks, in characters that an SMS takes at full length where there is such a one."""
    raise NotImplementedError
