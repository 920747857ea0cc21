"""The command that looks for what is wrong."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from control.cli import terminal
from control.cli.terminal import Json
from control.ops.logs import escaped
from control.settings import SettingError, from_env

if TYPE_CHECKING:
    from control.doctor.findings import Finding

SIGNS = {"good": ("green", "ok"), "odd": ("yellow", "odd"), "fault": ("bold red", "FAULT"), "left out": ("dim", "-")}

app = typer.Typer()


@app.command()
def doctor(
    only: Annotated[list[str] | None, typer.Option("--only", help="One part, as `ports`; may be repeated.")] = None,
    no_push: Annotated[bool, typer.Option("--no-push", help="Leave out the push and play through the node.")] = False,
    as_json: Json = False,
) -> None:
    """Look for what is wrong with this node, and say how to mend it. Exit code 1 where there is a fault."""
    from control.doctor.examination import CHECKS

    wanted = only or [name for name in CHECKS if not (no_push and name == "chain")]
    if unknown := [name for name in wanted if name not in CHECKS]:
        raise typer.BadParameter(f"--only {unknown[0]}: one of {', '.join(CHECKS)}")
    findings = []
    for part, finding in _shown(wanted, as_json):
        findings.append({"part": part, **asdict(finding)})
    faults = sum(finding["grade"] == "fault" for finding in findings)
    if as_json:
        print(json.dumps({"faults": faults, "findings": findings}, ensure_ascii=False))
    raise typer.Exit(1 if faults else 0)


def _shown(wanted: list[str], as_json: bool) -> Iterator[tuple[str, Finding]]:
    if as_json:
        yield from _found(wanted, lambda part: None)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False)
    faults = odd = 0
    with console.status("") as status:
        for part, finding in _found(wanted, lambda part: status.update(f"looking at {part}")):
            style, sign = SIGNS[finding.grade]
            console.print(
                Text.assemble((f"{sign:6}", style), (f"{part:12}", "bold"), escaped(finding.what)), soft_wrap=True
            )
            if finding.mend:
                console.print(Text(f"{'':18}→ {escaped(finding.mend)}"), soft_wrap=True)
            faults, odd = faults + (finding.grade == "fault"), odd + (finding.grade == "odd")
            yield part, finding
    console.print(f"{faults or 'No'} fault{'' if faults == 1 else 's'}, {odd} odd.")


def _found(wanted: list[str], begins: Callable[[str], None]) -> Iterator[tuple[str, Finding]]:
    from control.doctor.examination import CHECKS
    from control.doctor.findings import fault

    try:
        settings = from_env(os.environ)
    except SettingError as failure:
        yield "settings", fault(str(failure), "docs/settings.md has all of them")
        return
    terminal.settings()
    for part in wanted:
        begins(part)
        for finding in CHECKS[part](settings):
            yield part, finding
