"""Dockerfile, docker-compose.yml and what they refer to: powerless, whole, and in step with what the programs read."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from alertbridge.config import load_config as load_bridge
from exporter.config import load_config

OURS = ("exporter", "alertbridge", "simulator", "bot", "phone")
THEIRS = ("prometheus", "alertmanager", "grafana", "gateway", "postgres")
PUBLISHED = {"grafana": "127.0.0.1:3000:3000", "phone": "127.0.0.1:18791:18791"}
Service = dict[str, Any]


@pytest.fixture(scope="module")
def compose(root: Path) -> dict[str, Any]:
    """docker-compose.yml, with its anchors resolved."""
    found = yaml.safe_load((root / "docker-compose.yml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def default_of(text: str) -> str:
    """What `${NAME:-default}` stands for when the variable is not set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def services(compose: dict[str, Any]) -> Iterator[tuple[str, Service]]:
    return iter(compose["services"].items())


def without_comments(text: str) -> str:
    return re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)


def with_secrets(text: str, folder: Path) -> str:
    """A configuration whose secrets lie in `folder` in place of /run/secrets."""
    for name in set(re.findall(r"/run/secrets/(\w+)", text)):
        (folder / name).write_text("a-secret-0123456789\n", encoding="utf-8")
        (folder / name).chmod(0o600)
    return text.replace("/run/secrets/", f"{folder}/")


@pytest.mark.system("docker-compose")
def test_the_file_keeps_to_the_specification(root: Path) -> None:
    """docker-compose reads it against the schema of the compose specification, with every profile."""
    result = subprocess.run(
        ["docker-compose", "--file", "docker-compose.yml", "config", "--quiet"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_every_service_is_known_here(compose: dict[str, Any]) -> None:
    """A service that these tests do not know would not be looked at."""
    assert set(compose["services"]) == {*OURS, *THEIRS}


@pytest.mark.parametrize("name", OURS)
def test_our_containers_have_no_power(compose: dict[str, Any], name: str) -> None:
    """Not root, no capability and no way to get one, nothing writable but a small /tmp, bounded memory."""
    service = compose["services"][name]
    assert default_of(service["user"]) == "10001:10001"
    assert service["read_only"] is True
    assert [mount.partition(":")[0] for mount in service["tmpfs"]] == ["/tmp"]  # noqa: S108 - the container's own


@pytest.mark.parametrize("name", [*OURS, *THEIRS])
def test_no_container_has_more_than_it_needs(compose: dict[str, Any], name: str) -> None:
    """Each has a user who is not root, no capabilities, bounded memory and tasks, and comes back by itself."""
    service = compose["services"][name]
    assert service["restart"] == "unless-stopped"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "pids_limit"} <= service.keys()
    assert not {"privileged", "network_mode", "pid", "cap_add", "devices"} & service.keys()
    if name != "gateway":  # its image takes no other user than its own
        assert not default_of(service["user"]).startswith("0")


def test_only_grafana_is_published(compose: dict[str, Any]) -> None:
    """On this machine alone; the phone as well, in the profile demo."""
    published = {
        name: default_of(port) for name, service in services(compose) for port in service.get("ports", ())
    }
    assert published == PUBLISHED
    assert compose["services"]["phone"]["profiles"] == ["demo"]


def test_images_of_others_are_pinned(compose: dict[str, Any]) -> None:
    """Each by a version, none by `latest`."""
    for name in THEIRS:
        image = compose["services"][name]["image"]
        assert re.search(r":v?\d+(\.\d+)*(-\w+)?$", image), image


@pytest.mark.parametrize("name", ["exporter", "alertbridge", "prometheus", "alertmanager", "grafana"])
def test_the_stack_tells_its_health_and_waits_for_it(compose: dict[str, Any], name: str) -> None:
    """Each asks its own health, and what it waits for exists and tells a health if that is waited for."""
    service = compose["services"][name]
    assert service["healthcheck"]["retries"] == 3
    for other, condition in service.get("depends_on", {}).items():
        known = compose["services"][other]
        assert condition["condition"] in {"service_started", "service_healthy"}
        assert condition["condition"] == "service_started" or "healthcheck" in known


def test_every_mount_is_there(compose: dict[str, Any], root: Path) -> None:
    """What is bound exists in the repository and is read-only; volumes and secrets are declared."""
    for name, service in services(compose):
        for mount in service.get("volumes", ()):
            if mount["type"] == "volume":
                assert mount["source"] in compose["volumes"], name
            else:
                assert mount["read_only"] is True, name
                assert (root / default_of(mount["source"])).exists(), f"{name}: {mount['source']}"
        for secret in service.get("secrets", ()):
            assert secret in compose["secrets"], name


@pytest.mark.parametrize("file", ["exporter.yml", "demo-exporter.yml"])
def test_the_exporters_configurations_are_valid(
    compose: dict[str, Any], root: Path, tmp_path: Path, file: str
) -> None:
    """Each listens where Prometheus asks, and reads no secret that the container does not get."""
    text = (root / "examples" / "docker" / file).read_text(encoding="utf-8")
    assert set(re.findall(r"/run/secrets/(\w+)", text)) <= set(compose["services"]["exporter"]["secrets"])
    config = tmp_path / file
    config.write_text(with_secrets(text, tmp_path), encoding="utf-8")
    assert load_config(config).web.listen == ":9436"


@pytest.mark.parametrize("file", ["alertbridge.yml", "demo-alertbridge.yml"])
def test_the_bridges_configurations_are_valid(
    compose: dict[str, Any], root: Path, tmp_path: Path, file: str
) -> None:
    """Each listens where Alertmanager posts, keeps its store on the volume, and knows the others by their names."""
    service = compose["services"]["alertbridge"]
    text = without_comments((root / "examples" / "docker" / file).read_text(encoding="utf-8"))
    assert set(re.findall(r"/run/secrets/(\w+)", text)) <= set(service["secrets"])
    config = tmp_path / file
    config.write_text(with_secrets(text, tmp_path), encoding="utf-8")
    loaded = load_bridge(config)
    assert loaded.web.listen == ":9437"
    volumes = {mount["target"] for mount in service["volumes"] if mount["type"] == "volume"}
    assert str(loaded.store.path.parent) in volumes
    for host in re.findall(r"http://([\w-]+):\d+", text):
        assert host in compose["services"], host


def test_prometheus_and_alertmanager_find_each_other(compose: dict[str, Any], root: Path) -> None:
    """Every address in their configurations is a service, and the token is a secret that they get."""
    for name, file in (("prometheus", "prometheus.yml"), ("alertmanager", "alertmanager.yml")):
        text = (root / "prometheus" / file).read_text(encoding="utf-8")
        bare = without_comments(text)
        hosts = set(re.findall(r"\b([a-z]+):9\d{3}\b", bare)) - {"localhost"}
        assert hosts <= set(compose["services"]), name
        assert set(re.findall(r"/run/secrets/(\w+)", bare)) <= set(compose["services"][name]["secrets"])


def test_grafana_has_no_usual_password(compose: dict[str, Any]) -> None:
    """The first password comes from a file, nobody signs up, nobody looks in without a name."""
    environment = compose["services"]["grafana"]["environment"]
    assert environment["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/run/secrets/grafana_password"
    assert "GF_SECURITY_ADMIN_PASSWORD" not in environment
    assert environment["GF_USERS_ALLOW_SIGN_UP"] == environment["GF_AUTH_ANONYMOUS_ENABLED"] == "false"


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
