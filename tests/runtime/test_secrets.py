"""Secrets stand in the configuration, a file of their own or the environment; errors name the place, not the secret."""

from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr

from runtime.loading import ConfigError, load, parse
from runtime.secrets import SECRET_LIMIT_BYTES, names_a_secret
from runtime.sections import SecretSection


class Login(SecretSection):
    """A password in its three forms."""

    password: SecretStr | None = None
    password_file: str | None = None
    password_env: str | None = None


def secret_of(login: Login) -> str:
    assert login.password is not None
    return login.password.get_secret_value()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.yml").write_text("password_file: pw\n")
    return tmp_path


def write_secret(folder: Path, content: bytes, mode: int = 0o600) -> None:
    (folder / "pw").write_bytes(content)
    (folder / "pw").chmod(mode)


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"s3cret", "s3cret"),
        (b"s3cret\n", "s3cret"),
        (b"s3cret\r\n", "s3cret"),
        (b" a b \n\n", " a b \n"),
        (b"\xc3\xa9\n", "é"),
    ],
)
def test_a_file_holds_the_secret(folder: Path, content: bytes, secret: str) -> None:
    """The file's text is the secret, relative to the configuration's folder and without one trailing newline."""
    write_secret(folder, content)
    assert secret_of(load(folder / "config.yml", Login)) == secret


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\n", "the file is empty"),
        (b"\xff\xfes3cret", "the file is not UTF-8 text"),
        (b"s3cret" * SECRET_LIMIT_BYTES, "too much for a secret"),
    ],
)
def test_a_file_without_a_secret(folder: Path, content: bytes, words: str) -> None:
    """Empty, huge and binary files are refused with their path and without their content."""
    write_secret(folder, content)
    with pytest.raises(ConfigError) as caught:
        load(folder / "config.yml", Login)
    assert words in str(caught.value)
    assert str(folder / "pw") in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_file_that_is_not_there(folder: Path) -> None:
    """A missing file and a folder in its place are told with the full path and the line."""
    with pytest.raises(ConfigError) as caught:
        load(folder / "config.yml", Login)
    assert [str(problem) for problem in caught.value.problems] == [
        f"line 1: password_file: no such file: {folder / 'pw'}"
    ]
    (folder / "pw").mkdir()
    with pytest.raises(ConfigError, match="is a folder, not a file"):
        load(folder / "config.yml", Login)


def test_a_file_that_everyone_may_read_is_warned_about(folder: Path) -> None:
    """The log warns, with the remedy; the secret is used all the same."""
    write_secret(folder, b"s3cret", 0o644)
    with structlog.testing.capture_logs() as logs:
        assert secret_of(load(folder / "config.yml", Login)) == "s3cret"
    assert [(entry["event"], entry["mode"]) for entry in logs] == [
        ("secret_file.readable_by_everyone", "0644")
    ]
    write_secret(folder, b"s3cret", 0o640)
    with structlog.testing.capture_logs() as logs:
        load(folder / "config.yml", Login)
    assert logs == []


def test_the_environment_holds_the_secret() -> None:
    """`*_env` names a variable; one that is not set or empty is an error that names it."""
    text = "password_env: PW"
    assert secret_of(parse(text, Login, environment={"PW": "s3cret"})) == "s3cret"
    for environment, state in (({}, "not set"), ({"PW": ""}, "empty")):
        with pytest.raises(ConfigError, match=f"the environment variable PW is {state}"):
            parse(text, Login, environment=environment)
    with pytest.raises(ConfigError, match="must be the name of an environment variable"):
        parse("password_env: 'not a name'", Login, environment={})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("password: a\npassword_env: B", "found password and password_env"),
        (
            "password_file: a\npassword_env: B\npassword: c",
            "found password and password_file and password_env",
        ),
        ("password_file:\n", "needs one of password, password_file, password_env"),
        ("{}", "needs one of password, password_file, password_env"),
    ],
)
def test_exactly_one_form_is_given(text: str, words: str) -> None:
    """Two forms at once, or none, is an error."""
    with pytest.raises(ConfigError, match=words):
        parse(text, Login, environment={"B": "x"})


def test_which_keys_name_a_secret() -> None:
    """A key that names a secret is one; a key that says where to find it is not."""
    assert all(
        map(names_a_secret, ("password", "new_password", "token", "Authorization", "api_key", "SECRET"))
    )
    assert not any(
        map(names_a_secret, ("password_file", "token_env", "router", "unknown_keys", "token_name"))
    )
