"""Recording rules that compute another exporter's series from ours."""

from collections.abc import Iterator

from exporter.parity.row import Renames, Row, Rule

ROUTER = "tikwatch:mktxp_router"
SYSTEM = "tikwatch:mktxp_system"
"""Series of 1 that bear the labels mktxp puts on every series of a router, and on those of `system_*`."""

_SAME_ROUTER = "job, instance, router"
_ROUTER_LABELS = "routerboard_name, routerboard_address"
_SYSTEM_LABELS = f"{_ROUTER_LABELS}, version, board_name, cpu, architecture_name"


def rules(rows: tuple[Row, ...]) -> Iterator[tuple[str, str]]:
    """Name and expression of every rule, those first that others build upon."""
    renames = (("routerboard_name", "router"), ("routerboard_address", "address"))
    yield ROUTER, f"sum without (address, module) ({_renamed('mikrotik_router_info', renames)})"
    system = _renamed("mikrotik_system_info", (("architecture_name", "architecture"),))
    yield SYSTEM, _on_router(f"sum without (architecture, platform) ({system})", ROUTER, _ROUTER_LABELS)
    for row in rows:
        if row.rule is not None:
            yield row.theirs, expression(row.rule)


def expression(rule: Rule) -> str:
    """PromQL of one rule."""
    found = [_renamed(_joined(text, rule), rule.labels) for text in rule.expressions]
    values = found[0] if len(found) == 1 else "\n  or ".join(found)
    whole = values if len(found) == 1 and _is_simple(values) else f"(\n  {values}\n)"
    if rule.system:
        return _on_router(whole, SYSTEM, _SYSTEM_LABELS)
    return _on_router(whole, ROUTER, _ROUTER_LABELS)


def _joined(text: str, rule: Rule) -> str:
    join = rule.join
    if join is None:
        return text
    inner = text if _is_simple(text) else f"({text})"
    return f"{inner} * on ({_SAME_ROUTER}, {join.on}) group_left ({join.labels}) {join.family}"


def _is_simple(text: str) -> bool:
    """Whether `text` is one operand: a selector or a call, with nothing beside it."""
    depth = 0
    for character in text:
        depth += (character in "({") - (character in ")}")
        if character == " " and depth == 0:
            return False
    return True


def _renamed(text: str, renames: Renames) -> str:
    for theirs, ours in renames:
        text = f'label_replace({text}, "{theirs}", "$1", "{ours}", "(.+)")'
    return text


def _on_router(text: str, family: str, labels: str) -> str:
    return f"{text}\n* on ({_SAME_ROUTER}) group_left ({labels}) {family}"
