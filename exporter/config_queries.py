"""The `queries:` and `drift:` lists: the user's own SQL, and what becomes of its rows."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import InitErrorDetails

from exporter.config_probes import PROBE_TIMEOUT_S, ProbeName
from exporter.sqltext import reading
from runtime.sections import Section, Surroundings, fault
from runtime.wording import did_you_mean

RESERVED_PREFIXES = (
    "mikrotik_",
    "tikwatch_",
    "whatsapp_",
    "process_",
    "python_",
    "scrape_",
    "billing_router_drift",
)
"""Beginnings of the exporter's own names, those of later versions included: no query may use them."""
RESERVED_NAMES = ("up", "ALERTS", "ALERTS_FOR_STATE")
RESERVED_LABELS = ("database", "instance", "job", "le", "quantile")

_METRIC_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_ENDINGS_WITH_A_MEANING = ("_info", "_bucket", "_count", "_sum", "_created")
SQL_LIMIT_CHARS = 20_000


def _checked_metric(name: str) -> str:
    if len(name) > 200 or not _METRIC_NAME.fullmatch(name):
        raise ValueError("a metric's name is made of letters, digits and _ and does not begin with a digit")
    if name in RESERVED_NAMES or name.startswith((*RESERVED_PREFIXES, "__")):
        raise ValueError(f"the exporter keeps names that begin with {', '.join(RESERVED_PREFIXES)} to itself")
    if name.endswith(_ENDINGS_WITH_A_MEANING):
        raise ValueError(
            f"must not end in {', '.join(_ENDINGS_WITH_A_MEANING)}: Prometheus reads more into them"
        )
    return name


def _checked_label(name: str) -> str:
    if not _METRIC_NAME.fullmatch(name) or name.startswith("__"):
        raise ValueError(
            "a label's name is made of letters, digits and _ and begins neither with a digit nor __"
        )
    if name in RESERVED_LABELS:
        raise ValueError(
            f"this label is given by others ({', '.join(RESERVED_LABELS)}); name the column otherwise"
        )
    return name


def _checked_help(text: str) -> str:
    """A sentence, with the full stop that belongs to it."""
    line = " ".join(text.split())
    return line if line.endswith(".") else f"{line}."


Sql = Annotated[str, Field(min_length=1, max_length=SQL_LIMIT_CHARS), AfterValidator(reading)]


class QuerySection(Section):
    """One metric made of SQL. It bears the label `database`, and those that `labels` names."""

    name: Annotated[str, AfterValidator(_checked_metric)] = Field(
        description="Name of the metric; that of a counter ends in `_total`."
    )
    database: ProbeName = Field(description="Which of the `databases` is asked.")
    type: Literal["gauge", "counter"] = Field(
        default="gauge", description="`counter` for what only grows, such as messages sent."
    )
    help: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_checked_help)] = Field(
        description="What the metric tells, in a sentence."
    )
    sql: Sql = Field(description="One statement that reads. It runs in a read-only transaction.")
    value: str = Field(default="value", min_length=1, description="Column with the number.")
    labels: tuple[Annotated[str, AfterValidator(_checked_label)], ...] = Field(
        default=(), max_length=20, description="Columns that become labels."
    )
    interval_s: float = Field(
        default=60.0, ge=1, le=86_400, description="Seconds from one run to the next; runs go with scrapes."
    )
    timeout_s: float = Field(
        default=PROBE_TIMEOUT_S, gt=0, le=60, description="Seconds after which the statement is broken off."
    )
    row_limit: int = Field(
        default=100,
        ge=1,
        le=10_000,
        description="Rows that become series, at most; the first ones. The others are counted.",
    )

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        name, labels = given.get("name"), given.get("labels")
        if isinstance(name, str):
            counts = given.get("type", "gauge") == "counter"
            if counts and not name.endswith("_total"):
                faults.append(fault("the name of a counter ends in _total", "name"))
            elif not counts and name.endswith("_total"):
                faults.append(fault("ends in _total, so it must be of type counter", "name"))
        if isinstance(labels, list | tuple):
            for index, label in enumerate(labels):
                if isinstance(label, str) and label in labels[:index]:
                    faults.append(fault(f'"{label}" is listed twice', "labels", index))
                elif label == given.get("value", "value"):
                    faults.append(fault("is the column with the number", "labels", index))
        return given


