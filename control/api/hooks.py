"""AddWebhook, GetMyWebhooks, EditWebhook, RemoveWebhook, TestWebhook, ReplayWebhook, GetWebhookDeliveries, GetEvents:
what happened in the own room, for programs."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from control.api import requests
from control.api.envelope import Api, Call, Reply, asked_by_query
from control.api.services import Services
from control.refusals import BadParameter, NoRoom
from control.storage.room_events import Numbered
from control.webhooks.endpoints import Delivery, Webhook

BEARER = "bearer "


async def add_webhook(call: Call[requests.AddWebhook]) -> Reply:
    user, fields = (await call.caller()).user, call.fields
    if not user.room_id:
        raise NoRoom
    webhook_id, secret = await call.services.webhooks.add(user.room_id, user.id, fields.url, fields.events)
    return {"webhookId": webhook_id, "secret": secret}


async def get_my_webhooks(call: Call[requests.LoggedIn]) -> Reply:
    room_id = await own_room(call)
    last = await call.services.room_events.last(room_id)
    return {"lastNumber": last, "list": [_webhook(each) for each in await call.services.webhooks.of_room(room_id)]}


async def edit_webhook(call: Call[requests.EditWebhook]) -> Reply:
    room_id, fields = await own_room(call), call.fields
    await call.services.webhooks.edit(room_id, fields.webhookId, fields.url, fields.events, fields.isPaused)
    return {}


async def remove_webhook(call: Call[requests.OfWebhook]) -> Reply:
    await call.services.webhooks.remove(await own_room(call), call.fields.webhookId)
    return {}


async def test_webhook(call: Call[requests.OfWebhook]) -> Reply:
    result = await call.services.trials.post(await own_room(call), call.fields.webhookId)
    return {
        "httpStatus": result.status,
        "failure": result.failure,
        "milliseconds": round(1000 * result.seconds),
    }


async def replay_webhook(call: Call[requests.ReplayWebhook]) -> Reply:
    room_id, fields = await own_room(call), call.fields
    await call.services.webhooks.replay(room_id, fields.webhookId, fields.after)
    return {}


async def get_webhook_deliveries(call: Call[requests.GetWebhookDeliveries]) -> Reply:
    room_id, fields = await own_room(call), call.fields
    deliveries = await call.services.webhooks.deliveries(room_id, fields.webhookId, fields.count)
    return {"list": [_delivery(each) for each in deliveries]}


async def get_events(call: Call[requests.GetEvents]) -> Reply:
    room_id, fields, events = await own_room(call), call.fields, call.services.room_events
    count, after = fields.count, fields.after
    if after < 0:
        raise BadParameter("after")
    found = await events.after(room_id, after, count)
    return {"lastNumber": await events.last(room_id), "list": [_event(each) for each in found]}


async def get_events_by_query(request: Request, services: Services) -> Response:
    """`GET /live/GetEvents?after=&count=`. The session is in a header, since URLs are written down."""
    said = request.headers.get("authorization", "")
    session_id = said[len(BEARER) :].strip() if said.lower().startswith(BEARER) else ""
    return await asked_by_query(Api(get_events, requests.GetEvents), services, request, session_id)


async def own_room(call: Call[requests.LoggedIn]) -> int:
    """The caller's. Raises SessionExpired and NoRoom."""
    room_id = (await call.caller()).user.room_id
    if not room_id:
        raise NoRoom
    return room_id


def _webhook(webhook: Webhook) -> Reply:
    return {
        "webhookId": webhook.id,
        "url": webhook.url,
        "events": list(webhook.kinds),
        "isPaused": int(webhook.paused),
        "position": webhook.position,
        "failures": webhook.failures,
        "nextTime": int(webhook.due_at or 0),
        "createTime": int(webhook.created_at),
    }


def _delivery(delivery: Delivery) -> Reply:
    return {
        "number": delivery.number,
        "type": delivery.kind,
        "time": int(delivery.at),
        "milliseconds": round(1000 * delivery.seconds),
        "httpStatus": delivery.status,
        "failure": delivery.failure,
    }


def _event(event: Numbered) -> Reply:
    return {"number": event.number, "type": event.kind, "time": int(event.at), "data": event.details}
