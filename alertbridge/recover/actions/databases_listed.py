"""The databases of the allow list by name, and what every action on one does alike."""

from collections.abc import Callable, Iterable
from typing import ClassVar, TypeVar

import structlog
from pydantic import Field

from alertbridge.recover.actions.base import About, ActionFailed, Done, Stage
from alertbridge.recover.actions.database_work import DatabaseFailed, Work, in_thread
from alertbridge.recover.actions.databases_config import (
    DatabaseSection,
    PostgresqlDatabaseSection,
    SqliteDatabaseSection,
)
from alertbridge.recover.ports import NoSuchTarget
from runtime.clock import Clock
from runtime.sections import Section

log = structlog.get_logger(__name__)

T = TypeVar("T")


class DatabaseSettings(Section):
    """Parameters of an action on a database."""

    database: str = Field(min_length=1, description="Name of the entry under `actions.databases`.")


class Databases:
    """What may be acted upon."""

    def __init__(self, sections: Iterable[DatabaseSection] = ()) -> None:
        self._sections = {section.name: section for section in sections}

    def __repr__(self) -> str:
        return f"<Databases {', '.join(self._sections)}>"

    def sqlite(self, name: str) -> SqliteDatabaseSection:
        """The SQLite file of that name. Raises NoSuchTarget."""
        section = self._named(name)
        if not isinstance(section, SqliteDatabaseSection):
            raise NoSuchTarget(f"{name!r} under `actions.databases` is no SQLite file")
        return section

    def postgresql(self, name: str) -> PostgresqlDatabaseSection:
        """The PostgreSQL database of that name. Raises NoSuchTarget."""
        section = self._named(name)
        if not isinstance(section, PostgresqlDatabaseSection):
            raise NoSuchTarget(f"{name!r} under `actions.databases` is no PostgreSQL database")
        return section

    def _named(self, name: str) -> DatabaseSection:
        try:
            return self._sections[name]
        except KeyError as error:
            raise NoSuchTarget(f"{name!r} is not under `actions.databases`") from error


class SqliteAction:
    """Base of the actions on one SQLite file."""

    name: ClassVar[str]
    about: ClassVar[About]
    repeatable: ClassVar[bool] = True

    def __init__(self, section: SqliteDatabaseSection, clock: Clock) -> None:
        self.section = section
        self.clock = clock

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.target}>"

    @property
    def target(self) -> str:
        return f"sqlite:{self.section.path}"

    async def work(self, stage: Stage, function: Callable[[Work], T], *, changes: bool = False) -> T:
        """What `function` returns, from a thread. Raises ActionFailed."""
        try:
            return await in_thread(
                function, limit_s=self.section.timeout_s, clock=self.clock, changes=changes
            )
        except DatabaseFailed as failed:
            raise self.failed(stage, failed) from failed

    def failed(self, stage: Stage, failed: DatabaseFailed) -> ActionFailed:
        """The same for the engine."""
        log.info("action.database_failed", target=self.target, action=self.name, reason=failed.reason)
        return ActionFailed(stage, failed.reason, f"{self.section.name}: {failed}", changed=failed.changed)

    async def undo(self) -> Done:
        detail = f"{self.name} cannot be taken back"
        raise ActionFailed(Stage.UNDO, "not_undoable", detail, changed=False)
