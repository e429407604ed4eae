"""What the configuration says of databases, queries, comparisons and the host, and how mistakes in it are told."""

from pathlib import Path

import pytest

from exporter.config import Config, ConfigError, load_config
from exporter.config_queries import RESERVED_NAMES, RESERVED_PREFIXES
from exporter.effective import effective
from exporter.scrape import PAGE_FAMILIES
from exporter.selfmetrics import SelfMetrics
from exporter.sqltext import reading
from runtime.logs import MASK

HEAD = """
routers:
  - {name: core, address: 192.0.2.1, username: monitor, password: secret}
databases:
  - {name: billing, kind: sqlite, path: data/billing.db, backups: "backup/*.db"}
"""
EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples" / "queries").glob("*.yml"))


def loaded(tmp_path: Path, text: str) -> Config:
    file = tmp_path / "exporter.yml"
    file.write_text(text, encoding="utf-8")
    return load_config(file)


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    return [str(problem).partition(": ")[2] for problem in caught.value.problems]


def test_paths_count_from_the_folder_of_the_file(tmp_path: Path) -> None:
    """Neither the database nor its backups need be there."""
    (database,) = loaded(tmp_path, HEAD).databases
    assert database.path == str(tmp_path / "data" / "billing.db")
    assert database.backups == str(tmp_path / "backup" / "*.db")
    assert database.quick_check.enabled == "auto"


def test_a_password_is_kept_out_of_sight(tmp_path: Path) -> None:
    """A server's password may stand in a file of its own, and is shown nowhere."""
    (tmp_path / "pw").write_text("b1lling-orchard\n")
    config = loaded(
        tmp_path,
        HEAD + "  - {name: pg, kind: postgresql, address: db, database: b, username: u, password_file: pw}\n",
    )
    server = config.databases[1]
    assert server.password is not None
    assert server.password.get_secret_value() == "b1lling-orchard"
    assert server.effective_port == 5432
    assert "b1lling-orchard" not in repr(config)
    assert "b1lling-orchard" not in str(effective(config, {}))
    plain = loaded(
        tmp_path,
        HEAD
        + "  - {name: my, kind: mysql, address: db, database: b, username: u, password: b1lling-orchard}\n",
    )
    assert effective(plain, {})["databases"][1]["password"] == MASK
    assert plain.databases[1].effective_port == 3306


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("  - {name: billing, kind: sqlite, path: x}", "databases[0] has this name already"),
        ("  - {name: x, kind: sqlite}", "kind sqlite needs path"),
        ("  - {name: x, kind: sqlite, path: x, username: u}", "only for a server"),
        ("  - {name: x, kind: postgresql, address: db}", "kind postgresql needs database"),
        (
            "  - {name: x, kind: mysql, address: db, database: b, username: u, path: x}",
            "only for kind sqlite",
        ),
        ("  - {name: x, kind: oracle}", "kind"),
        ("  - {name: x, kind: sqlite, path: x, quick_check: {interval_s: 1}}", "interval_s"),
    ],
)
def test_mistakes_in_databases_are_told(tmp_path: Path, more: str, told: str) -> None:
    """Each has its sentence."""
    assert any(told in problem for problem in problems(tmp_path, f"{HEAD}{more}\n"))


def query_text(**more: str) -> str:
    fields = {
        "name": "customers",
        "database": "billing",
        "help": "Customers",
        "sql": "SELECT 1 AS value",
        **more,
    }
    return "  - " + "\n    ".join(f"{key}: {value}" for key, value in fields.items()) + "\n"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"name": "customers-active"}, "letters, digits and _"),
        ({"name": "tikwatch_customers"}, "the exporter keeps names that begin with"),
        ({"name": "up"}, "the exporter keeps names"),
        ({"name": "customers_info"}, "must not end in _info"),
        ({"name": "customers_total"}, "must be of type counter"),
        ({"type": "counter"}, "the name of a counter ends in _total"),
        ({"database": "biling"}, 'there is no database "biling"; did you mean "billing"?'),
        ({"labels": "[database]"}, "this label is given by others"),
        ({"labels": "[a, a]"}, '"a" is listed twice'),
        ({"labels": "[value]"}, "is the column with the number"),
        ({"labels": "[a-b]"}, "a label's name"),
        (
            {"sql": "DELETE FROM customers"},
            "must only read: begin with SELECT, WITH, VALUES, TABLE, not with DELETE",
        ),
        ({"sql": "SELECT 1; DROP TABLE customers"}, "must be one statement"),
        ({"sql": "SELECT * INTO x FROM customers"}, "must only read: found INTO"),
        ({"row_limit": "1000000"}, "row_limit"),
    ],
)
def test_mistakes_in_queries_are_told(tmp_path: Path, more: dict[str, str], told: str) -> None:
    """Each has its sentence."""
    assert any(told in problem for problem in problems(tmp_path, f"{HEAD}queries:\n{query_text(**more)}"))


