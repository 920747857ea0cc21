from __future__ import annotations

from pathlib import Path

from control.live.ingest_alerts import key_frame_seconds


def test_key_frames_are_as_far_apart_as_the_longest_of_the_last_fragments(tmp_path: Path) -> None:
    lengths = (9.0, 1.0, 1.0, 2.5, 1.0, 1.1)
    lines = "".join(f"#EXTINF:{length:.3f},\n1.ts\n" for length in lengths)
    (tmp_path / "index.m3u8").write_text("#EXTM3U\n" + lines)
    assert key_frame_seconds(tmp_path) == 2.5


def test_without_a_playlist_the_distance_of_key_frames_is_not_known(tmp_path: Path) -> None:
    assert key_frame_seconds(tmp_path) == 0
