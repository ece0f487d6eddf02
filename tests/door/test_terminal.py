"""The terminal client: the same conversation, with numbers for buttons and JSON lines for scripts."""

import io
import json
import time
import uuid

import pytest

from door.terminal import Terminal, printable, run
from tests.door.serving import until


class Typing:
    """Lines that a person types, each once its condition holds."""

    def __init__(self, *steps):
        self.steps = steps

    def __iter__(self):
        for condition, line in self.steps:
            until(condition)
            yield line + "\n"


def chat(house, client, steps, json_lines=False):
    out = io.StringIO()
    lines = Typing(*[((lambda text=text: text in out.getvalue()), line) for text, line in steps])
    terminal = Terminal(client, house.url, json_lines, lines, out)
    return terminal.run(), out.getvalue()


def test_buttons_are_numbered_and_a_number_presses_one(house):
    client = house.signed_in()
    code, shown = chat(house, client, [("Signed in as Dana", "please unlock me"), ("[2] No", "1")])
    assert code == 0
    assert "Assistant: Your Okta account is locked. Should I unlock it?\n  [1] Yes\n  [2] No\n" in shown
    assert "Assistant: You chose Yes." in shown


def test_a_number_without_an_open_offer_is_text(house):
    code, shown = chat(house, house.signed_in(), [("Signed in", "7")])
    assert code == 0 and "Assistant: You said: 7" in shown


def test_notices_links_and_earlier_messages_are_shown(house):
    person = house.person()
    house.rasa.speak(person.id, "notice:1", "You are locked out.", "lockout", notice_id=str(uuid.uuid4()))
    code, shown = chat(house, house.signed_in(), [("Notice: You are locked out.\n  [1] Yes", "send the link")])
    assert code == 0 and "  Open the portal: https://portal.acme.example/" in shown


def test_json_lines_in_and_out(house):
    client = house.signed_in()
    lines = io.StringIO('{"text": "hello"}\nnonsense\n{"offer": "x", "answer": "1"}\n')
    out = io.StringIO()
    assert Terminal(client, house.url, True, lines, out).run() == 0
    said = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [e["text"] for e in said if e["type"] == "entry"] == ["hello", "You said: hello"]
    assert [e["error"] for e in said if e["type"] == "error"] == ["not_json", "unknown_offer"]


def test_the_end_of_the_session_ends_the_chat(house):
    client = house.signed_in()
    out = io.StringIO()

    def lines():
        yield "hello\n"
        until(lambda: "You said" in out.getvalue())
        house.provider.log_out(house.url)
        until(lambda: "Your session has ended" in out.getvalue())
        yield "are you there?\n"

    assert Terminal(client, house.url, False, lines(), out).run() == 1


def test_heartbeats_do_not_end_the_listening(house, monkeypatch):
    monkeypatch.setattr("door.streams.HEARTBEAT_SECONDS", 0.1)
    out = io.StringIO()

    def lines():
        yield "hello\n"
        until(lambda: "You said: hello" in out.getvalue())
        time.sleep(0.5)
        yield "still there?\n"
        until(lambda: "You said: still there?" in out.getvalue())

    assert Terminal(house.signed_in(), house.url, False, lines(), out).run() == 0


def test_run_chats_over_standard_input_and_output_with_a_session_token(house, monkeypatch, capsys):
    token = house.signed_in().cookies["account_access_session"]
    monkeypatch.setattr("sys.stdin", io.StringIO('{"text": "hello"}\n'))
    assert run(house.url, token, as_json=True) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["text"] for line in said if line["type"] == "entry"] == ["hello", "You said: hello"]


@pytest.mark.parametrize("text, shown", [("plain", "plain"), ("\x1b[31mred\x07", "[31mred"), ("a\nb", "a\nb")])
def test_a_terminal_gets_nothing_to_obey(text, shown):
    assert printable(text) == shown
