"""The `replies:` section: who may write to the bridge, and what each may do."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import InitErrorDetails

from alertbridge.deliver.route.config import Language
from alertbridge.deliver.route.times import Name, one_or_more
from alertbridge.numbers import DEFAULT_REGION, AddressKind, AddressRefused, parse_address, parse_number
from runtime.sections import Section, Surroundings, fault

Texts = Annotated[tuple[str, ...], BeforeValidator(one_or_more)]


class OperatorSection(Section):
    """Somebody whose messages are commands."""

    name: Name = Field(description="What messages, silences and the audit call this person.")
    role: Literal["viewer", "operator", "admin"] = Field(
        default="viewer",
        description=(
            "`viewer` reads, `operator` also acknowledges, silences and runs actions, `admin` also stops "
            "recovery and runs what must be asked for."
        ),
    )
    numbers: Texts = Field(default=(), description="Phone numbers, as you write them.")
    lids: Texts = Field(
        default=(),
        description=(
            "WhatsApp's own ids of this person, such as 123456789012345@lid; learned by themselves when the "
            "provider tells number and id together. What stands here is believed instead."
        ),
    )
    language: Language | None = Field(
        default=None, description="Language of the answers; that of `delivery` when left out."
    )


class RepliesSection(Section):
    """Commands by message: from whom, how often, and how long things hold."""

    operators: tuple[OperatorSection, ...] = Field(
        description="Who may write, at least one; everybody else gets no answer at all.",
        json_schema_extra={"minItems": 1},
    )
    region: str = Field(
        default=DEFAULT_REGION,
        pattern="^[A-Z]{2}$",
        description="Country of numbers that are written without a country code.",
    )
    groups: Texts = Field(
        default=(),
        description="Groups in which operators may write, such as 120363000000000001@g.us; none when left out.",
    )
    per_minute: int = Field(
        default=12, ge=1, le=1000, description="Most messages that one person gets answers to in a minute."
    )
    max_age_s: float = Field(
        default=120.0, gt=0, le=3600, description="An older message is no command any more, in seconds."
    )
    skew_s: float = Field(
        default=30.0,
        ge=0,
        le=600,
        description="How far a message may come from the future, since clocks differ, in seconds.",
    )
    untimed: Annotated[tuple[Name, ...], BeforeValidator(one_or_more)] = Field(
        default=(),
        description=(
            "Channels that tell no time of a message (Twilio), and whose messages are taken for new all the same."
        ),
    )
    ack_s: float = Field(
        default=900.0,
        ge=60,
        le=86_400,
        description=(
            "Length of the silence that an acknowledgement is, in seconds; it is made longer while the alert fires."
        ),
    )
    look_s: float = Field(
        default=15.0,
        ge=1,
        le=300,
        description="How often Alertmanager is asked whether what is acknowledged still fires, in seconds.",
    )
    over_after_s: float = Field(
        default=90.0,
        ge=0,
        le=3600,
        description=(
            "Seconds that a silenced alert must be gone from Alertmanager to be over; after a restart "
            "Alertmanager knows of none until Prometheus tells it again."
        ),
    )
    longest_silence_s: float = Field(
        default=604_800.0,
        ge=60,
        le=31_536_000,
        description="Longest silence that may be asked for, in seconds.",
    )
    answer_s: float = Field(
        default=2.5, gt=0, le=60, description="Longest wait for whoever an answer is asked of, in seconds."
    )
    chart_s: float = Field(default=10.0, gt=0, le=60, description="The same for an answer with a picture.")

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        region = given.get("region", DEFAULT_REGION)
        faults.extend(_operator_faults(given, region if isinstance(region, str) else DEFAULT_REGION))
        for index, group in enumerate(_texts(given.get("groups"))):
            if complaint := _group_complaint(group):
                faults.append(fault(complaint, "groups", index))
        return given


def lid_digits(text: str) -> str:
    """The digits of a LID, with or without ``@lid``. Raises AddressRefused."""
    bare = text.strip()
    address = parse_address(bare if "@" in bare else f"{bare}@lid")
    if address.kind is not AddressKind.LID:
        raise AddressRefused("is not a LID: it must be digits such as 123456789012345@lid")
    return address.user


def group_jid(text: str) -> str:
    """A group as messages name it. Raises AddressRefused."""
    address = parse_address(text)
    if not address.is_group:
        raise AddressRefused("is not a group: its id must be digits such as 120363000000000001@g.us")
    return str(address)


def _operator_faults(given: Mapping[str, Any], region: str) -> Iterator[InitErrorDetails]:
    """Addresses that are none, and those that two people claim. `given` is what was written."""
    operators = given.get("operators")
    if not isinstance(operators, list | tuple):
        return
    if not operators:
        yield fault("needs at least one", "operators")
    names: set[str] = set()
    claimed: dict[str, int] = {}
    for index, operator in enumerate(operators):
        if not isinstance(operator, Mapping):
            continue
        name = operator.get("name")
        if isinstance(name, str) and name in names:
            yield fault("is the name of another operator as well", "operators", index, "name")
        names.add(str(name))
        if not _texts(operator.get("numbers")) and not _texts(operator.get("lids")):
            yield fault("needs a number, or a LID", "operators", index, "numbers")
        for key in ("numbers", "lids"):
            for position, text in enumerate(_texts(operator.get(key))):
                place = ("operators", index, key, position)
                try:
                    known = parse_number(text, region=region) if key == "numbers" else lid_digits(text)
                except AddressRefused as refused:
                    yield fault(str(refused), *place)
                    continue
                if claimed.setdefault(f"{key}:{known}", index) != index:
                    yield fault("belongs to another operator as well", *place)


def _group_complaint(text: str) -> str:
    try:
        group_jid(text)
    except AddressRefused as refused:
        return str(refused)
    return ""


def _texts(value: object) -> list[str]:
    listed = one_or_more(value)
    return [one for one in listed if isinstance(one, str)] if isinstance(listed, list | tuple) else []
