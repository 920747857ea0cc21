"""What is counted for the operator's Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from control.ops.latencies import Latencies

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series of each counter, of no use to Prometheus

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

build = Gauge("qplus_build_info", "1, with what runs", ["version", "python", "database"])
refusals = Counter("qplus_refusals", "Callbacks answered no, by call and reason", ["call", "reason"])
callback_seconds = Latencies("qplus_callback_seconds", "From a callback to its answer", ["call"])
api_seconds = Latencies("qplus_api_seconds", "From an API's request to its answer, by API", ["api"])
api_answers = Counter("qplus_api_answers", "Answers of APIs, by API and the contract's status", ["api", "status"])
database_seconds = Latencies("qplus_database_seconds", "Waiting for a connection, reading and writing", ["what"])
outbox = Gauge("qplus_outbox_events", "Events that webhooks have not taken yet, at all nodes")
# Read off when they are asked for, by control/web/metrics_page.py.
sessions = Gauge("qplus_sessions", "Who is here, by rtmp nginx", ["node", "role", "protocol"])
room_viewers = Gauge("qplus_room_viewers", "Viewers of a room, at all nodes", ["room"])
room_bits_per_second = Gauge("qplus_room_bits_per_second", "What a room's publisher sends", ["room"])
room_frames_per_second = Gauge("qplus_room_frames_per_second", "Likewise", ["room"])
