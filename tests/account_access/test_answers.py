"""Which open question a typed message answers (X2, X12), and that a click is never needed for it."""

import pytest

from account_access.answers import OpenAnswer, OpenOffer, resolve, together


def offer(question: str, subject: str, *answers: tuple[str, str]) -> OpenOffer:
    listed = tuple(OpenAnswer(str(n), title, intent) for n, (title, intent) in enumerate(answers, start=1))
    return OpenOffer(f"offer-{question}", question, subject, listed)


UNLOCK = offer("unlock", "unlock:okta", ("Yes", "affirm"), ("Get help", "contact_support"), ("Cancel", "cancel"))
LOCKOUT = offer("lockout", "unlock:okta", ("Yes", "affirm"), ("No", "deny"))
LOCKOUT_ELSEWHERE = offer("lockout", "unlock:vpn", ("Yes", "affirm"), ("No", "deny"))
MENU = offer(
    "menu",
    "offer:menu",
    ("Unlock Account", "unlock_account"),
    ("Forgot Password", "reset_password"),
    ("Reset MFA", "reset_mfa"),
)
AFTER = offer(
    "after_unlock",
    "offer:after",
    ("Great, it worked!", "report_resolved"),
    ("Forgot Password", "reset_password"),
    ("Reset MFA", "reset_mfa"),
    ("Re-open issue", "report_unresolved"),
)
PASSWORD = offer(
    "password",
    "offer:password",
    ("Recover access", "recover_access"),
    ("Get help", "contact_support"),
    ("Cancel", "cancel"),
)
ARTICLE = offer("article", "offer:article", ("View answer", "view_answer"), ("Cancel", "cancel"))
REMINDER = offer(
    "password_reminder",
    "offer:reminder",
    ("Already updated", "already_updated"),
    ("Remind me later", "remind_later"),
    ("Do not remind me again", "stop_reminding"),
    ("Open a ticket", "open_ticket"),
)
HELP = offer("help", "offer:help", ("Open a ticket", "affirm"), ("Cancel", "cancel"))


def which(*behind: tuple[OpenOffer, OpenAnswer]) -> OpenOffer:
    """The question which of these answers is meant."""
    listed = [
        OpenAnswer(str(n), f"{about.question}: {answer.title}", answer.intent, about.question, about.subject)
        for n, (about, answer) in enumerate(behind, start=1)
    ]
    return OpenOffer("offer-which", "which", "offer:which", tuple(listed))


WHICH_AFTER_REMINDER = which((LOCKOUT, LOCKOUT.answers[0]), *[(REMINDER, answer) for answer in REMINDER.answers])
WHICH_OF_REMINDER = which(*[(REMINDER, answer) for answer in REMINDER.answers])

