"""An event as a webhook is told of it, after the Standard Webhooks specification, 1.0: signed over its id, the time of
the attempt, and the body."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import standardwebhooks

from control import __version__
from control.clock import Epoch
from control.storage.room_events import Numbered

TEST = "webhook.test"


def told(room_id: int, event: Numbered) -> dict[str, Any]:
    """As JSON has it."""
    at = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = {"liveRoomId": room_id, "number": event.number} | event.details
    return {"type": event.kind, "timestamp": at, "data": data}


def message(room_id: int, event: Numbered, secret: str, now: Epoch, name: str = "") -> tuple[Mapping[str, str], bytes]:
    """Headers and body. The id is the same at every attempt; `name` is that of a message that is no room's event."""
    body = orjson.dumps(told(room_id, event))
    name = name or f"evt_{room_id}_{event.number}"
    signature = standardwebhooks.Webhook(secret).sign(name, datetime.fromtimestamp(int(now), UTC), body.decode())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"qplus-webhooks/{__version__}",
        "webhook-id": name,
        "webhook-timestamp": str(int(now)),
        "webhook-signature": signature,
    }
    return headers, body
