"""`python -m actions`: the authenticated action server."""

import sys

from actions.app import main

# rasa_sdk imports every module of this package to find the actions.
if __name__ == "__main__":
    sys.exit(main())
