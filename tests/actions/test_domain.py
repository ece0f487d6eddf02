"""Actions and domain.yml fit: names, buttons, and every outcome that an action can report."""

import ast
import re
from pathlib import Path

import pytest

from account_access import policy, reminders, resets
from actions import own_accounts, unlock_several
from actions.asking import AskAction, AskHelp, AskWhich, buttons
from actions.notices import TOLD_LATER
from actions.receipts import ChangeNotifications
from tests.actions.stage import ROOT, domain
from tests.actions.test_who_asks import ACTIONS

# Methods of actions and of Unlocks that end in an outcome.
REPORTING = {"act", "in_store", "_ended", "_told", "without_subject", "ask", "execute", "promise", "check"}
REPORTING |= {"approve", "deny"}


def outcomes_in(path: Path) -> set[str]:
    """Every literal that a reporting method returns, and the outcomes given to Look and _finish."""
    found = set()
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) and function.name in REPORTING:
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    found |= literals(node.value)
        if isinstance(function, ast.Call):
            name = getattr(function.func, "attr", getattr(function.func, "id", ""))
            found |= literals(function.args[2]) if name == "_finish" else set()
            found |= literals(function.args[0]) if name in ("Look", "FactorLook") and function.args else set()
    return found


def literals(node: ast.expr) -> set[str]:
    if isinstance(node, ast.Constant):
        return {node.value} if isinstance(node.value, str) else set()
    return literals(node.body) | literals(node.orelse) if isinstance(node, ast.IfExp) else set()


def possible_outcomes() -> set[str]:
    found = {"signed_out", "locked", "already_unlocked"} | set(TOLD_LATER)
    found |= {policy.INSTRUCTIONS, policy.LIMITED, policy.HUMAN, policy.FROZEN, policy.PAUSED}
    found |= set(ChangeNotifications.WAYS.values()) | {reminders.RECORDED, reminders.REPEATED}
    found |= {"recoverable", "link_made", "minted_link_made"}
    found |= {own_accounts.SEVERAL_LOCKED, own_accounts.NONE_LOCKED, unlock_several.PARTLY}
    found |= {*resets.TOLD_LATER, *resets.REFUSALS.values()}
    acts = [ROOT / "account_access" / f"{name}.py" for name in ("requests", "unlocks", "resets", "approvals")]
    for path in (*(ROOT / "actions").glob("*.py"), *acts):
        found |= outcomes_in(path)
    return found


def test_every_outcome_is_a_value_of_the_slot_and_every_value_an_outcome():
    assert possible_outcomes() == set(domain()["slots"]["outcome"]["values"])


def test_every_action_is_in_the_domain_and_the_other_way_round(stage):
    assert sorted(action().name() for action in ACTIONS) == sorted(domain()["actions"])


def test_every_question_is_a_value_of_its_slot(stage):
    asked = {action().question for action in ACTIONS if issubclass(action, AskAction)}
    assert asked | {"none", "several"} == set(domain()["slots"]["question"]["values"])


def asking_responses() -> list[str]:
    return [name for name in domain()["responses"] if name.startswith("utter_ask_") and name != "utter_ask_which"]


@pytest.mark.parametrize("response", asking_responses())
def test_every_question_has_buttons_whose_payloads_are_intents(response):
    for title, intent in buttons(domain(), response):
        assert title and intent in domain()["intents"]


def test_every_ask_action_has_its_response(stage):
    for action in ACTIONS:
        if issubclass(action, AskAction) and action not in (AskHelp, AskWhich):
            assert f"utter_ask_{action().question}" in asking_responses()


def test_every_cause_of_help_has_its_response():
    causes = set(AskHelp.CAUSE_BY_INTENT.values())
    causes |= {"down", "limited", "human", "failed", "instructions", "no_account", "relocked", "paused"}
    causes |= {unlock_several.PARTLY}
    causes |= {"expiry_unknown", "not_helped"}
    causes |= {"password_human", "no_article"}
    causes |= {"mfa_human", "mfa_undated", "mfa_limited", "mfa_instructions", "mfa_failed", "no_approver"}
    causes |= {"approval_denied", "approval_expired", "code_failed"}
    assert {f"utter_ask_help_{cause}" for cause in causes} == {
        name for name in asking_responses() if name.startswith("utter_ask_help_")
    }


def test_every_question_can_be_named_by_which():
    """Those with a yes or a no: X2 asks which of them is meant."""
    for response in asking_responses():
        named = response.removeprefix("utter_ask_")
        questions = domain()["slots"]["question"]["values"]
        question = max((q for q in questions if named == q or named.startswith(f"{q}_")), key=len)
        asked = response.removeprefix("utter_ask_")
        question = max((q for q in questions if f"{asked}_".startswith(f"{q}_")), key=len)
        if {intent for _, intent in buttons(domain(), response)} & {"affirm", "deny", "cancel"}:
            assert f"utter_which_{question}" in domain()["responses"]


def test_every_fact_given_to_responses_is_a_slot(stage):
    facts = {"person_name", "system_name", "portal_url", "unlock_limit", "unlock_window_hours"}
    facts |= {"locked_since", "ticket_reference", "named_system", "link_path", "article_title", "article_url"}
    assert facts <= set(domain()["slots"])


def told_to_designers() -> dict[str, str]:
    """What docs/designers.md says of each word in braces: the responses in which it is known."""
    guide = (ROOT / "docs" / "designers.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in guide.splitlines() if re.match(r"\| `\{", line)]
    return {word: row[3] for row in rows for word in re.findall(r"\{(\w+)\}", row[1])}


def words_of(response: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", str(domain()["responses"][response])))


@pytest.mark.parametrize("response", [name for name in domain()["responses"] if words_of(name)])
def test_every_word_of_a_response_is_told_to_designers(response):
    known = told_to_designers()
    for word in words_of(response):
        assert word in known, f"write {{{word}}} into the table of docs/designers.md"
        named = re.findall(r"`(utter_\w+…?)`", known[word])
        fits = [name for name in named if response == name or (name[-1] == "…" and response.startswith(name[:-1]))]
        assert fits or not named, f"docs/designers.md does not say that {response} knows {{{word}}}"


def test_every_word_told_to_designers_can_be_used():
    """By a response, or as one of the facts that an action has ready for a line of a list."""
    used = {word for response in domain()["responses"] for word in words_of(response)}
    ready = set(re.findall(r'"(\w+)": entry\.', (ROOT / "actions" / "contractors.py").read_text(encoding="utf-8")))
    assert set(told_to_designers()) - used - ready == set()
