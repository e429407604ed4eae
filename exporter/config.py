"""The exporter's configuration: frozen models with their defaults; all mistakes are told at once.

    config = load_config(Path("exporter.yml"))
    for router in config.routers:
        Router(config.target(router), pool=config.pool_settings(router), ...)

Pool, breaker and retry values that a file leaves out come from the preset; a router may set pool values of
its own. The methods of `Config` settle all that and speak the settings of `routeros`.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import Field
from pydantic_core import InitErrorDetails

from exporter.config_bots import BotSection
from exporter.config_checks import fleet_faults, label_faults, order_faults
from exporter.config_databases import DatabaseSection, QuickCheckSection
from exporter.config_host import HostSection
from exporter.config_modules import (
    KNOWN_COLLECTORS,
    CollectorDefaults,
    CollectorSection,
    CollectorSettings,
    ModeName,
    ModuleSection,
)
from exporter.config_probes import name_faults
from exporter.config_queries import DriftSection, QuerySection, database_faults
from exporter.config_routers import DEFAULT_MODULE, RouterSection, RouterTls
from exporter.config_schema import (
    BreakerSection,
    CacheSection,
    Credentials,
    ExporterWebSection,
    PoolSection,
    PoolValues,
    RetrySection,
    ScrapeSection,
)
from exporter.presets import PRESETS, Preset, PresetName
from routeros.settings import BreakerSettings, PoolSettings, RetrySettings, Target
from runtime.editorschema import editor_schema
from runtime.loading import ConfigError, load
from runtime.logs import LogSection
from runtime.sections import Section, Surroundings

__all__ = [
    "DEFAULT_MODULE",
    "PRESETS",
    "BotSection",
    "BreakerSection",
    "CacheSection",
    "CollectorDefaults",
    "CollectorSection",
    "CollectorSettings",
    "Config",
    "ConfigError",
    "Credentials",
    "DatabaseSection",
    "DriftSection",
    "ExporterWebSection",
    "HostSection",
    "LogSection",
    "ModeName",
    "ModuleSection",
    "PoolSection",
    "PoolValues",
    "Preset",
    "PresetName",
    "QuerySection",
    "QuickCheckSection",
    "RetrySection",
    "RouterSection",
    "RouterTls",
    "ScrapeSection",
    "json_schema",
    "load_config",
]


class Config(Section):
    """Configuration of the exporter."""

    web: ExporterWebSection = Field(
        default=ExporterWebSection(), description="Where to listen and whom to answer."
    )
    credentials: Credentials | None = Field(
        default=None, description="User for every router that names none of its own."
    )
    pool: PoolSection = Field(default=PoolSection(), description="Connections to each router.")
    breaker: BreakerSection = Field(
        default=BreakerSection(), description="When a failing router is left alone."
    )
    retry: RetrySection = Field(default=RetrySection(), description="How reads and connects are tried again.")
    cache: CacheSection = Field(default=CacheSection(), description="How long results are kept.")
    scrape: ScrapeSection = Field(default=ScrapeSection(), description="How long a scrape may take.")
    log: LogSection = Field(default=LogSection(), description="What is logged, and how.")
    modules: dict[str, ModuleSection] = Field(
        default={},
        description=f"Sets of collectors by name; `{DEFAULT_MODULE}` is for routers that name none.",
    )
    routers: tuple[RouterSection, ...] = Field(
        description="The routers to watch, at least one.", json_schema_extra={"minItems": 1}
    )
    bots: tuple[BotSection, ...] = Field(default=(), description="WhatsApp bots to watch.")
    databases: tuple[DatabaseSection, ...] = Field(default=(), description="Databases to watch and to ask.")
    queries: tuple[QuerySection, ...] = Field(default=(), description="Metrics made of SQL.")
    drift: tuple[DriftSection, ...] = Field(
        default=(), description="Accounts in a database compared with the PPP secrets of a router."
    )
    host: HostSection = Field(default=HostSection(), description="The machine that the exporter runs on.")

    @classmethod
    def prepare(
        cls, given: dict[str, Any], around: Surroundings, faults: list[InitErrorDetails]
    ) -> dict[str, Any]:
        given = super().prepare(given, around, faults)
        faults.extend(fleet_faults(given))
        faults.extend(label_faults(given, around.extras.get(KNOWN_COLLECTORS)))
        faults.extend(order_faults(given))
        faults.extend(name_faults(given, "bots"))
        faults.extend(name_faults(given, "databases"))
        faults.extend(database_faults(given))
        return given

    @property
    def preset(self) -> Preset:
        """What the values that the file leaves out come from."""
        return PRESETS[self.pool.preset]

    @property
    def module_names(self) -> tuple[str, ...]:
        """Every module that a router or a probe may name; the default one is always there."""
        return tuple(dict.fromkeys([DEFAULT_MODULE, *self.modules]))

    def router(self, name: str) -> RouterSection | None:
        """The router of that name, if there is one."""
        return next((router for router in self.routers if router.name == name), None)

    def collectors(self, module: str, known: Mapping[str, CollectorDefaults]) -> dict[str, CollectorSettings]:
        """The collectors of `module`, in the order of `known`, with settled settings.

        Raises KeyError when there is no such module.
        """
        if module not in self.module_names:
            raise KeyError(module)
        return self.modules.get(module, ModuleSection()).settled(known)

    def target(self, router: RouterSection) -> Target:
        """Where `router` is and who logs in; `credentials` fill in for what it does not say itself."""
        own = router.password is not None
        username = router.username or (self.credentials.username if self.credentials else "")
        password = router.password if own else self.credentials.password if self.credentials else None
        return Target(
            name=router.name,
            address=router.address,
            port=router.port,
            username=username,
            password=password.get_secret_value() if password is not None else "",
            tls=router.tls.settings if router.tls is not None else None,
        )

    def pool_settings(self, router: RouterSection | None = None) -> PoolSettings:
        """Pool values for `router`, or for one that sets none of its own."""
        values = _given(self.pool) | (_given(router.pool) if router is not None else {})
        return replace(self.preset.pool, **{k: v for k, v in values.items() if k != "preset"})

    def breaker_settings(self) -> BreakerSettings:
        return replace(self.preset.breaker, **_given(self.breaker))

    def retry_settings(self) -> RetrySettings:
        return replace(self.preset.retry, **_given(self.retry))


def _given(section: Section) -> dict[str, Any]:
    """The values that were set."""
    return section.model_dump(exclude_none=True)


def load_config(
    path: Path,
    *,
    collectors: Mapping[str, CollectorDefaults] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Config:
    """The configuration in the file `path`.

    With `collectors`, the names and modes under `modules` are checked against them, and the labels of routers
    against theirs. `environment` stands for the process's own. Raises ConfigError with every mistake in the file.
    """
    extras = MappingProxyType({} if collectors is None else {KNOWN_COLLECTORS: collectors})
    return load(path, Config, environment=environment, extras=extras)


def json_schema(collectors: Collection[str] = ()) -> dict[str, Any]:
    """The JSON schema of the file, for editors; with `collectors`, it knows their names as well."""
    schema = editor_schema(Config, "Configuration of tikwatch-exporter")
    as_list, as_mapping = schema["$defs"]["ModuleSection"]["properties"]["collectors"]["anyOf"]
    settings = as_mapping["additionalProperties"]
    as_mapping["additionalProperties"] = {"anyOf": [settings, {"type": "null"}]}  # its name alone will do
    if collectors:
        names = {"enum": list(collectors)}
        as_list["items"] = names
        as_mapping["propertyNames"] = names
    return schema
