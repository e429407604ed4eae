"""Accounts of the billing and secrets of a router are compared, and what cannot be compared is told."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from exporter.collectors.table import Record
from exporter.config import DriftSection
from exporter.probes.database_faults import DatabaseFault, Fault
from exporter.probes.drift import NAMED_LIMIT, Difference, Drift, accounts_of
from exporter.probes.registry import PATIENCE_S
from exporter.probes.rows import Rows
from exporter.probes.secrets import RouterSecrets, no_secrets
from routeros import CommandDeadline, Router, RouterError
from routeros.settings import Target
from simulator import Network, RouterSpec
from tests.fakes.clock import FakeClock
from tests.fakes.measured import reasons, values
from tests.fakes.served import PASSWORD, Page, Served, config_text, logged, router_of, served

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "queries"


class Billing:
    """A billing database that gives the accounts a test sets."""

    def __init__(self, *rows: Sequence[object], columns: Sequence[str] = ("name", "disabled")) -> None:
        self.given = Rows(tuple(columns), list(rows), 0)
        self.fault: DatabaseFault | None = None
        self.asked = 0

    def rows(self, sql: str, *, timeout_s: float, limit: int) -> Rows:
        self.asked += 1
        if self.fault is not None:
            raise self.fault
        return self.given


class Secrets:
    """A router that gives the secrets a test sets."""

    def __init__(self, **disabled: str) -> None:
        self.records: list[Record] = [{"name": name, "disabled": value} for name, value in disabled.items()]
        self.error: RouterError | None = None

    def __call__(self, router: str, *, within_s: float) -> Sequence[Record]:
        assert within_s > 0
        if self.error is not None:
            raise self.error
        return self.records


def drift(billing: Billing, secrets: Secrets, clock: FakeClock | None = None) -> Drift:
    section = DriftSection.model_validate(
        {"router": "core", "database": "billing", "sql": "SELECT 1 AS name", "interval_s": 300}
    )
    return Drift(section, billing, secrets, clock=clock or FakeClock())


def test_each_kind_of_difference_is_counted() -> None:
    """Missing on one side, missing on the other, and enabled on one side only; what is alike counts nowhere."""
    billing = Billing(
        ("same", 0), ("off", 1), ("new", 0), ("late", "true"), ("late2", b"\1"), ("unknown", None)
    )
    secrets = Secrets(same="false", off="true", late="false", late2="no", old="false", unknown="true")
    probe = drift(billing, secrets)
    found = values(probe.measure())
    assert probe.labels == {"router": "core"}
    assert found["billing_router_drift{kind=only_in_billing}"] == 1
    assert found["billing_router_drift{kind=only_on_router}"] == 1
    assert found["billing_router_drift{kind=disabled_differs}"] == 2
    assert found["tikwatch_drift_accounts_in_billing"] == 6
    assert found["tikwatch_drift_accounts_on_router"] == 6
    assert found["tikwatch_drift_success"] == 1


def test_without_the_column_nothing_is_said_of_disabled() -> None:
    """A billing that does not know whether accounts are disabled is not taken to say that none is."""
    found = values(drift(Billing(("a",), columns=("name",)), Secrets(a="true")).measure())
    assert found["billing_router_drift{kind=only_in_billing}"] == 0
    assert "billing_router_drift{kind=disabled_differs}" not in found


def test_what_cannot_be_compared_is_told() -> None:
    """A fault of the database or the router takes the drift away, with its reason, and is tried again sooner."""
    clock = FakeClock()
    billing, secrets = Billing(("a", 0)), Secrets(a="false")
    probe = drift(billing, secrets, clock)
    assert values(probe.measure())["tikwatch_drift_success"] == 1
    clock.advance(299)
    probe.measure()
    assert billing.asked == 1
    clock.advance(1)
    with logged() as log:
        billing.fault = DatabaseFault(Fault.LOCKED, "locked")
        failed = probe.measure()
        assert reasons(failed) == ["locked"]
        assert "billing_router_drift{kind=only_in_billing}" not in values(failed)
        billing.fault = None
        secrets.error = RouterError("is no longer watched", router="core")
        assert reasons(probe.measure()) == ["router"]
        secrets.error = None
        assert values(probe.measure())["tikwatch_drift_success"] == 1
        assert log.getvalue().count("event=drift.failed") == 2
    assert reasons(probe.silent()) == ["timeout"]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        (Rows(("user",), [("a",)], 0), Fault.SQL),
        (Rows(("name",), [("a",)], 1), Fault.TOO_MANY),
    ],
)
def test_accounts_that_are_not_all_or_not_named_are_refused(rows: Rows, fault: Fault) -> None:
    """A comparison with a part of the accounts would tell nonsense."""
    with pytest.raises(DatabaseFault) as caught:
        accounts_of(rows, 1)
    assert caught.value.fault is fault


def test_the_log_names_some_accounts_when_the_difference_changes() -> None:
    """Once per change, and not more names than a line can bear."""
    billing = Billing(*((f"new{i:03}", 0) for i in range(50)))
    clock = FakeClock()
    probe = drift(billing, Secrets(), clock)
    with logged() as log:
        for _ in range(2):
            probe.measure()
            clock.advance(300)
        assert log.getvalue().count("event=drift.changed") == 1
    assert f"new{NAMED_LIMIT - 1:03}" in log.getvalue()
    assert f"new{NAMED_LIMIT:03}" not in log.getvalue()


def test_a_difference_is_between_sets() -> None:
    """Names are sorted, and a secret of which nothing is said counts as enabled."""
    found = Difference.between({"b": False, "a": True}, {"b": None, "a": None, "c": None})
    assert found.by_kind == {"only_in_billing": (), "only_on_router": ("c",), "disabled_differs": ("a",)}


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with Network([RouterSpec("core", password=PASSWORD, counts={"secrets": 0, "pppoe": 0})]) as network:
        for name, disabled in (("andi", "false"), ("budi", "false"), ("eko", "false")):
            network["core"].world.add("/ppp/secret", name=name, service="pppoe", disabled=disabled)
        yield network


def billing_database(folder: Path) -> Path:
    path = folder / "billing.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((EXAMPLES / "schema.sql").read_text(encoding="utf-8"))
    return path


async def test_secrets_come_through_the_routers_own_client(network: Network) -> None:
    """A thread gets the rows; it is told of a router that is gone, that is too slow, and of a loop that ended."""
    device = network["core"]
    async with Router(device_target(network)) as router:
        secrets = RouterSecrets({"core": router}.__getitem__, asyncio.get_running_loop())
        rows = await asyncio.to_thread(secrets, "core", within_s=5)
        assert [row["name"] for row in rows] == ["andi", "budi", "eko"]
        with pytest.raises(RouterError, match="no longer watched"):
            await asyncio.to_thread(secrets, "other", within_s=5)
        device.faults.set("hang")
        with pytest.raises(CommandDeadline):
            await asyncio.to_thread(secrets, "core", within_s=0.1)
        device.faults.clear()
    ended = asyncio.new_event_loop()
    ended.close()
    with pytest.raises(RouterError, match="stopping"):
        RouterSecrets({"core": router}.__getitem__, ended)("core", within_s=1)
    with pytest.raises(RouterError, match="nobody"):
        no_secrets("core", within_s=1)


def device_target(network: Network) -> Target:
    device = network["core"]
    return Target("core", device.spec.host, device.port, device.spec.username, PASSWORD)


async def test_the_example_on_a_page(network: Network, tmp_path: Path) -> None:
    """The example's queries and its comparison give what schema.sql holds, in both formats, with help and type."""
    billing_database(tmp_path)
    async with served(tmp_path, example(network)) as exporter:
        page = await page_with(exporter, "billing_router_drift")
        value = page.value
        assert (
            value("billing_customers", database="billing", service="pppoe", package="10 Mbit", state="active")
            == 1
        )
        assert value("billing_invoices_unpaid", database="billing", overdue="yes") == 2
        assert value("billing_invoices_unpaid_amount", database="billing") == 550_000
        assert value("billing_messages", database="billing", status="sent") == 2
        assert value("billing_router_drift", router="core", kind="only_in_billing") == 1  # citra
        assert value("billing_router_drift", router="core", kind="only_on_router") == 1  # eko
        assert value("billing_router_drift", router="core", kind="disabled_differs") == 1  # budi
        assert value("tikwatch_database_up", database="billing") == 1
        assert value("tikwatch_database_quick_check_success", database="billing") == 1
        assert "# HELP billing_messages Messages to customers in the queue, by status.\n" in page.text
        assert "# TYPE billing_messages gauge\n" in page.text
        metrics = await exporter.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
        assert metrics.value("billing_messages", database="billing", status="failed") == 1
        narrow = await exporter.get("/metrics?collect[]=system")
        assert "billing_" not in narrow.text


