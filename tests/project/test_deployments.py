"""deploy/: units and manifests start the programs that there are, with configurations that load, and without power."""

import re
import tomllib
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from alertbridge.config import load_config as load_bridge
from exporter.config import load_config

UNITS = ("tikwatch-exporter", "tikwatch-alertbridge")
HARDENING = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "RestrictSUIDSGID": "yes",
    "CapabilityBoundingSet": "",
    "DynamicUser": "yes",
}


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_starts_a_program_that_exists_and_gives_it_no_power(root: Path, unit: str) -> None:
    """The program is one of the project's, its reload is a hang-up, and the unit is hardened."""
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keys of systemd have capitals
    parser.read(root / "deploy" / "systemd" / f"{unit}.service", encoding="utf-8")
    service = dict(parser["Service"])
    scripts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert Path(service["ExecStart"].split()[0]).name == unit
    assert unit in scripts
    assert "-HUP" in service["ExecReload"]
    assert {key: service.get(key) for key in HARDENING} == HARDENING


@pytest.fixture(scope="module")
def manifests(root: Path) -> list[dict[str, Any]]:
    text = (root / "deploy" / "kubernetes" / "tikwatch.yaml").read_text(encoding="utf-8")
    return [found for found in yaml.safe_load_all(text) if found]


def of_kind(manifests: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [found for found in manifests if found["kind"] in kinds]


def test_the_manifests_configurations_load(manifests: list[dict[str, Any]], tmp_path: Path) -> None:
    """What stands in the ConfigMap is valid, and each secret that it names is in the Secret."""
    (config,), (secret,) = of_kind(manifests, "ConfigMap"), of_kind(manifests, "Secret")
    for name, text in config["data"].items():
        for key in re.findall(r"/etc/tikwatch-secrets/(\w+)", text):
            (tmp_path / key).write_text(secret["stringData"][key], encoding="utf-8")
            (tmp_path / key).chmod(0o600)
        (tmp_path / name).write_text(text.replace("/etc/tikwatch-secrets/", f"{tmp_path}/"), encoding="utf-8")
    assert load_config(tmp_path / "exporter.yml").web.listen == ":9436"
    assert load_bridge(tmp_path / "alertbridge.yml").web.listen == ":9437"


def test_pods_have_no_power_and_tell_their_health(manifests: list[dict[str, Any]]) -> None:
    """Not root, a read-only root, no capabilities, bounded memory, both probes on paths that the programs serve."""
    workloads = of_kind(manifests, "Deployment", "StatefulSet")
    assert [found["metadata"]["name"] for found in workloads] == ["exporter", "alertbridge"]
    for found in workloads:
        pod = found["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "memory" in container["resources"]["limits"]
        assert container["livenessProbe"]["httpGet"]["path"] == "/-/healthy"
        assert container["readinessProbe"]["httpGet"]["path"] == "/-/ready"
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        claims = {claim["metadata"]["name"] for claim in found["spec"].get("volumeClaimTemplates", ())}
        assert mounted == {volume["name"] for volume in pod["volumes"]} | claims


def test_services_lead_to_pods(manifests: list[dict[str, Any]]) -> None:
    """Each selects a workload by the labels that its pods have, and a port that they name."""
    labels = {
        found["metadata"]["name"]: found["spec"]["template"]["metadata"]["labels"]
        for found in of_kind(manifests, "Deployment", "StatefulSet")
    }
    for service in of_kind(manifests, "Service"):
        assert service["spec"]["selector"] == labels[service["metadata"]["name"]]
        assert [port["targetPort"] for port in service["spec"]["ports"]] == ["http"]
