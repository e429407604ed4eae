"""Queries of print: words evaluated on a stack, as the API does it."""

from collections.abc import Callable, Sequence

from .call import Trap

Lookup = Callable[[str], str | None]
Test = Callable[[Lookup], bool]
_SAME = {"yes": "true", "no": "false"}


def compile_queries(words: Sequence[str]) -> Callable[[Lookup], bool]:
    """One predicate for all query words; what is left on the stack is joined by `and`.

    Raises:
        Trap: an operation that the stack cannot serve.
    """
    stack: list[Test] = []
    for item in words:
        if item.startswith("?#"):
            _operate(stack, item[2:])
        else:
            stack.append(_test(item[1:]))
    tests = tuple(stack)
    if len(tests) == 1:
        return tests[0]
    return lambda lookup: all(test(lookup) for test in tests)


def _test(text: str) -> Test:
    if text.startswith("-"):
        name = text[1:]
        return lambda lookup: lookup(name) is None
    order, body = (text[0], text[1:]) if text[0] in "<>=" else ("=", text)
    name, equals, wanted = body.partition("=")
    if not equals:
        return lambda lookup: lookup(name) is not None
    if order == "=":
        meaning = _SAME.get(wanted, wanted)
        return lambda lookup: (value := lookup(name)) is not None and _SAME.get(value, value) == meaning
    return lambda lookup: (value := lookup(name)) is not None and _beyond(order, value, wanted)


def _beyond(order: str, value: str, wanted: str) -> bool:
    """Numbers are compared as numbers, and with numbers only; other text as text."""
    bound = _number(wanted)
    if bound is None:
        return value > wanted if order == ">" else value < wanted
    number = _number(value)
    return number is not None and (number > bound if order == ">" else number < bound)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _operate(stack: list[Test], operations: str) -> None:
    """Digits name a slot of the stack; followed by `.` the slot is copied to the top, else it is kept alone."""
    number = ""
    try:
        for sign in operations:
            if sign.isdigit():
                number += sign
                continue
            if number:
                stack.append(stack[int(number)])
                number = ""
            if sign == "!":
                stack.append(_negated(stack.pop()))
            elif sign in "&|":
                right, left = stack.pop(), stack.pop()
                stack.append(_both(left, right) if sign == "&" else _either(left, right))
            elif sign != ".":
                raise Trap(f"unknown query operation {sign}", 1)
        if number:
            stack[:] = [stack[int(number)]]
    except IndexError as error:
        raise Trap("query stack is too short", 1) from error


def _negated(test: Test) -> Test:
    return lambda lookup: not test(lookup)


def _both(left: Test, right: Test) -> Test:
    return lambda lookup: left(lookup) and right(lookup)


def _either(left: Test, right: Test) -> Test:
    return lambda lookup: left(lookup) or right(lookup)
