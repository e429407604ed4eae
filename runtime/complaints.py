"""pydantic's errors in words that an operator can act on: what is wrong, what was found, what is allowed.

A value is shown only where a single word or number was expected; never where the place is a secret's, never
the inside of a list or mapping, never that of an unknown key.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from runtime.secrets import names_a_secret
from runtime.sections import FAULT
from runtime.wording import closest, counted, did_you_mean

Place = tuple[str | int, ...]

_TITLES = ("name", "address", "username")
_SHOWN_CHARS = 60
_TAG_FAULTS = frozenset({"union_tag_invalid", "union_tag_not_found"})


@dataclass(frozen=True, slots=True)
class Complaint:
    """What to say about `place`. An unknown key is perhaps another, misspelt: `meant` is the place of that one."""

    place: Place
    message: str
    meant: Place | None = None


def of(error: ErrorDetails, model: type[BaseModel], given: Any) -> Complaint:
    """What `error` says about the input `given` for `model`."""
    tagged: Place = error["loc"]
    place, kind = untagged(tagged, model), error["type"]
    if kind in _TAG_FAULTS:
        place = (*place, error.get("ctx", {})["discriminator"].strip("'"))
    if kind == "extra_forbidden":
        key, known = str(place[-1]), _fields(model, tagged[:-1])
        close = closest(key, known)
        return Complaint(
            place[:-1],
            _unknown_key(key, known, bare=error["input"] is None),
            (*place[:-1], close) if close else None,
        )
    if kind == "missing" and place[-1] in (_at(given, place[:-1]) or ()):
        return Complaint(place, "has no value")
    if place and place[-1] == "[key]":
        place = place[:-1]
    say = _MESSAGES.get(kind)
    if say is None:
        return Complaint(place, _fallback(error))
    hidden = is_secret(place) or _is_secret_field(model, tagged)
    return Complaint(place, say(error.get("ctx", {}), "***" if hidden else _got(error["input"])))


def untagged(place: Place, model: type[BaseModel]) -> Place:
    """`place` as it stands in the file: without the names of kinds that pydantic puts into it."""
    return tuple(step for step, is_tag in _steps(model, place) if not is_tag)


def path(place: Place, given: Any) -> str:
    """``routers[1] (branch-7) > timeout_s``; the word in brackets is the item's own name, if it has one."""
    steps: list[str] = []
    for step in place:
        given = _inside(given, step)
        if isinstance(step, int) and steps:
            steps[-1] += f"[{step}]{_title(given)}"
        else:
            steps.append(f"[{step}]" if isinstance(step, int) else _shown_key(step))
    return " > ".join(steps)


def _at(given: Any, place: Place) -> Any:
    for step in place:
        given = _inside(given, step)
    return given


