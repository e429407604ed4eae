"""A router that answers from a recording: commands and their replies as text, one sentence a line.

A command line is the command, its arguments and, where replies differ by them, its queries; a reply line the words
of a sentence joined by ` | `. ``%0A`` in a value stands for a line feed. Like a router, it gives only the fields
that the proplist names. ``!trap`` says that there is no such command, ``!fail`` that it failed.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from routeros import CommandFailed, CommandUnsupported, Priority, Reply, RouterError

Sentence = tuple[str, dict[str, str]]


class Recording:
    """Answers commands as recorded; `asked` keeps what was sent."""

    def __init__(self, text: str) -> None:
        self.replies = _parse(text)
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.broken: dict[str, RouterError] = {}

    @classmethod
    def load(cls, path: Path) -> "Recording":
        return cls(path.read_text(encoding="utf-8"))

    async def call(
        self,
        command: str,
        *,
        args: Mapping[str, str] = {},
        proplist: Sequence[str] = (),
        queries: Sequence[str] = (),
        priority: Priority = Priority.NORMAL,
        idempotent: bool = False,
        large: bool = False,
    ) -> Reply:
        self.asked.append((command, tuple(queries)))
        if command in self.broken:
            raise self.broken[command]
        line = " ".join([command, *(f"{key}={value}" for key, value in args.items() if value)])
        narrowed = " ".join([line, *queries])
        records: list[dict[str, str]] = []
        for word, attributes in self.replies[narrowed if narrowed in self.replies else line]:
            if word == "!trap":
                raise CommandUnsupported(attributes["message"], path=command, category=0)
            if word == "!done":
                return Reply(records, attributes.get("ret"))
            if word == "!fail":
                raise CommandFailed(attributes["message"], path=command)
            kept = {k: v for k, v in attributes.items() if not proplist or k in proplist}
            records.append(kept)
        return Reply(records)


def _parse(text: str) -> dict[str, list[Sentence]]:
    found: dict[str, list[Sentence]] = {}
    sentences: list[Sentence] = []
    for line in text.splitlines():
        if line.startswith("/"):
            sentences = found.setdefault(line, [])
        elif line:
            word, *attributes = line.split(" | ")
            pairs = (attribute[1:].split("=", 1) for attribute in attributes)
            sentences.append((word, {key: value.replace("%0A", "\n") for key, value in pairs}))
    return found
