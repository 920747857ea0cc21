"""GetMyNotices, SetMyNotices, AddPushSubscription, RemovePushSubscription: how the caller is told of rooms that they
follow."""

from __future__ import annotations

from control.api import requests
from control.api.envelope import Call, Reply
from control.notices.push_encryption import Subscription


async def get_my_notices(call: Call[requests.LoggedIn]) -> Reply:
    caller, services = await call.caller(), call.services
    preference = await services.preferences.of(caller.user.id)
    return {
        "pushKey": services.push_key.public,
        "byMessage": int(preference.by_message),
        "messageWay": services.settings.notifier,
        "browserCount": preference.browsers,
    }


async def set_my_notices(call: Call[requests.SetMyNotices]) -> Reply:
    caller = await call.caller()
    await call.services.preferences.choose(caller.user.id, bool(call.fields.byMessage))
    return {}


async def add_push_subscription(call: Call[requests.AddPushSubscription]) -> Reply:
    caller, fields = await call.caller(), call.fields
    browser = Subscription(fields.endpoint, fields.p256dh, fields.auth)
    await call.services.preferences.subscribe(caller.user.id, browser)
    return {}


async def remove_push_subscription(call: Call[requests.OfPushSubscription]) -> Reply:
    caller = await call.caller()
    await call.services.preferences.unsubscribe(caller.user.id, call.fields.endpoint)
    return {}
