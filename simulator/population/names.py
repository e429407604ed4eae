"""Names as people give them: mostly plain, some with what breaks careless programs."""

from ..wire import raw_text

_ODD_USERS = (
    "warung kopi 7",
    'kios "Maju"',
    "back\\slash",
    "café-étoile",
    raw_text(b"se\xf1or-12"),
    "東京-3",
    "a=b,c",
    "tab\tin-name",
)
_ODD_HOSTS = (
    raw_text(b"J\xfcrgens-PC"),
    "Living Room TV",
    "iPhone von Zoë",
    'the "printer"',
    raw_text(b"nul\x00l"),
)
_ODD_EVERY = 25


def user_name(stem: str, number: int) -> str:
    """`stem-17`; one in 25 has spaces, quotes, backslashes, UTF-8 or latin-1 bytes."""
    turn, place = divmod(number, _ODD_EVERY)
    if place != 3:
        return f"{stem}-{number}"
    odd = _ODD_USERS[turn % len(_ODD_USERS)]
    return odd if turn < len(_ODD_USERS) else f"{odd} {turn // len(_ODD_USERS)}"


def host_name(number: int) -> str:
    """What a client calls itself; any bytes."""
    turn, place = divmod(number, _ODD_EVERY)
    return _ODD_HOSTS[turn % len(_ODD_HOSTS)] if place == 3 else f"device-{number}"
