"""A room as the contract writes it."""

from __future__ import annotations

from dataclasses import replace

from control.accounts.sessions import Caller
from control.api.envelope import Call, Reply
from control.lobby.cards import Card


def as_shown(call: Call, caller: Caller, card: Card) -> Card:
    """As a banned user sees it, where the caller's account was made since, at the address that one watched from."""
    room = call.services.admission.room(card.room_id)
    if room is None or not call.services.bans.keeps_out(room, caller.user, call.address):
        return card
    return replace(card, user_password="", need_password=True, is_banned=True)


def room_object(call: Call, caller: Caller, card: Card) -> Reply:
    card = as_shown(call, caller, card)
    return {
        "liveRoomId": card.room_id,
        "liveRoomanchorPwd": card.anchor_password,  # the seed's spelling, which shipped apps read
        "liveRoomAnchorPwd": card.anchor_password,
        "liveRoomUserPwd": card.user_password,
        "liveRoomName": card.name,
        "liveRoomDesc": card.description,
        "liveRoomTopic": card.topic,
        "anchorName": card.anchor_name,
        "headPicId": card.head_picture_id,
        "isFollow": int(card.is_followed),
        "followCount": card.follow_count,
        "playerCount": card.players,
        "isPlay": int(card.is_live),
        "needPassword": int(card.need_password),
        "isOpen": int(card.is_open),
    } | ({"playRtmpUrl": "", "playHlsUrl": ""} if card.need_password else play_urls(call, caller, card))


def play_urls(call: Call, caller: Caller, card: Card) -> Reply:
    """With a ticket for this caller, who may watch."""
    ticket = call.services.admission.issue(card.room_id, caller.user.id, card.password_generation)
    return {
        "playRtmpUrl": call.place.play_rtmp(card.room_id, ticket),
        "playHlsUrl": call.place.play_hls(card.room_id, ticket),
    }
