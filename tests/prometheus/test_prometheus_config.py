"""prometheus.yml: what stands in comments works too, and rules count on nothing that it does not give."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from scripts.rulesfiles import all_rules

CONFIG = Path(__file__).resolve().parents[2] / "prometheus" / "prometheus.yml"

_COMMENTED = re.compile(r"^( *)# ((?: {2}|- )*[a-z_]+:(?: .*)?)$", re.MULTILINE)
_JOB = re.compile(r'\bjob(=|!~)"([^"]+)"')


@pytest.mark.system("promtool")
def test_what_stands_in_comments_works(tmp_path: Path) -> None:
    """With sharding, remote_write, tokens and external labels switched on, promtool is content."""
    text = _COMMENTED.sub(r"\1\2", CONFIG.read_text(encoding="utf-8"))
    config = yaml.safe_load(text)
    assert config["remote_write"]
    assert config["global"]["external_labels"]
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    assert [rule.get("action") for rule in jobs["mikrotik"]["relabel_configs"]][-2:] == ["hashmod", "keep"]
    assert all("authorization" in jobs[name] for name in ("tikwatch", "mikrotik", "alertbridge"))
    file = tmp_path / "prometheus.yml"
    file.write_text(text, encoding="utf-8")
    ended = subprocess.run(
        ["promtool", "check", "config", "--syntax-only", file], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_rules_name_only_jobs_that_there_are() -> None:
    """A job that a rule names is one of prometheus.yml."""
    jobs = {job["job_name"] for job in yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["scrape_configs"]}
    named = {
        job for rule in all_rules() for _, words in _JOB.findall(rule.expression) for job in words.split("|")
    }
    assert "tikwatch" in named
    assert named <= jobs


def test_what_is_urgent_is_scraped_often() -> None:
    """Bot, databases and machine come with the exporter's own page, and the bridge with its own, every five seconds."""
    jobs = {
        job["job_name"]: job for job in yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["scrape_configs"]
    }
    assert {name for name, job in jobs.items() if job.get("scrape_interval") == "5s"} == {
        "tikwatch",
        "alertbridge",
    }


def test_each_target_bears_a_name_that_reads_well() -> None:
    """No alert has an address for its instance."""
    for job in yaml.safe_load(CONFIG.read_text(encoding="utf-8"))["scrape_configs"]:
        static = all("instance" in group.get("labels", {}) for group in job.get("static_configs", ()))
        relabelled = "instance" in {rule.get("target_label") for rule in job.get("relabel_configs", ())}
        assert relabelled if "http_sd_configs" in job else static, job["job_name"]
