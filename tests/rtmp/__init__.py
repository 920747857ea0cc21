"""A small RTMP client for what ffmpeg is too polite or too heavy for."""
