"""A room as the contract writes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from control.accounts.sessions import Caller
from control.api.envelope import Call, Reply
from control.api.play_urls import Place
from control.lobby.cards import Card


def as_shown(call: Call, caller: Caller, card: Card) -> Card:
    """As a banned user sees it, where the caller's account was made since, at the address that one watched from."""
    if card.rights.address_bans and call.services.bans.keeps_out(card.rights, caller.user, call.address):
        return replace(card, is_banned=True)
    return card


def room_objects(call: Call, caller: Caller, cards: Iterable[Card]) -> list[Reply]:
    shown = [as_shown(call, caller, card) if card.rights.address_bans else card for card in cards]
    place, tickets = call.place, _tickets(call, caller, shown)
    return [_room_object(place, card, tickets.get(card.about.room_id, "")) for card in shown]


def room_object(call: Call, caller: Caller, card: Card) -> Reply:
    [one] = room_objects(call, caller, [card])
    return one


def play_urls(call: Call, caller: Caller, card: Card) -> Reply:
    """With a ticket for this caller, who may watch."""
    room_id, generation = card.about.room_id, card.rights.password_generation
    ticket = call.services.admission.issue(room_id, caller.user.id, generation, card.denials)
    return {
        "playRtmpUrl": call.place.play_rtmp(room_id, ticket),
        "playHlsUrl": call.place.play_hls(room_id, ticket),
    }


def _tickets(call: Call, caller: Caller, cards: Sequence[Card]) -> dict[int, str]:
    """By room, of those that the caller may watch without a password."""
    if not cards:
        return {}
    generations = {card.about.room_id: card.rights.password_generation for card in cards if not card.need_password}
    return call.services.admission.issue_all(caller.user.id, generations, cards[0].denials)


def _room_object(place: Place, card: Card, ticket: str) -> Reply:
    """`ticket` "": the caller needs a password."""
    about, anchor, rights = card.about, card.anchor, card.rights
    room_id, anchor_password = about.room_id, card.anchor_password
    return {
        "liveRoomId": room_id,
        "liveRoomanchorPwd": anchor_password,  # the seed's spelling, which shipped apps read
        "liveRoomAnchorPwd": anchor_password,
        "liveRoomUserPwd": rights.user_password if ticket else "",
        "liveRoomName": about.name,
        "liveRoomDesc": about.description,
        "liveRoomTopic": about.topic,
        "anchorName": anchor.nick_name,
        "headPicId": anchor.head_picture_id,
        "isFollow": 1 if card.is_followed else 0,
        "followCount": about.follow_count,
        "playerCount": card.players,
        "isPlay": 1 if card.is_live else 0,
        "needPassword": 0 if ticket else 1,
        "isOpen": 1 if rights.is_open else 0,
        "playRtmpUrl": place.play_rtmp(room_id, ticket) if ticket else "",
        "playHlsUrl": place.play_hls(room_id, ticket) if ticket else "",
        "snapshotUrl": _snapshot(place, card, ticket) if card.snapshot_at else "",
    }


def _snapshot(place: Place, card: Card, ticket: str) -> str:
    """Blurred, where the room is private and there is no ticket."""
    return place.snapshot(card.about.room_id, card.snapshot_at, "" if card.rights.is_open else ticket)
