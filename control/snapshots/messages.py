"""What control and its decoder say to each other. Each message is a length of four bytes, and so many bytes."""

from __future__ import annotations

import struct

LENGTH = struct.Struct(">I")

Picture = tuple[bytes, bytes]
"""Two JPEGs: as it is, and blurred."""
NONE: Picture = (b"", b"")
