"""`rasa run` whose JWT secret comes from the environment: on a command line every user of the machine could read it."""

import os
import sys

from rasa.__main__ import main as rasa


def main(arguments: list[str]) -> None:
    sys.argv = ["rasa", "run", *arguments, f"--jwt-secret={os.environ['JWT_SECRET']}", "--jwt-method", "HS256"]
    rasa()


if __name__ == "__main__":
    main(sys.argv[1:])
