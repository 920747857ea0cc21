"""A room as the contract writes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from control.accounts.sessions import Caller
from control.accounts.users import User
from control.api.envelope import Call, Reply
from control.api.play_urls import Place
from control.lobby.cards import Card
from control.rooms.about import About


def as_shown(call: Call[Any], caller: Caller, card: Card) -> Card:
    """As a banned user sees it, where the caller's account was made since, at the address that one watched from."""
    if card.rights.address_bans and call.services.bans.keeps_out(card.rights, caller.user, call.address):
        return replace(card, is_banned=True)
    return card


def room_objects(call: Call[Any], caller: Caller, cards: Iterable[Card]) -> list[Reply]:
    shown = [as_shown(call, caller, card) if card.room.rights.address_bans else card for card in cards]
    place, tickets = call.place, _tickets(call, caller, shown)
    return [_room_object(place, card, tickets.get(card.room.about.room_id, "")) for card in shown]


def room_object(call: Call[Any], caller: Caller, card: Card) -> Reply:
    [one] = room_objects(call, caller, [card])
    return one


def play_urls(call: Call[Any], caller: Caller, card: Card) -> Reply:
    """With a ticket for this caller, who may watch."""
    room_id, generation = card.about.room_id, card.rights.password_generation
    ticket = call.services.admission.issue(room_id, caller.user.id, generation, card.denials)
    return urls(call, room_id, ticket)


def urls(call: Call[Any], room_id: int, ticket: str) -> Reply:
    return {
        "playRtmpUrl": call.place.play_rtmp(room_id, ticket),
        "playHlsUrl": call.place.play_hls(room_id, ticket),
    }


def _tickets(call: Call[Any], caller: Caller, cards: Sequence[Card]) -> dict[int, str]:
    """By room, of those that the caller may watch without a password."""
    if not cards:
        return {}
    watched = [card.room for card in cards if not card.need_password]
    generations = {room.about.room_id: room.rights.password_generation for room in watched}
    return call.services.admission.issue_all(caller.user.id, generations, cards[0].denials)


def written(about: About, anchor: User) -> Reply:
    """A room's object for whom the rest of it is empty."""
    return {
        "liveRoomId": about.room_id,
        "liveRoomanchorPwd": "",  # the seed's spelling, which shipped apps read
        "liveRoomAnchorPwd": "",
        "liveRoomUserPwd": "",
        "liveRoomName": about.name,
        "liveRoomDesc": about.description,
        "liveRoomTopic": about.topic,
        "anchorName": anchor.nick_name,
        "headPicId": anchor.head_picture_id,
        "isFollow": 0,
        "followCount": about.follow_count,
        "playerCount": 0,
        "isPlay": 0,
        "needPassword": 1,
        "isOpen": 0,
        "isPublic": 0,
        "playRtmpUrl": "",
        "playHlsUrl": "",
        "snapshotUrl": "",
    }


def _room_object(place: Place, card: Card, ticket: str) -> Reply:
    """`ticket` "": the caller needs a password."""
    room, room_id = card.room.written.copy(), card.room.about.room_id
    room["playerCount"] = card.players
    room["isPlay"] = 1 if card.is_live else 0
    room["isFollow"] = 1 if card.is_followed else 0
    room["isOpen"] = 1 if card.room.rights.is_open else 0
    room["isPublic"] = 1 if card.room.rights.is_public else 0
    if card.is_mine:
        room["liveRoomanchorPwd"] = room["liveRoomAnchorPwd"] = card.anchor_password
    if ticket:
        room["needPassword"] = 0
        room["liveRoomUserPwd"] = card.room.rights.user_password
        room["playRtmpUrl"] = place.play_rtmp(room_id, ticket)
        room["playHlsUrl"] = place.play_hls(room_id, ticket)
    if card.snapshot_at:
        room["snapshotUrl"] = _snapshot(place, card, ticket)
    return room


def _snapshot(place: Place, card: Card, ticket: str) -> str:
    """Blurred, where the room is private and there is no ticket."""
    return place.snapshot(card.about.room_id, card.snapshot_at, "" if card.rights.is_open else ticket)
