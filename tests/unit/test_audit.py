"""What `make audit` makes of what its tools say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import audit

FOUND = {"id": "PYSEC-1", "fix_versions": ["2.0"], "aliases": [], "description": ""}
CLEAN = {"name": "starlette", "version": "1.0", "vulns": []}


def licence(name: str, text: str) -> dict[str, str]:
    return {"Name": name, "License": text}


def test_what_is_vulnerable_is_named_with_the_way_out() -> None:
    told = audit.vulnerabilities({"dependencies": [CLEAN, {"name": "pillow", "version": "1.9", "vulns": [FOUND]}]})
    assert (told.found, told.unknown, told.packages) == (["pillow 1.9: PYSEC-1, fixed in 2.0"], [], 2)


@pytest.mark.parametrize(
    "report",
    [
        None,
        {"dependencies": []},
        {"dependencies": [CLEAN, {"name": "pillow", "skip_reason": "Dependency not found on PyPI"}]},
    ],
)
def test_what_could_not_be_asked_is_not_taken_for_fine(report: audit.Report | None) -> None:
    assert audit.vulnerabilities(report).unknown


@pytest.mark.parametrize(
    "text", ["MIT", "BSD-3-Clause", "Apache Software License; MIT License", "MPL-2.0 AND (Apache-2.0 OR MIT)"]
)
def test_permissive_licences_are_taken(text: str) -> None:
    assert audit.odd_licences([licence("Some.Package", text)], {"some-package"}) == []


@pytest.mark.parametrize("text", ["UNKNOWN", "GPL-3.0-only", "AGPL", "LGPLv3+", "MIT AND GPL-2.0", "Proprietary"])
def test_other_licences_are_named(text: str) -> None:
    assert audit.odd_licences([licence("a", text)], {"a"}) == [f"a: {text}"]


def test_a_package_that_is_not_installed_is_named() -> None:
    assert audit.odd_licences([], {"a"}) == ["a: not installed here"]


def test_a_lock_has_names() -> None:
    text = 'a.b==1 \\\n    --hash=sha256:00\ncolorama==2 ; sys_platform == "win32" \\\n    --hash=sha256:00\n'
    assert audit.locked(text) == {"a-b", "colorama"}


def test_the_bill_has_licences_and_what_is_no_python() -> None:
    bill = {"components": [{"name": "A_b", "description": "requirements line 1"}]}
    made = audit.completed(bill, [licence("a-b", "MIT")], audit.others())
    assert made["components"][0] == {"name": "A_b", "licenses": [{"license": {"name": "MIT"}}]}
    assert {"hls.js", "nginx"} <= {each["name"] for each in made["components"]}


def test_the_tools_are_locked() -> None:
    assert {"pip-audit", "pip-licenses", "cyclonedx-bom"} <= audit.locked(
        (Path(audit.ROOT) / "tests" / "audit.lock").read_text()
    )
