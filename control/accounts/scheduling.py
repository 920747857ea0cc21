"""Lets a thread work while nobody else has anything to do, and give way at once. sched(7)."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import threading

NICENESS = 10
SLICE = 100_000_000  # nanoseconds, the most that Linux takes
SET_ATTRIBUTES = {"x86_64": 314, "aarch64": 274}  # the system call sched_setattr, which Python does not have
ATTRIBUTES = struct.Struct("=IIQiIQQQ")  # size, policy, flags, nice, priority, runtime, deadline, period
KEEP_POLICY = 0x08


def step_back() -> None:
    """The thread that calls comes after those that are not nice; one that is nicer still remains so. Linux (6.6 and
    later) protects the beginning of a slice from whoever wakes, for some milliseconds: so slices become as long as may
    be. Where the system does not let us, they stay as they are."""
    niceness = os.getpriority(os.PRIO_PROCESS, thread := threading.get_native_id())
    if niceness < NICENESS:  # a node that was started with `nice` may not come forward
        os.setpriority(os.PRIO_PROCESS, thread, NICENESS)
    if call := SET_ATTRIBUTES.get(platform.machine()):
        wanted = (KEEP_POLICY, max(niceness, NICENESS), 0, SLICE, 0, 0)
        ctypes.CDLL(None).syscall(call, thread, ATTRIBUTES.pack(ATTRIBUTES.size, 0, *wanted), 0)
