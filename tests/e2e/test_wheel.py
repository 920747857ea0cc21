"""What `python -m build` makes is all that a node needs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from control import __version__
from tests.e2e.conftest import ROOT, Node, running

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a source distribution, which is built from a copy of the checkout."""
    source = tmp_path_factory.mktemp("source")
    for folder in ("control", "nginx"):
        shutil.copytree(ROOT / folder, source / folder, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, source)
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(source / "dist"), str(source)]
    made = subprocess.run(build, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    return next((source / "dist").glob("*.whl"))


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Path:
    """The scripts of an environment with the wheel. What it depends on is this environment's: that saves a minute."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    python = venv / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, str(wheel)], check=True)
    packages = sysconfig.get_path("purelib", vars={"base": str(venv), "platbase": str(venv)})
    (Path(packages) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return venv / "bin"


def test_it_holds_every_file_of_the_package(wheel: Path) -> None:
    package = {file.relative_to(ROOT) for file in (ROOT / "control").rglob("*") if file.is_file()}
    wanted = {str(file) for file in package if "__pycache__" not in file.parts}
    nginx = {file.name for file in (ROOT / "nginx").iterdir() if file.suffix in (".conf", ".js")}
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("control/")}
    assert held == wanted | {f"control/supervisor/nginx_files/{name}" for name in nginx}


def test_it_says_what_it_is(wheel: Path) -> None:
    held = zipfile.ZipFile(wheel)
    about = f"qplus_live_server-{__version__}.dist-info"
    assert "License-Expression: Apache-2.0" in held.read(f"{about}/METADATA").decode()
    assert held.read(f"{about}/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


async def test_a_node_runs_from_it(installed: Path, tmp_path: Path) -> None:
    node = Node(tmp_path / "node")
    node.program, node.code = [str(installed / "qplus")], tmp_path
    async with running(node):
        script = await node.http.get("/static/vendor/hls.light.min.js")
        assert script.content == (ROOT / "control/web/static/vendor/hls.light.min.js").read_bytes()
        assert "text/html" in (await node.http.get("/")).headers["Content-Type"]
        assert (await node.http.get("/readyz")).status_code == 200
        assert (await node.api("Login", account="nobody", password="secret-1"))["status"] == 10100