def _inside(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None


def _title(item: Any) -> str:
    if isinstance(item, Mapping):
        for key in _TITLES:
            word = item.get(key)
            # a name may hold a colon; a user with one may be a user with a password
            if isinstance(word, str) and word.strip() and not (key == "username" and ":" in word):
                return f" ({_clipped(word, 40)})"
    return ""


def _clipped(text: str, limit: int = _SHOWN_CHARS) -> str:
    """`text` on one line, not too long, and without what may be a password in a URL."""
    text = re.sub(r"(?:(?<=//)|^)[^/@\s]*@", "***@", text)
    text = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _shown_key(key: str) -> str:
    if re.fullmatch(r"[\w.\- ]{1,60}", key):
        return key
    head = re.match(r"[\w.-]{1,60}", key)
    return f"{head.group()}..." if head else "..."


def _unknown_key(key: str, known: tuple[str, ...], *, bare: bool) -> str:
    """What to say about an unknown key; `bare` if it has no value."""
    if found := re.match(r"([\w-]{1,60})[:=]", key):
        # the rest may be a password
        return f'unknown key "{found.group(1)}..."; is a space missing after "{found.group(1)}:"?'
    if bare and closest(key, known) is None:
        # {password: hun,ter2}: what looks like a key is the rest of a secret
        return (
            "a word that is no key, without a value; if it belongs to the value before it, put that in quotes"
        )
    return f'unknown key "{_shown_key(key)}"{did_you_mean(key, known)}'


def is_secret(place: Place) -> bool:
    """Whether what stands at `place`, or directly around it, must not be shown."""
    return any(isinstance(step, str) and names_a_secret(step) for step in place[-2:])


def _is_secret_field(model: type[BaseModel], place: Place) -> bool:
    holder = _model_at(model, place[:-1]) if place else None
    field = holder.model_fields.get(str(place[-1])) if holder is not None else None
    return field is not None and "SecretStr" in str(field.annotation)


def _got(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value) if abs(value) < 1e30 or abs(value) == math.inf else "a very large number"
        case str():
            return f'"{_clipped(value)}"'
        case list() | tuple():
            return "a list"
        case Mapping():
            return "a mapping"
    return "something else"


def _kind(got: str) -> str:
    """What kind of value was found, where showing it could show a secret that stands in the wrong place."""
    if got.startswith('"'):
        return "text"
    return (
        "***" if got == "***" else got if got.startswith(("a ", "nothing", "true", "false")) else "a number"
    )


def _fields(model: Any, place: Place) -> tuple[str, ...]:
    """Keys that `model` allows at `place`, as they are written."""
    found = _model_at(model, place)
    if found is None:
        return ()
    return tuple(field.alias or name for name, field in found.model_fields.items())


def _model_at(annotation: Any, place: Place) -> type[BaseModel] | None:
    for step in place:
        annotation, _ = _into(annotation, step)
    return _model_of(annotation)


def _steps(annotation: Any, place: Place) -> Iterator[tuple[str | int, bool]]:
    """Each step of a place, and whether it is the name of a kind, which stands in no file."""
    for step in place:
        annotation, is_tag = _into(annotation, step)
        yield step, is_tag


def _into(annotation: Any, step: str | int) -> tuple[Any, bool]:
    """What is one step inside `annotation`, None where nothing is known; and whether the step names a kind."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner, *about = arguments
        keys = [key for one in about if isinstance(key := getattr(one, "discriminator", None), str)]
        return (_of_kind(inner, keys[0], step), True) if keys else _into(inner, step)
    if origin in (Union, UnionType):
        found = (_into(choice, step) for choice in arguments)
        return next((one for one in found if one[0] is not None), (None, False))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        named = {field.alias or name: field for name, field in annotation.model_fields.items()}
        field = named.get(str(step))
        if field is None:
            return None, False
        return (Annotated[field.annotation, field] if field.discriminator else field.annotation), False
    if origin is not None:
        return arguments[1] if issubclass(origin, Mapping) else arguments[0], False
    return None, False


def _of_kind(annotation: Any, key: str, tag: str | int) -> Any:
    """The one of several models whose `key` says `tag`."""
    for choice in get_args(annotation):
        model = _model_of(choice)
        if model is not None and tag in get_args(model.model_fields[key].annotation):
            return choice
    return None


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """The model that `annotation` is or may be."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _model_of(get_args(annotation)[0])
    if origin in (Union, UnionType):
        found = (_model_of(choice) for choice in get_args(annotation))
        return next((model for model in found if model is not None), None)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


Say = Callable[[Mapping[str, Any], str], str]


def _number_bound(words: str, key: str) -> Say:
    return lambda ctx, got: f"must be {words} {ctx[key]:g}, got {got}"


def _whole(ctx: Mapping[str, Any], got: str) -> str:
    return f"must be a whole number, got {got}"


def _number(ctx: Mapping[str, Any], got: str) -> str:
    unit = re.fullmatch(r'"\s*([0-9.]+)\s*(ms|s|sec|m|min|h|d)"', got)
    factor = {"ms": 0.001, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
    try:
        meant = f"; write {float(unit.group(1)) * factor[unit.group(2)]:g}, in seconds" if unit else ""
    except ValueError:
        meant = ""
    return f"must be a number, got {got}{meant}"


def _boolean(ctx: Mapping[str, Any], got: str) -> str:
    return f"must be true or false, got {got}"


def _text(ctx: Mapping[str, Any], got: str) -> str:
    scalar = not got.startswith(("a ", "nothing", "something"))
    return f"must be text, got {got}{'; put it in quotes' if scalar else ''}"


def _mapping(ctx: Mapping[str, Any], got: str) -> str:
    return f"must hold keys with values, got {_kind(got)}"


def _list(ctx: Mapping[str, Any], got: str) -> str:
    return f"must be a list, got {_kind(got)}"


def _choice(ctx: Mapping[str, Any], got: str) -> str:
    choices = re.findall(r"'([^']*)'", str(ctx["expected"]))
    guess = did_you_mean(got.strip('"'), choices)
    return f"must be one of {', '.join(choices)}; got {got}{guess if 'mean' in guess else ''}"


def _tag(ctx: Mapping[str, Any], got: str) -> str:
    return _choice({"expected": ctx["expected_tags"]}, f'"{_clipped(str(ctx["tag"]))}"')


def _length(words: str, key: str) -> Say:
    return lambda ctx, got: f"must have {words} {counted(int(ctx[key]), 'character')}"


def _size(ctx: Mapping[str, Any], got: str) -> str:
    least = int(ctx["min_length"])
    if ctx.get("field_type") in ("List", "Tuple", "Set", "Frozenset", "Dictionary"):
        return f"must have at least {least} {'entry' if least == 1 else 'entries'}"
    return f"must have at least {counted(least, 'character')}"


def _own(ctx: Mapping[str, Any], got: str) -> str:
    """A ValueError of one of our validators: a sentence part about the value."""
    error = str(ctx["error"])
    return f"{error}, got {got}" if error.startswith("must ") else error


_MESSAGES: dict[str, Say] = {
    FAULT: lambda ctx, got: str(ctx["message"]),
    "value_error": _own,
    "missing": lambda ctx, got: "is required",
    "greater_than": _number_bound("greater than", "gt"),
    "greater_than_equal": _number_bound("at least", "ge"),
    "less_than": _number_bound("less than", "lt"),
    "less_than_equal": _number_bound("at most", "le"),
    "finite_number": lambda ctx, got: f"must be a finite number, got {got}",
    "int_type": _whole,
    "int_parsing": _whole,
    "int_parsing_size": lambda ctx, got: "is too large a number",
    "int_from_float": _whole,
    "float_type": _number,
    "float_parsing": _number,
    "bool_type": _boolean,
    "bool_parsing": _boolean,
    "string_type": _text,
    "path_type": _text,
    "string_too_short": _length("at least", "min_length"),
    "string_too_long": _length("at most", "max_length"),
    "too_short": _size,
    "literal_error": _choice,
    "enum": _choice,
    "union_tag_invalid": _tag,
    "union_tag_not_found": lambda ctx, got: "is required",
    "model_type": _mapping,
    "model_attributes_type": _mapping,
    "dict_type": _mapping,
    "mapping_type": _mapping,
    "list_type": _list,
    "tuple_type": _list,
}


def _fallback(error: ErrorDetails) -> str:
    """pydantic's own words for an error that the table does not know, never with the input."""
    message = error["msg"]
    return message[:1].lower() + message[1:]
