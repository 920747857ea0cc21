"""nginx and its modules, and the user that they run as."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from control.doctor.findings import Finding, fault, good
from control.settings import Settings
from control.supervisor import nginx

TRIAL = 10.0  # seconds that nginx may take to read a file


def check(settings: Settings) -> Iterator[Finding]:
    program = shutil.which("nginx", path=nginx.SEARCH)
    missing = [] if program else ["nginx"]
    missing += [package for package, module in nginx.NEEDED.items() if not module.exists()]
    if missing or program is None:
        yield fault(f"not installed: {', '.join(missing)}", f"apt-get install {' '.join(missing)}")
        return
    if complaint := _complaint(program):
        yield fault(f"nginx does not load its modules: {complaint}", "install nginx and its modules of one release")
        return
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=False).stderr
    yield good(f"{said.strip().removeprefix('nginx version: ')}, with its modules")


def check_user(settings: Settings) -> Iterator[Finding]:
    if os.geteuid() != 0:
        yield good(f"the node runs as {pwd.getpwuid(os.geteuid()).pw_name}")
        return
    try:
        user = pwd.getpwnam(settings.user)
    except KeyError:
        add = "useradd --system --user-group --home-dir /nonexistent --shell /usr/sbin/nologin"
        yield fault(f"there is no user {settings.user} for a node that root starts", f"{add} {settings.user}")
        return
    if user.pw_uid == 0:
        yield fault("QPLUS_USER is root", "a plain user")
    else:
        yield good(f"started by root the node runs as {user.pw_name}")


def _complaint(program: str) -> str:
    """What nginx says of a file that loads all that ours do; "" for nothing."""
    with tempfile.TemporaryDirectory(prefix="qplus-") as folder:
        file = Path(folder, "trial.conf")
        loading = "".join(f"load_module {module};\n" for module in nginx.NEEDED.values())
        file.write_text(f"{loading}pid {folder}/pid;\nevents {{}}\nstream {{}}\nrtmp {{}}\n")
        command = [program, "-t", "-q", "-e", "stderr", "-p", folder, "-c", str(file)]
        tried = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=TRIAL, env=nginx.environment()
        )
    lines = [line for line in tried.stderr.splitlines() if "[emerg]" in line]
    return (lines or tried.stderr.splitlines() or ["exit code " + str(tried.returncode)])[0] if tried.returncode else ""
