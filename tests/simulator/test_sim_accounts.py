"""More users of the simulated routers, by the command line."""

import pytest

from simulator.__main__ import _parser, specs_of


def test_each_router_has_the_users_that_were_asked_for() -> None:
    """One more user, who may write where the first can only read; the password may hold colons."""
    specs = specs_of(_parser().parse_args(["--profile", "home:2", "--account", "recovery:se:cret"]))
    for spec in specs:
        account = spec.account("recovery")
        assert account is not None
        assert account.password == "se:cret"
        assert "write" in account.policies
        assert spec.account("monitor") is not None
    assert "se:cret" not in repr(specs)


@pytest.mark.parametrize("text", ["recovery", ":secret", "recovery:"])
def test_a_user_without_a_name_or_password_is_refused(text: str) -> None:
    """The message says what was wanted, and not what was given."""
    with pytest.raises(ValueError, match=r"^--account: wanted NAME:PASSWORD$"):
        specs_of(_parser().parse_args(["--account", text]))
