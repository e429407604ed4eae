"""The findings of `check` as text and as JSON."""

import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from exporter.cli.findings import CollectorFinding, RouterFinding, TableFinding, Verdict, accesses
from exporter.cli.setupcommands import setup_commands
from exporter.cli.terminal import visible
from exporter.cli.units import milliseconds
from routeros import CommandDeadline, failure_class
from runtime.wording import counted

_STYLES: Mapping[Verdict, str] = {
    Verdict.WORKS: "green",
    Verdict.UNSUPPORTED: "dim",
    Verdict.PARTLY: "yellow",
    Verdict.NO_PERMISSION: "yellow",
    Verdict.FAILED: "red",
    Verdict.NOT_ASKED: "yellow",
}
_VERDICT_STATES: Mapping[Verdict, str] = {
    Verdict.PARTLY: "works in part",
    Verdict.NO_PERMISSION: "no permission",
    Verdict.FAILED: "fails",
    Verdict.NOT_ASKED: "not asked",
}
_STATES: Mapping[str, str] = {
    "works": "green",
    **dict.fromkeys(_VERDICT_STATES.values(), "yellow"),
    "login refused": "red",
    "not reachable": "red",
}
"""States of a router, and their colours."""
_NAME, _VERDICT, _ROWS, _TIME = 14, 13, 7, 8
_NOTE_AT = 2 + _NAME + 1 + _VERDICT + 1 + _ROWS + 5 + 1 + _TIME + 2
_LEAST_NOTE = 24

Pieces = list[tuple[str, str]]


class Report:
    """Text for a person; `width` None where lines may be as long as they are."""

    def __init__(self, width: int | None) -> None:
        self._width = width

    def __repr__(self) -> str:
        return f"<Report width={self._width}>"

    def router(self, finding: RouterFinding) -> Text:
        """All about one router."""
        lines = [self._title(finding)]
        lines += [line for text in _about(finding) for line in self._wrapped(text, "  ", "dim")]
        if finding.advice is not None:
            lines += self._wrapped(finding.advice.what, "  ", "red")
            lines += self._wrapped(finding.advice.remedy, "  - ", "")
            if finding.advice.fingerprint_sha256:
                lines.append([(f"    fingerprint_sha256: {finding.advice.fingerprint_sha256}", "bold")])
        for collector in finding.collectors:
            lines += self._collector(collector)
        return _text(lines)

    def setup(self, findings: Sequence[RouterFinding]) -> Text:
        """Commands for the routers that refused something; empty when none did."""
        lines: list[Pieces] = []
        for access, names in accesses(findings).items():
            routers = ", ".join(visible(name) for name in names)
            lines += self._wrapped(f"To give the exporter what it needs, on {routers}:", "", "bold")
            lines += [
                [(f"  {command}", "dim" if command.startswith("#") else "")]
                for command in setup_commands(access)
            ]
        return _text(lines)

    def summary(self, findings: Sequence[RouterFinding]) -> Text:
        """One line about all."""
        counts = Counter(_state(finding) for finding in findings)
        told = ", ".join(f"{counts[state]} {state}" for state in _STATES if counts[state])
        return _text(list(self._wrapped(f"{counted(len(findings), 'router')}: {told}", "", "bold")))

    def _title(self, finding: RouterFinding) -> Pieces:
        state = _state(finding)
        return [
            (visible(finding.name), "bold"),
            (f"  {finding.where}  ", ""),
            (state, _STATES[state]),
        ]

    def _collector(self, finding: CollectorFinding) -> Iterator[Pieces]:
        notes = [finding.missed] if finding.missed else []
        if finding.verdict.is_trouble and finding.verdict is not Verdict.PARTLY:
            notes += _notes(finding.tables)
        elif finding.verdict is Verdict.UNSUPPORTED:
            notes.append(_NO_MENU)
        notes += [
            f"{visible(field)}: not understood, such as {visible(first)!r}"
            for field, first in finding.unparsable
        ]
        yield from self._row(
            "  ", finding.name, finding.verdict, finding.rows, finding.duration_s, "; ".join(notes)
        )
        for table in finding.differing:
            yield from self._row(
                "    ", table.name, table.verdict, table.rows, table.duration_s, _note(table)
            )

    def _row(
        self, indent: str, name: str, verdict: Verdict, rows: int, duration_s: float | None, note: str
    ) -> Iterator[Pieces]:
        amount = counted(rows, "row") if verdict in (Verdict.WORKS, Verdict.PARTLY) else ""
        took = milliseconds(duration_s) if duration_s is not None else ""
        first: Pieces = [
            (set_cell_size(f"{indent}{name}", 2 + _NAME) + " ", ""),
            (f"{verdict.value:<{_VERDICT}} ", _STYLES[verdict]),
            (f"{amount:>{_ROWS + 5}} {took:>{_TIME}}", "dim"),
        ]
        if not note:
            yield first
            return
        if self._width is None or self._width - _NOTE_AT >= max(_LEAST_NOTE, cell_len(note)):
            yield [*first, (f"  {note}", "")]
            return
        yield first
        yield from self._wrapped(note, f"{indent}  ", "dim")

    def _wrapped(self, text: str, indent: str, style: str) -> Iterator[Pieces]:
        """`text` in lines that fit, those after the first one indented as deep as it."""
        if self._width is None:
            yield [(indent + text, style)]
            return
        for line in textwrap.wrap(
            text,
            max(self._width, 40),
            initial_indent=indent,
            subsequent_indent=" " * len(indent),
            break_on_hyphens=False,
        ):
            yield [(line, style)]