def test_a_metric_of_two_databases_is_one_metric(tmp_path: Path) -> None:
    """A name may come again for another database, with the same type, help and labels, and only so."""
    head = HEAD + "  - {name: branch, kind: sqlite, path: y}\nqueries:\n"
    assert len(loaded(tmp_path, head + query_text() + query_text(database="branch")).queries) == 2
    assert any(
        "queries[0] has this name and database" in told
        for told in problems(tmp_path, head + query_text() + query_text())
    )
    for key, value in (("help", "Other"), ("labels", "[a]")):
        told = problems(tmp_path, head + query_text() + query_text(database="branch", **{key: value}))
        assert any(f"> {key}: must be as in queries[0]" in one for one in told)
    twins = query_text(name="sent_total", type="counter") + query_text(name="sent", database="branch")
    assert any("the same but for _total" in told for told in problems(tmp_path, head + twins))


def test_mistakes_in_drift_are_told(tmp_path: Path) -> None:
    """Routers and databases must be there, and a router is compared once."""
    one = "  - {router: core, database: billing, sql: SELECT 1 AS name}\n"
    assert len(loaded(tmp_path, f"{HEAD}drift:\n{one}").drift) == 1
    told = problems(tmp_path, f"{HEAD}drift:\n{one}{one}{one.replace('core', 'cor').replace('billing', 'x')}")
    assert any("drift[0] compares this router already" in problem for problem in told)
    assert any('there is no router "cor"; did you mean "core"?' in problem for problem in told)
    assert any('there is no database "x"' in problem for problem in told)


def test_no_metric_of_a_query_can_be_one_of_ours() -> None:
    """Every name that the exporter serves begins with a prefix that is kept from queries."""
    own = [family.name for family in PAGE_FAMILIES]
    own += [metric.name for metric in SelfMetrics(process=False).registry.collect()]
    assert len(own) > 300
    assert [name for name in own if not name.startswith(RESERVED_PREFIXES)] == []
    assert "up" in RESERVED_NAMES


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "select ';' as a, 'it''s; DROP' as b;",
        "-- a comment; with a semicolon\nSELECT 1 /* ; */ ;\n",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "(SELECT 1) UNION (SELECT 2)",
        'SELECT "into", `for update` FROM t',
        "SELECT $$; DROP TABLE x$$, $a$;$a$",
        "VALUES (1)",
    ],
)
def test_one_statement_that_reads_is_let_through(sql: str) -> None:
    """Semicolons and words in text, names and comments mean nothing; the one at the end is taken off."""
    kept = reading(sql)
    assert sql.strip().startswith(kept)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        ";",
        "-- nothing",
        "UPDATE t SET a = 1",
        "SELECT 1; SELECT 2",
        "SELECT a FROM t FOR UPDATE",
        "SELECT a FROM t LOCK IN SHARE MODE",
        "SELECT 1 /*! INTO OUTFILE '/tmp/x' */",
        "EXPLAIN ANALYZE DELETE FROM t",
        "SELECT 1 INTO OUTFILE '/tmp/x'",
    ],
)
def test_anything_else_is_not(sql: str) -> None:
    """Writes, locks, several statements and nothing at all are refused."""
    with pytest.raises(ValueError, match="must"):
        reading(sql)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_are_valid(path: Path) -> None:
    """Each example loads, and has queries and a comparison."""
    config = load_config(path)
    assert config.queries
    assert config.drift


def test_there_are_examples() -> None:
    """One for SQLite, one for PostgreSQL."""
    assert [path.stem for path in EXAMPLES] == ["hotspot-billing", "postgresql"]


@pytest.mark.parametrize(
    ("given", "enabled"), [("auto", "auto"), ("true", True), ("yes", True), ("no", False)]
)
def test_the_host_is_on_off_or_auto(tmp_path: Path, given: str, enabled: object) -> None:
    """Without a word it is `auto`."""
    assert loaded(tmp_path, HEAD).host.enabled == "auto"
    assert loaded(tmp_path, f"{HEAD}host: {{enabled: {given}}}\n").host.enabled == enabled
