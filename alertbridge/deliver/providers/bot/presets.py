"""Bots whose endpoints are known, as the keys that a configuration would give by hand."""

from collections.abc import Mapping

Given = Mapping[str, object]

CONTRACT: Given = {
    "takes_our_id": True,
    "to_form": "jid",
    "send": {
        "path": "/send",
        "body": {"to": "{{ to }}", "text": "{{ text }}", "id": "{{ id }}"},
        "id_at": "id",
        "queued_at": "queued",
        "error_at": "error",
    },
    "send_image": {
        "path": "/send-image",
        "body": {"to": "{{ to }}", "caption": "{{ text }}", "image": "{{ image }}", "id": "{{ id }}"},
        "id_at": "id",
        "queued_at": "queued",
        "error_at": "error",
    },
    "status": {"path": "/messages/{{ id }}", "state_at": "status"},
    "health": {
        "path": "/health",
        "state_at": "status",
        "own_jid_at": "jid",
        "code_at": "last_disconnect.code",
        "locked_until_at": "reachout_timelock_until",
        "states": {
            "ok": "working",
            "degraded": "disconnected",
            "connecting": "starting",
            "needs_qr": "needs_pairing",
            "logged_out": "logged_out",
            "banned": "banned",
            "down": "disconnected",
        },
    },
    "reconnect": {"path": "/reconnect"},
    "restart": {"path": "/restart"},
    "qr_path": "/qr",
}
"""The minimal contract: it takes our id and gives the same answer for the same id."""

RICKICODE: Given = {
    "to_form": "jid",
    "text_limit": 1000,
    "send": {
        "path": "/api/send",
        "body": {"to": "{{ to }}", "message": "{{ text }}", "priority": "high"},
        "id_at": ["messageId", "queueId", "id"],
        "queued_at": "queued",
        "error_at": "error",
    },
    "health": {"path": "/api/status", "connected_at": "connection.isConnected"},
    "reconnect": {"path": "/api/restart-connection"},
    "restart": {"path": "/api/restart-connection"},
}
"""Its 429 with ``queued: true`` means that the message was taken; whoever sends it again sends it twice."""

PRESETS: Mapping[str, Given] = {"contract": CONTRACT, "rickicode": RICKICODE, "none": {}}


def merged(preset: Given, given: Given) -> dict[str, object]:
    """`preset` with what is given by hand laid over it; objects are joined, anything else is replaced."""
    result = dict(preset)
    for key, value in given.items():
        below = result.get(key)
        # a body is one thing: half of one bot's and half of another's would be nobody's
        if isinstance(below, Mapping) and isinstance(value, Mapping) and key != "body":
            result[key] = merged(below, value)
        else:
            result[key] = value
    return result
