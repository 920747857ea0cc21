"""What of a node runs on this machine."""

from __future__ import annotations

from enum import Enum

from control.settings import Settings
from control.supervisor import folders, probe


class Life(Enum):
    NONE = "nothing"
    ALONE = "control alone"
    """As in a container: the nginx are elsewhere."""
    WHOLE = "all of it"


def life(settings: Settings) -> Life:
    """Raises StartError where that cannot be told."""
    if folders.supervised(settings) is not None:
        return Life.WHOLE
    return Life.NONE if probe.problem(settings.internal_socket, "/healthz") else Life.ALONE
