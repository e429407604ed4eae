"""Reads the files that mktxp is configured with: sections of ``key = value``, as ConfigObj writes and reads them.

A value is one text or several between commas, each perhaps in quotes; ``#`` outside quotes begins a comment.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runtime.loading import SIZE_LIMIT_BYTES, ConfigError, Problem

_SECTION = re.compile(r"\[\s*(?P<name>'[^']*'|\"[^\"]*\"|[^\[\]]*?)\s*\]\s*(?:#.*)?")
_NESTED = re.compile(r"\[\[")
_KEY = re.compile(r"(?P<key>'[^']*'|\"[^\"]*\"|[^'\"=#\[][^=]*?)\s*=\s*(?P<value>.*)")
_ITEM = re.compile(r"\s*(?:'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\"|(?P<bare>[^'\",#][^,#]*))\s*")
_TRUE = ("true", "yes", "on", "1")
_FALSE = ("false", "no", "off", "0")


@dataclass(frozen=True, slots=True)
class Value:
    """What a key is set to, and on which line. Not shown in a repr: it may be a password."""

    items: tuple[str, ...]
    line: int

    def __repr__(self) -> str:
        return f"<Value line={self.line}>"

    @property
    def text(self) -> str:
        """The value as one text; a list is joined by commas again, as mktxp does."""
        return ",".join(self.items)

    @property
    def is_none(self) -> bool:
        """Whether it says that there is none."""
        return self.text.strip().lower() in ("", "none")

    @property
    def flag(self) -> bool:
        """True or False. Raises ValueError for anything else."""
        word = self.text.strip().lower()
        if word not in (*_TRUE, *_FALSE):
            raise ValueError("must be True or False")
        return word in _TRUE


@dataclass(frozen=True, slots=True)
class ConfSection:
    """One section: its name, the line it begins on, and its keys."""

    name: str
    line: int
    values: Mapping[str, Value]


def read_conf(path: Path) -> dict[str, ConfSection]:
    """The sections of a file, in its order. Raises ConfigError with every line that cannot be read."""
    reading, problems = _Reading(), []
    for number, line in enumerate(_lines(path), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            reading.take(text, number)
        except ValueError as error:
            problems.append(Problem("", number, str(error)))
    if not reading.sections and not problems:
        problems.append(Problem("", None, "holds no section such as [MyRouter]"))
    if problems:
        raise ConfigError(str(path), problems)
    return reading.sections


class _Reading:
    """The sections so far. A line that cannot be read raises ValueError, and the next one is read all the same."""

    def __init__(self) -> None:
        self.sections: dict[str, ConfSection] = {}
        self._values: dict[str, Value] | None = None

    def take(self, text: str, line: int) -> None:
        if text.startswith("["):
            self._values = {}  # so that the keys of a section that cannot be read are no second problem
            name = _section_name(text)
            if name in self.sections:
                raise ValueError(f"the section {name} comes a second time")
            self.sections[name] = ConfSection(name, line, self._values)
            return
        key, value = _assignment(text, line)
        if self._values is None:
            raise ValueError("a key before the first section")
        if key in self._values:
            raise ValueError(f"{key} comes a second time in this section")
        self._values[key] = value


def _lines(path: Path) -> list[str]:
    def refuse(message: str) -> ConfigError:
        return ConfigError(str(path), [Problem("", None, message)])

    try:
        if path.stat().st_size > SIZE_LIMIT_BYTES:
            raise refuse(f"is longer than {SIZE_LIMIT_BYTES} bytes; is it a configuration?")
        return path.read_bytes().decode("utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise refuse("there is no such file") from error
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise refuse("is not UTF-8 text") from error


def _section_name(text: str) -> str:
    if _NESTED.match(text):
        raise ValueError("sections within sections are not known to mktxp")
    match = _SECTION.fullmatch(text)
    if match is None or not (name := match["name"].strip("'\"").strip()):
        raise ValueError("is not a section such as [MyRouter]")
    return name


def _assignment(text: str, line: int) -> tuple[str, Value]:
    match = _KEY.fullmatch(text)
    if match is None:
        raise ValueError("is neither a section such as [MyRouter] nor key = value")
    key, rest = match["key"].strip("'\""), match["value"]
    if rest.startswith(("'''", '"""')):
        raise ValueError(f"{key}: values over several lines are not understood")
    return key, Value(tuple(_items(key, rest)), line)


def _items(key: str, rest: str) -> list[str]:
    """The value's parts; what cannot be read is not quoted in the error, since it may be a password."""
    found: list[str] = []
    at = 0
    while at < len(rest) and rest[at] != "#":
        match = _ITEM.match(rest, at)
        if match is None:
            if rest[at] == "," and found:
                at += 1
                continue
            raise ValueError(f"{key}: quotes or commas of the value do not fit")
        bare = match["bare"]
        found.append(bare.strip() if bare is not None else match["single"] or match["double"] or "")
        at = match.end()
        if at < len(rest) and rest[at] not in ",#":
            raise ValueError(f"{key}: something follows the quoted value")
        if at < len(rest) and rest[at] == ",":
            at += 1
    return found
