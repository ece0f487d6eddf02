"""`python -m actions`: the authenticated action server."""

import sys

from actions.app import main

sys.exit(main())
