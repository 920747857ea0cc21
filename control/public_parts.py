"""What the APIs and the pages call on: the parts behind them, each made once."""

from __future__ import annotations

from control.access.guests import Guests
from control.access.vault import Vault
from control.access.visitors import Visitors
from control.accounts.deletion import Deletion
from control.accounts.limits import Limits
from control.accounts.notifiers import Notifier
from control.accounts.passwords import Passwords
from control.accounts.pictures import Pictures
from control.accounts.recovery import Recovery
from control.accounts.sessions import Sessions
from control.accounts.users import Users
from control.api.bodies import Bodies
from control.api.room_objects import written
from control.api.services import Services
from control.api.turns import Turns
from control.api.uploads import Uploads
from control.clock import Clock
from control.entropy import Entropy
from control.guessing.guesses import Guesses
from control.live.past_broadcasts import PastBroadcasts
from control.lobby.cards import Cards
from control.lobby.known_rooms import KnownRooms
from control.lobby.lists import Lists
from control.lobby.lobby import Lobby
from control.lobby.search import Search
from control.nginx_rtmp.putting_out import Moderation
from control.notices.preferences import Preferences
from control.notices.push_keys import PushKey
from control.rooms.about import AboutRooms
from control.rooms.follows import Follows
from control.rooms.gate import Gate
from control.rooms.rooms import Rooms
from control.running import LiveParts
from control.settings import Settings
from control.storage.database import Store
from control.webhooks.endpoints import Webhooks
from control.webhooks.posting import Poster
from control.webhooks.trials import Trials


def public_parts(
    settings: Settings,
    clock: Clock,
    entropy: Entropy,
    notifier: Notifier,
    *,
    poster: Poster,
    push_key: PushKey,
    store: Store,
    vault: Vault,
    passwords: Passwords,
    guesses: Guesses,
    live: LiveParts,
) -> Services:
    """What the APIs and the pages call on."""
    changes = live.changes
    most_users, most_sessions = settings.cached_users, settings.cached_sessions
    users = Users(store=store, passwords=passwords, guesses=guesses, changes=changes, clock=clock, most=most_users)
    sessions = Sessions(store=store, users=users, changes=changes, clock=clock, entropy=entropy, most=most_sessions)
    rooms = Rooms(store=store, vault=vault, changes=changes, guesses=guesses, clock=clock, entropy=entropy)
    about = AboutRooms(store=store, changes=changes, most=settings.cached_rooms)
    follows = Follows(store=store, about=about, changes=changes, clock=clock, most=most_users)
    known = KnownRooms(
        about=about,
        users=users,
        rights=live.rights,
        write=written,
        changes=changes,
        most=settings.cached_rooms,
    )
    cards = Cards(
        rooms=known,
        denials=live.denials,
        follows=follows,
        live=live.live_rooms,
        snapshots=live.snapshots,
        clock=clock,
    )
    search = Search(store=store, about=about, users=users, changes=changes)
    guests = Guests(live.admission, clock=clock, entropy=entropy, lifetime=settings.ticket_seconds)
    webhooks = Webhooks(
        store=store,
        vault=vault,
        changes=changes,
        viewer_events=live.viewer_events,
        private=poster.private,
        clock=clock,
        entropy=entropy,
    )
    changes.listen(webhooks.reconsider)
    live.log.when_behind(webhooks.load)
    return Services(
        settings=settings,
        clock=clock,
        users=users,
        sessions=sessions,
        recovery=Recovery(
            store=store,
            users=users,
            passwords=passwords,
            limits=Limits(store, clock),
            guesses=guesses,
            tickets=live.admission,
            changes=changes,
            notifier=notifier,
            site=settings.site,
            clock=clock,
            entropy=entropy,
        ),
        deletion=Deletion(users=users, guesses=guesses, tickets=live.admission, changes=changes),
        pictures=Pictures(store, changes),
        uploads=Uploads(sessions, clock),
        bodies=Bodies(clock),
        turns=Turns(),
        rooms=rooms,
        follows=follows,
        bans=live.bans,
        gate=Gate(rooms, clock),
        presence=live.presence,
        audience=live.audience,
        broadcast_store=live.broadcast_store,
        samples=live.samples,
        past_broadcasts=PastBroadcasts(live.broadcast_store, clock, settings.cached_rooms),
        lobby=Lobby(cards=cards, about=about, live=live.live_rooms, search=search),
        lists=Lists(
            store=store,
            cards=cards,
            live=live.live_rooms,
            follows=follows,
            most=most_sessions,
            shared=live.nodes.shared,
        ),
        admission=live.admission,
        visitors=Visitors(live.admission, live.bans),
        guests=guests,
        moderation=Moderation(
            audience=live.audience,
            presence=live.presence,
            leases=live.leases,
            live_rooms=live.live_rooms,
            admission=live.admission,
            guests=guests,
            clients=live.clients,
            questions=live.questions,
            clock=clock,
        ),
        chat=live.chat,
        clients=live.clients,
        room_events=live.room_events,
        webhooks=webhooks,
        preferences=Preferences(store, clock, poster.private),
        push_key=push_key,
        trials=Trials(store=store, vault=vault, poster=poster, clock=clock, entropy=entropy),
    )
