"""What is counted for the operator's Prometheus."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from starlette.requests import Request
from starlette.responses import Response

callbacks = Counter("qplus_callbacks", "nginx-rtmp's callbacks, by call and answer", ["call", "answer"])
hls_questions = Counter("qplus_hls_questions", "The web nginx's questions about HLS viewers, by answer", ["answer"])
snapshots = Counter("qplus_snapshots", "Pictures of live rooms that were tried, by result", ["result"])
guesses = Counter("qplus_guesses", "Guesses at passwords, codes and names, by answer", ["secret", "answer"])
repairs = Counter("qplus_repairs", "Differences found between nginx and what control held, by kind", ["kind"])
repair_seconds = Histogram("qplus_repair_seconds", "How long it took to ask nginx who is there and to repair")
live_rooms = Gauge("qplus_live_rooms", "Rooms of this node that are live")
players = Gauge("qplus_players", "Viewers of this node")
chat_messages = Counter("qplus_chat_messages", "Messages written in rooms' chats")
room_readers = Gauge("qplus_room_readers", "Pages of rooms that are open")
webhook_posts = Counter("qplus_webhook_posts", "Events posted to webhooks, by result", ["result"])
notices = Counter("qplus_notices", "Followers told that a room is live, by way and result", ["way", "result"])
log_position = Gauge("qplus_log_position", "Number of the last entry of the nodes' log that was read")
nodes = Gauge("qplus_nodes", "Nodes that live, as this one sees it")
loop_lag = Gauge("qplus_event_loop_lag_seconds", "Longest that the event loop kept work waiting within 10 s")


async def page(request: Request) -> Response:
    """`GET /metrics`"""
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
