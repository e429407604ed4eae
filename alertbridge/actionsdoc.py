"""Writes `docs/reference/actions.md` from the table of actions, or checks that it is up to date."""

import sys
from collections.abc import Iterator
from pathlib import Path

from alertbridge.recover.actions.base import FINAL_REASONS
from alertbridge.recover.actions.registry import ACTIONS, Kind
from runtime.docs.configpage import keys
from runtime.docs.generated import run, table

DOC = Path("docs/reference/actions.md")

_INTRO = """\
# Actions

What recovery can do, generated from the code. A rule names an action and its parameters; values may be templates of the
alert's labels, such as `"{{ labels.router }}"`. What an action may act upon stands under `actions` in the
configuration, and nothing else is touched.

An action looks before it acts: where acting would be wrong or cannot work it is refused, with a reason, and nothing is
changed. Verification asks the target itself. *Repeatable* means that doing it once more is harmless when nobody knows
whether it was done; what is not is never done again after a lost answer. Actions marked *asks* wait for a person's yes,
whatever the rule says. What can be undone is taken back by `recovery undo RUN`, by the reply `undo RUN`, or by a step
with `undo_when_not_cured`: [how](../how-to/recovery.md#take-it-back).

The users that RouterOS actions need: [how](../how-to/write-user.md).
"""


def page() -> str:
    """The whole page."""
    groups = dict.fromkeys(kind.group for kind in ACTIONS.values())
    return "\n".join([_INTRO, _overview(), *(line for group in groups for line in _group(group)), _final()])


def _overview() -> str:
    rows = (
        (
            f"[`{name}`](#{name})",
            kind.group,
            "asks" if kind.about.ask_only else "",
            "yes" if kind.repeatable else "no",
            kind.about.undoable.value,
            ", ".join(f"`{policy}`" if policy.isalpha() else policy for policy in kind.policies),
        )
        for name, kind in ACTIONS.items()
    )
    return table(
        ("action", "acts on", "approval", "repeatable", "can be undone", "policies on the router"), rows
    )


def _group(group: str) -> Iterator[str]:
    yield f"## {group}\n"
    for name, kind in ACTIONS.items():
        if kind.group == group:
            yield from _action(name, kind)


def _action(name: str, kind: Kind) -> Iterator[str]:
    about = kind.about
    yield f"### `{name}`\n"
    yield f"{about.changes}\n"
    yield f"- **Verified:** {about.verified}"
    yield f"- **Undone:** {about.undone}"
    if about.opposes:
        yield f"- **Never in one rule set with:** {', '.join(f'`{other}`' for other in about.opposes)}"
    yield ""
    schema = kind.settings.model_json_schema()
    yield keys(schema, schema)


def _final() -> str:
    reasons = ", ".join(f"`{reason}`" for reason in sorted(FINAL_REASONS))
    return (
        f"## Reasons that end a run\n\nTrying again would not help, so a person is told at once: {reasons}.\n"
    )


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 if up to date (or now written), 1 if `--check` finds that it is not."""
    return run("alertbridge.actionsdoc", {DOC: page}, arguments)


if __name__ == "__main__":
    sys.exit(main())
