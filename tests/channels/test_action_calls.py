"""The domain goes along once and is known by its name from then on, whoever restarts."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import pytest_asyncio
from rasa.utils.endpoints import ClientResponseError

from actions.domains import WANTED, Domains
from channels import action_calls
from channels.action_calls import ActionCalls

DOMAIN = {"responses": {"utter_greet": [{"text": "Hello"}]}, "intents": ["greet"]}
pytestmark = pytest.mark.asyncio


class ActionServer(ThreadingHTTPServer):
    """Answers with the domain of each call; `calls` are the bodies, `status` is what is wrong with all of them."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.domains, self.calls, self.status = Domains(), [], None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls.append(json.loads(json.dumps(call)))
        status = self.server.status or (200 if self.server.domains.filled_in(call) else WANTED)
        body = json.dumps({"domain": call.get("domain")}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        """Tests are quiet."""


@pytest.fixture
def server():
    serving = ActionServer()
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield serving
    serving.shutdown()
    serving.server_close()


@pytest_asyncio.fixture
async def endpoint(server):
    made = ActionCalls(f"http://127.0.0.1:{server.server_port}/webhook")
    yield made
    if made._kept is not None:
        await made._kept.close()


async def call(endpoint, domain=DOMAIN):
    return await endpoint.request(json={"next_action": "action_x", "domain": domain}, method="post", timeout=10)


async def test_domain_goes_along_once(server, endpoint):
    for _ in range(3):
        assert await call(endpoint) == {"domain": DOMAIN}
    assert ["whole" in body["domain"] for body in server.calls] == [False, True, False, False]


async def test_action_server_that_restarts_gets_it_again(server, endpoint):
    await call(endpoint)
    server.domains = Domains()
    assert await call(endpoint) == {"domain": DOMAIN}


async def test_another_model_has_a_domain_of_its_own(server, endpoint):
    other = {"responses": {"utter_greet": [{"text": "Good morning"}]}}
    for domain in (DOMAIN, other, DOMAIN):
        assert await call(endpoint, domain) == {"domain": domain}


async def test_call_without_a_domain_stays_as_it_is(server, endpoint):
    assert await endpoint.request(json={"next_action": "action_x"}, method="post") == {"domain": None}
    assert server.calls == [{"next_action": "action_x"}]


async def test_any_other_failure_is_raised_at_once(server, endpoint):
    server.status = 500
    with pytest.raises(ClientResponseError):
        await call(endpoint)
    assert len(server.calls) == 1


async def test_both_sides_mean_the_same_by_their_answer():
    assert action_calls.DOMAIN_WANTED == WANTED


async def test_only_the_latest_domains_are_kept():
    domains = Domains()
    for n in range(9):
        assert domains.filled_in({"domain": {"name": f"d{n}", "whole": {"n": n}}})
    assert [domains.filled_in({"domain": {"name": f"d{n}"}}) for n in (0, 8)] == [False, True]
