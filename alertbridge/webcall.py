"""One call to a server of the monitoring: bounded in time and size, failures in plain words."""

from collections.abc import Mapping

import aiohttp

ANSWER_LIMIT_BYTES = 64 * 1024 * 1024


class CallFailed(Exception):
    """No answer came; the message is a sentence without secrets."""


async def call(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    timeout_s: float,
    headers: Mapping[str, str],
    form: Mapping[str, str] | None = None,
    json: object = None,
    params: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """Status and body of the answer, whatever the status is. Raises CallFailed."""
    body = bytearray()
    try:
        async with session.request(
            method,
            url,
            data=form,
            json=json,
            params=params,
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=timeout_s),
            allow_redirects=False,
        ) as response:
            async for piece in response.content.iter_chunked(1 << 16):
                body += piece
                if len(body) > ANSWER_LIMIT_BYTES:
                    raise CallFailed(f"the answer is longer than {ANSWER_LIMIT_BYTES} bytes")
            return response.status, bytes(body)
    except TimeoutError as error:
        raise CallFailed(f"no answer within {timeout_s:g} s") from error
    except (aiohttp.ClientError, OSError) as error:
        raise CallFailed(f"cannot be reached ({type(error).__name__})") from error