def example(network: Network, **more: object) -> str:
    """The example's configuration, for the simulated router."""
    sections = yaml.safe_load((EXAMPLES / "hotspot-billing.yml").read_text(encoding="utf-8"))
    sections.pop("routers")
    return config_text([router_of(network["core"])], **{**sections, **more})


async def page_with(exporter: Served, name: str) -> Page:
    """The page as soon as it has samples of that name: what is slow is measured beside the first scrapes."""
    async with asyncio.timeout(60):
        while True:
            page = await exporter.get("/metrics")
            if f"\n{name}{{" in page.text:
                return page


async def test_a_reload_changes_the_queries(network: Network, tmp_path: Path) -> None:
    """A query that is gone takes its family along, a new one brings its own; a wrong one changes nothing."""
    billing_database(tmp_path)
    async with served(tmp_path, example(network)) as exporter:
        assert "billing_messages" in (await page_with(exporter, "billing_messages")).text
        query = {"name": "billing_people_total", "type": "counter", "database": "billing", "help": "People"}
        query["sql"] = "SELECT count(*) AS value FROM customers"
        exporter.file.write_text(example(network, queries=[query]), encoding="utf-8")
        assert (await exporter.reload()).status == 200
        page = await page_with(exporter, "billing_people_total")
        assert page.value("billing_people_total", database="billing") == 4
        assert "# HELP billing_people_total People.\n# TYPE billing_people_total counter\n" in page.text
        assert "billing_messages" not in page.text
        wrong = {**query, "sql": "DROP TABLE customers"}
        exporter.file.write_text(example(network, queries=[wrong]), encoding="utf-8")
        refused = await exporter.reload()
        assert refused.status >= 400
        assert "must only read" in refused.text
        assert (await exporter.get("/metrics")).value("billing_people_total", database="billing") == 4


async def test_a_locked_database_costs_a_scrape_no_more_than_the_patience(
    network: Network, tmp_path: Path
) -> None:
    """While the owner keeps everybody out, the router's part is complete and in time, and the lock is told."""
    path = billing_database(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as owner:
        owner.execute("BEGIN EXCLUSIVE")
        async with served(tmp_path, example(network)) as exporter:
            loop = asyncio.get_running_loop()
            for _ in range(3):
                began_s = loop.time()
                page = await exporter.get("/metrics")
                assert loop.time() - began_s < PATIENCE_S + 1
                assert page.value("mikrotik_up", router="core") == 1
            page = await page_with(exporter, "tikwatch_database_up")
            assert page.value("tikwatch_database_up", database="billing") == 0
            assert page.value("tikwatch_database_locked", database="billing") == 1
            assert page.value("tikwatch_database_failure", database="billing", reason="locked") == 1
        owner.execute("ROLLBACK")