# (open offers, the last shown last; text; intent understood; intent then; question)
CASES = [
    # nothing open
    ([], "yes", "affirm", "affirm", "none"),
    ([], "2", "choose_option", "choose_option", "none"),
    ([], "first", "greet", "choose_option", "none"),
    ([], "I am locked out", "unlock_account", "unlock_account", "none"),
    # yes and no, in many words
    ([LOCKOUT], "sure", "affirm", "affirm", "lockout"),
    ([LOCKOUT], "Yes", "affirm", "affirm", "lockout"),
    ([LOCKOUT], "YES!!", "greet", "affirm", "lockout"),
    ([LOCKOUT], "nope", "deny", "deny", "lockout"),
    ([UNLOCK], "yep go ahead", "affirm", "affirm", "unlock"),
    # cancel is a no where there is no Cancel, and the other way round
    ([LOCKOUT], "forget it", "cancel", "deny", "lockout"),
    ([UNLOCK], "no thanks", "deny", "cancel", "unlock"),
    ([HELP], "no", "deny", "cancel", "help"),
    # yes is the one way on where there is no Yes
    ([PASSWORD], "yes please", "affirm", "recover_access", "password"),
    ([ARTICLE], "sure, show me", "affirm", "view_answer", "article"),
    ([PASSWORD], "Recover access", "unlock_account", "recover_access", "password"),
    ([PASSWORD], "no", "deny", "cancel", "password"),
    ([LOCKOUT, PASSWORD], "yes", "affirm", "affirm", "several"),
    ([PASSWORD, LOCKOUT], "yes", "affirm", "affirm", "several"),
    ([PASSWORD, ARTICLE], "yes", "affirm", "affirm", "several"),
    ([LOCKOUT, PASSWORD], "recover access", "affirm", "recover_access", "password"),
    # a bare yes or no to a reminder is asked about, where the reminder was shown last
    ([REMINDER], "yes", "affirm", "affirm", "several"),
    ([REMINDER], "not now", "deny", "deny", "several"),
    ([MENU, REMINDER], "ok", "affirm", "affirm", "several"),
    ([REMINDER, MENU], "ok", "affirm", "affirm", "none"),
    # what people answer is what they read last: an earlier question is asked about, never taken for meant (X12)
    ([LOCKOUT, REMINDER], "yes", "affirm", "affirm", "several"),
    ([LOCKOUT, REMINDER], "Yes", "greet", "affirm", "several"),
    ([LOCKOUT, REMINDER], "no", "deny", "deny", "several"),
    ([UNLOCK, REMINDER], "no", "deny", "deny", "several"),
    ([PASSWORD, REMINDER], "yes", "affirm", "affirm", "several"),
    ([LOCKOUT, MENU], "sure", "affirm", "affirm", "several"),
    ([LOCKOUT, AFTER], "yes", "affirm", "affirm", "several"),
    ([LOCKOUT, HELP, REMINDER], "yes", "affirm", "affirm", "several"),
    ([REMINDER, LOCKOUT], "yes", "affirm", "affirm", "lockout"),
    ([REMINDER, LOCKOUT], "no", "deny", "deny", "lockout"),
    # titles, numbers and wishes are no bare yes
    ([LOCKOUT, REMINDER], "remind me later", "remind_later", "remind_later", "password_reminder"),
    ([LOCKOUT, REMINDER], "this wasn't me", "report_not_me", "report_not_me", "none"),
    ([LOCKOUT, REMINDER], "1", "choose_option", "already_updated", "password_reminder"),
    ([LOCKOUT, REMINDER], "unlock me", "unlock_account", "unlock_account", "none"),
    # a "which one?" that has the yes is the last word on it
    ([LOCKOUT, REMINDER, WHICH_AFTER_REMINDER], "yes", "affirm", "affirm", "lockout"),
    ([LOCKOUT, REMINDER, WHICH_AFTER_REMINDER], "1", "choose_option", "affirm", "lockout"),
    ([LOCKOUT, REMINDER, WHICH_AFTER_REMINDER], "2", "choose_option", "already_updated", "password_reminder"),
    ([LOCKOUT, REMINDER, WHICH_AFTER_REMINDER], "no", "deny", "deny", "several"),
    ([LOCKOUT, WHICH_AFTER_REMINDER, REMINDER], "yes", "affirm", "affirm", "several"),
    ([REMINDER, WHICH_OF_REMINDER], "yes", "affirm", "affirm", "several"),
    ([REMINDER], "already updated", "affirm", "already_updated", "password_reminder"),
    ([REMINDER], "hello", "greet", "greet", "none"),
    # numbers answer the last shown
    ([UNLOCK], "1", "choose_option", "affirm", "unlock"),
    ([UNLOCK], "2", "choose_option", "contact_support", "unlock"),
    ([UNLOCK], "option 3 please", "greet", "cancel", "unlock"),
    ([UNLOCK], "the second one", "greet", "contact_support", "unlock"),
    ([UNLOCK], "last", "greet", "cancel", "unlock"),
    ([UNLOCK], "#2", "greet", "contact_support", "unlock"),
    ([UNLOCK], "4", "choose_option", "choose_option", "none"),
    ([UNLOCK], "0", "choose_option", "choose_option", "none"),
    ([LOCKOUT, AFTER], "2", "choose_option", "reset_password", "after_unlock"),
    ([LOCKOUT, AFTER], "4", "choose_option", "report_unresolved", "after_unlock"),
    ([UNLOCK], "I tried 2 times", "unlock_account", "unlock_account", "none"),
    # "no" before a number is a no, not short for "number"
    ([UNLOCK], "no one", "deny", "cancel", "unlock"),
    ([LOCKOUT], "No, one", "deny", "deny", "lockout"),
    ([UNLOCK], "no, the first one please", "deny", "cancel", "unlock"),
    ([LOCKOUT], "no. 1", "deny", "deny", "lockout"),
    # titles, with their punctuation, case and a slip of the finger
    ([MENU], "Reset MFA", "nlu_fallback", "reset_mfa", "menu"),
    ([MENU], "forgot pasword", "nlu_fallback", "reset_password", "menu"),
    ([MENU], "unlock acount", "nlu_fallback", "unlock_account", "menu"),
    ([AFTER], "great it worked", "nlu_fallback", "report_resolved", "after_unlock"),
    ([AFTER], "re open issue", "nlu_fallback", "report_unresolved", "after_unlock"),
    ([HELP], "open a ticket", "open_ticket", "affirm", "help"),
    ([MENU], "unlock", "unlock_account", "unlock_account", "menu"),
    # the intent of an answer, in the person's own words
    ([MENU], "my phone is new", "reset_mfa", "reset_mfa", "menu"),
    ([AFTER], "still the same", "report_unresolved", "report_unresolved", "after_unlock"),
    ([UNLOCK], "let me talk to somebody", "contact_support", "contact_support", "unlock"),
    # a yes that names an entry of what was shown last
    ([HELP, MENU], "yes unlock", "affirm", "unlock_account", "menu"),
    ([MENU], "yes please unlock my account", "affirm", "unlock_account", "menu"),
    ([MENU], "ok, reset mfa then", "affirm", "reset_mfa", "menu"),
    ([MENU, LOCKOUT], "yes unlock", "affirm", "affirm", "lockout"),
    ([MENU, HELP], "yes unlock", "affirm", "affirm", "help"),
    ([MENU], "yes account", "affirm", "affirm", "none"),
    # what is no answer stays what it is
    ([UNLOCK], "hello", "greet", "greet", "none"),
    ([MENU], "sure", "affirm", "affirm", "none"),
    ([AFTER], "no", "deny", "deny", "none"),
    # several about the same lockout are one question
    ([UNLOCK, LOCKOUT], "yes", "affirm", "affirm", "lockout"),
    ([LOCKOUT, UNLOCK], "sure", "affirm", "affirm", "unlock"),
    ([LOCKOUT, UNLOCK], "no", "deny", "cancel", "unlock"),
    # several about different things: which one?
    ([LOCKOUT, HELP], "sure", "affirm", "affirm", "several"),
    ([HELP, LOCKOUT], "sure", "affirm", "affirm", "several"),
    ([LOCKOUT, LOCKOUT_ELSEWHERE], "yes", "affirm", "affirm", "several"),
    ([LOCKOUT, LOCKOUT_ELSEWHERE], "no", "deny", "deny", "several"),
    # X12: "yes" is the title of one and an answer to both
    ([LOCKOUT, HELP], "yes", "affirm", "affirm", "several"),
    ([LOCKOUT, HELP], "Yes.", "nlu_fallback", "affirm", "several"),
    ([LOCKOUT, HELP], "no", "deny", "cancel", "several"),
    # a title of several words names its question
    ([LOCKOUT, HELP], "open a ticket", "open_ticket", "affirm", "help"),
    ([LOCKOUT, HELP], "Cancel", "cancel", "cancel", "help"),
    # the same remedy wherever it was shown
    ([MENU, AFTER], "Forgot Password", "reset_password", "reset_password", "after_unlock"),
    ([MENU, LOCKOUT], "forgot password", "reset_password", "reset_password", "menu"),
]


