"""help: what the person who asks may do. The table is handed in, since help is in it."""

from collections.abc import Sequence

from alertbridge.reply.commands.base import Command, Means, Run
from alertbridge.reply.model import Answer, Question
from alertbridge.reply.texts import Markup, join, say


def help_of(commands: Sequence[Command]) -> Run:
    """Tells of those of `commands` that the person's role allows."""

    async def run(question: Question, means: Means) -> Answer:
        language, person = question.language, question.person
        lines = [say(language, "help_head", name=person.name, role=person.role.value)]
        lines += [
            say(
                language,
                "help_line",
                usage=Markup(in_language(command.usage.id, command.usage.en, language)),
                does=Markup(in_language(command.does.id, command.does.en, language)),
            )
            for command in commands
            if person.role.may(command.role)
        ]
        return Answer(join([*lines, say(language, "help_foot")]))

    return run


def in_language(indonesian: str, english: str, language: str) -> str:
    """The one that `language` names."""
    return english if language == "en" else indonesian
