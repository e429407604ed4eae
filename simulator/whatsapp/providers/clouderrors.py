"""Errors of Meta's Cloud API, by code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class CloudError:
    """HTTP status, title and details of a code."""

    status: int
    title: str
    details: str = ""
    type: str = "OAuthException"


ERRORS: Mapping[int, CloudError] = {
    1: CloudError(500, "An unknown error occurred", "API unknown"),
    2: CloudError(503, "Service temporarily unavailable", "API service"),
    4: CloudError(400, "Application request limit reached", "too many calls"),
    10: CloudError(403, "Application does not have permission for this action"),
    33: CloudError(400, "Parameter value is not valid", "the number has been deleted"),
    100: CloudError(400, "Invalid parameter", "a parameter is missing or wrong"),
    190: CloudError(401, "Error validating access token", "the access token has expired"),
    368: CloudError(403, "Temporarily blocked for policies violations"),
    80007: CloudError(400, "Rate limit issues", "the account has reached its rate limit"),
    130429: CloudError(429, "Rate limit hit", "throughput has been reached"),
    130472: CloudError(400, "User's number is part of an experiment"),
    131000: CloudError(500, "Something went wrong", "unknown error"),
    131005: CloudError(403, "Access denied", "permission is not granted or has been removed"),
    131008: CloudError(400, "Required parameter is missing"),
    131009: CloudError(400, "Parameter value is not valid"),
    131016: CloudError(500, "Service unavailable", "a service is temporarily unavailable"),
    131021: CloudError(400, "Recipient cannot be sender"),
    131026: CloudError(400, "Message undeliverable", "the recipient is not on WhatsApp, or has an old app"),
    131031: CloudError(403, "Business Account locked", "the account has been restricted or disabled"),
    131042: CloudError(400, "Business eligibility payment issue"),
    131045: CloudError(500, "Incorrect certificate", "the phone number is not registered"),
    131047: CloudError(
        400, "Re-engagement message", "more than 24 hours have passed since the recipient last replied"
    ),
    131048: CloudError(
        400, "Spam rate limit hit", "too many earlier messages were blocked or flagged as spam"
    ),
    131049: CloudError(400, "Meta chose not to deliver", "healthy ecosystem engagement"),
    131051: CloudError(400, "Unsupported message type"),
    131052: CloudError(400, "Media download error"),
    131053: CloudError(400, "Media upload error", "the media type or size is not supported"),
    131056: CloudError(
        400,
        "(Business Account, Consumer Account) pair rate limit hit",
        "too many messages to this number in a short time",
    ),
    131057: CloudError(500, "Account in maintenance mode"),
    132000: CloudError(
        400, "Template param count mismatch", "the number of variables does not match the template"
    ),
    132001: CloudError(404, "Template does not exist", "no such template in this language"),
    132005: CloudError(400, "Template hydrated text too long"),
    132007: CloudError(400, "Template format character policy violated"),
    132012: CloudError(400, "Template parameter format mismatch"),
    132015: CloudError(400, "Template is paused", "paused because of low quality"),
    132016: CloudError(400, "Template is disabled"),
    132018: CloudError(
        400, "Template parameter invalid", "new-line, tab or more than four spaces in a parameter"
    ),
    133004: CloudError(503, "Server temporarily unavailable"),
    133010: CloudError(400, "Phone number not registered"),
}


def body_of(code: int, details: str = "") -> dict[str, object]:
    """The error object for an answer."""
    error = ERRORS.get(code, CloudError(400, "Unknown code of this simulator"))
    return {
        "message": f"(#{code}) {error.title}",
        "type": error.type,
        "code": code,
        "error_data": {"messaging_product": "whatsapp", "details": details or error.details or error.title},
        "fbtrace_id": "AbCdEf12345",
    }


def webhook_body_of(code: int) -> dict[str, object]:
    """The error object for a status in a webhook."""
    error = ERRORS.get(code, CloudError(400, "Unknown code of this simulator"))
    return {
        "code": code,
        "title": error.title,
        "message": error.title,
        "error_data": {"details": error.details or error.title},
        "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
    }


def answer(code: int, details: str = "", *, status: int | None = None) -> web.Response:
    """The refusal as an answer."""
    error = ERRORS.get(code, CloudError(400, ""))
    return web.json_response({"error": body_of(code, details)}, status=status or error.status)
