"""Makes .venv exactly as requirements.lock says, then runs `python -m ops ARGUMENTS` in it.

    python3 -m ops.bootstrap ARGUMENTS

Runs on any Python from 3.6 and the standard library alone, since nothing is installed yet; hence the old syntax.
An interrupted run is taken up by the next one. Every failure ends in one sentence that says what to do.
"""

import errno
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time

from ops.finding import find_python, find_uv, runs, succeeds

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "bin", "python")
LOCK = os.path.join(ROOT, "requirements.lock")
TOOLS = os.path.join(ROOT, "var", "tools")
TOOLS_BIN = os.path.join(TOOLS, "bin")
STAMP = os.path.join(VENV, ".installed")
UNFINISHED = os.path.join(VENV, ".unfinished")
GIGABYTES_NEEDED = 5

# Settings of pip that would send packages elsewhere than into the environment that is being built.
MISLEADING = (
    "PIP_USER",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_REQUIRE_VIRTUALENV",
    "PIP_NO_DEPS",
    "PIP_DRY_RUN",
)
# Of what pip says, the lines that only repeat the list of packages.
LISTS = (b" + ", b" - ", b" ~ ", b"Installing collected packages", b"Successfully installed", b"    Running setup.py")


class CannotContinue(Exception):
    """One sentence for the person: what is wrong and what to do."""


def say(text):
    print(text, flush=True)


def main(arguments):
    try:
        prepare()
    except CannotContinue as problem:
        say(f"\n{problem}")
        return 1
    except KeyboardInterrupt:
        say("\nStopped; the same command goes on from here.")
        return 130
    except OSError as error:
        say(f"\n{explain(error)}")
        return 1
    if not arguments:
        return 0
    os.chdir(ROOT)
    os.execve(VENV_PYTHON, [VENV_PYTHON, "-m", "ops", *arguments], clean_environment())


def prepare():
    """Installs if requirements.lock or the interpreter changed since the last finished installation."""
    if stamp_matches():
        return
    os.makedirs(TOOLS, exist_ok=True)
    with open(os.path.join(ROOT, "var", "install.lock"), "w") as handle:
        wait_for_lock(handle)
        if stamp_matches():
            return
        check_space(ROOT)
        install()


def install():
    uv = find_uv([TOOLS_BIN]) or fetch_uv()
    remove_unfinished()
    if not runs(VENV_PYTHON):
        make_environment(uv)
    with open(UNFINISHED, "w") as marker:
        marker.write("an installation was begun here and did not end\n")
    install_packages(uv)
    os.remove(UNFINISHED)
    partial = STAMP + ".new"
    with open(partial, "w") as stamp:
        stamp.write(fingerprint())
    os.replace(partial, STAMP)


def remove_unfinished():
    """A half-written package looks installed: an environment whose installation was cut short starts anew."""
    if os.path.lexists(VENV) and (os.path.exists(UNFINISHED) or not runs(VENV_PYTHON)):
        say("An earlier installation was interrupted; starting it anew.")
        shutil.rmtree(VENV)


def make_environment(uv):
    python = find_python()
    if python:
        say(f"Python 3.10 found: {python}")
    elif not uv:
        raise CannotContinue(no_python_sentence())
    with Step("Creating .venv"):
        if uv:
            command = [uv, "venv", "--quiet", VENV]
            command += ["--python", python] if python else ["--python-preference", "only-managed", "--python", "3.10"]
            made = run(command)
        else:
            made = run([python, "-m", "venv", VENV]) or run([python, "-m", "venv", "--without-pip", VENV])
        if not made and not python:
            raise CannotContinue(no_python_sentence())
        if not made:
            raise CannotContinue(
                f"Python at {python} cannot make virtual environments: install its venv module (on Debian and Ubuntu: "
                "apt-get install python3.10-venv) or uv (pip install uv), then run this again."
            )


