"""Every reason that recovery gives has words in both languages."""

import ast
from collections.abc import Iterator
from pathlib import Path

import alertbridge.recover
from alertbridge.recover.actions.base import FINAL_REASONS
from alertbridge.recover.actions.botwork import FINAL
from alertbridge.recover.model import Reason
from alertbridge.recover.reasons import REASONS, reason_words
from routeros.errors import FAILURE_CLASSES

RAISED = {
    "ActionFailed",
    "ServiceFailed",
    "DatabaseFailed",
    "Failure",
    "refuse",
    "_Ended",
    "_Back",
    "_end",
    "_again",
}
FOLDER = Path(alertbridge.recover.__file__).parent


def words(node: ast.AST) -> Iterator[str]:
    """The words among the constants of an expression, without the names of attributes."""
    if (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.replace("_", "").islower()
    ):
        yield node.value
    if getattr(getattr(node, "func", None), "id", "") != "getattr":
        for one in ast.iter_child_nodes(node):
            yield from words(one)


def raised(path: Path) -> Iterator[str]:
    """The words that a module gives as a reason."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            first = [one.value for one in node.args[:4] if isinstance(one, ast.Constant)]
            texts = [one for one in first if isinstance(one, str)]
            if name in RAISED and texts and texts[0]:
                yield texts[0]
        elif isinstance(node, ast.Assign) and any(getattr(one, "id", "") == "reason" for one in node.targets):
            yield from (word for word in words(node.value) if word.isidentifier())


def test_every_reason_has_its_words() -> None:
    """What rules decide, what actions fail with, what a router's client calls a failure; none of them twice alike."""
    given = {word for path in FOLDER.rglob("*.py") for word in raised(path)}
    assert {"unreachable", "own_interface", "not_repeatable", "corrupt", "command_refused"} <= given
    wanted = given | FINAL_REASONS | set(FAILURE_CLASSES) | {one.value for one in (*Reason, *FINAL)}
    assert sorted(wanted - set(REASONS)) == []
    for found in REASONS.values():
        assert all(text and not text.endswith(".") for text in found)
        assert found.id != found.en


def test_a_word_that_is_not_known_is_told_as_it_is() -> None:
    """A provider's own word says more than nothing."""
    assert reason_words("session_not_found", "id") == "session not found"
    assert reason_words("logged_out", "id") == REASONS["logged_out"].id
