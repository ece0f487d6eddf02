"""`python -m sandbox`: runs the organisation until it is stopped."""

import os
import sqlite3
import sys

from sandbox.app import create_app
from sandbox.config import Config, ConfigError
from sandbox.server import listen, serve


def main() -> int:
    """Exit code 2 and one sentence when something has to be put right first."""
    try:
        config = Config.from_environment(os.environ)
        listener = listen(config.port)
        try:
            app = create_app(config)
        except (OSError, sqlite3.Error, ValueError) as error:
            raise ConfigError(
                f"Cannot open the organisation at {config.database}: {error}. Check SANDBOX_DB."
            ) from error
    except ConfigError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2
    print(f"sandbox: {config.issuer}", flush=True)
    serve(app, listener)
    return 0


if __name__ == "__main__":
    sys.exit(main())
