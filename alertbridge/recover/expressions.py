"""What can be said of a PromQL expression without asking a server: brackets and quotes, and which metrics it names.

A template must stand within quotes: there a label is a value and cannot become anything else.
"""

import re

from alertbridge.recover.parameters import template_complaint

_PAIRS = {")": "(", "]": "[", "}": "{"}
_TEMPLATE = re.compile(r"\{\{.*?\}\}")
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|' + r"'(?:\\.|[^'\\])*'|`[^`]*`")
_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_LISTS = re.compile(r"\{[^}]*\}|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)")
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "inf", "nan"})


def expression_complaint(text: str) -> str:
    """What is wrong with an expression; empty when nothing is seen."""
    if not text.strip():
        return "must not be empty"
    if complaint := template_complaint(text):
        return complaint
    bare = _STRING.sub('""', _TEMPLATE.sub("x", text))
    if re.search(r"""["'`]""", bare.replace('""', "")):
        return "has a quote that is not closed"
    if _TEMPLATE.search(_STRING.sub('""', text)):
        return 'has a template outside quotes; write {router="{{ labels.router }}"}'
    waiting: list[str] = []
    for character in bare:
        if character in "([{":
            waiting.append(character)
        elif character in ")]}" and (not waiting or waiting.pop() != _PAIRS[character]):
            return f'has a "{character}" too many'
    return f'has a "{waiting[-1]}" that is not closed' if waiting else ""


def metric_names(text: str) -> frozenset[str]:
    """The metrics that an expression names; functions, labels and words of PromQL are none."""
    bare = _LABEL_LISTS.sub(" ", _STRING.sub('""', _TEMPLATE.sub("x", text)))
    bare = re.sub(r"\[[^\]]*\]", " ", bare)
    found = set()
    for match in _NAME.finditer(bare):
        after = bare[match.end() :].lstrip()
        before = bare[: match.start()]
        is_unit = before[-1:].isdigit()
        if not after.startswith("(") and match.group().lower() not in _WORDS and not is_unit:
            found.add(match.group())
    return frozenset(found)
