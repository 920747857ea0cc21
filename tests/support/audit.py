"""`make audit`: known vulnerabilities of what is installed, its licences, and a bill of materials (CycloneDX).

Ends with 0 where nothing is wrong, 1 where something is, and 3 where nobody could be asked about vulnerabilities: then
nothing is known, which is not the same as none.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".audit" / "bin"
LOCKS = ("control/requirements.lock", "tests/requirements.lock")
RUN = LOCKS[0]
BILL = ROOT / "var" / "sbom.cdx.json"
SERVICES = ("pypi", "osv")  # that know vulnerabilities; the second is asked where the first cannot be
# What obliges a user of the product to nothing but a notice, or to give out changes of the package itself (MPL).
PERMISSIVE = re.compile(r"MIT|BSD|Apache|PSF|Python Software Foundation|ISC|MPL|Mozilla|Zlib|Unlicense|CC0|HPND", re.I)
DEMANDING = re.compile(r"(?<!L)GPL|LGPL|General Public|SSPL|BUSL|Commons Clause", re.I)
DEBIAN = ("nginx", "libnginx-mod-rtmp", "libnginx-mod-http-js", "libnginx-mod-stream", "libnginx-mod-stream-js")
FINE, WRONG, UNKNOWN = 0, 1, 3

Report = dict[str, Any]


@dataclass
class Vulnerabilities:
    found: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """Packages of which nothing could be learned."""
    packages: int = 0


def vulnerabilities(report: Report | None) -> Vulnerabilities:
    """As pip-audit reports them; None where it did not get that far."""
    if report is None:
        return Vulnerabilities(unknown=["all"])
    told = Vulnerabilities(packages=len(report["dependencies"]))
    for package in report["dependencies"]:
        if "skip_reason" in package:
            told.unknown.append(package["name"])
        for each in package.get("vulns", ()):
            fixed = ", ".join(each["fix_versions"]) or "no release yet"
            told.found.append(f"{package['name']} {package['version']}: {each['id']}, fixed in {fixed}")
    if not told.packages:
        told.unknown.append("all")
    return told


def odd_licences(licences: Iterable[dict[str, str]], names: Iterable[str]) -> list[str]:
    """Of the packages named, those whose licence is none that is known to be permissive."""
    of = {_plain(each["Name"]): each["License"] for each in licences}
    odd = []
    for name in sorted(names):
        licence = of.get(name, "not installed here")
        if not PERMISSIVE.search(licence) or DEMANDING.search(licence):
            odd.append(f"{name}: {licence}")
    return odd


def locked(text: str) -> set[str]:
    """The names of the packages in a lock."""
    return {_plain(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)}


def completed(bill: Report, licences: Iterable[dict[str, str]], others: Iterable[Report]) -> Report:
    """A bill of the lock's packages with their licences, and with what else the product is made of."""
    of = {_plain(each["Name"]): each["License"] for each in licences}
    for component in bill["components"]:
        component.pop("description", None)  # the line of the lock
        if (name := _plain(component["name"])) in of:
            component["licenses"] = [{"license": {"name": of[name]}}]
    bill["components"] += others
    return bill


def others() -> list[Report]:
    """What no Python lock has: the player in the pages, and Debian's packages as far as they are installed."""
    version = json.loads((ROOT / "tests/js/package.json").read_text())["devDependencies"]["hls.js"].lstrip("^~")
    licence = [{"license": {"id": "Apache-2.0"}}]
    components = [_component("hls.js", version, f"pkg:npm/hls.js@{version}") | {"licenses": licence}]
    asked = ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *DEBIAN]
    installed = subprocess.run(asked, capture_output=True, text=True)
    for line in installed.stdout.splitlines():
        name, _, version = line.partition(" ")
        if version:
            components.append(_component(name, version, f"pkg:deb/debian/{name}@{version}?distro=bookworm"))
    return components


def main() -> int:
    licences = json.loads(_run("pip-licenses", "--python", sys.executable, "--format", "json") or "[]")
    status = FINE
    for lock in LOCKS:
        told = _asked(lock)
        for line in told.found:
            print(f"vulnerable: {line}")
        if told.unknown:
            print(f"{lock}: NOT AUDITED: the data on vulnerabilities cannot be reached, and nothing is known of them")
        else:
            print(f"{lock}: {told.packages} packages, {len(told.found)} known vulnerabilities")
        status = max(status, UNKNOWN if told.unknown else FINE)
        if told.found:
            status = WRONG
    names = locked((ROOT / RUN).read_text())
    odd = odd_licences(licences, names)
    for line in odd:
        print(f"licence: {line}")
    print(f"{RUN}: {len(names)} packages, {len(odd)} whose licence is not permissive or MPL")
    options = ("requirements", RUN, "--pyproject", "pyproject.toml", "--output-reproducible")
    bill = json.loads(_run("cyclonedx-py", *options))
    BILL.parent.mkdir(exist_ok=True)
    BILL.write_text(json.dumps(completed(bill, licences, others()), indent=2) + "\n")
    print(f"bill of materials: {BILL.relative_to(ROOT)}, {len(bill['components'])} components")
    return WRONG if odd else status


def _asked(lock: str) -> Vulnerabilities:
    told = Vulnerabilities()
    for service in SERVICES:
        options = ("--require-hashes", "--disable-pip", "--progress-spinner", "off", "-f", "json", "-s", service)
        answer = _run("pip-audit", "-r", lock, *options)
        told = vulnerabilities(json.loads(answer) if answer.startswith("{") else None)
        if not told.unknown:
            break
    return told


def _run(tool: str, *options: str) -> str:
    command: Sequence[str] = [str(TOOLS / tool), *options]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _component(name: str, version: str, purl: str) -> Report:
    return {"type": "library", "name": name, "version": version, "purl": purl, "bom-ref": purl}


if __name__ == "__main__":
    sys.exit(main())
