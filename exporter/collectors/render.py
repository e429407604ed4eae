"""Turns a table's records into blocks of exposition text, a column at a time.

The work is done per column and not per value wherever it can be: a column of counters that is all digits is
exported as the router wrote it, labels are escaped only where a column holds something to escape, and the label
text of a row is built once and shared by every family of the table.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from exporter.collectors.table import SUM, Convert, Facts, Label, Record, Row, Table, Unit
from exporter.exposition import block, escape, heads, needs_escape, number_text
from exporter.samples import Kind
from routeros.values import parse_date, parse_int

Column = list[str | None]


@dataclass(slots=True)
class Rendered:
    """Blocks by family name, and what went wrong on the way."""

    blocks: dict[str, bytes] = field(default_factory=dict)
    samples: int = 0
    duplicates: int = 0
    unparsable: dict[str, tuple[int, str]] = field(default_factory=dict)
    """By field: how many values could not be read, and the first of them."""

    def add(self, name: str, text: str) -> None:
        """Append lines of a family."""
        if text:
            self.blocks[name] = self.blocks.get(name, b"") + text.encode()
            self.samples += text.count("\n")


def render(
    table: Table,
    counted: Sequence[Record],
    listed: Sequence[Record],
    *,
    router_label: str,
    facts: Facts,
    others: Mapping[str, list[Record]],
    arrived: Mapping[str, Mapping[tuple[str, ...], int]],
) -> Rendered:
    """Render `table`: `counted` rows for its counts, `listed` ones (fewer where cardinality is bounded) for the rest.

    `others` holds the records of the collector's tables by name, for counts that tell zeros; `arrived` the
    arrivals so far, by metric name and label values.
    """
    rendered = Rendered()
    has_own_rows = any(not row.counts and not row.arrivals for row in table.rows)
    rows = _Columns(listed if has_own_rows else (), table.labels, router_label, rendered)
    for row in table.rows:
        if row.counts:
            found = _count(row, counted, others)
            rendered.add(row.name, _tally(row, found, router_label))
        elif row.arrivals:
            rendered.add(row.name, _tally(row, arrived.get(row.name, {}), router_label))
        elif row.kind is Kind.INFO:
            own = rows.labels_of(row.labels)
            texts = [f"{a},{b}" if b else a for a, b in zip(rows.label_texts, own, strict=True)]
            rendered.add(row.name, block(row.name, heads(texts), rows.where(row, rows.constant("1"))))
        elif row.kind is Kind.STATE_SET:
            _add_states(row, rows, rendered)
        else:
            rendered.add(row.name, block(row.name, rows.heads, rows.numbers(row, facts)))
    return rendered


class _Columns:
    """The records of a table seen by column, each read once."""

    def __init__(
        self, records: Sequence[Record], labels: Sequence[Label], router_label: str, rendered: Rendered
    ) -> None:
        self._rendered = rendered
        self._fields: dict[tuple[str, int | None], Column] = {}
        self._records: Sequence[Record] = records
        texts = [f"{router_label}{text and ','}{text}" for text in self.labels_of(labels)]
        unique = dict.fromkeys(texts)
        if len(unique) != len(texts):  # Prometheus refuses a whole scrape for one series that comes twice
            rendered.duplicates = len(texts) - len(unique)
            first = {text: index for index, text in reversed(list(enumerate(texts)))}
            keep = sorted(first.values())
            self._records = [records[index] for index in keep]
            texts = [texts[index] for index in keep]
            self._fields = {}
        self.label_texts = texts
        self.heads = heads(texts)
        self._has_sums = bool(self._records) and SUM in self._records[-1]

    def field(self, name: str, part: int | None = None) -> Column:
        """Values of a field, None where absent; `part` takes one half of pairs."""
        found = self._fields.get((name, part))
        if found is None:
            if part is None:
                found = [record.get(name) for record in self._records]
            else:
                pairs = [value.split("/", 1) if value else None for value in self.field(name)]
                found = [pair[part] if pair and len(pair) > part else None for pair in pairs]
            self._fields[name, part] = found
        return found

    def labels_of(self, labels: Sequence[Label]) -> list[str]:
        """Label text per row, without the router."""
        columns = [_label_column(label.name, self._values_of(label)) for label in labels]
        if not columns:
            return [""] * len(self._records)
        if len(columns) == 1:
            return columns[0]
        return [",".join([part for part in parts if part]) for parts in zip(*columns, strict=True)]

    def _values_of(self, label: Label) -> Column:
        return [label.value] * len(self._records) if label.value else self.field(label.source)

    def constant(self, value: str) -> Column:
        """`value` in every row but those that are sums."""
        if not self._has_sums:
            return [value] * len(self._records)
        return [None if SUM in record else value for record in self._records]

    def where(self, row: Row, values: Column) -> Column:
        """`values` with None in rows that the row's filter leaves out."""
        if row.where is None:
            return values
        allowed = row.where.values
        return [
            value if (have or "") in allowed else None
            for value, have in zip(values, self.field(row.where.field), strict=True)
        ]

    def numbers(self, row: Row, facts: Facts) -> Column:
        """Values of a row's field as sample text, None in rows that its filter leaves out: nobody reads those."""
        column = self.field(row.field, row.part)
        if row.absent is not None:
            filled = self.constant(row.absent)
            column = [fill if value is None else value for value, fill in zip(column, filled, strict=True)]
        column = self.where(row, column)
        if row.convert is Unit.INTEGER:
            if _all_digits(column):
                return column
            return self._converted(row.field, column, parse_int)
        if row.convert is Unit.LOCAL_DATE:
            if facts.gmt_offset_s is None:
                return [None] * len(column)
            return self._converted(row.field, column, partial(parse_date, gmt_offset_s=facts.gmt_offset_s))
        return self._converted(row.field, column, row.convert)

    def _converted(self, name: str, column: Column, convert: Convert) -> Column:
        known: dict[str | None, str | None] = {None: None}  # columns repeat themselves: flags, limits, "0s"
        odd: list[str] = []
        for value in column:
            if value not in known and value is not None:
                try:
                    number = convert(value)
                except ValueError:
                    odd.append(value)
                    known[value] = None
                else:
                    known[value] = None if number is None else number_text(number)
        if odd:
            count, first = self._rendered.unparsable.get(name, (0, odd[0]))
            self._rendered.unparsable[name] = (count + sum(map(column.count, odd)), first)
        return [known[value] for value in column]


