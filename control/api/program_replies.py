"""What the APIs for programs, and those of notices, answer; of `replies`, which they belong to."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta

from control.api.replies import NOT_NEGATIVE, Flag, Part, Reply, Time
from control.storage.room_events import EventKind

WebhookId = Annotated[int, NOT_NEGATIVE, Meta(examples=[1])]
EventNumber = Annotated[int, NOT_NEGATIVE, Meta(description="From 1 up in each room; 0: none.", examples=[1])]
EventName = Annotated[str, Meta(examples=["room.live"])]
EventNames = Annotated[list[EventName], Meta(max_length=len(EventKind))]
Milliseconds = Annotated[int, NOT_NEGATIVE, Meta(examples=[35])]
HttpStatus = Annotated[int, Meta(ge=0, le=999, description="0: there was no answer.", examples=[204])]
Failure = Annotated[str, Meta(description='"": it was taken.', examples=[""])]
DeliveredNumber = Annotated[int, NOT_NEGATIVE, Meta(description="Of the event.", examples=[1])]


class NewWebhook(Reply):
    webhookId: WebhookId
    secret: Annotated[str, Meta(pattern="^whsec_", description="Told once.", examples=["whsec_MfKQ9r8GKYqrTwj="])]


class Webhook(Part):
    webhookId: WebhookId
    url: Annotated[str, Meta(examples=["https://app.example/hooks"])]
    events: EventNames
    isPaused: Annotated[Flag, Meta(examples=[0])]
    position: Annotated[int, NOT_NEGATIVE, Meta(description="Number of the last it is through with.", examples=[7])]
    failures: Annotated[int, NOT_NEGATIVE, Meta(description="Since the last that was taken.", examples=[0])]
    nextTime: Annotated[int, NOT_NEGATIVE, Meta(description="When it is posted to; 0: nothing waits.", examples=[0])]
    createTime: Time


WebhookList = Annotated[list[Webhook], Meta(max_length=5, description="The oldest first.")]


class Webhooks(Reply):
    lastNumber: EventNumber
    list: WebhookList


class Tried(Reply):
    httpStatus: HttpStatus
    failure: Failure
    milliseconds: Milliseconds


class Delivery(Part):
    number: DeliveredNumber
    type: EventName
    time: Time
    milliseconds: Milliseconds
    httpStatus: HttpStatus
    failure: Failure


DeliveryList = Annotated[list[Delivery], Meta(max_length=100, description="The newest first.")]


class Deliveries(Reply):
    list: DeliveryList


class RoomEvent(Part):
    number: EventNumber
    type: EventName
    time: Time
    data: Annotated[dict[str, Any], Meta(description="By its type: docs/webhooks.md.", examples=[{"startTime": 9}])]


EventList = Annotated[list[RoomEvent], Meta(max_length=1000, description="The oldest first.")]


class Events(Reply):
    lastNumber: EventNumber
    list: EventList


PushKey = Annotated[str, Meta(description="A browser's `applicationServerKey`, base64url.", examples=["BCVxsr7N"])]
MessageWay = Annotated[Literal["console", "webhook", "smtp"], Meta(description="How messages go.", examples=["smtp"])]


class Notices(Reply):
    pushKey: PushKey
    byMessage: Annotated[Flag, Meta(examples=[0])]
    messageWay: MessageWay
    browserCount: Annotated[int, NOT_NEGATIVE, Meta(description="Browsers of the user's that are told.", examples=[1])]
