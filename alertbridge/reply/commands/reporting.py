"""report: the daily report, now."""

from alertbridge.prometheus import PrometheusError
from alertbridge.reply.commands.base import Means
from alertbridge.reply.model import Answer, Question
from alertbridge.reply.sources import Source, SourceAway


async def run(question: Question, means: Means) -> Answer:
    """Raises SourceAway, StoreError."""
    try:
        body = await means.needed_reports().now(question.language)
    except PrometheusError as error:
        raise SourceAway(Source.PROMETHEUS) from error
    return Answer(body.text, image_png=body.image_png, whole=True)