def _all_digits(column: Column) -> bool:
    try:
        joined = "".join(column)  # type: ignore[arg-type]  # an absent value is what the except is for
    except TypeError:
        return False
    return joined.isdecimal() and joined.isascii() and "" not in column


def _label_column(name: str, values: Column) -> list[str]:
    if needs_escape("".join([value for value in values if value])):
        return [f'{name}="{escape(value)}"' if value else "" for value in values]
    return [f'{name}="{value}"' if value else "" for value in values]


def count_by(labels: Sequence[Label], records: Iterable[Record]) -> Counter[tuple[str, ...]]:
    """How many records there are by the values of `labels`."""
    sources = [(label.source, label.value) for label in labels]
    return Counter([tuple([record.get(source, fixed) for source, fixed in sources]) for record in records])


def _count(
    row: Row, records: Sequence[Record], others: Mapping[str, list[Record]]
) -> Counter[tuple[str, ...]]:
    where = row.where
    if where is not None:
        records = [record for record in records if record.get(where.field, "") in where.values]
    found = count_by(row.labels, records)
    for key in zeros(row, others):
        found.setdefault(key, 0)
    return found


def zeros(row: Row, others: Mapping[str, list[Record]]) -> list[tuple[str, ...]]:
    """Label values of a count or of arrivals that are told as 0 where nothing is found."""
    found = list(row.always)
    if row.over:
        fields = row.over_fields
        found += [tuple([record.get(name, "") for name in fields]) for record in others.get(row.over, ())]
    if all(label.value for label in row.labels):
        found.append(tuple(label.value for label in row.labels))
    return found


def _tally(row: Row, found: Mapping[tuple[str, ...], int], router_label: str) -> str:
    texts = [router_label] * len(found)
    for index, label in enumerate(row.labels):
        column = _label_column(label.name, [key[index] for key in found])
        texts = [f"{text},{more}" if more else text for text, more in zip(texts, column, strict=True)]
    return block(row.name, heads(texts), [str(count) for count in found.values()])


def _add_states(row: Row, rows: _Columns, rendered: Rendered) -> None:
    current = rows.where(row, rows.field(row.field))
    known = row.states[:-1]
    for state in row.states:
        texts = [f'{text},state="{state}"' for text in rows.label_texts]
        if state == row.states[-1]:
            values: Column = [None if have is None else str(int(have not in known)) for have in current]
        else:
            values = [None if have is None else str(int(have == state)) for have in current]
        rendered.add(row.name, block(row.name, heads(texts), values))
