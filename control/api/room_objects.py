"""A room as the contract writes it."""

from __future__ import annotations

from dataclasses import replace

from control.accounts.sessions import Caller
from control.api.envelope import Call, Reply
from control.lobby.cards import Card


def as_shown(call: Call, caller: Caller, card: Card) -> Card:
    """As a banned user sees it, where the caller's account was made since, at the address that one watched from."""
    if card.rights.address_bans and call.services.bans.keeps_out(card.rights, caller.user, call.address):
        return replace(card, is_banned=True)
    return card


def room_object(call: Call, caller: Caller, card: Card) -> Reply:
    card = as_shown(call, caller, card)
    return {
        "liveRoomId": card.room_id,
        "liveRoomanchorPwd": card.anchor_password,  # the seed's spelling, which shipped apps read
        "liveRoomAnchorPwd": card.anchor_password,
        "liveRoomUserPwd": card.user_password,
        "liveRoomName": card.about.name,
        "liveRoomDesc": card.about.description,
        "liveRoomTopic": card.about.topic,
        "anchorName": card.anchor.nick_name,
        "headPicId": card.anchor.head_picture_id,
        "isFollow": int(card.is_followed),
        "followCount": card.about.follow_count,
        "playerCount": card.players,
        "isPlay": int(card.is_live),
        "needPassword": int(card.need_password),
        "isOpen": int(card.rights.is_open),
    } | ({"playRtmpUrl": "", "playHlsUrl": ""} if card.need_password else play_urls(call, caller, card))


def play_urls(call: Call, caller: Caller, card: Card) -> Reply:
    """With a ticket for this caller, who may watch."""
    generation = card.rights.password_generation
    ticket = call.services.admission.issue(card.room_id, caller.user.id, generation, card.denials)
    return {
        "playRtmpUrl": call.place.play_rtmp(card.room_id, ticket),
        "playHlsUrl": call.place.play_hls(card.room_id, ticket),
    }
