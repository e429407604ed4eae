"""A configuration section is a frozen model that reports every mistake in it, not only the first.

pydantic stops at the first error that a validator of our own raises and never runs checks that look across
fields once a field is wrong. `Section` therefore collects the mistakes that it finds itself, runs pydantic,
and raises both kinds together, each with its place.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from runtime.secrets import SecretUnreadable, read_secret_file

FAULT = "config_fault"
"""pydantic error type of the mistakes that we find; their message is a finished sentence part."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a configuration may refer to outside itself.

    `folder` is where relative paths start, `environment` holds the variables that ``*_env`` keys name,
    `extras` whatever a model of the caller wants to check against (known collectors, for instance).
    """

    folder: Path = field(default_factory=Path)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    extras: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, info: ValidationInfo) -> "Surroundings":
        """What the validation was started with; the working directory and the process's own if nothing."""
        return info.context if isinstance(info.context, Surroundings) else cls()


def fault(message: str, *place: str | int) -> InitErrorDetails:
    """A mistake at `place`, counted from the section that reports it. `message` must hold no secret."""
    return InitErrorDetails(
        type=PydanticCustomError(FAULT, "{message}", {"message": message}), loc=place, input=None
    )


def _again(error: ValidationError) -> list[InitErrorDetails]:
    """The details of `error` in the form that a new ValidationError takes."""
    details = []
    for found in error.errors(include_url=False):
        if found["type"] == FAULT:
            details.append(fault(found["ctx"]["message"], *found["loc"]))
        else:
            details.append(
                InitErrorDetails(
                    type=found["type"], loc=found["loc"], input=found["input"], ctx=found.get("ctx", {})
                )
            )
    return details


class Section(BaseModel):
    """Base of every configuration model: frozen, no unknown keys, no infinities, all mistakes at once.

    A key without a value (``web:`` with everything under it commented out) counts as left out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, allow_inf_nan=False)

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        """What pydantic shall validate, made of what was `given`; mistakes go to `faults`.

        Runs on unchecked input: a value of an unexpected type is pydantic's to report, so skip it.
        Overriders call super and change nothing inside the values of `given`.
        """
        return given

    @model_validator(mode="wrap")
    @classmethod
    def _report_all(cls, data: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        faults: list[InitErrorDetails] = []
        if isinstance(data, Mapping):
            given = {k: v for k, v in data.items() if v is not None or k not in cls.model_fields}
            data = cls.prepare(given, Surroundings.of(info), faults)
        try:
            section = handler(data)
        except ValidationError as error:
            faults = [*_again(error), *faults]
        else:
            if not faults:
                return section
        raise ValidationError.from_exception_data(cls.__name__, faults)


class SecretSection(Section):
    """A section with a secret: inline, as ``*_file`` or as ``*_env``; the inline field holds it in the end.

    `secret_name` is the field of type ``SecretStr | None``; beside it stand two text fields,
    ``<name>_file`` and ``<name>_env``.
    """

    secret_name: ClassVar[str] = "password"  # noqa: S105  the name of a key
    secret_required: ClassVar[bool] = True

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        name = cls.secret_name
        ways = [name, f"{name}_file", f"{name}_env"]
        chosen = [way for way in ways if way in given]
        if len(chosen) > 1:
            faults.append(fault(f"give only one of {', '.join(ways)}; found {' and '.join(chosen)}"))
        elif not chosen and cls.secret_required:
            faults.append(fault(f"needs one of {', '.join(ways)}"))
        elif chosen and chosen[0] != name and isinstance(reference := given[chosen[0]], str):
            try:
                secret = _look_up(chosen[0].endswith("_file"), reference, around)
            except SecretUnreadable as error:
                faults.append(fault(str(error), chosen[0]))
            else:
                return {**given, name: SecretStr(secret)}
        return given


def _look_up(in_file: bool, reference: str, around: Surroundings) -> str:
    if in_file:
        return read_secret_file(around.folder / reference)
    if not reference.isidentifier():
        raise SecretUnreadable("must be the name of an environment variable, such as ROUTER_PASSWORD")
    if not (secret := around.environment.get(reference)):
        state = "empty" if reference in around.environment else "not set"
        raise SecretUnreadable(f"the environment variable {reference} is {state}")
    return secret


def secret_values(section: BaseModel) -> frozenset[str]:
    """Every secret in a configuration, for the log's redactor."""
    found: set[str] = set()
    _gather(section, found)
    return frozenset(found)


def _gather(value: object, found: set[str]) -> None:
    if isinstance(value, SecretStr):
        found.add(value.get_secret_value())
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            _gather(getattr(value, name), found)
    elif isinstance(value, Mapping):
        for item in value.values():
            _gather(item, found)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            _gather(item, found)
