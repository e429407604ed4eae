"""What JSON answers are made of, in every service of ours."""

from pydantic import BaseModel, ConfigDict


class Body(BaseModel):
    """Base of all: frozen, and described by the strings under its attributes."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_serialization_defaults_required=True,
        ser_json_inf_nan="null",
    )


class Problem(Body):
    """Why a request was not answered as asked (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    known: list[str] = []
    """The values that would have been right, up to 100; empty where that is not the matter."""
