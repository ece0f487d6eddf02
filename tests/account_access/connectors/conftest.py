"""An Okta-speaking server with three people, and a connector to it that loses its patience soon."""

import pytest

from account_access.connectors import http
from account_access.connectors.okta import OktaConnector
from tests.account_access.connectors.okta_server import connector_to, serving


@pytest.fixture
def okta(monkeypatch):
    monkeypatch.setattr(http, "JITTER_SECONDS", 0.001)
    with serving() as server:
        for name in ("dana", "eli", "mona"):
            server.add(name)
        yield server


@pytest.fixture
def connector(okta) -> OktaConnector:
    return connector_to(okta.url)
