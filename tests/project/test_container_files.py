"""Dockerfile, docker-compose.yml and what they refer to: as small and as powerless as the documentation says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.config import load_config


@pytest.fixture
def service(root: Path) -> dict[str, Any]:
    """The exporter's service of docker-compose.yml."""
    compose = yaml.safe_load((root / "docker-compose.yml").read_text(encoding="utf-8"))
    assert set(compose) == {"name", "services", "secrets"}
    exporter = compose["services"]["exporter"]
    assert isinstance(exporter, dict)
    return exporter


def default_of(text: str) -> str:
    """What `${NAME:-default}` stands for when the variable is not set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def test_the_container_has_no_power(service: dict[str, Any]) -> None:
    """Not root, no capability and no way to get one, nothing writable but a small /tmp, bounded memory."""
    assert default_of(service["user"]) == "10001:10001"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True
    assert [mount.partition(":")[0] for mount in service["tmpfs"]] == ["/tmp"]  # noqa: S108 - the container's own
    assert {"mem_limit", "pids_limit"} <= service.keys()
    assert not {"privileged", "network_mode", "pid", "cap_add", "devices"} & service.keys()


def test_the_service_comes_back_and_tells_its_health(service: dict[str, Any]) -> None:
    """It restarts by itself, asks its own health, and is published on the loopback only."""
    assert service["restart"] == "unless-stopped"
    assert "HEALTH_URL" in service["healthcheck"]["test"][-1]
    assert [default_of(port) for port in service["ports"]] == ["127.0.0.1:9436:9436"]


def test_the_configuration_is_mounted_and_can_be_read(
    service: dict[str, Any], root: Path, tmp_path: Path
) -> None:
    """The mounted file is a valid configuration that listens where the port is published and reads the secret."""
    (mount,) = service["volumes"]
    assert mount["read_only"] is True
    assert mount["target"] in service["command"]
    text = (root / default_of(mount["source"])).read_text(encoding="utf-8")
    assert "/run/secrets/router_password" in text
    assert service["secrets"] == ["router_password"]
    (tmp_path / "password").write_text("secret\n", encoding="utf-8")
    (tmp_path / "password").chmod(0o600)
    config = tmp_path / "exporter.yml"
    config.write_text(text.replace("/run/secrets/router_password", "password"), encoding="utf-8")
    assert load_config(config).web.listen == ":9436"


def test_the_example_configuration_is_valid(root: Path, tmp_path: Path) -> None:
    """examples/exporter.yml loads, with its password file and its variable in place."""
    config = tmp_path / "exporter.yml"
    config.write_bytes((root / "examples" / "exporter.yml").read_bytes())
    (tmp_path / "router-password.txt").write_text("secret\n", encoding="utf-8")
    (tmp_path / "router-password.txt").chmod(0o600)
    loaded = load_config(config, environment={"CABIN_PASSWORD": "another"})
    assert [router.name for router in loaded.routers] == ["core", "tower-1", "cabin"]


def test_env_example_names_each_variable_with_its_default(root: Path) -> None:
    """.env.example and docker-compose.yml know the same variables and defaults."""
    compose = (root / "docker-compose.yml").read_text(encoding="utf-8")
    example = (root / ".env.example").read_text(encoding="utf-8")
    used = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", compose))
    assert dict(re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE)) == used


def test_the_image_is_built_in_stages_by_hash_and_does_not_run_as_root(root: Path) -> None:
    """Two stages, every dependency by its hash, a numeric user, a health check, labels, signals that reach us."""
    dockerfile = (root / "Dockerfile").read_text(encoding="utf-8")
    stages = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert stages == ["${PYTHON_IMAGE}", "${PYTHON_IMAGE}"]
    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.\d+-slim-\w+$", dockerfile, re.MULTILINE)
    last = dockerfile.rpartition("\nFROM ")[2]
    assert re.search(r"^USER \d+:\d+$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert "org.opencontainers.image.licenses" in last
    assert 'ENTRYPOINT ["tikwatch-exporter"]' in last
    for line in re.findall(r"pip install [^\\\n]+", dockerfile):
        assert "--require-hashes" in line or "--no-deps --no-index" in line


def test_what_the_dockerfile_copies_is_let_in(root: Path) -> None:
    """Every path that is copied exists and is not kept out by .dockerignore, which lets nothing else in."""
    dockerfile = (root / "Dockerfile").read_text(encoding="utf-8")
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE)
        for source in line.split()[:-1]
    }
    ignore = (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignore
    assert {line.removeprefix("!") for line in ignore if line.startswith("!")} == copied
    assert [path for path in copied if not (root / path).exists()] == []
