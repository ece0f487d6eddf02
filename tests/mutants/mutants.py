"""The guards that must not be lost, each with the one line that takes it away and the tests that have to notice.

`old` stands exactly once in its file; a guard that was rewritten needs its mutant rewritten with it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """`tests` are arguments of pytest: a file, and after `-k` what to choose of it."""

    guard: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def _of(room: str, file: str, *rows: tuple[str, str, str, str]) -> list[Mutant]:
    """Mutants of one file: (guard, old, new, "test_file chosen")."""
    found = []
    for guard, old, new, tests in rows:
        name, _, chosen = tests.partition(" ")
        arguments = (f"tests/{room}/{name}.py", *(("-k", chosen) if chosen else ()))
        found.append(Mutant(guard, file, old, new, arguments))
    return found


DOMAIN = [
    *_of(
        "account_access",
        "account_access/conversation.py",
        (
            "a click is its offer's owner's (law 1)",
            "offer.answer(answer_id) if offer and offer.person_id == person_id else None",
            "offer.answer(answer_id) if offer else None",
            "test_conversation foreign_or_invented",
        ),
        (
            "the same click from two tabs is one message (X3)",
            "if same is not None and same.state == ACCEPTED:",
            "if False:",
            "test_conversation two_tabs",
        ),
        (
            "a key is one message",
            'if known.kind != "text" or known.text != text:',
            "if False:",
            "test_conversation same_key",
        ),
        (
            "a replayed turn says nothing twice (law 5)",
            'if connection.execute(_SAID, {"its_cause": cause, "its_part": part}).first():',
            "if False:",
            "test_conversation TestSaying",
        ),
        (
            "a notice is said once (N9)",
            'if notice_id and connection.execute(_GIVEN, {"notice": notice_id}).first():',
            "if False:",
            "test_conversation TestSaying",
        ),
    ),
    *_of(
        "account_access",
        "account_access/turns.py",
        (
            "an offer is answered by its owner (law 1)",
            "if offer is None or offer.person_id != inbound.person_id:",
            "if offer is None:",
            "test_offers another_person",
        ),
        (
            "a closed button answers nothing (X3)",
            "if offer.state != offers.OPEN and offer.answered_by != inbound.id:",
            "if False:",
            "test_offers closed_question",
        ),
        ("a button expires (X12)", "if offer.expires_at <= inbound.received_at:", "if False:", "test_offers x12"),
    ),
    *_of(
        "account_access",
        "account_access/offers.py",
        (
            "a typed yes is good for two hours (X12)",
            'tables.inbox.c.created_at > bindparam("shown_after"),',
            "",
            "test_offers x12",
        ),
        (
            "a typed yes dies with its button (X12)",
            "table.c.expires_at > written_at,",
            "",
            "test_offers falls_through",
        ),
        (
            "a message answers what was shown when it was written (X12)",
            "table.c.id.in_(list(offer_ids)),",
            "table.c.id.is_not(None),",
            "test_offers shown_when",
        ),
        (
            "a question replaces the person's earlier one (X2)",
            "close(connection, now, offer_id, REPLACED)",
            "pass",
            "test_offers replaces",
        ),
    ),
    *_of(
        "account_access",
        "account_access/unlocks.py",
        (
            "an unlock is read back (U8)",
            "return self._read_back(system, request, decision)",
            'return self._finish(request, "done", "unlocked", decision.reason)',
            "test_unlocks u8",
        ),
        (
            "another lockout than the confirmed one is left alone",
            "return bool(request.locked_at and account.locked_at and account.locked_at != request.locked_at)",
            "return False",
            "test_unlocks another_lockout",
        ),
        (
            "an unlock has its ticket (U7)",
            "_record_in_ticket(connection, now, request, outcome, reason)\n        if outcome in",
            "if outcome in",
            "test_unlocks u7",
        ),
    ),
    *_of(
        "account_access",
        "account_access/freezes.py",
        (
            "who said that it wasn't them is not left with a question (X12)",
            "    _withdraw_questions(connection, now, person.id)\n",
            "",
            "test_freezes x12",
        ),
        (
            "another ticket lifts nothing (X10)",
            "(table.c.ticket_id == ticket.id) & table.c.lifted_at.is_(None)",
            "table.c.lifted_at.is_(None)",
            "test_freezes another_ticket",
        ),
        (
            "what was asked for before a freeze is never done (X10)",
            "stops = or_(stops, table.c.reported_at >= asked_at)",
            "pass",
            "test_freezes never_done",
        ),
    ),
    *_of(
        "account_access",
        "account_access/breaker.py",
        (
            "an act counts before it is done (X11)",
            "if acts < limits.max_acts:",
            "if True:",
            "test_breaker more_acts",
        ),
        (
            "an act counts when it is done, however long before it was asked for (X11)",
            "or_(table.c.finished_at.is_(None), table.c.finished_at > since),",
            "table.c.confirmed_at > since,",
            "test_breaker however_long",
        ),
        (
            "what is over counts among masses (X11)",
            "begun | _noted(connection, system, since)",
            "begun",
            "test_breaker over_count",
        ),
        (
            "an act does not count against itself",
            "        table.c.id != excluding,\n        table.c.called",
            "        table.c.called",
            "test_breaker against_itself",
        ),
        (
            "a breaker stands until it is quiet (X11)",
            "return row.tripped_at is not None and now < row.loud_at",
            "return False and now < row.loud_at",
            "test_breaker TestHolding",
        ),
    ),
    *_of(
        "account_access",
        "account_access/preferences.py",
        (
            "a wish brings never more than the settings (N6)",
            "min(usual.max_notifications, row.max_notifications), max(usual.window_hours, row.window_hours)",
            "row.max_notifications, row.window_hours",
            "test_preferences never_more",
        ),
        (
            "a message lowers once (law 5)",
            "if row is not None and row.cause == cause:",
            "if False:",
            "test_preferences law_5",
        ),
    ),
    *_of(
        "account_access",
        "account_access/verification.py",
        (
            "what did not last opens its ticket (X8)",
            'tickets.change_state(connection, now, ticket, tickets.OPEN, text, "relapse", "schedulers")',
            "pass",
            "test_verification TestRelapse",
        ),
        (
            "a lockout between two looks is a relapse (X8)",
            "if since else Seen(VERIFIED",
            "if False else Seen(VERIFIED",
            "test_verification over_again",
        ),
        (
            "after a relapse nobody looks again (X8)",
            'connection.execute(update(table).where(waiting).values(state="done", result=VOID, checked_at=now))',
            "pass",
            "test_verification ticket_opens_again",
        ),
    ),
    *_of(
        "account_access",
        "account_access/mail.py",
        (
            "what may have been sent is not sent again (law 11)",
            'self._end(mail, UNSURE, f"may have been sent: {type(error).__name__}: {error}")',
            'self._end(mail, WAITING, f"may have been sent: {type(error).__name__}: {error}")',
            "test_mail law_11_what",
        ),
        (
            "a mail has one sender (law 11)",
            "                .where(table.c.id == mail.id, table.c.state == WAITING)",
            "                .where(table.c.id == mail.id)",
            "test_mail two_schedulers",
        ),
        (
            "an act that was given up half way is told to its owner (X10)",
            '                and_(table.c.state == "handed_over", table.c.called.is_(True)),\n',
            "",
            "test_mail x10",
        ),
    ),
    *_of(
        "actions",
        "account_access/receipts.py",
        (
            "receipts are one's own (law 1)",
            "        .where(table.c.person_id == person_id, table.c.state.in_(requests.FINAL))",
            "        .where(table.c.state.in_(requests.FINAL))",
            "test_receipts law_1",
        ),
    ),
    *_of(
        "account_access",
        "account_access/requests.py",
        (
            "the last place is nobody's twice (U10)",
            "used = self.used(connection, request.person_id, request.system, request.id)",
            "used = 0",
            "test_unlocks two_requests",
        ),
        (
            "what is frozen or paused stays so at the last moment (X10, X11)",
            "decision = held or self._decision(connection, system, request, groups, used)",
            "decision = self._decision(connection, system, request, groups, used)",
            "test_freezes refused",
        ),
        (
            "an act is counted by the breaker (X11)",
            "decision = policy.hold(None, tripped) or decision",
            "pass",
            "test_breaker more_acts",
        ),
        (
            "an unlock whose end nobody saw counts (U10, law 5)",
            "values(called=True)",
            "values(called=False)",
            "test_unlocks_killed killed_at_a_call",
        ),
        (
            "a yes is one request (law 5)",
            "return [row.id for row in known if row.cause == cause]",
            "return [row.id for row in known]",
            "test_unlocks retry_of_the_same",
        ),
        (
            "a closed offer confirms nothing (X3)",
            "if not offers.close(connection, now, offer.id, offers.ANSWERED, answer_id, cause):",
            "if offers.close(connection, now, offer.id, offers.ANSWERED, answer_id, cause) is None:",
            "test_unlocks closed_offer",
        ),
        ("a promise is kept (law 4)", "if owed:", "if False:", "test_unlocks_bad_days TestPromise"),
        (
            "what has ended is not promised (law 4)",
            "            if request.state in FINAL:",
            "            if False:",
            "test_unlocks_bad_days TestPromise",
        ),
        (
            "nothing runs twice (law 5)",
            """                    table.c.state.in_(UNDER_WAY),
                    or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now),
                )
                .values(""",
            """                    table.c.state.in_(UNDER_WAY),
                )
                .values(""",
            "test_unlocks_killed killed_at_a_call",
        ),
    ),
    *_of(
        "account_access",
        "account_access/connectors/okta_factors.py",
        (
            "a factor is as old as its completed enrolment (M7)",
            'max(filter(None, (instant(factor.get("created")), instant(factor.get("lastUpdated")))), default=None),',
            'instant(factor.get("created")),',
            "connectors/test_okta_answers completion",
        ),
    ),
    *_of(
        "account_access",
        "account_access/connectors/okta_history.py",
        (
            "nobody's user agent speaks in our voice (X9)",
            "or _program(raw) or known_system",
            "or raw[:LONGEST] or known_system",
            "connectors/test_okta_answers as_people_know_it",
        ),
    ),
    *_of(
        "account_access",
        "account_access/resets.py",
        (
            "a reset done by half is on record (M7)",
            "        if left == asked:\n",
            "        if True:\n",
            "test_resets done_by_half",
        ),
        (
            "a reset is read back (M2)",
            """            if not self._standing(system, request):
                faults.point""",
            """            if True:
                faults.point""",
            "test_resets lies",
        ),
        (
            "a stale session resets nothing (M7)",
            "ago = confirming.signed_in_ago if confirming else None",
            "ago = timedelta(0)",
            "test_resets TestFreshness",
        ),
        (
            "kinds that may not go stay (M4)",
            "if self._may_go(ids, factors)}",
            "}",
            "test_resets kinds_that_may_not_go",
        ),
        (
            "what would take a new factor along is not removed (law 5)",
            "except TakesAlongMore as error:",
            "except ZeroDivisionError as error:",
            "test_resets take_a_new_factor_along",
        ),
    ),
    *_of(
        "account_access",
        "account_access/policy.py",
        (
            "resets are limited (M7)",
            "if facts.resets_in_window >= facts.max_per_window:",
            "if False:",
            "test_policy m7_m9",
        ),
        (
            "a code is wanted where the settings want one (M7)",
            "if needed == CODE and not facts.proven:",
            "if False:",
            "test_policy m7_m9",
        ),
        ("a factor that goes proves nothing (M7)", "and factor.id not in going", "", "test_proofs factor_that_goes"),
        (
            "a factor enrolled just now proves nothing (M7)",
            "and factor.enrolled_at <= enrolled_before",
            "",
            "test_proofs factor_that_does_not_count",
        ),
        (
            "a factor that the settings do not trust proves nothing (M7)",
            "and factor.kind.value in kinds",
            "",
            "test_proofs factor_that_does_not_count",
        ),
    ),
    *_of(
        "account_access",
        "account_access/connectors/removing.py",
        (
            "only the confirmed factors go (M2, M4)",
            "standing = [factor for factor in connector.factors(external_id) if factor.id in factor_ids]",
            "standing = list(connector.factors(external_id))",
            "test_resets",
        ),
    ),
    *_of(
        "actions",
        "actions/mfa.py",
        (
            "the factor that was chosen is the one asked about (M4)",
            'look.chosen(about["ids"][int(turn.answered.answer.id) - 1])',
            'look.chosen(about["ids"][0])',
            "test_mfa TestChoosing",
        ),
        (
            "a reset needs its offer's yes (X12)",
            'if found is None or found.offer.question != "reset_mfa" or found.answer.intent != "affirm":',
            "if found is None:",
            "test_mfa",
        ),
        (
            "the manager's yes is to their question (M9, X12)",
            'if found is None or found.offer.question != "approve" or found.answer.intent != self.intent:',
            "if found is None:",
            "test_mfa",
        ),
    ),
    *_of(
        "account_access",
        "account_access/causes.py",
        (
            "half an enrolment is no factor (G4)",
            "any(factor.usable for factor",
            "any(factor for factor",
            "test_causes no_factor",
        ),
    ),
    *_of(
        "account_access",
        "account_access/passwords.py",
        ("who is frozen is led nowhere (X10)", "if self.frozen(person_id):", "if False:", "test_passwords led_nowhere"),
    ),
    *_of(
        "account_access",
        "account_access/proofs.py",
        (
            "a code is its request's owner's, in their session (M7)",
            "(request.person_id, request.session_id) != (prover.person_id, prover.session_id)",
            "False",
            "test_proofs one_person_in_one_session",
        ),
        (
            "a page for a code is over after its time (M7)",
            "request.state != AWAITING or request.due_at <= self.clock.now()",
            "request.state != AWAITING",
            "test_proofs ten_minutes",
        ),
        (
            "codes are limited (M7)",
            "if self.resets.code_tries(connection, request.person_id, request.system) >= self.limits.code_tries:",
            "if False:",
            "test_proofs TestTries",
        ),
        ("a wrong code proves nothing (M7)", "        if right:", "        if True:", "test_proofs TestTries"),
        (
            "no code while self-service is stopped (X10)",
            'return (None, "held") if held else (request, "")',
            'return request, ""',
            "test_proofs x10",
        ),
    ),
    *_of(
        "account_access",
        "account_access/approvals.py",
        (
            "only the manager who was asked decides (M9)",
            "if request is None or request.state != AWAITING or request.approver_id != approver_id:",
            "if request is None or request.state != AWAITING:",
            "test_approvals nobody_but_the_one_who_was_asked",
        ),
        (
            "a request is the manager's whom the directory names (M9)",
            "manager = system.connector.manager(external_id)",
            "manager = next(iter(system.connector.accounts))",
            "test_approvals",
        ),
        (
            "nobody approves for themselves (M9)",
            "if person is None or not person.active or person.id == own:",
            "if person is None or not person.active:",
            "test_approvals second_account",
        ),
        (
            "a frozen manager is nobody's (X10)",
            "frozen = freezes.standing(connection, person.id) is not None",
            "frozen = False",
            "test_approvals frozen_manager",
        ),
        (
            "a manager is not asked until they give in (M9)",
            "self._in_vain(connection, system, own) >= self.limits.max_per_window",
            "False",
            "test_approvals said_no_twice",
        ),
        (
            "the manager is read again when deciding (M9)",
            "if approver is None or approver.id != offer.person_id:",
            "if approver is None:",
            "test_approvals not_the_manager_any_more",
        ),
        (
            "an approver has a fresh session (M9)",
            "if not policy.is_fresh(signed_in_ago, timedelta(hours=self.limits.fresh_hours)):",
            "if False:",
            "test_approvals fresh_session",
        ),
        (
            "an approval is over after its time (M9)",
            "return request if request.due_at > self.clock.now() else None",
            "return request",
            "test_approvals TestExpiry",
        ),
    ),
    *_of(
        "account_access",
        "account_access/policy.py",
        ("protected people go to a human (law 6)", "if named else None", "if False else None", "test_policy"),
        (
            "another case is no way round a protected group (law 6)",
            "if group.casefold() in kept",
            "if group in protected_groups",
            "test_policy decision",
        ),
        (
            "three unlocks a day (U10)",
            "if facts.unlocks_in_window >= facts.max_per_window:",
            "if False:",
            "test_policy",
        ),
        (
            "instructions where wanted (I1)",
            "if facts.mode == INSTRUCTIONS:\n        return "
            'Decision(INSTRUCTIONS, "the organisation wants instructions instead of an automated unlock")',
            "",
            "test_policy",
        ),
    ),
    *_of(
        "account_access",
        "account_access/cadence/audience.py",
        (
            "exclusion beats inclusion (E14)",
            "        if named:\n",
            "        if named and not self.include.find(entry):\n",
            "test_cadence_audience beats_inclusion",
        ),
        (
            "a rule's values are compared whole (C11)",
            "if folded(value) in named:",
            "if any(folded(value) in each or each in folded(value) for each in named):",
            "test_cadence_audience compared_whole",
        ),
        (
            "what a rule includes is looked for",
            "if not self.include.written or any(self.include.find(each) for each in entries):\n            return None",
            "if True:\n            return None",
            "test_cadence_audience compared_whole",
        ),
    ),
    *_of(
        "schedulers",
        "account_access/notices.py",
        (
            "who is left out is not told of a lockout (N2)",
            "return _within_audience(connection, now, allowed, limits)",
            "return allowed",
            "test_audience in_the_audience_are_told",
        ),
        (
            "a lockout waits until it is known who is told",
            "silent = judged.unknown | judged.left_out.keys()",
            "silent = set(judged.left_out)",
            "test_audience before_the_directory_was_read",
        ),
    ),
    *_of(
        "schedulers",
        "account_access/lockout_audience.py",
        (
            "a reading says nothing of groups it did not ask for",
            "if reading is None or not reading.tells_of(audience.groups):",
            "if reading is None:",
            "test_audience last_reading_did_not_ask_for",
        ),
        (
            "a reading that began before says nothing of whom it did not name",
            "reading and reading.began > seen_at",
            "reading",
            "test_audience began_before_the_lockout",
        ),
    ),
    *_of(
        "schedulers",
        "schedulers/directory.py",
        (
            "a plan is made from a reading of its groups (E14)",
            "if reading is None or not reading.tells_of(wanted_groups(service.settings)):",
            "if reading is None:",
            "test_audience plan_is_not_made",
        ),
    ),
    *_of(
        "account_access",
        "account_access/cadence/lockout.py",
        ("four notices a day (N6)", "if len(times) >= max_notifications:", "if False:", "test_cadence_lockout"),
        ("six hours apart (N6)", "allowed = max(allowed, times[-1] + gap)", "pass", "test_cadence_lockout"),
    ),
    *_of(
        "account_access",
        "account_access/notices.py",
        (
            "the limit is asked before a lockout is told (N6)",
            "if notice.person_id in busy or at > now:",
            "if notice.person_id in busy:",
            "test_notices TestLimit",
        ),
        (
            "two lockout notices are never on their way at once (N6)",
            "busy = _told_of_a_lockout_now(connection, now, people)",
            "busy = set()",
            "test_notices two_",
        ),
        (
            "two lockout notices of a round are one (N6)",
            "            busy.add(notice.person_id)\n",
            "",
            "test_notices two_in_one",
        ),
        (
            "a look holds for a minute (N10)",
            "and now - self.seen_true_at <= SEEN_HOLDS",
            "",
            "test_notices look_holds",
        ),
        (
            "a lockout is told once (N9)",
            "    there = known(connection, by_key)\n",
            "    there = set()\n",
            "test_notices told_once",
        ),
        (
            "the inbox row is the acknowledgement (law 11)",
            "    settle(connection, now, said, DELIVERED)\n",
            "    said = set()\n",
            "test_notices acknowledgement",
        ),
    ),
    *_of(
        "account_access",
        "account_access/approvals.py",
        (
            "a manager whom nobody can date does not approve (M9)",
            "            return self._to_a_human(offer)\n",
            "            pass\n",
            "test_approvals nobody_can_date",
        ),
    ),
    *_of(
        "account_access",
        "account_access/policy.py",
        (
            "nobody is sent to sign in again in vain (M7)",
            "        if facts.undated:\n",
            "        if False:\n",
            "test_resets nobody_can_date",
        ),
    ),
    *_of(
        "account_access",
        "account_access/answers.py",
        (
            "a yes to several is a yes to none (X12)",
            'if len(meanings) > 1 and meant in ("affirm", *NO):',
            "if False:",
            "test_answers",
        ),
        (
            "no classifier chooses which account (X12)",
            "if titled or intent in (*THINGS, ALL):",
            "if titled:",
            "test_answers u9",
        ),
        (
            "yes both answers lockouts alone (X12)",
            'len(subjects) > 1 and all(subject.startswith("unlock:") for subject in subjects)',
            "len(subjects) > 1",
            "test_answers yes_both",
        ),
        (
            "both never means three (X12)",
            'return list(asked.values()) if len(asked) == 2 or "both" not in _plain(text).split() else []',
            "return list(asked.values())",
            "test_answers yes_both",
        ),
        (
            "words that say more than all are not all (X12)",
            "return bool(words & ALL_WORDS) and words <= ALL_WORDS | FILLERS",
            "return bool(words & ALL_WORDS)",
            "test_answers u9",
        ),
        (
            "a bare yes names no question (X12)",
            "titled = [] if bare else _called(text, intent, offers)",
            "titled = _called(text, intent, offers)",
            "test_answers",
        ),
        (
            "a bare yes is no answer to what was read before (X12)",
            "if not earlier and asked[-1].question not in NOT_YES_OR_NO:",
            "if earlier or asked[-1].question not in NOT_YES_OR_NO:",
            "test_answers",
        ),
    ),
    *_of(
        "account_access",
        "account_access/people.py",
        (
            "only a verified address links (law 1)",
            "if not email or not verified:",
            "if not email:",
            "test_people Linking",
        ),
        ("one identity a person (law 1)", "    if linked:", "    if False:", "test_people Linking"),
        (
            "who left does not get in (N7)",
            "if problem is None and (person is None or not person.active):",
            "if problem is None and person is None:",
            "test_people Linking",
        ),
        (
            "a list that lost too many is not believed",
            "if missing > max(1, everybody // 5):",
            "if False:",
            "test_people too_many",
        ),
    ),
    *_of(
        "account_access",
        "account_access/sessions.py",
        ("a session expires (N7)", 'tables.sessions.c.expires_at > bindparam("now"),', "", "test_people TestSessions"),
        (
            "a session can be ended (N7)",
            "tables.sessions.c.revoked_at.is_(None),",
            "",
            "test_people TestSessions",
        ),
        ("a session ends with its person (N7)", "tables.people.c.active.is_(True),", "", "test_people TestSessions"),
    ),
    *_of(
        "account_access",
        "account_access/store/migrations/versions/0001_first_schema.py",
        ("audit is append-only (X7)", 'for change in ("UPDATE", "DELETE"):', "for change in ():", "test_store refuses"),
    ),
    *_of(
        "account_access",
        "account_access/store/claims.py",
        (
            "the living keep their claims",
            "return not pid.isdigit() or _started(int(pid)) != started",
            "return True",
            "test_store own_claims",
        ),
    ),
    *_of(
        "account_access",
        "account_access/desks/local.py",
        (
            "the desk takes an event once",
            "if connection.execute(select(entries.c.key).where(entries.c.key == event.key)).first():",
            "if False:",
            "test_tickets repeated",
        ),
    ),
    *_of(
        "account_access",
        "account_access/settings.py",
        ("a literal ${…} is refused", 'if "${" in value:', "if False:", "test_settings mistake"),
        ("a secret in clear is refused", "    if _is_secret(at):", "    if False:", "test_settings mistake"),
        (
            "each process expands its own sections (law 3)",
            "{key: value for key, value in raw.items() if key in wanted}",
            "dict(raw)",
            "test_settings law_3",
        ),
    ),
    *_of(
        "account_access/connectors",
        "account_access/connectors/http.py",
        (
            "the token goes to one origin",
            "return urlsplit(url)[:2] == urlsplit(self.base_url)[:2]",
            "return True",
            "test_okta_bad_days another_origin",
        ),
        ("a redirect is not followed", "allow_redirects=False", "allow_redirects=True", "test_okta_bad_days redirect"),
        (
            "an act is not repeated blindly (law 5)",
            "if not isinstance(error, _Unsent | _Limited | _Brief):",
            "if False:",
            "test_okta_bad_days blindly",
        ),
        (
            "a limited system is left alone (N10)",
            "return (error.retry_after or 0) <= PATIENCE_SECONDS",
            "return True",
            "test_okta_bad_days n10",
        ),
    ),
    *_of(
        "account_access/connectors",
        "account_access/connectors/removing.py",
        ("a new phone is not taken along (law 5)", "    if more:", "    if False:", "test_okta new_phone"),
        (
            "what was not confirmed stays (law 5)",
            " if factor.id in factor_ids]",
            "]",
            "test_okta nothing_enrolled_since",
        ),
    ),
    *_of(
        "account_access/connectors",
        "account_access/connectors/okta.py",
        (
            "an id is never a way to another resource",
            'if identifier in ("", ".", ".."):',
            "if False:",
            "test_okta_bad_days one_piece",
        ),
        (
            "a reset link leads to a protected address (P5)",
            'if not link.isprintable() or not (link.startswith("https://") or self.http.is_own(link)):',
            "if False:",
            "test_okta_bad_days no_link_of_ours",
        ),
    ),
    *_of(
        "account_access/connectors",
        "account_access/connectors/lockout_cause.py",
        (
            "a browser is not called a stale device (X9)",
            "next((source for source in sources if source.unattended), None)",
            "sources[0] if sources else None",
            "test_lockout_cause x9_cause",
        ),
    ),
]
PASSWORDS = [
    *_of(
        "account_access",
        "account_access/links.py",
        (
            "a link leads on for five minutes after the click (P5)",
            "if self.clicked_at is not None and self.good_for_seconds is not None:",
            "if False:",
            "test_links five_minutes",
        ),
        (
            "the first click counts (E10)",
            "table.c.clicked_at.is_(None), table.c.expires_at > now",
            "table.c.expires_at > now",
            "test_links first_click",
        ),
    ),
    *_of(
        "account_access",
        "account_access/passwords.py",
        (
            "a link is minted after policy (law 6)",
            "            if decision.verdict != policy.ACT:\n                return",
            "            if False:\n                return",
            "test_passwords policy_first",
        ),
        (
            "a frozen account gets no link (X10)",
            "        if held:",
            "        if False:",
            "test_passwords x10",
        ),
    ),
    *_of(
        "account_access",
        "account_access/articles.py",
        (
            "a system of its own has no general instructions (P6)",
            "(general and not article.systems)",
            "not article.systems",
            "test_articles p6",
        ),
    ),
    *_of(
        "account_access",
        "account_access/chat_text.py",
        ("raw HTML stays text", '{"html": False}', '{"html": True}', "test_articles hostile"),
    ),
    *_of(
        "account_access",
        "account_access/answers.py",
        (
            "a yes to two ways on asks which (X2)",
            'meant = "affirm" if intent == "affirm" and answer.intent not in NO else answer.intent',
            "meant = answer.intent",
            "test_answers x2",
        ),
        (
            "a number is of the list that was shown last (X2)",
            "if offers and offers[-1].id == last_shown:",
            "if offers:",
            "test_answers x2",
        ),
    ),
]
PROCESSES = [
    *_of(
        "actions",
        "actions/base.py",
        (
            "a message is its writer's (law 1)",
            "return inbound if inbound and inbound.person_id == person.id else None",
            "return inbound",
            "test_who_asks stranger",
        ),
        (
            "a notice is its person's (law 1)",
            "return notice if notice and notice.person_id == person.id else None",
            "return notice",
            "test_who_asks stranger",
        ),
    ),
    *_of(
        "actions",
        "actions/unlock.py",
        (
            "only a yes unlocks (X12)",
            'if found.answer.intent not in ("affirm", CHOOSE_SYSTEM):',
            "if False:",
            "test_unlocking other_buttons",
        ),
        (
            "only a yes to an unlock unlocks (X12)",
            ' or found.offer.subject.get("act") != "unlock"',
            "",
            "test_unlocking another_question",
        ),
        (
            "never says unlocked of what was not (law 11)",
            ' if request.outcome == "unlocked"]',
            "]",
            "test_unlocking law_11",
        ),
    ),
    *_of(
        "actions",
        "actions/unlock_several.py",
        (
            "only the button for all is a yes to all (X12)",
            'found.offer.subject.get("act") == "unlock" and found.answer.intent == ALL',
            'found.offer.subject.get("act") == "unlock"',
            "test_several_systems other_buttons",
        ),
        (
            "what stays locked is not said to be well (law 11)",
            "if not ends <= set(WELL):",
            "if False:",
            "test_several_systems law_11",
        ),
    ),
    *_of(
        "actions",
        "actions/own_accounts.py",
        (
            "a name chooses among one's own accounts (law 1)",
            "own = [system for system in able if system.key in accounts]",
            "own = able",
            "test_several_systems as_ever",
        ),
        (
            "who met one of several silent systems hears when it is back (X6)",
            'outages.meet(connection, action.now, turn.person.id, silent.key, f"{turn.cause}:{silent.key}")',
            "pass",
            "test_several_systems x6",
        ),
    ),
    *_of(
        "actions",
        "account_access/turns.py",
        (
            "a choice is about the account that it names (X12)",
            'return self.offer.subject["choices"][int(self.answer.id) - 1]',
            'return self.offer.subject["choices"][0]',
            "test_several_systems x2_u9",
        ),
    ),
    *_of(
        "actions",
        "account_access/offers.py",
        (
            "who was asked about one system's lockout is told of the other's (N9)",
            'any((about.get("system"), about.get("locked_at")) == (system, began) for about in asked)',
            'any(about.get("locked_at") == began for about in asked)',
            "test_several_systems same_instant",
        ),
    ),
    *_of(
        "actions",
        "actions/safety.py",
        (
            "the classifier alone freezes nobody (X12)",
            "if not self._confirmed(turn):",
            "if False:",
            "test_safety x12_words",
        ),
        (
            "a yes to something else freezes nobody (X12)",
            'return intent == "report_not_me" or (intent == "affirm" and turn.answered.offer.question == "not_me")',
            'return intent in ("report_not_me", "affirm")',
            "test_safety something_else",
        ),
    ),
    *_of(
        "actions",
        "actions/support.py",
        (
            "no chat answer opens security's ticket (X10)",
            "self.now - RECENT, security=False)",
            "self.now - RECENT)",
            "test_safety no_chat_answer",
        ),
    ),
    *_of(
        "actions",
        "actions/notices.py",
        ("what is over is not told (N8)", 'if look.outcome == "not_locked":', "if False:", "test_announcing n8"),
    ),
    *_of(
        "actions",
        "actions/app.py",
        (
            "only Rasa is heard by the actions (law 3)",
            "if not expected or not hmac.compare_digest(given.encode(), expected.encode()):",
            "if False:",
            "test_server law_3_only",
        ),
        (
            "what is the door's alone is known by its route, however its path is written (law 3)",
            "if request.route is not None and f\"/{request.route.path.strip('/')}\" in DOOR_ROUTES:",
            "if request.path in DOOR_ROUTES:",
            "test_server law_3_only_the_door",
        ),
    ),
    *_of(
        "channels",
        "channels/inbox.py",
        (
            "only door and schedulers are heard by the channel (law 3)",
            'return hmac.compare_digest(request.headers.get(header, "").encode(), self.secrets[header].encode())',
            "return True",
            "test_messages law_3",
        ),
        (
            "typed text is text (law 2)",
            'text = _COMMAND_PREFIX.sub("", inbound.text) or "?"',
            'text = inbound.text or "?"',
            "test_messages law_2",
        ),
        (
            "a turn is answered once (law 5)",
            "if inbound.state != conversation.ACCEPTED:",
            "if False:",
            "test_messages answered_once",
        ),
        (
            "a turn outlives its caller",
            "await asyncio.wait({running, news}, return_when=asyncio.FIRST_COMPLETED)",
            "await running",
            "test_messages caller_is_gone",
        ),
    ),
    *_of(
        "channels",
        "channels/failed_turn.py",
        (
            "a failed action fails its turn (law 11)",
            'raise TurnFailed(f"action {self.name()} failed: {error}") from error',
            "return []",
            "test_failed_turn law_11",
        ),
    ),
    *_of(
        "schedulers",
        "schedulers/daily.py",
        (
            "nobody is reminded in the evening of what can wait (E15)",
            "return calendar.at(today, send_at) <= now < closes(calendar, today, send_at)",
            "return calendar.at(today, send_at) <= now",
            "test_daily_runs otherwise_next_morning",
        ),
        (
            "what is held back is not held back for ever (E15)",
            "return min(opens + AFTER_THE_RUN, opens + (closes(calendar, day, send_at) - opens) / 2)",
            "return opens + AFTER_THE_RUN",
            "test_pitfalls goes_out_when_it_may",
        ),
    ),
    *_of(
        "schedulers",
        "schedulers/password_expiry.py",
        (
            "what expired before there were runs is nobody's news (E9)",
            "        _take_as_told(service, planner, system)\n",
            "        pass\n",
            "test_daily_runs nobodys_news",
        ),
        (
            "what could not be said comes next morning (E15)",
            "                missed[notice.person_id] = day\n",
            "",
            "test_daily_runs down_all_day",
        ),
        (
            "a plan is made from fresh facts (C2)",
            "if run is None or not directory.ensure_fresh(service, system):",
            "if run is None:",
            "test_daily_runs cannot_be_read",
        ),
    ),
    *_of(
        "schedulers",
        "schedulers/contractor_expiry.py",
        (
            "a contract that is over is not told (C1)",
            "known.entry.contract_ends_on < today:",
            "known.entry.contract_ends_on.year < 1:",
            "test_daily_runs is_over",
        ),
    ),
    *_of(
        "actions",
        "actions/reminders.py",
        (
            "a reminder is looked at again (E12)",
            "if known.entry.password_expires_at != expires_at:",
            "if False:",
            "test_reminders a_minute_ago",
        ),
        (
            "one reminder a day",
            "if last and planner.calendar.date(last.sent_at) == planner.calendar.date(self.now):",
            "if False:",
            "test_reminders same_day",
        ),
    ),
    *_of(
        "actions",
        "actions/contractors.py",
        (
            "contracts are their manager's to hear of (C13)",
            "if one.external_id != me.external_id and me.is_called(one.entry.manager_login) is not None",
            "if True",
            "test_contractors confidential",
        ),
    ),
    *_of(
        "actions",
        "account_access/reminders.py",
        (
            "an answer is its expiry's (E13)",
            "if now >= expires_at or connection.execute(query).scalar() != expires_at:",
            "if False:",
            "test_reminders older_password",
        ),
        (
            "a replayed turn answers once (law 5)",
            "    if known:\n        return RECORDED\n",
            "",
            "test_reminders replayed",
        ),
    ),
    *_of(
        "schedulers",
        "schedulers/deliveries.py",
        (
            "only what is written is delivered (law 11)",
            'written = [notice.id for notice, answer in ended if answer.get("written")]',
            "written = [notice.id for notice, answer in ended if answer]",
            "test_deliveries surely",
        ),
        (
            "what was made in time is not said in the evening (E15)",
            "            if until:\n",
            "            if False:\n",
            "test_daily_runs down_all_day",
        ),
    ),
    *_of(
        "schedulers",
        "schedulers/deliveries.py",
        (
            "no more notices a minute than the settings allow",
            "        return urgent + others[:granted]\n",
            "        return urgent + others\n",
            "test_deliveries Pace",
        ),
        (
            "a lockout waits for no limit (N2)",
            "        return urgent + others[:left]\n",
            "        return (urgent + others)[:left]\n",
            "test_deliveries Pace",
        ),
    ),
    *_of(
        "account_access",
        "account_access/pace.py",
        (
            "what went out in the last minute counts",
            "            _note(connection, surface, now, [*taken, (now, granted + urgent)])\n",
            "            pass\n",
            "test_pace",
        ),
    ),
    *_of(
        "schedulers",
        "schedulers/looks.py",
        (
            "only the lockout that was seen is told without a look (N8)",
            'if account.locked_at and account.locked_at.isoformat() == notice.facts.get("locked_at"):',
            "if True:",
            "test_looks nobody_is_told",
        ),
        (
            "an account that changed is looked at again (E12)",
            "elif external_id in known and directory_facts.is_as_told(known[external_id], account):",
            "else:",
            "test_looks left_to_the_action",
        ),
    ),
    *_of(
        "schedulers",
        "schedulers/lockouts.py",
        (
            "no button for a lock that is over (N8)",
            "        _settle_offers(service, system, locked)\n",
            "",
            "test_lockouts SettlingOffers",
        ),
        (
            "an event alone is no lockout (N8)",
            "for external_id, account in read.items() if account.locked}",
            "for external_id, account in read.items()}",
            "test_lockouts nothing_is_told",
        ),
        (
            "events that arrive late are looked for again (N9)",
            "moved_at - timedelta(seconds=overlap_seconds)",
            "moved_at",
            "test_lockouts LateEvents",
        ),
        (
            "no further back than the settings say (N1)",
            "return max(earliest, moved_at - timedelta(seconds=overlap_seconds)) if moved_at else earliest",
            "return moved_at - timedelta(seconds=overlap_seconds) if moved_at else earliest",
            "test_lockouts LateEvents",
        ),
    ),
    *_of(
        "schedulers",
        "schedulers/__main__.py",
        (
            "what a dead process was executing is released when another starts (law 5)",
            "    claims.release_of_the_dead(service.store)\n",
            "",
            "test_followups law_5",
        ),
    ),
    *_of(
        "schedulers",
        "schedulers/followups.py",
        (
            "requests stuck half way are taken up (law 5)",
            "for request in acts.due()]",
            "for request in acts.due() if request.state == 'confirmed']",
            "test_followups law_5",
        ),
    ),
    *_of(
        "schedulers",
        "account_access/requests.py",
        (
            "a claim that is over holds nobody up (law 5)",
            "table.c.claimed_until <= now),\n                )\n                .values(",
            "False),\n                )\n                .values(",
            "test_followups law_5",
        ),
        (
            "a claim that stands keeps a second runner away (law 5)",
            "table.c.claimed_until <= now),\n            )\n            .limit(limit)",
            "True),\n            )\n            .limit(limit)",
            "test_followups law_5",
        ),
    ),
    *_of(
        "door",
        "door/go.py",
        (
            "a link is its owner's (law 1)",
            "if link is None or link.person_id == found.person.id:",
            "if True:",
            "test_go somebody_elses",
        ),
        (
            "a look by a program is no click (law 7)",
            "if not is_own_step(request):",
            "if False:",
            "test_go no_step",
        ),
        ("a prefetch is no click (law 7)", "and by_person and not prefetching", "and by_person", "test_go no_step"),
        ("no GET mints (law 7)", "if link.way == links.MINTED:", "if False:", "test_go no_get"),
    ),
    *_of(
        "door",
        "door/forms.py",
        (
            "another site presses no button",
            "if not isinstance(given, str) or not hmac.compare_digest(given.encode(), found.session.csrf.encode()):",
            "if False:",
            "test_go another_site",
        ),
    ),
    *_of(
        "actions",
        "actions/minting.py",
        (
            "a link is minted for its owner alone (law 1)",
            'link.person_id != asked.get("person") or',
            "",
            "test_minting somebody_else",
        ),
        ("only a pressed link is minted (law 7)", " or link.clicked_at is None", "", "test_minting owners_click"),
        (
            "a link that is over is not minted (P5)",
            "return link if link.state_at(runtime.clock.now()) == links.READY else None",
            "return link",
            "test_minting five_minutes",
        ),
    ),
    *_of(
        "door",
        "door/provider.py",
        (
            "a sign-in that nobody dates is never fresh (M7)",
            "timezone.utc) if told else sessions.UNDATED",
            "timezone.utc) if told else issued",
            "test_sign_in m7",
        ),
    ),
    *_of(
        "door",
        "door/prove.py",
        (
            "looking at the page spends no more than its share of the identity system (law 4)",
            'request.app.state.door.rates.check(rates.SENDING, "look_at_proof", found.person.id)',
            "pass",
            "test_prove law4",
        ),
        (
            "who enters a code is who is signed in (law 1)",
            '"person": found.person.id, "session": found.session.id}',
            '"person": request.query_params.get("person", found.person.id), "session": found.session.id}',
            "test_prove law1",
        ),
    ),
    *_of(
        "actions",
        "actions/password.py",
        (
            "a link needs its offer (X12)",
            'or (found.offer.question, found.answer.intent) != (AskPassword.question, "recover_access")',
            "",
            "test_passwords x12",
        ),
    ),
    *_of(
        "door",
        "door/visitors.py",
        (
            "another site's page sends nothing",
            "if not hmac.compare_digest(given.encode(), found.session.csrf.encode()):",
            "if False:",
            "test_protection",
        ),
    ),
]
JOINS = [
    *_of(
        "account_access",
        "account_access/joins.py",
        (
            "an account that is gone is nobody's (U9)",
            "if account.active and account.number:",
            "if account.number:",
            "test_joins TestDeciding",
        ),
        (
            "an empty number joins nobody (U9)",
            "if account.active and account.number:",
            "if account.active:",
            "test_joins TestDeciding",
        ),
        (
            "two accounts with a number are nobody's (U9)",
            "if len(theirs) > 1 or len(theirs_there) > 1 or reused:",
            "if len(theirs_there) > 1 or reused:",
            "test_joins TestDeciding",
        ),
        (
            "a number that two people have joins neither (U9)",
            "if len(theirs) > 1 or len(theirs_there) > 1 or reused:",
            "if len(theirs) > 1 or reused:",
            "test_joins TestDeciding",
        ),
        (
            "a number that meant somebody else joins nobody (U9)",
            "if len(theirs) > 1 or len(theirs_there) > 1 or reused:",
            "if len(theirs) > 1 or len(theirs_there) > 1:",
            "test_joins TestDeciding",
        ),
        (
            "who is gone has no accounts (U9)",
            "if not any(holder.active for holder in theirs_there):",
            "if not theirs_there:",
            "test_joins TestDeciding",
        ),
        (
            "what was not read to its end joins nobody (U9)",
            "if owner and may_join and account.joined_to is None:",
            "if owner and account.joined_to is None:",
            "test_joins read_to_its_end",
        ),
        (
            "questions about an account that was split off are closed (X12)",
            "    _close_offers(connection, now, person_id, system)\n",
            "",
            "test_joins x12_old_button",
        ),
        (
            "a question about several is about each of them (U9)",
            'return value.get("system") == system or any(_is_about(inner, system) for inner in value.values())',
            'return value.get("system") == system',
            "test_joins x12_old_button",
        ),
        (
            "notices about an account that was split off are dropped (U9)",
            "    _drop_notices(connection, now, person_id, system)\n",
            "",
            "test_joins notice_about_it",
        ),
        (
            "what waits for a word or a code ends with the split (U9)",
            ".where(theirs, table.c.state == resets.AWAITING)",
            '.where(theirs, table.c.state == resets.AWAITING, table.c.state == "none")',
            "test_joins waits_for_a_word",
        ),
        (
            "who is joined to another is not there (U9)",
            "where(tables.people.c.id == own).values(active=False)",
            "where(tables.people.c.id == own).values(active=True)",
            "test_joins comes_later",
        ),
    ),
    *_of(
        "account_access",
        "account_access/people.py",
        (
            "a first sign-in finds people of the main directory alone (law 1)",
            "func.lower(table.c.email) == email.lower(), table.c.main.is_(True)",
            "func.lower(table.c.email) == email.lower()",
            "test_joins TestAttacks",
        ),
        (
            "another directory's ids stand in nobody's way (U9)",
            "accounts.c.own_person_id.is_(None), table.c.main.is_(True)",
            "accounts.c.own_person_id.is_(None)",
            "test_joins id_of_somebodys",
        ),
        (
            "ids of joined accounts stand in nobody's way (U9)",
            "accounts.c.own_person_id.is_(None), table.c.main.is_(True)",
            "table.c.main.is_(True)",
            "test_joins id_of_somebodys",
        ),
        (
            "another directory writes nothing of the person whose account it is (U9)",
            "return func.coalesce(tables.accounts.c.own_person_id, tables.accounts.c.person_id)",
            "return tables.accounts.c.person_id",
            "test_joins shut_anybody_out",
        ),
        (
            "the number of who is gone is forgotten (U9)",
            ".values(employee_number=None)",
            ".values(employee_number=facts.c.employee_number)",
            "test_joins number_is_not_seen",
        ),
    ),
    *_of(
        "account_access",
        "account_access/requests.py",
        (
            "an act is done on the person's own account alone (U9)",
            "if people.owner_of(connection, request.system, request.external_id) != request.person_id:",
            "if False:",
            "test_joins confirmed_act",
        ),
    ),
    *_of(
        "account_access",
        "account_access/proofs.py",
        (
            "a code is for the person's own account alone (U9)",
            "if owner != request.person_id:",
            "if False:",
            "test_joins no_code",
        ),
    ),
    *_of(
        "schedulers",
        "schedulers/directory.py",
        (
            "people of a second directory cannot sign in (U9)",
            "main=system.key == main",
            "main=True",
            "test_joining cannot_sign_in",
        ),
        (
            "a main directory that was never read to its end joins nobody (U9)",
            "may_join = complete and _was_read(service, main) and",
            "may_join = complete and",
            "test_joining main_directory_that_never",
        ),
        (
            "a directory that was never read to its end joins nobody (U9)",
            "may_join = complete and _was_read(service, main) and _was_read(service, key)",
            "may_join = True",
            "test_joining directory_that_never_was",
        ),
    ),
    *_of(
        "schedulers",
        "schedulers/__main__.py",
        (
            "a slow system keeps no other waiting (law 4)",
            "partial(lockouts.poll_one, system=system), section",
            "lockouts.poll, section",
            "test_joining law_4",
        ),
    ),
]
MUTANTS = [*DOMAIN, *PASSWORDS, *PROCESSES, *JOINS]
