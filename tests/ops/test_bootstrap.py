"""The installer finds a Python that really runs, recovers from interruptions, and fails in one sentence."""

import errno
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from ops import bootstrap, finding

ROOT = Path(__file__).resolve().parents[2]
BASE = sys._base_executable


def executable(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """An empty clone with a short lock, in which the installer believes to stand."""
    (tmp_path / "requirements.lock").write_text("a==1 \\\n    --hash=sha256:0\nuv==9 \\\n    --hash=sha256:1\nz==2\n")
    for name, path in {
        "ROOT": "",
        "VENV": ".venv",
        "VENV_PYTHON": ".venv/bin/python",
        "LOCK": "requirements.lock",
        "TOOLS": "var/tools",
        "TOOLS_BIN": "var/tools/bin",
        "STAMP": ".venv/.installed",
        "UNFINISHED": ".venv/.unfinished",
    }.items():
        monkeypatch.setattr(bootstrap, name, str(tmp_path / path))
    return tmp_path


@pytest.fixture
def fake_uv(clone, monkeypatch):
    """A uv that makes a link to this Python for an environment, and notes what it was asked."""
    notes = clone / "notes"
    text = f'#!/bin/sh\necho "$@" >> {notes}\n'
    text += f'if [ "$1" = venv ]; then mkdir -p "$3/bin"; ln -s {BASE} "$3/bin/python"; fi\n'
    text += "exit 0\n"
    executable(clone / "bin" / "uv", text)
    monkeypatch.setenv("PATH", f"{clone / 'bin'}:/usr/bin:/bin")
    return lambda: [line for line in notes.read_text().splitlines() if line != "--version"] if notes.exists() else []


def test_a_shim_that_fails_is_passed_over(tmp_path, monkeypatch):
    shim = executable(
        tmp_path / "bin" / "python3.10", "#!/bin/sh\necho 'pyenv: python3.10: command not found' >&2\nexit 127\n"
    )
    real = executable(
        tmp_path / "pyenv" / "versions" / "3.10.99" / "bin" / "python3.10", f'#!/bin/sh\nexec {BASE} "$@"\n'
    )
    monkeypatch.setenv("PATH", str(shim.parent))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setattr(sys, "executable", str(shim))
    assert str(real) in list(finding.candidates())
    assert os.path.realpath(finding.find_python()) == os.path.realpath(BASE)


@pytest.mark.parametrize(
    "text",
    [
        "#!/bin/sh\necho CPython 3 11 /x\n",
        "#!/bin/sh\necho PyPy 3 10 /x\n",
        "#!/bin/sh\nexit 1\n",
        "no program at all",
        "#!/bin/sh\necho Hello, World\n",
    ],
    ids=["other version", "other implementation", "fails", "not executable format", "talks"],
)
def test_only_a_complete_cpython_310_will_do(tmp_path, text):
    assert finding.probe(str(executable(tmp_path / "python", text))) is None


def test_no_python_and_no_uv_is_one_sentence(clone, monkeypatch):
    monkeypatch.setattr(bootstrap, "find_python", lambda: None)
    with pytest.raises(bootstrap.CannotContinue, match=r"No CPython 3\.10 runs here.*install Python 3\.10"):
        bootstrap.make_environment(None)


def test_installs_once_and_not_again_until_the_lock_changes(clone, fake_uv):
    bootstrap.prepare()
    assert [line.split()[0] for line in fake_uv()] == ["venv", "pip"]
    assert "--require-hashes" in fake_uv()[1] and "--compile-bytecode" in fake_uv()[1]
    bootstrap.prepare()
    assert len(fake_uv()) == 2
    with open(clone / "requirements.lock", "a") as lock:
        lock.write("zz==3\n")
    bootstrap.prepare()
    assert [line.split()[0] for line in fake_uv()] == ["venv", "pip", "pip"]


def test_an_interrupted_installation_starts_anew(clone, fake_uv):
    bootstrap.prepare()
    (clone / ".venv" / ".unfinished").write_text("")
    (clone / ".venv" / "half").write_text("half a package")
    bootstrap.prepare()
    assert not (clone / ".venv" / "half").exists()
    assert bootstrap.stamp_matches()


def test_an_environment_whose_python_is_gone_is_made_anew(clone, fake_uv):
    bootstrap.prepare()
    (clone / ".venv" / "bin" / "python").unlink()
    (clone / ".venv" / "bin" / "python").symlink_to("/nowhere/python3.10")
    bootstrap.prepare()
    assert finding.runs(bootstrap.VENV_PYTHON)


def test_a_failing_installation_leaves_no_stamp_and_says_what_to_do(clone, fake_uv, capsys):
    executable(
        clone / "bin" / "uv", (clone / "bin" / "uv").read_text().replace("exit 0", '[ "$1" = pip ] && exit 2; exit 0')
    )
    assert bootstrap.main([]) == 1
    assert "could not be installed" in capsys.readouterr().out
    assert not os.path.exists(bootstrap.STAMP)


def test_where_uv_fails_pip_tries(clone, fake_uv, monkeypatch):
    executable(clone / "bin" / "uv", (clone / "bin" / "uv").read_text().replace("exit 0", '[ "$1" != pip ]'))
    asked = []
    monkeypatch.setattr(bootstrap, "pip_for_environment", lambda: ["pip-of-the-house"])
    real_run = bootstrap.run
    monkeypatch.setattr(bootstrap, "run", lambda c: asked.append(c) or c[0] == "pip-of-the-house" or real_run(c))
    bootstrap.prepare()
    assert asked[-1] == ["pip-of-the-house", "install", "--no-deps", "--require-hashes", "-r", bootstrap.LOCK]
    assert bootstrap.stamp_matches()


def test_too_little_space_is_said_before_anything_is_made(clone, fake_uv, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: namedtuple("usage", "free")(1_200_000_000))
    assert bootstrap.main([]) == 1
    assert "1.2 GB free and about 5 GB are needed" in capsys.readouterr().out
    assert not (clone / ".venv").exists()


@pytest.mark.parametrize(
    ("number", "told"),
    [(errno.ENOSPC, "The disk is full"), (errno.EROFS, "cannot be written"), (errno.EACCES, "cannot be written")],
)
def test_a_disk_that_refuses_is_one_sentence(clone, monkeypatch, capsys, number, told):
    def refuse():
        raise OSError(number, os.strerror(number), "/some/where")

    monkeypatch.setattr(bootstrap, "prepare", refuse)
    assert bootstrap.main([]) == 1
    assert told in capsys.readouterr().out


def test_the_locked_lines_of_one_package(clone):
    assert bootstrap.locked_block("uv") == "uv==9 \\\n    --hash=sha256:1\n"
    assert bootstrap.locked_block("nothing") is None


def test_what_would_misdirect_the_installation_is_not_passed_on(monkeypatch):
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PIP_CERT", "/kept")
    environment = bootstrap.clean_environment()
    assert "PYTHONDONTWRITEBYTECODE" not in environment and "PIP_TARGET" not in environment
    assert environment["PIP_CERT"] == "/kept"


def test_make_without_any_python_is_one_sentence(tmp_path):
    for name in ("sh", "make", "sed", "expand", "echo"):
        (tmp_path / name).symlink_to(shutil.which(name))
    result = subprocess.run(
        ["make", "--no-print-directory", "-C", str(ROOT), "run", "PYTHON="],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert result.returncode != 0
    assert "No Python 3 runs here: install one, then run make again." in result.stdout