@pytest.mark.parametrize(("offers", "text", "intent", "then", "question"), CASES)
def test_x2_typed_message_answers(offers, text, intent, then, question):
    resolution = resolve(text, intent, 0.7, offers, offers[-1].id if offers else None)
    assert (resolution.intent, resolution.question) == (then, question)
    answered = question not in ("none", "several")
    assert (resolution.offer_id is not None) is answered
    if answered:
        chosen = next(o for o in offers if o.id == resolution.offer_id)
        answer = next(a for a in chosen.answers if a.id == resolution.answer_id)
        assert (answer.question or chosen.question, answer.intent) == (question, then)


@pytest.mark.parametrize(("offers", "text", "intent", "then", "question"), CASES)
def test_resolving_twice_changes_nothing(offers, text, intent, then, question):
    """The last NLU component resolves, and the action server again with the intent it then reads."""
    last_shown = offers[-1].id if offers else None
    first = resolve(text, intent, 0.7, offers, last_shown)
    assert resolve(text, first.intent, 1.0, offers, last_shown).offer_id == first.offer_id


@pytest.mark.parametrize("text", ["1", "the first one", "last", "#2"])
@pytest.mark.parametrize("last_shown", ["of something that is over", None])
def test_x2_number_means_what_was_shown_last_even_if_that_is_over(text, last_shown):
    resolution = resolve(text, "affirm", 0.99, [UNLOCK, LOCKOUT], last_shown)
    assert (resolution.intent, resolution.question, resolution.offer_id) == ("choose_option", "none", None)


