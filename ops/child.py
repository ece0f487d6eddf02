"""Starts a program with exactly the environment written in a file, and makes sure it does not outlive its starter.

    python -I -S ops/child.py ENVIRONMENT.json SIGNAL PROGRAM ARGUMENT...

The file (mode 0600) keeps secrets off command lines and out of the supervisor's own environment. The kernel sends
SIGNAL to the program when the process that started it dies, however it dies.
"""

import ctypes
import json
import os
import sys

PR_SET_PDEATHSIG = 1


def main(environment_file: str, signal_number: str, *command: str) -> None:
    starter = os.getppid()
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != starter:
        sys.exit("the starter died before the program could be started")
    with open(environment_file, encoding="utf-8") as handle:
        environment = json.load(handle)
    os.execve(command[0], command, environment)


if __name__ == "__main__":
    main(*sys.argv[1:])
