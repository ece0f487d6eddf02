"""The trained language side as a whole: floors on messages it never saw, and what must be understood without fail."""

import asyncio
import time

import numpy as np
import pytest
from rasa.core.agent import Agent
from rasa.nlu.test import run_evaluation
from sklearn.metrics import f1_score

from nlu.evaluation.examples import read_examples
from nlu.evaluation.figures import ACCOUNT
from tests.nlu_components.conftest import ROOT

# The floors stand a little below what was measured; raise them when understanding gets better.
ACCOUNT_FLOOR, ALL_FLOOR = 0.93, 0.93

CERTAIN = [
    *[(text, "affirm") for text in ("sure", "okay", "yep go ahead", "yes please", "do it", "Yes", "ok", "yeah")],
    *[(text, "deny") for text in ("no", "nah", "leave it", "No", "nope", "no thanks")],
    *[(text, "choose_option") for text in ("1", "2", "the second one", "option 3", "first")],
    *[(text, "cancel") for text in ("cancel", "start over", "never mind")],
    *[
        (text, "report_access_problem")
        for text in ("hi, can't log in", "hello, I can't sign in", "I can't get into my Okta")
    ],
    *[(text, "unlock_account") for text in ("unlock my account", "I'm locked out", "hey, my account is locked")],
    *[(text, "reset_password") for text in ("I forgot my password", "need to reset password")],
    *[(text, "reset_mfa") for text in ("I need to reset MFA", "I lost my phone and can't sign in")],
    ("How to reset MFA?", "ask_mfa_instructions"),
    ("is that safe?", "ask_if_safe"),
    ("why was I locked?", "ask_why_locked"),
    ("this wasn't me", "report_not_me"),
    ("hi", "greet"),
    ("thanks", "thank"),
]


def test_floor_on_messages_never_seen(understand, holdout):
    wanted = [intent for _, intent in holdout]
    got = [understand(text)["intent"]["name"] for text, _ in holdout]
    assert f1_score(wanted, got, average="macro", labels=list(ACCOUNT)) >= ACCOUNT_FLOOR
    assert f1_score(wanted, got, average="macro", labels=sorted(set(wanted))) >= ALL_FLOOR


def test_no_message_is_both_trained_on_and_held_out(holdout):
    trained = {example.text.casefold() for example in read_examples(ROOT / "data" / "nlu", ROOT)}
    must_be_certain = {text.casefold() for text, _ in CERTAIN}
    assert {text.casefold() for text, _ in holdout} & trained - must_be_certain == set()


@pytest.mark.parametrize("text, intent", CERTAIN)
def test_understood_for_certain(understand, text, intent):
    parsed = understand(text)["intent"]
    assert parsed["name"] == intent
    assert parsed["confidence"] >= 0.6


OTHER_LANGUAGES = [
    "Guten Tag, ich kann mein Postfach seit heute früh nicht mehr öffnen",
    "mein Rechner sagt, ich hätte mich zu oft vertippt",
    "no recuerdo la clave para entrar, ¿me ayudan?",
    "se me rompió el móvil y ya no recibo los mensajes",
    "j'ai un nouveau portable, que dois-je faire ?",
    "ma session est bloquée depuis ce matin",
    "il sistema non accetta la mia password",
    "o sistema diz que tentei vezes demais",
    "mijn telefoon is kapot en nu kan ik niets meer",
    "hasło wygasło i nie wiem co dalej",
    "bugün sisteme hiç giremiyorum",
    "пароль больше не подходит, что делать",
    "密码一直提示错误",
    "パスワードが通りません",
    "비밀번호가 틀렸다고 나와요",
    "كلمة السر لا تعمل",
]


@pytest.mark.parametrize("text", OTHER_LANGUAGES)
def test_another_language_is_told_so_and_begins_nothing(understand, text):
    assert understand(text)["intent"]["name"] in ("other_language", "nlu_fallback", "out_of_scope")


@pytest.mark.parametrize("text", ["", " ", "👍🏽🙈", "x" * 5000, "<script>alert(1)</script>", "\u202e", "日本語で"])
def test_no_text_breaks_it(understand, text):
    assert understand(text)["intent"]["name"]


def test_a_typed_yes_reaches_the_open_question(understand):
    answers = [{"id": "1", "title": "Yes", "intent": "affirm"}, {"id": "2", "title": "No", "intent": "deny"}]
    offers = [{"id": "o1", "question": "lockout", "subject": "system:okta", "answers": answers}]
    for text, intent in (("sure", "affirm"), ("nah, leave it", "deny"), ("2", "deny")):
        parsed = understand(text, offers=offers, last_shown="o1")
        assert parsed["intent"]["name"] == intent
        assert [entity["value"] for entity in parsed["entities"] if entity["entity"] == "question"] == ["lockout"]


# None of these may unlock anything, whatever the classifier makes of them.
NO_YES = [
    "?",
    "??",
    "...",
    "hm",
    "why",
    "what",
    "wait",
    "is it done",
    "are you sure",
    "maybe",
    "lol",
    "ok but is it safe",
]
NO_YES += ["I said no", "don't", "do nothing", "unlock my car", "yesterday", "is that a yes or no question"]


@pytest.mark.parametrize("text", NO_YES)
def test_taken_for_no_yes(understand, text):
    answers = [{"id": "1", "title": "Unlock it now", "intent": "affirm"}]
    offers = [{"id": "o1", "question": "unlock", "subject": "system:okta", "answers": answers}]
    assert understand(text, offers=offers)["intent"]["name"] != "affirm"


def test_rasa_can_evaluate_it_as_any_other(model_file, tmp_path):
    """`rasa test nlu`: intents, and the names that were annotated."""
    file = tmp_path / "set.yml"
    file.write_text(
        "nlu:\n- intent: unlock_account\n  examples: |\n    - my [okta](system) account is locked\n    - unlock me\n"
        "- intent: greet\n  examples: |\n    - hi\n    - hello\n"
    )
    processor = Agent.load(str(model_file)).processor
    report = asyncio.run(run_evaluation(str(file), processor, disable_plotting=True, report_as_dict=True))
    assert report["intent_evaluation"]["accuracy"] == 1
    assert report["entity_evaluation"]["Gazetteer"]["report"]["system"]["recall"] == 1


def test_a_message_is_parsed_in_a_fraction_of_a_turn(understand, holdout):
    spent = []
    for text, _ in holdout[:60]:
        started = time.perf_counter()
        understand(text)
        spent.append(time.perf_counter() - started)
    # 10 ms measured; the bound only tells a mistake (padding to 128 tokens, threads that fight) from a busy machine
    assert np.median(spent) < 0.1