_NO_MENU = "no such menu on this board, version or packages"


def _notes(tables: Sequence[TableFinding]) -> list[str]:
    """What to say of a collector whose tables are all in trouble: what is the same for all only once."""
    policies = {table.policy for table in tables if table.policy}
    if len(policies) == 1 and all(table.policy or table.verdict is Verdict.UNSUPPORTED for table in tables):
        return [_lacking(policies.pop())]
    return [f"{table.menu}: {_lacking(table.policy)}" if table.policy else _note(table) for table in tables]


def _note(table: TableFinding) -> str:
    if table.verdict is Verdict.UNSUPPORTED:
        return f"no menu {table.menu} here"
    if table.policy:
        return _lacking(table.policy)
    if table.error is None:
        return ""
    hint = "; a longer pool.command_timeout_s may help" if isinstance(table.error, CommandDeadline) else ""
    return f"{failure_class(table.error)}: {visible(table.error.message)}{hint}"


def _lacking(policy: str) -> str:
    return f'add the policy "{policy}" to the user\'s group'


def _state(finding: RouterFinding) -> str:
    if not finding.is_reachable:
        return "not reachable"
    if finding.trouble is not None:
        return "login refused"
    return "works" if finding.is_fine else _VERDICT_STATES[finding.verdict]


def _about(finding: RouterFinding) -> list[str]:
    """What the router is, and how long each stage of the connection took."""
    test = finding.test
    if test is None:
        return []
    about = [visible(text) for text in (test.identity, finding.board) if text]
    if finding.version:
        about.append(f"RouterOS {visible(finding.version)}")
    stages = [f"connect {milliseconds(test.connect_s)}"]
    if test.tls_s is not None:
        stages.append(f"TLS {milliseconds(test.tls_s)}")
    stages += [f"login {milliseconds(test.login_s)}", f"identity {milliseconds(test.command_s)}"]
    return [text for text in (", ".join(about), ", ".join(stages)) if text]


def _text(lines: Sequence[Pieces]) -> Text:
    text = Text()
    for number, pieces in enumerate(lines):
        text.append("\n" if number else "")
        for piece, style in pieces:
            text.append(piece, style=style or None)
    return text


def document(findings: Sequence[RouterFinding]) -> dict[str, object]:
    """The findings for programs; durations in seconds, None where something did not take place."""
    return {
        "routers": [_router(finding) for finding in findings],
        "setup_commands": [
            {"routers": names, "commands": setup_commands(access)}
            for access, names in accesses(findings).items()
        ],
    }


def _router(finding: RouterFinding) -> dict[str, object]:
    test, advice, trouble = finding.test, finding.advice, finding.trouble
    return {
        "router": finding.name,
        "address": finding.where,
        "state": _state(finding).replace(" ", "_"),
        "identity": test.identity if test else None,
        "version": finding.version or None,
        "board": finding.board or None,
        "connection": test
        and {
            "connect_seconds": test.connect_s,
            "tls_seconds": test.tls_s,
            "login_seconds": test.login_s,
            "identity_seconds": test.command_s,
        },
        "error": trouble and {"class": failure_class(trouble), "message": advice.what if advice else ""},
        "remedy": advice.remedy if advice else None,
        "presented_fingerprint_sha256": (advice.fingerprint_sha256 or None) if advice else None,
        "missing_policies": list(finding.policies),
        "collectors": {collector.name: _collector(collector) for collector in finding.collectors},
    }


def _collector(finding: CollectorFinding) -> dict[str, object]:
    return {
        "verdict": finding.verdict.name.lower(),
        "rows": finding.rows,
        "seconds": finding.duration_s,
        "note": finding.missed or None,
        "tables": {
            table.name: {
                "menu": table.menu,
                "verdict": table.verdict.name.lower(),
                "rows": table.rows,
                "seconds": table.duration_s,
                "policy": table.policy or None,
                "error": visible(table.error.message) if table.error else None,
            }
            for table in finding.tables
        },
        "unparsable": dict(finding.unparsable),
    }
