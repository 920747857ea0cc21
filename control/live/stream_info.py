"""What a publisher sends, as nginx measures it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """0 and "" for what is not known, or not known yet."""

    bits_per_second: int
    """Mean of the last ten seconds."""
    width: int
    height: int
    frames_per_second: float
    video_codec: str
    audio_codec: str

    @property
    def is_sound_alone(self) -> bool:
        """There is sound, and video is neither announced nor has any come."""
        return bool(self.audio_codec and not self.video_codec)
