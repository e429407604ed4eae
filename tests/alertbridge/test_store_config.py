"""The `store:` section tells every mistake, and never what a URL holds."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from alertbridge.store.config import DEFAULT_PATH, StoreSection
from runtime.sections import Surroundings, secret_values

URL = "postgresql://bridge:s3cr3t-w0rd@db.example/bridge"


def parsed(folder: Path = Path("/etc/tikwatch"), **given: object) -> StoreSection:
    """The section as it is read from a file in `folder`."""
    return StoreSection.model_validate(
        given, context=Surroundings(folder=folder, environment={"STORE_URL": URL})
    )


def complaints(**given: object) -> str:
    """What is said about a wrong section."""
    with pytest.raises(ValidationError) as caught:
        parsed(**given)
    assert "s3cr3t" not in f"{caught.value}{caught.value.errors()!r}"
    return "\n".join(f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in caught.value.errors())


def test_nothing_given_is_a_file() -> None:
    """The default is SQLite where a service keeps its state."""
    section = parsed()
    assert (section.path, section.server_url) == (DEFAULT_PATH, None)
    assert section.retention.inbound_d >= 8


def test_a_path_is_relative_to_the_configuration() -> None:
    """As every path of the configuration is."""
    assert parsed(path="state/bridge.db").path == Path("/etc/tikwatch/state/bridge.db")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_url_is_a_server(scheme: str) -> None:
    """Every usual way to begin it leads to the same driver."""
    url = parsed(url=URL.replace("postgresql", scheme)).server_url
    assert url is not None
    assert (url.drivername, url.host, url.database) == ("postgresql+psycopg", "db.example", "bridge")


def test_a_url_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    """So that the password need not stand in the configuration; it is known as a secret and not shown."""
    (tmp_path / "url").write_text(f"{URL}\n", encoding="ascii")
    for section in (parsed(tmp_path, url_file="url"), parsed(url_env="STORE_URL")):
        assert section.server_url is not None
        assert URL in secret_values(section)
        assert "s3cr3t" not in repr(section)


def test_mistakes_are_told() -> None:
    """Each with its place, and none with the secret."""
    assert "give either path (SQLite) or a url" in complaints(path="x.db", url=URL)
    assert "give only one of url, url_file, url_env" in complaints(url=URL, url_env="STORE_URL")
    assert "url: must begin with postgresql://" in complaints(url="mysql://bridge:s3cr3t-w0rd@db/bridge")
    assert "url: must name the database" in complaints(url="postgresql://bridge:s3cr3t-w0rd@db")
    assert "url: must be a URL such as" in complaints(url="s3cr3t-w0rd")
    assert "url: must be a URL such as" in complaints(url="postgresql://bridge:s3cr3t-w0rd@db:port/bridge")
    assert "retention.inbound_d" in complaints(retention={"inbound_d": 7})