class DriftSection(Section):
    """Accounts in a billing database compared with the PPP secrets of a router."""

    router: ProbeName = Field(description="Which of the `routers` is compared.")
    database: ProbeName = Field(description="Which of the `databases` is asked.")
    sql: Sql = Field(
        description=(
            "One statement that gives the accounts that the router should have: a column `name`, and if the "
            "billing knows it a column `disabled` (true or false, 1 or 0)."
        )
    )
    interval_s: float = Field(
        default=300.0, ge=10, le=86_400, description="Seconds from one comparison to the next."
    )
    timeout_s: float = Field(
        default=30.0,
        gt=0,
        le=300,
        description="Seconds that the statement, and the router's answer, may take.",
    )
    account_limit: int = Field(
        default=50_000,
        ge=1,
        le=1_000_000,
        description="Most accounts that are compared; with more in the database nothing is told.",
    )


def database_faults(given: Mapping[str, Any]) -> Iterator[InitErrorDetails]:
    """Databases and routers that there are not, metrics that do not agree with each other, a router twice."""
    databases = _names(given.get("databases"), "name")
    routers = _names(given.get("routers"), "name", "address")
    for key in ("queries", "drift"):
        for index, item in _items(given.get(key)):
            name = item.get("database")
            if isinstance(name, str) and name not in databases:
                message = f'there is no database "{name}"{did_you_mean(name, databases)}'
                yield fault(message, key, index, "database")
    compared: dict[str, int] = {}
    for index, item in _items(given.get("drift")):
        router = item.get("router")
        if not isinstance(router, str):
            continue
        if router not in routers:
            yield fault(
                f'there is no router "{router}"{did_you_mean(router, routers)}', "drift", index, "router"
            )
        if compared.setdefault(router, index) != index:
            yield fault(f"drift[{compared[router]}] compares this router already", "drift", index, "router")
    yield from _metric_faults(list(_items(given.get("queries"))))


def _metric_faults(queries: Sequence[tuple[int, Mapping[str, Any]]]) -> Iterator[InitErrorDetails]:
    """A name may come again for another database, and is then the same metric: of one type, help and labels."""
    first: dict[str, tuple[int, Mapping[str, Any]]] = {}
    pairs: dict[tuple[str, object], int] = {}
    for index, item in queries:
        name, database = item.get("name"), item.get("database")
        if not isinstance(name, str) or not isinstance(database, str):
            continue
        family = name.removesuffix("_total")  # as OpenMetrics names it
        earlier, other = first.setdefault(family, (index, item))
        if earlier == index:
            pairs[name, database] = index
            continue
        if other.get("name") != name:
            yield fault(
                f"queries[{earlier}] is the same but for _total; choose another name",
                "queries",
                index,
                "name",
            )
        elif (at := pairs.setdefault((name, database), index)) != index:
            yield fault(f"queries[{at}] has this name and database already", "queries", index, "name")
        else:
            for key, default in (("type", "gauge"), ("help", None), ("labels", [])):
                mine, theirs = item.get(key, default), other.get(key, default)
                if (
                    (list(mine) != list(theirs))
                    if key == "labels" and _lists(mine, theirs)
                    else mine != theirs
                ):
                    yield fault(
                        f"must be as in queries[{earlier}], which is the same metric", "queries", index, key
                    )


def _lists(*values: object) -> bool:
    return all(isinstance(value, list | tuple) for value in values)


def _names(items: object, *keys: str) -> list[str]:
    found = (next((item[key] for key in keys if key in item), None) for _, item in _items(items))
    return [name for name in found if isinstance(name, str)]


def _items(items: object) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The sections of a list as mappings, whatever else is in it."""
    for index, item in enumerate(items if isinstance(items, list | tuple) else ()):
        given = item
        if isinstance(item, BaseModel):
            given = {name: getattr(item, name) for name in type(item).model_fields}
        if isinstance(given, Mapping):
            yield index, {key: value for key, value in given.items() if value is not None}
