"""What panels ask Prometheus."""

from collections.abc import Iterable
from dataclasses import dataclass
from string import ascii_uppercase

from grafana_foundation_sdk.builders import prometheus as build
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

from grafana.source.variables import SOURCE


@dataclass(frozen=True, slots=True)
class Query:
    """One expression.

    Attributes:
        expr: PromQL.
        legend: what a series is called; its labels in double braces.
        now: ask for the present only, not for the range of time.
    """

    expr: str
    legend: str = ""
    now: bool = False


def letter(number: int) -> str:
    """The name of the query with that number within its panel."""
    return ascii_uppercase[number]


def targets(queries: Iterable[Query], *, table: bool = False) -> list[variants.Dataquery]:
    """For Grafana; in a table each query gives its labels as columns."""
    return [_target(letter(number), query, table=table) for number, query in enumerate(queries)]


def _target(name: str, query: Query, *, table: bool) -> variants.Dataquery:
    built = (
        build.Dataquery()
        .expr(query.expr)
        .ref_id(name)
        .datasource(SOURCE.to_json())
        .editor_mode(QueryEditorMode.CODE)
        .legend_format(query.legend or "__auto")
    )
    built = built.format(PromQueryFormat.TABLE if table else PromQueryFormat.TIME_SERIES)
    return (built.instant() if query.now or table else built.range()).build()
