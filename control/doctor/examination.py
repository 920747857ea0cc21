"""All that is looked at, in its order."""

from __future__ import annotations

from collections.abc import Iterator

from control.doctor import certificates, contradictions, data, machine, node, programs, reach
from control.doctor.findings import Check, Finding
from control.settings import Settings


def _chain(settings: Settings) -> Iterator[Finding]:
    from control.doctor import chain  # which takes long to load

    return chain.check(settings)


CHECKS: dict[str, Check] = {
    "settings": contradictions.check,
    "user": programs.check_user,
    "nginx": programs.check,
    "disk": machine.check_disk,
    "limits": machine.check_limits,
    "memory": machine.check_memory,
    "node": node.check,
    "ports": reach.check_ports,
    "names": reach.check_names,
    "certificate": certificates.check,
    "database": data.check,
    "keys": data.check_keys,
    "clocks": data.check_clocks,
    "chain": _chain,
}
