"""Documents: their links lead somewhere, their YAML can be read, and they name metrics that exist."""

import re
import subprocess
import textwrap
from pathlib import Path

import pytest
import yaml

from exporter.scrape import PAGE_FAMILIES

LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#]*)(?:#([^)]*))?\)")
METRIC = re.compile(r"\b(?:mikrotik|whatsapp_bot|tikwatch_probe)_[a-z0-9_]*[a-z0-9]\b")


def documents(root: Path) -> list[Path]:
    """Every page that a person reads."""
    return [*root.glob("*.md"), *sorted((root / "docs").rglob("*.md"))]


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_somewhere(root: Path) -> None:
    """A relative link names a file of the repository, and its anchor is a heading there."""
    dead = []
    for page in documents(root):
        for target, anchor in LINK.findall(page.read_text(encoding="utf-8")):
            file = (page.parent / target).resolve() if target else page
            if not file.exists() or (anchor and anchor not in anchors(file)):
                dead.append(f"{page.relative_to(root)}: {target}#{anchor}")
    assert dead == []


def test_every_page_is_reached_from_the_index(root: Path) -> None:
    """docs/index.md links each page below it."""
    index = root / "docs" / "index.md"
    linked = {
        (index.parent / target).resolve() for target, _ in LINK.findall(index.read_text(encoding="utf-8"))
    }
    pages = {page.resolve() for page in (root / "docs").rglob("*.md")} - {index.resolve()}
    assert {str(page.relative_to(root)) for page in pages - linked} == set()


def test_yaml_in_documents_can_be_read(root: Path) -> None:
    """Each block that calls itself YAML is YAML."""
    fence = re.compile(r"^( *)```yaml\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
    blocks = [
        block for page in documents(root) for _, block in fence.findall(page.read_text(encoding="utf-8"))
    ]
    assert blocks
    for block in blocks:
        yaml.safe_load(textwrap.dedent(block))


def test_documents_name_only_metrics_that_exist(root: Path) -> None:
    """A metric of a router or a bot that a page or the Prometheus configuration names is one that the exporter has."""
    known = {family.name for family in PAGE_FAMILIES}
    pages = [page for page in documents(root) if page.name != "parity.md"]  # has a test of its own
    files = [*pages, root / "prometheus" / "prometheus.yml"]
    named = {name for file in files for name in METRIC.findall(file.read_text(encoding="utf-8"))}
    assert "mikrotik_up" in named
    assert named - known == set()


@pytest.mark.system("promtool")
def test_prometheus_accepts_its_configuration(root: Path) -> None:
    """promtool finds nothing wrong in prometheus/prometheus.yml."""
    checked = subprocess.run(
        ["promtool", "check", "config", "--syntax-only", str(root / "prometheus" / "prometheus.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_licence_is_the_one_that_is_declared(root: Path) -> None:
    """LICENSE holds the whole text of version 2 of the GPL."""
    text = (root / "LICENSE").read_text(encoding="utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in text
    assert "Version 2, June 1991" in text
    assert "END OF TERMS AND CONDITIONS" in text
