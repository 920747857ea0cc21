"""The layers of `control`, from the lowest to the highest."""

LAYERS = [
    *("setting_values", "settings", "refusals", "clock", "entropy", "ops", "storage", "guessing"),
    *("accounts", "access", "rooms", "live", "blackbox", "chat", "snapshots", "webhooks", "notices", "lobby"),
    *("nginx_rtmp", "api", "web", "operators", "console", "routes", "running", "parts", "public_parts", "app", "serve"),
    *("supervisor", "doctor", "cli"),
]