@pytest.mark.parametrize("given", [UNLOCK, MENU, AFTER, HELP])
def test_metadata_there_and_back(given):
    assert OpenOffer.from_metadata(given.as_metadata()) == given


def several(*titles: str) -> OpenOffer:
    """The question which of these accounts to unlock; each goes by its first word as well."""
    each = [OpenAnswer(str(n), title, "choose_system", names=(title.split()[0],)) for n, title in enumerate(titles, 1)]
    rest = [("All of them", "choose_all"), ("Get help", "contact_support"), ("Cancel", "cancel")]
    listed = [OpenAnswer(str(n), title, intent) for n, (title, intent) in enumerate(rest, len(each) + 1)]
    return OpenOffer("offer-several", "unlock_several", "unlock:okta+store", (*each, *listed))


LOCKOUT_IN_A_THIRD = offer("lockout", "unlock:labs", ("Yes", "affirm"), ("No", "deny"))
TWO = several("Okta", "Store Okta")
THREE = several("Okta", "Store Okta", "Labs Okta")


class TestSeveralAccounts:
    """U9: all, one by its name or number; what could mean less, or more, is asked about."""

    @pytest.mark.parametrize(
        ("words", "intent", "asked", "expected"),
        [
            ("both", "choose_option", TWO, ("choose_all", "unlock_several", "3")),
            ("Both, please!", "nlu_fallback", TWO, ("choose_all", "unlock_several", "3")),
            ("yes, both of them", "affirm", TWO, ("choose_all", "unlock_several", "3")),
            ("all of my accounts please", "unlock_account", THREE, ("choose_all", "unlock_several", "4")),
            ("both", "choose_option", THREE, ("choose_option", "several", None)),
            ("not both", "deny", TWO, ("cancel", "unlock_several", "5")),
            ("both or just the store one", "choose_option", TWO, ("choose_option", "several", None)),
            ("just the store one", "choose_option", TWO, ("choose_system", "unlock_several", "2")),
            ("only labs thanks", "nlu_fallback", THREE, ("choose_system", "unlock_several", "3")),
            ("okta", "unlock_account", TWO, ("choose_system", "unlock_several", "1")),
            ("why the store one", "ask_why_locked", TWO, ("ask_why_locked", "none", None)),
            ("the bottom one of these", "choose_option", TWO, ("choose_option", "several", None)),
            ("the 2nd", "choose_option", TWO, ("choose_system", "unlock_several", "2")),
            ("yes", "affirm", TWO, ("affirm", "several", None)),
            ("no", "deny", TWO, ("cancel", "unlock_several", "5")),
            ("whatever you like", "choose_all", TWO, ("choose_all", "none", None)),
            ("whatever you like", "choose_system", TWO, ("choose_system", "none", None)),
        ],
    )
    def test_u9_x2_words_that_choose(self, words, intent, asked, expected):
        found = resolve(words, intent, 0.99, [asked], asked.id)
        assert (found.intent, found.question, found.answer_id) == expected

    @pytest.mark.parametrize(
        ("words", "asked", "answers"),
        [
            ("yes both", [LOCKOUT, LOCKOUT_ELSEWHERE], 2),
            ("both", [LOCKOUT, LOCKOUT_ELSEWHERE, MENU], 2),
            ("both", [UNLOCK, LOCKOUT], 0),
            ("both", [LOCKOUT], 0),
            ("both", [LOCKOUT, HELP], 0),
            ("all of them", [LOCKOUT, LOCKOUT_ELSEWHERE, HELP], 0),
            ("both", [LOCKOUT, LOCKOUT_ELSEWHERE, ARTICLE], 0),
            ("both", [LOCKOUT, LOCKOUT_ELSEWHERE, LOCKOUT_IN_A_THIRD], 0),
            ("all", [LOCKOUT, LOCKOUT_ELSEWHERE, LOCKOUT_IN_A_THIRD], 3),
            ("yes", [LOCKOUT, LOCKOUT_ELSEWHERE], 0),
            ("yes, but not both", [LOCKOUT, LOCKOUT_ELSEWHERE], 0),
        ],
    )
    def test_x12_yes_both_answers_lockouts_alone(self, words, asked, answers):
        assert len(together(words, asked)) == answers
        expected = ("choose_all", "several") if answers else None
        found = resolve(words, "affirm", 0.99, asked, asked[-1].id)
        assert ((found.intent, found.question) == expected) == bool(answers)
