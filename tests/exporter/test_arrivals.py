"""Arrivals count rows that were not there at the reading before."""

from exporter.arrivals import Arrivals
from exporter.collectors.table import Label, Table, arrivals

TABLE = Table(name="t", path="/t", rows=(arrivals("x_logins_total", "Logins.", Label("server")),))


def rows(*ids: str, server: str = "hs1") -> list[dict[str, str]]:
    return [{".id": id_, "server": server} for id_ in ids]


def test_only_rows_that_were_not_there_before_count() -> None:
    """The first reading sets the mark; later ones count new ids, also of one who left and came back."""
    seen = Arrivals()
    assert seen.update(TABLE, rows("*1", "*2")) == {"x_logins_total": {("hs1",): 0}}
    assert seen.update(TABLE, rows("*2", "*3")) == {"x_logins_total": {("hs1",): 1}}
    assert seen.update(TABLE, rows()) == {"x_logins_total": {("hs1",): 1}}
    assert seen.update(TABLE, rows("*4", server="hs2")) == {"x_logins_total": {("hs1",): 1, ("hs2",): 1}}


def test_a_server_nobody_was_on_begins_at_zero() -> None:
    """A total over another table is told from its first row on, so that rate() sees the first arrival too."""
    table = Table(
        name="t", path="/t", rows=(arrivals("x_logins_total", "Logins.", Label("server"), over="servers"),)
    )
    seen, servers = Arrivals(), {"servers": [{"name": "hs1"}]}
    assert seen.update(table, [], servers) == {"x_logins_total": {("hs1",): 0}}
    assert seen.update(table, rows("*1"), servers) == {"x_logins_total": {("hs1",): 1}}


def test_a_table_without_arrivals_is_not_remembered() -> None:
    """Nothing is kept for tables that count no arrivals."""
    seen = Arrivals()
    assert seen.update(Table(name="u", path="/u", rows=()), rows("*1")) == {}
    assert repr(seen) == "<Arrivals tables=[]>"