def install_packages(uv):
    with Step(f"Installing the packages of requirements.lock ({count_packages()})"):
        done = False
        if uv:
            command = [uv, "pip", "sync", "--require-hashes", "--compile-bytecode", "--python", VENV_PYTHON, LOCK]
            done = run(command)
            if not done:
                check_space(ROOT, gigabytes=0.2)
                # pip has settings of its own: another index, another certificate.
                say("  uv could not install them; trying with pip")
        if not done:
            done = run([*pip_for_environment(), "install", "--no-deps", "--require-hashes", "-r", LOCK])
        if not done:
            check_space(ROOT, gigabytes=0.2)
            raise CannotContinue(
                "The packages could not be installed (the reason stands above): check that this machine reaches "
                "its package index, then run the same command again."
            )


def pip_for_environment():
    """The environment's own pip, or that of another Python told to install there: uv's environments have none."""
    if succeeds([VENV_PYTHON, "-m", "pip", "--version"]):
        return [VENV_PYTHON, "-m", "pip"]
    return [find_python() or sys.executable, "-m", "pip", "--python", VENV_PYTHON]


def fetch_uv():
    """Installs the locked uv into var/tools with pip; None where that fails: then pip does the whole work, slower."""
    block = locked_block("uv")
    if not block:
        return None
    wanted = os.path.join(TOOLS, "uv.txt")
    with open(wanted, "w") as handle:
        handle.write(block)
    with Step("Fetching uv, which installs the rest"):
        command = [
            find_python() or sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
        ]
        run([*command, "--require-hashes", "--upgrade", "--target", TOOLS, "-r", wanted])
    uv = find_uv([TOOLS_BIN])
    if not uv:
        say("  no uv here; going on with pip, which takes about two minutes")
    return uv


def locked_block(name):
    """The lines of one package in requirements.lock, hashes included."""
    with open(LOCK) as handle:
        found = re.search(rf"^{re.escape(name)}==(?:.*\\\n)*.*\n", handle.read(), re.MULTILINE)
    return found.group(0) if found else None


def count_packages():
    with open(LOCK) as handle:
        return len(re.findall(r"^[A-Za-z0-9]", handle.read(), re.MULTILINE))


def no_python_sentence():
    return (
        "No CPython 3.10 runs here, and uv could not bring one: install Python 3.10 (for instance with "
        "`pyenv install 3.10` or your system's packages), or run this where uv reaches the internet."
    )


def run(command):
    """Runs a command, passes on what it says except the list of single packages; True if it succeeded."""
    try:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
    except OSError:
        return False
    try:
        for line in process.stdout:
            if not line.startswith(LISTS):
                say("  " + line.decode("utf-8", "replace").rstrip())
        return process.wait() == 0
    except BaseException:
        process.kill()
        process.wait()
        raise


def clean_environment():
    """The caller's environment without what would misdirect the installation or leave bytecode uncompiled."""
    dropped = (*MISLEADING, "PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")
    # pip's word on newer versions of itself is of no use here.
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return dict(kept, PIP_DISABLE_PIP_VERSION_CHECK="1")


def fingerprint():
    with open(LOCK, "rb") as handle:
        return f"{hashlib.sha256(handle.read()).hexdigest()} {VENV}\n"


def stamp_matches():
    try:
        with open(STAMP) as handle:
            return handle.read() == fingerprint() and not os.path.exists(UNFINISHED) and runs(VENV_PYTHON)
    except OSError:
        return False


def wait_for_lock(handle):
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        say("Another command is installing in this clone; waiting for it.")
        fcntl.flock(handle, fcntl.LOCK_EX)


def check_space(path, gigabytes=GIGABYTES_NEEDED):
    free = shutil.disk_usage(path).free / 1e9
    if free < gigabytes:
        raise CannotContinue(
            f"{path} has {free:.1f} GB free and about {GIGABYTES_NEEDED} GB are needed: free some space, or clone onto "
            "another disk."
        )


def explain(error):
    where = error.filename or ROOT
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full ({where}): free about {GIGABYTES_NEEDED} GB, then run the same command again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{where} cannot be written: give this user the right to write there, or clone into a folder of yours."
    return f"{where}: {error.strerror or error}; mend that, then run the same command again."


class Step:
    """Says what is being done and how long it took."""

    def __init__(self, title):
        self.title = title

    def __enter__(self):
        self.started = time.time()
        say(f"{self.title} ...")

    def __exit__(self, kind, *_):
        if kind is None:
            say(f"  done in {time.time() - self.started:.1f} s")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
