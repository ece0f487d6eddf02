"""What `make test-real` needs beside Python: Debian's packages, and those of the page checks from npm."""

import os
import shutil
import subprocess
from pathlib import Path

from ops.console import CannotContinue, say

ROOT = Path(__file__).resolve().parent.parent
# Program → the Debian package that brings it.
DEBIAN = {"chromium": "chromium", "node": "nodejs", "npm": "npm", "pg_ctlcluster": "postgresql"}
NODE_FOLDER = ROOT / "tests" / "browser"


def prepare() -> None:
    """Installs what is missing. Raises CannotContinue if that needs root and this is somebody else."""
    missing = sorted({package for name, package in DEBIAN.items() if not shutil.which(name)})
    if missing:
        _apt(missing)
    if (NODE_FOLDER / "package-lock.json").exists():
        say("npm ci")
        _run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], NODE_FOLDER)


def _apt(packages: list[str]) -> None:
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise CannotContinue(
            f"{', '.join(packages)} must be installed first: run `{' '.join(command)}` as root (or what your system "
            "has instead), then this again."
        )
    say(f"installing {', '.join(packages)}")
    _run(["apt-get", "update", "-q"], ROOT)
    _run(command, ROOT)


def _run(command: list[str], folder: Path) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if subprocess.call(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL):
        raise CannotContinue(f"`{' '.join(command)}` failed; the reason stands above.")
