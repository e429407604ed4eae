"""Characters that show as they are: what is invisible or turns text around is taken out of values. Pure.

Names of wireless networks, hotspot users and hosts come from customers. A value must not be able to reverse the
line it stands in, hide in it, or pile marks up over its neighbours.
"""

import re
import unicodedata
from collections.abc import Iterator

ZWJ = "\N{ZERO WIDTH JOINER}"
ISOLATE = "\N{FIRST STRONG ISOLATE}"
ISOLATE_END = "\N{POP DIRECTIONAL ISOLATE}"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_MARKS_IN_A_ROW = 4
_BLANKS = frozenset("\u115f\u1160\u3164\uffa0\u2800\u034f\u17b4\u17b5")
"""Characters with a shape of their own that is nothing."""
_LINE_ENDS = re.compile(r"\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_SPACES = re.compile(r"[^\S\n]+")


def clean(value: str, *, lines: bool = False) -> str:
    """`value` with single spaces and without what does not show; on one line unless `lines` may be several."""
    value = _LINE_ENDS.sub("\n" if lines else " ", value)
    if not (value.isascii() and value.isprintable()):
        value = "".join(_visible(value))
    if not lines:
        return _SPACES.sub(" ", value).strip()
    rows = [_SPACES.sub(" ", row).strip() for row in value.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(rows)).strip("\n")


def _visible(value: str) -> Iterator[str]:
    marks = 0
    previous = ""
    for position, character in enumerate(value):
        if character == "\n":
            yield character
            marks, previous = 0, ""
            continue
        kind = unicodedata.category(character)
        if kind in ("Mn", "Me"):
            marks += 1
            if marks > _MARKS_IN_A_ROW or _is_hidden_selector(character):
                continue
        else:
            marks = 0
        if kind == "Cs" or _is_noncharacter(character):
            yield REPLACEMENT
        elif kind == "Zs" or character == "\t":
            yield " "
        elif character in "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}":
            if _joins(previous, value[position + 1 : position + 2]):
                yield character
        elif kind not in ("Cc", "Cf") and character not in _BLANKS:
            yield character
        previous = character


def _joins(before: str, after: str) -> bool:
    """Whether a joiner between these has a meaning: in an emoji or a script that joins, never beside Latin text."""
    return bool(before and after) and all(
        ord(side) > 0x2FF and unicodedata.category(side) in ("Lo", "Mn", "Mc", "So", "Sk")
        for side in (before, after)
    )


def _is_hidden_selector(character: str) -> bool:
    """Variation selectors but for those that choose between text and emoji; they can carry hidden data."""
    code = ord(character)
    return 0xFE00 <= code <= 0xFE0D or 0xE0100 <= code <= 0xE01EF


def _is_noncharacter(character: str) -> bool:
    code = ord(character)
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF


def isolated(value: str) -> str:
    """`value` between isolates when it has right-to-left text, so that it turns nothing around it."""
    if value.isascii() or not any(
        unicodedata.bidirectional(character) in ("R", "AL", "AN") for character in value
    ):
        return value
    return f"{ISOLATE}{value}{ISOLATE_END}"


def is_boundary(text: str, at: int) -> bool:
    """Whether `text` may be cut before index `at` without splitting what a reader takes for one character."""
    if at <= 0 or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if before.isascii() and after.isascii():
        return not (before == "\r" and after == "\n")
    if unicodedata.category(after) in ("Mn", "Me", "Mc") or ZWJ in (before, after):
        return False
    if 0x1F3FB <= ord(after) <= 0x1F3FF or 0xE0020 <= ord(after) <= 0xE007F:  # skin tones, tags of flags
        return False
    if _is_jamo(before) and _is_jamo(after):
        return False
    return not (_is_flag_half(after) and _flag_halves_before(text, at) % 2)


def _is_jamo(character: str) -> bool:
    return 0x1100 <= ord(character) <= 0x11FF


def _is_flag_half(character: str) -> bool:
    return 0x1F1E6 <= ord(character) <= 0x1F1FF


def _flag_halves_before(text: str, at: int) -> int:
    count = 0
    while count < at and _is_flag_half(text[at - count - 1]):
        count += 1
    return count


# -- what an SMS takes

_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)
"""GSM 03.38 with its extension table; one character beyond it halves the length of an SMS."""
_SUBSTITUTES = str.maketrans(
    {
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{MODIFIER LETTER GRAVE ACCENT}": "'",
        "`": "'",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{MINUS SIGN}": "-",
        "\N{HORIZONTAL ELLIPSIS}": "...",
        "\N{MIDDLE DOT}": "-",
        "\N{BULLET}": "-",
        "\N{RIGHTWARDS ARROW}": "->",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{DEGREE SIGN}": " deg ",
        "\N{GREATER-THAN OR EQUAL TO}": ">=",
        "\N{LESS-THAN OR EQUAL TO}": "<=",
        "\t": " ",
    }
)


def gsm_friendly(text: str) -> str:
    """`text` without emoji and with plain letters for accented ones; other scripts stay as they are."""
    if all(character in _GSM for character in text):
        return text
    text = "".join(map(_transliterated, text.translate(_SUBSTITUTES)))
    return "\n".join(_SPACES.sub(" ", row).strip() for row in text.split("\n"))


def _transliterated(character: str) -> str:
    if character in _GSM:
        return character
    kind = unicodedata.category(character)
    if kind in ("So", "Sk", "Cf", "Cs", "Cc") or 0xFE00 <= ord(character) <= 0xFE0F or character == "\u20e3":
        return ""
    base = unicodedata.normalize("NFKD", character)
    letters = "".join(part for part in base if not unicodedata.combining(part))
    if letters and all(part in _GSM for part in letters):
        return letters
    # a mark that stood alone in the text belongs to a Latin letter before it, or to a script that stays
    return "" if unicodedata.combining(character) and 0x300 <= ord(character) <= 0x36F else character
