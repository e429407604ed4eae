"""Who may come in: both logins of the API, as one small machine per connection."""

import hashlib
from enum import Enum, auto

from .call import Call, Trap
from .spec import Account, RouterSpec

REFUSED = "invalid user name or password (6)"
PLAIN_SINCE = (6, 43)


class LoginState(Enum):
    """Where a connection stands."""

    STRANGER = auto()
    CHALLENGED = auto()
    INSIDE = auto()


class Login:
    """Login of one connection: name and password at once, or before 6.43 by a challenge."""

    def __init__(self, spec: RouterSpec, challenge: bytes) -> None:
        self._spec = spec
        self._challenge = challenge
        self.state = LoginState.STRANGER
        self.account: Account | None = None

    def __repr__(self) -> str:
        return f"<Login {self.state.name.lower()} {self.account.username if self.account else ''}>"

    def attempt(self, call: Call) -> str | None:
        """What `/login` answers with `!done`: the challenge, or nothing when the user is in.

        Raises:
            Trap: not this user, or not this password.
        """
        if self._spec.release >= PLAIN_SINCE:
            account = self._spec.account(call.args.get("name", ""))
            if account is None or account.password != call.args.get("password", ""):
                raise Trap(REFUSED)
            self._enter(account)
            return None
        if "response" not in call.args or self.state is LoginState.STRANGER:
            self.state = LoginState.CHALLENGED
            return self._challenge.hex()
        account = self._spec.account(call.args.get("name", ""))
        if account is None or call.args["response"] != self._expected(account.password):
            self.state = LoginState.STRANGER
            raise Trap("cannot log in")
        self._enter(account)
        return None

    def _expected(self, password: str) -> str:
        secret = b"\x00" + password.encode("utf-8", "surrogateescape") + self._challenge
        return "00" + hashlib.md5(secret, usedforsecurity=False).hexdigest()

    def _enter(self, account: Account) -> None:
        if "api" not in account.policies:
            raise Trap(REFUSED)
        self.account = account
        self.state = LoginState.INSIDE
