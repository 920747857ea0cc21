"""The APIs for programs, and those of notices; a part of `definitions`."""

from __future__ import annotations

from control.api import hooks, notice_choices, program_replies, replies, requests
from control.api.chapters import NOTICES, PROGRAMS, Definition
from control.api.envelope import Api
from control.api.statuses import Status as S

OF_PROGRAMS = (S.EXPIRED_SESSION, S.LIVEROOM_NOT_EXISTS)

DEFINITIONS: dict[str, Definition] = {
    "GetMyNotices": Definition(
        NOTICES,
        Api(notice_choices.get_my_notices, requests.LoggedIn),
        "How the user is told that a room they follow is live.",
        (program_replies.Notices,),
        (S.EXPIRED_SESSION,),
    ),
    "SetMyNotices": Definition(
        NOTICES,
        Api(notice_choices.set_my_notices, requests.SetMyNotices),
        "Has the user told by messages, or no more.",
        (replies.Done,),
        (S.EXPIRED_SESSION,),
    ),
    "AddPushSubscription": Definition(
        NOTICES,
        Api(notice_choices.add_push_subscription, requests.AddPushSubscription),
        "Has a browser of the user's told.",
        (replies.Done,),
        (S.EXPIRED_SESSION,),
    ),
    "RemovePushSubscription": Definition(
        NOTICES,
        Api(notice_choices.remove_push_subscription, requests.OfPushSubscription),
        "Has it told no more.",
        (replies.Done,),
        (S.EXPIRED_SESSION,),
    ),
    "AddWebhook": Definition(
        PROGRAMS,
        Api(hooks.add_webhook, requests.AddWebhook),
        "Has what happens in the room posted somewhere.",
        (program_replies.NewWebhook,),
        OF_PROGRAMS,
    ),
    "GetMyWebhooks": Definition(
        PROGRAMS,
        Api(hooks.get_my_webhooks, requests.LoggedIn),
        "The room's webhooks, and how far each has come.",
        (program_replies.Webhooks,),
        OF_PROGRAMS,
    ),
    "EditWebhook": Definition(
        PROGRAMS,
        Api(hooks.edit_webhook, requests.EditWebhook),
        "Changes a webhook, or pauses it.",
        (replies.Done,),
        OF_PROGRAMS,
    ),
    "RemoveWebhook": Definition(
        PROGRAMS,
        Api(hooks.remove_webhook, requests.OfWebhook),
        "Removes a webhook.",
        (replies.Done,),
        OF_PROGRAMS,
    ),
    "TestWebhook": Definition(
        PROGRAMS,
        Api(hooks.test_webhook, requests.OfWebhook),
        "Posts a `webhook.test` at once, and says what came of it.",
        (program_replies.Tried,),
        OF_PROGRAMS,
    ),
    "ReplayWebhook": Definition(
        PROGRAMS,
        Api(hooks.replay_webhook, requests.ReplayWebhook),
        "Has a webhook begin again after an event, or skip some.",
        (replies.Done,),
        OF_PROGRAMS,
    ),
    "GetWebhookDeliveries": Definition(
        PROGRAMS,
        Api(hooks.get_webhook_deliveries, requests.GetWebhookDeliveries),
        "The last attempts of a webhook.",
        (program_replies.Deliveries,),
        OF_PROGRAMS,
    ),
    "GetEvents": Definition(
        PROGRAMS,
        Api(hooks.get_events, requests.GetEvents),
        "What happened in the room, for who would rather ask.",
        (program_replies.Events,),
        OF_PROGRAMS,
    ),
}
