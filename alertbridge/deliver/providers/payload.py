"""Models of what providers send: unknown keys are left, a value of the wrong type counts as absent."""

import json
import math
import re
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)

BODY_LIMIT_BYTES = 4 * 1024 * 1024
"""A webhook that is longer is not read."""
ID_LIMIT_CHARS = 200
"""Ids are keys of tables, and a message's id is chosen by whoever writes it."""
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_MILLISECONDS_FROM = 1e11
"""A Unix time from here on is in milliseconds: as seconds it would be the year 5138."""


def parse_json(body: bytes) -> object:
    """The JSON in `body`. Raises ValueError, which does not quote it."""
    if len(body) > BODY_LIMIT_BYTES:
        raise ValueError("the body is too large")
    try:
        value: object = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError("the body is not JSON") from None
    return value


def _storable(value: Any) -> Any:
    """Texts without what no database takes: NUL, and halves of characters that JSON can spell."""
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if not isinstance(value, str) or not _UNSTORABLE.search(value):
        return value
    return _UNSTORABLE.sub("\ufffd", value)


class Loose(BaseModel):
    """A payload of somebody else. Every field has a default, which stands for whatever cannot be used."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, hide_input_in_errors=True, coerce_numbers_to_str=True
    )

    @field_validator("*", mode="wrap")
    @classmethod
    def _absent_when_odd(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        try:
            return _storable(handler(value))
        except ValidationError:
            return cls.model_fields[str(info.field_name)].get_default(call_default_factory=True)

    @classmethod
    def of(cls, value: object) -> Self:
        """The payload in `value`. Raises ValueError when it is not even an object."""
        if not isinstance(value, dict):
            raise ValueError("the body is not a JSON object")  # noqa: TRY004  as for a body that is no JSON
        return cls.model_validate(value)

    @classmethod
    def read(cls, body: bytes) -> Self:
        """The payload in `body`. Raises ValueError, which does not quote it."""
        return cls.of(parse_json(body))

    @classmethod
    def read_or_empty(cls, body: bytes) -> Self:
        """The payload in `body`, all defaults when it is no JSON object."""
        try:
            return cls.read(body)
        except ValueError:
            return cls()


def _objects_only(value: Any) -> Any:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else value


def _one_or_many(value: Any) -> Any:
    return _objects_only([value] if isinstance(value, dict) else value)


Objects = BeforeValidator(_objects_only)
"""For ``Annotated[list[Model], Objects]``: what is no object in the list is left out."""
OneOrMany = BeforeValidator(_one_or_many)
"""As `Objects`, where a single one may stand without its list."""


def read_moment(value: object) -> float:
    """Unix seconds of seconds, milliseconds or ISO 8601; 0.0 for anything else."""
    if isinstance(value, str) and not value.strip().lstrip("-").replace(".", "", 1).isdigit():
        try:
            moment = datetime.fromisoformat(value)
            value = moment.timestamp() if moment.tzinfo else moment.replace(tzinfo=UTC).timestamp()
        except (ValueError, OverflowError):
            return 0.0
    try:
        seconds = float(value) if isinstance(value, int | float | str) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    if not math.isfinite(seconds) or seconds <= 0 or seconds >= _MILLISECONDS_FROM * 1000:
        return 0.0
    return seconds / 1000 if seconds >= _MILLISECONDS_FROM else seconds


Moment = Annotated[float, BeforeValidator(read_moment)]
"""A point in time however it is written, as Unix seconds; 0.0 when it cannot be read."""


def clean_id(text: str) -> str:
    """An id that fits into a table, whatever `text` holds."""
    return _UNSTORABLE.sub("\ufffd", text[:ID_LIMIT_CHARS])


Id = Annotated[str, AfterValidator(clean_id)]
"""An id of somebody else's."""
