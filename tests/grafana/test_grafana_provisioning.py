"""What Grafana finds at its start: the data source, the folders, and dashboards that alerts and docs lead to."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from grafana.checks.reading import FOLDER, dashboards
from scripts.rulesfiles import all_rules

ROOT = Path(__file__).resolve().parents[2]
PROVISIONING = ROOT / "grafana" / "provisioning"


def _yaml(path: str) -> Any:
    return yaml.safe_load((PROVISIONING / path).read_text(encoding="utf-8"))


def test_the_data_source_is_the_one_that_dashboards_begin_with() -> None:
    """Its uid is the first value of the variable, and its interval the scrape interval of prometheus.yml."""
    (source,) = _yaml("datasources/prometheus.yml")["datasources"]
    assert (source["uid"], source["url"]) == ("prometheus", "http://prometheus:9090")
    prometheus = yaml.safe_load((ROOT / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    assert source["jsonData"]["timeInterval"] == prometheus["global"]["scrape_interval"]
    for board in dashboards(ROOT / FOLDER):
        assert board.variables()["datasource"]["current"]["value"] == source["uid"], board.file


def test_every_folder_of_files_is_a_folder_in_grafana() -> None:
    """No dashboard lies where nothing looks for it."""
    providers = _yaml("dashboards/tikwatch.yml")["providers"]
    paths = {Path(one["options"]["path"]).name for one in providers}
    assert paths == {board.file.parent.name for board in dashboards(ROOT / FOLDER)}
    assert len({one["folderUid"] for one in providers}) == len(providers)
    assert all(one["allowUiUpdates"] is False for one in providers)


def test_links_in_alerts_lead_to_a_dashboard_with_the_variables_they_pass() -> None:
    """A link in a message opens the right dashboard, with the router or the bot already chosen."""
    boards = {board.uid: set(board.variables()) for board in dashboards(ROOT / FOLDER)}
    links = {rule.name: rule.annotations.get("dashboard_url", "") for rule in all_rules() if rule.is_alert}
    for name, link in links.items():
        found = re.search(r"/d/([\w-]+)(.*)$", link)
        assert found is not None, name
        assert set(re.findall(r"var-(\w+)=", found[2])) <= boards[found[1]], name


def test_keys_stand_in_a_stable_order() -> None:
    """A change of one panel is a small change of the file."""
    for board in dashboards(ROOT / FOLDER):
        text = board.file.read_text(encoding="utf-8")
        assert text == json.dumps(board.content, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
