"""Finds a CPython 3.10 and a uv that really run. Any Python from 3.6 can read this file: see bootstrap.py."""

import os
import subprocess
import sys

WANTED = (3, 10)
# Prints what this interpreter is, if it has the modules that the packages need.
PROBE = (
    "import bz2, ctypes, lzma, platform, sqlite3, ssl, sys, zlib\n"
    "print(platform.python_implementation(), sys.version_info[0], sys.version_info[1],"
    " getattr(sys, '_base_executable', None) or sys.executable)"
)


def find_python():
    """The path of a CPython 3.10 that really runs, with the modules that the packages need; None if there is none."""
    for candidate in candidates():
        found = probe(candidate)
        if found:
            return found
    return None


def candidates():
    """Where a 3.10 may be: on PATH (any of its folders), in pyenv's versions, in the usual places."""
    folders = [*os.environ.get("PATH", os.defpath).split(os.pathsep), "/usr/local/bin", "/usr/bin"]
    seen = set()
    everything = [sys.executable]
    everything += [os.path.join(folder, "python3.10") for folder in folders]
    for home in (os.environ.get("PYENV_ROOT"), os.path.join(os.path.expanduser("~"), ".pyenv")):
        versions = os.path.join(home, "versions") if home else ""
        names = sorted(os.listdir(versions), reverse=True) if os.path.isdir(versions) else []
        everything += [os.path.join(versions, name, "bin", "python3.10") for name in names if name.startswith("3.10")]
    everything += [os.path.join(folder, name) for folder in folders for name in ("python3", "python")]
    for path in everything:
        if path and path not in seen and os.access(path, os.X_OK):
            seen.add(path)
            yield path


def probe(candidate):
    """The base interpreter behind a candidate if it is a complete CPython 3.10, else None (a shim may fail)."""
    try:
        output = subprocess.check_output(
            [candidate, "-I", "-c", PROBE], stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=20
        )
        implementation, major, minor, path = output.decode().strip().split(" ", 3)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return path if (implementation, major, minor) == ("CPython", *map(str, WANTED)) else None


def find_uv(more_folders):
    """The path of a uv that runs, on PATH, where its installers put it, or in one of the folders; None if none does."""
    home = os.path.expanduser("~")
    usual = [os.path.join(home, ".local", "bin"), os.path.join(home, ".cargo", "bin")]
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) + usual + more_folders:
        path = os.path.join(folder, "uv")
        if os.access(path, os.X_OK) and runs(path):
            return path
    return None


def runs(path):
    """True if the program there starts and tells its version."""
    return succeeds([path, "--version"])


def succeeds(command):
    """True if a command can be started and ends well; what it says is not shown."""
    try:
        code = subprocess.call(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except OSError:
        return False
    return code == 0
