"""Every action, several times at once on PostgreSQL: one wins, the others are told in words (rule 30).

The list of actions is found by looking: each public function that takes `by=`. One without a recipe here, or a reason why it needs
none, fails.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import importlib
import inspect
import pkgutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask_migrate import upgrade

import consult_app
from consult_app import audit, create_app
from consult_app.accounts import actions as accounts
from consult_app.accounts.models import Passkey
from consult_app.attendance import actions as attendance
from consult_app.attendance import devices
from consult_app.attendance.models import CheckIn, Device, DeviceKind
from consult_app.comments import answers, changes, replies
from consult_app.comments.evidence import Given
from consult_app.comments.models import Comment, CommentKind, DispositionKind, FileKind, Moderation, PositionValue
from consult_app.consultations import actions as consultations
from consult_app.consultations import deputies, team
from consult_app.consultations.models import Consultation, Section, SignatoryRole, SigningOrder
from consult_app.db import db, now
from consult_app.documents import actions as documents
from consult_app.errors import Conflict, DomainError, Invalid, Missing
from consult_app.events import actions as events
from consult_app.events.models import Event, EventMode, EventState, Session
from consult_app.invitations import actions as invitations
from consult_app.invitations import sending
from consult_app.invitations.models import Channel, EventInvitation, InvitationKind
from consult_app.outcomes import actions as outcomes
from consult_app.outcomes.models import StepKind
from consult_app.policy import Role
from consult_app.privacy import actions as privacy
from consult_app.privacy.models import RequestKind, RequestState
from consult_app.registrations import actions as registrations
from consult_app.registrations import moves, questions, speakers
from consult_app.registrations.models import Attendance, InstitutionChange, Question, QuestionKind, Registration, RegistrationState
from consult_app.registrations.settings import Settings
from consult_app.reports import actions as reports
from consult_app.reports.facts import binding, chapters_of
from consult_app.reports.models import Report, ReportState
from consult_app.room import actions as rooms
from consult_app.room.models import Room
from consult_app.signoff.models import Decision
from tests import factories
from tests.conftest import SETTINGS, Client, totp
from tests.factories import BY
from tests.postgresql import BIN, postgresql_server
from tests.signoff.steps import comment_on, freeze, name, sign

pytestmark = pytest.mark.xdist_group("postgresql-all")
CROWD = 4
Recipe = Callable[[], tuple[tuple[Any, ...], dict[str, Any]]]
ONE, SAME, ALL = "one wins", "all get what the first made", "each counts, one after the other"
RECIPES: dict[str, tuple[str, Recipe]] = {}

PART = "a part of other actions, under their lock"
KEYED = "makes something new each time it is called; its page calls it once per click (tests/test_once.py)"
WITHOUT = {
    "accounts.actions.create_user": "refused by address: test_one_account_of_an_address",
    "accounts.passkeys.register": "needs an authenticator; its challenge is used up under the same lock (tests/accounts/test_passkeys.py)",
    "attendance.actions.scan": "tests/test_postgresql.py sends a thousand pairs",
    "attendance.actions.check_in": "as `scan`",
    "attendance.devices.create_token": KEYED,
    "attendance.devices.invite": KEYED,
    "attendance.join.show_join_code": "each code is its own, and ends in ten minutes",
    "comments.actions.endorse": "switches: to be the wanted end",
    "comments.answers.carry": PART,
    "comments.changes.link": PART,
    "comments.evidence.erase": PART,
    "comments.matrix_import.judge": "changes nothing",
    "comments.matrix_import.keep": "a file for one's own preview",
    "comments.matrix_import.load": "changes nothing",
    "comments.matrix_import.apply": "saved only while the file waits, and that goes with it (tests/comments/test_matrix.py)",
    "comments.together.answer_all": "answers.decide, for several",
    "comments.together.merge": "answers.decide, for several",
    "consultations.actions.create_consultation": "refused by address: test_one_consultation_of_an_address",
    "consultations.cloning.copy_framework": PART,
    "consultations.deputies.end_all": PART,
    "consultations.framework.apply_framework": "compared with what stands, under the lock (tests/consultations/test_framework.py)",
    "documents.actions.queue_print": "prints what stands now, each time",
    "events.actions.add_session": KEYED,
    "events.actions.copy_from": PART,
    "events.actions.create_event": KEYED,
    "invitations.imports.apply_list": "its rows are taken once (registrations.drafts.take)",
    "outcomes.actions.add_follow_up": KEYED,
    "outcomes.actions.report_progress": KEYED,
    "privacy.erasure.erase_invitation": PART,
    "registrations.actions.set_consents": PART,
    "registrations.answers.set_answers": PART,
    "registrations.drafts.keep": "a file for one's own preview",
    "registrations.imports.apply_list": "its rows are taken once (registrations.drafts.take)",
    "registrations.joining.make_join_code": "as show_join_code",
    "registrations.people.find_institution": PART,
    "registrations.people.find_person": PART,
    "registrations.people.fill": PART,
    "registrations.questions.add_question": KEYED,
    "registrations.seats.put_quota": PART,
    "registrations.stakeholders.add_stakeholder_type": PART,
    "reports.actions.keep_sealed": "a job's, which locks the report while it waits (tests/reports/test_request.py)",
    "reports.actions.keep_failure": "a job's, as keep_sealed",
    "room.actions.visit": "says only that a console is open",
    "room.actions.leave": "says only that a console is open",
    "signoff.actions.settle": PART,
}  # fmt: skip


REFUSED_BY_FIELD = {"invitations.actions.invite"}  # "on the list already", beside the address


def recipe(action: str, expected: str) -> Callable[[Recipe], Recipe]:
    def keep(made: Recipe) -> Recipe:
        assert action not in RECIPES
        RECIPES[action] = (expected, made)
        return made

    return keep


def actions() -> dict[str, Callable[..., Any]]:
    """Every public function of the application that says who does it."""
    found = {}
    for module in pkgutil.walk_packages(consult_app.__path__, "consult_app."):
        for name_, function in vars(importlib.import_module(module.name)).items():
            if inspect.isfunction(function) and function.__module__ == module.name and not name_.startswith("_"):
                by = inspect.signature(function).parameters.get("by")
                if by is not None and by.kind is by.KEYWORD_ONLY:
                    found[f"{module.name}.{name_}".removeprefix("consult_app.")] = function
    return found


# -- what they act on --


def a_consultation(**more: Any) -> Consultation:
    made = factories.make_consultation(indicators=4, dimensions=2, **more)
    consultations.open_section(made.sections[0], by=BY)
    return made


def today(event: Event) -> Event:
    event.starts_on = event.ends_on = event.day_of(now())
    audit.record(BY, "event.change", event)
    return event


def a_person(event: Event | None = None, **more: Any) -> Registration:
    return factories.make_registration(event or factories.make_event(a_consultation()), **more)


def a_comment(**more: Any) -> Comment:
    person = a_person()
    return comment_on(first_section(person), person, **more)


def first_section(person: Registration) -> Section:
    query = db.select(Section).where(Section.consultation_id == person.consultation_id).order_by(Section.number)
    return db.session.scalars(query.limit(1)).one()


def a_focal_point(section: Section) -> Any:
    user = factories.make_user(Role.FOCAL_POINT, section.consultation)
    name(section, user)
    return user


def answered(**more: Any) -> Comment:
    comment = a_comment()
    answers.decide(comment, DispositionKind.NOTED, "Noted.", by=a_focal_point(comment.section), **more)
    return comment


def a_room(**more: Any) -> Room:
    event = today(factories.make_event(a_consultation()))
    session = a_session(event)
    room = rooms.open_room(session, by=BY)
    if more.get("on", True):
        rooms.start(room, by=BY)
    return room


def a_session(event: Event | None = None) -> Session:
    event = event or factories.make_event()
    return events.add_session(event, {"en": "Group"}, event.starts_on, dt.time(9), dt.time(10), by=BY)


def a_guest(event: Event, **more: Any) -> invitations.Guest:
    kind = factories.stakeholder_type(event.consultation_id)
    return invitations.Guest(InvitationKind.PERSON, "Ministry of Guests", kind, **{"name": "Guest", "email": "guest@example.org", **more})


def an_invitation(**more: Any) -> EventInvitation:
    event = factories.make_event()
    return invitations.invite(event, a_guest(event, **more), by=BY)


def details(event: Event, **more: Any) -> registrations.Details:
    values = {"name": "Colleague", "institution": "X", "stakeholder_type": factories.stakeholder_type(event.consultation_id), **more}
    return registrations.Details(**{"sex": factories.Sex.FEMALE, "email": "", **values})


def a_question(event: Event) -> Question:
    return questions.add_question(event, questions.QuestionDetails(QuestionKind.TEXT, {"en": f"Question {now()}?"}), by=BY)


def two_questions() -> tuple[Event, Question]:
    event = factories.make_event()
    first = a_question(event)
    a_question(event)
    return event, first


def a_section_frozen() -> Section:
    section = factories.make_consultation().sections[0]
    freeze(section)
    return section


# -- accounts --


def by_user(**more: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    user = factories.make_user(**more)
    return (user,), {"by": user}


def simple(action: str, expected: str, make: Callable[[], tuple[Any, ...]]) -> None:
    """An action that a command does to what was made."""
    recipe(action, expected)(lambda: (make(), {"by": BY}))


simple("accounts.actions.set_password", ALL, lambda: (factories.make_user(), "a new long password of theirs"))
simple("accounts.actions.end_sessions", ALL, lambda: (factories.make_user(),))
simple("accounts.actions.change_profile", ALL, lambda: (factories.make_user(), "New Name", "", "en"))
simple("accounts.actions.set_enabled", SAME, lambda: (factories.make_user(), False))
simple("accounts.actions.add_role", SAME, lambda: (factories.make_user(), a_consultation().id, Role.OBSERVER))
simple("accounts.actions.renew_recovery_codes", ALL, lambda: (factories.make_user(administrator=True),))


@recipe("accounts.actions.remove_role", ONE)
def _() -> Any:
    consultation = a_consultation()
    user = factories.make_user(Role.OBSERVER, consultation)
    return (user.memberships[0],), {"by": BY}


@recipe("accounts.actions.confirm_second_factor", ONE)
def _() -> Any:
    user, secret = factories.make_user(), pyotp.random_base32()
    return (user, secret, pyotp.TOTP(secret).now()), {"by": user}


@recipe("accounts.passkeys.remove", ONE)
def _() -> Any:
    user = factories.make_user(administrator=True)
    passkey = Passkey(user=user, name="Key", credential_id=f"id{user.id}", public_key="x", transports=[], sign_count=0)
    db.session.add(passkey)
    audit.record(user, "passkey.add", passkey)
    return (passkey,), {"by": user}


# -- attendance --


@recipe("attendance.actions.walk_in", SAME)
def _() -> Any:
    event = today(factories.make_event())
    return (event, details(event, name="Walker", email="")), {"by": factories.make_user(Role.CHECK_IN, event.consultation), "nonce": "n"}


@recipe("attendance.actions.replace_at_desk", SAME)
def _() -> Any:
    event = today(factories.make_event())
    return (event, a_person(event), details(event)), {"by": factories.make_user(Role.CHECK_IN, event.consultation), "nonce": "n"}


@recipe("attendance.actions.check_in_online", SAME)
def _() -> Any:
    person = a_person(today(factories.make_event(mode=EventMode.HYBRID)), attendance=Attendance.ONLINE)
    return (person,), {"by": person}


def an_arrival() -> Any:
    event = today(factories.make_event())
    attendance.check_in(event, a_person(event), by=factories.make_user(Role.CHECK_IN, event.consultation), nonce="n")
    return db.session.scalars(db.select(CheckIn).where(CheckIn.event_id == event.id)).one()


simple("attendance.actions.undo", ONE, lambda: (an_arrival(), "by mistake"))


@recipe("attendance.actions.sign_sheet", SAME)
def _() -> Any:
    arrival = an_arrival()
    return (arrival.event, arrival, [[1, 2, 3, 4]]), {"by": BY}


def a_device() -> Device:
    return devices.invite(factories.make_event(), "Desk", DeviceKind.DESK, by=BY)[0]


simple("attendance.devices.revoke", ONE, lambda: (a_device(),))


# -- comments --


@recipe("comments.actions.write_comment", SAME)
def _() -> Any:
    person = a_person()
    section = first_section(person)
    return (section.dimension.indicators[0], person, CommentKind.EVIDENCE, "Words."), {"by": person, "client_key": "k"}


@recipe("comments.actions.withdraw_comment", ONE)
def _() -> Any:
    comment = a_comment()
    return (comment,), {"by": comment.registration}


def waiting_comment() -> Comment:
    comment = a_comment()
    comment.moderation = Moderation.WAITS
    audit.record(BY, "comment.write", comment)
    return comment


simple("comments.actions.release", ONE, lambda: (waiting_comment(),))
simple("comments.actions.hold", ONE, lambda: (waiting_comment(), "Off topic."))


@recipe("comments.actions.take_position", ALL)
def _() -> Any:
    comment = a_comment()
    return (comment.indicator, comment.registration, PositionValue.AGREE, ""), {"by": comment.registration}


@recipe("comments.answers.decide", SAME)  # of one person; a colleague is refused: tests/comments/test_decide.py
def _() -> Any:
    comment = a_comment()
    return (comment, DispositionKind.NOTED, "Noted."), {"by": a_focal_point(comment.section), "seen": ""}


@recipe("comments.answers.draft", ONE)
def _() -> Any:
    comment = a_comment()
    return (comment, DispositionKind.NOTED, "Noted."), {"by": a_focal_point(comment.section), "seen": ""}


@recipe("comments.answers.take_back", ONE)
def _() -> Any:
    comment = answered()
    return (comment.disposition,), {"by": a_focal_point(comment.section)}


@recipe("comments.answers.confirm", ONE)
def _() -> Any:
    comment = a_comment()
    answers.need_second_pair(comment.section.consultation, True, by=BY)
    answers.decide(comment, DispositionKind.NOTED, "Noted.", by=a_focal_point(comment.section))
    return (comment.proposal,), {"by": a_focal_point(comment.section)}


simple("comments.answers.need_second_pair", SAME, lambda: (a_consultation(), True))


@recipe("comments.answers.assign", ALL)
def _() -> Any:
    comment = a_comment()
    return (comment, comment.registration.institution, None), {"by": a_focal_point(comment.section)}


@recipe("comments.answers.object_to", ONE)
def _() -> Any:
    comment = answered()
    return (comment, "No."), {"by": comment.registration}


@recipe("comments.answers.resolve", ONE)
def _() -> Any:
    comment = answered()
    return (answers.object_to(comment, "No.", by=comment.registration), "Talked over."), {"by": a_focal_point(comment.section)}


@recipe("comments.answers.tell_authors", SAME)
def _() -> Any:
    return (answered().section.consultation,), {"by": BY}


@recipe("comments.changes.take_back", ONE)
def _() -> Any:
    comment = a_comment()
    answers.decide(comment, DispositionKind.ACCEPTED, "", by=a_focal_point(comment.section))
    consultations.edit_section(comment.section, {"narrative": {"en": "Other."}}, comment.section.edit_number, by=BY)
    changes.link(comment.section, None, [comment.public_id], by=BY)
    return (changes.links(comment.section)[0],), {"by": BY}


@recipe("comments.evidence.attach", SAME)
def _() -> Any:
    comment = a_comment()
    return (comment, [Given(FileKind.PDF, "law.pdf", 10, f"{comment.id:064}", f"{comment.id:040}")]), {"by": comment.registration}


@recipe("comments.replies.reply_to", SAME)
def _() -> Any:
    comment = a_comment()
    return (comment, "Indeed."), {"by": comment.registration, "client_key": "k"}


@recipe("comments.replies.withdraw_reply", ONE)
def _() -> Any:
    comment = a_comment()
    return (replies.reply_to(comment, "Indeed.", by=comment.registration, client_key="k"),), {"by": comment.registration}


# -- consultations --


@recipe("consultations.actions.change_consultation", ALL)
def _() -> Any:
    made = a_consultation()
    names = ("title", "level", "territory", "languages", "attribution", "timezone")
    return (made,), {"by": BY, **{name_: getattr(made, name_) for name_ in names}}


def text_of(section: Section) -> Any:
    return (section, {"narrative": {"en": "Other words."}}, section.edit_number), {"by": BY}


def a_section() -> Section:
    return factories.make_consultation().sections[0]


def an_open_section() -> Section:
    return a_consultation().sections[0]


recipe("consultations.actions.edit_section", ONE)(lambda: text_of(a_section()))


@recipe("consultations.findings.edit_finding", ONE)
def _() -> Any:
    indicator = a_section().dimension.indicators[0]
    return (indicator, {"finding": {"en": "Other words."}}, indicator.edit_number), {"by": BY}


simple("consultations.actions.make_revision", SAME, lambda: (a_section(),))
simple("consultations.actions.open_section", ONE, lambda: (a_section(),))
simple("consultations.actions.start_review", ONE, lambda: (an_open_section(),))


@recipe("consultations.actions.freeze_section", ONE)
def _() -> Any:
    section = an_open_section()
    consultations.start_review(section, by=BY)
    return (section,), {"by": BY}


simple("consultations.actions.reopen_section", ONE, lambda: (a_section_frozen(),))
simple("consultations.actions.return_section", ONE, lambda: (a_section_frozen(),))
simple("consultations.actions.mark_signed", SAME, lambda: (a_section_frozen(), True))
simple("consultations.deadlines.set_deadline", SAME, lambda: (an_open_section(), now() + dt.timedelta(days=2)))


@recipe("consultations.deputies.delegate", ONE)
def _() -> Any:
    section = an_open_section()
    first, second, day = a_focal_point(section), factories.make_user(Role.FOCAL_POINT, section.consultation), dt.date.today()  # noqa: DTZ011
    return (section.consultation, second, day, day + dt.timedelta(days=3), "Leave"), {"by": first}


@recipe("consultations.deputies.revoke", ONE)
def _() -> Any:
    section = an_open_section()
    first, second, day = a_focal_point(section), factories.make_user(Role.FOCAL_POINT, section.consultation), dt.date.today()  # noqa: DTZ011
    return (deputies.delegate(section.consultation, second, day, day + dt.timedelta(days=3), "Leave", by=first),), {"by": first}


def an_organiser(consultation: Consultation) -> Any:
    return factories.make_user(Role.ORGANISER, consultation)


@recipe("consultations.team.invite", SAME)
def _() -> Any:
    consultation = a_consultation()
    return (consultation, "colleague@example.org", Role.OBSERVER), {"by": an_organiser(consultation)}


def a_colleague() -> Any:
    consultation = a_consultation()
    return team.invite(consultation, factories.make_user().email, Role.OBSERVER, by=an_organiser(consultation))


simple("consultations.team.withdraw_invitation", ONE, lambda: (a_colleague(),))


@recipe("consultations.team.accept", ONE)
def _() -> Any:
    invitation = a_colleague()
    user = accounts.find_user(invitation.email)
    return (invitation, user), {"by": user}


@recipe("consultations.team.remove_member", ONE)
def _() -> Any:
    consultation = a_consultation()
    an_organiser(consultation)
    return (an_organiser(consultation).memberships[0],), {"by": BY}


@recipe("consultations.team.name_focal_point", SAME)
def _() -> Any:
    section = an_open_section()
    return (section, factories.make_user(Role.FOCAL_POINT, section.consultation), "Ministry"), {"by": BY}


@recipe("consultations.team.unname_focal_point", ONE)
def _() -> Any:
    section = an_open_section()
    return (name(section, factories.make_user(Role.FOCAL_POINT, section.consultation)),), {"by": BY}


@recipe("consultations.team.set_signatories", SAME)
def _() -> Any:
    section = an_open_section()
    a_focal_point(section)
    wanted = {point.public_id: (SignatoryRole.LEAD, 1) for point in section.focal_points}
    return (section, SigningOrder.IN_ORDER, wanted), {"by": BY}


# -- documents --


simple("documents.actions.save_letterhead", ALL, lambda: (factories.make_event(), {"number_pattern": "{number}", "signatory_name": "A"}))


def signed_event() -> Any:
    arrival = an_arrival()
    documents.save_letterhead(arrival.event, {"number_pattern": "{number}", "signatory_name": "A"}, by=BY)
    return arrival.event, [arrival.registration]


simple("documents.actions.issue", SAME, signed_event)
simple("documents.actions.correct", ALL, lambda: (documents.issue(*signed_event(), by=BY)[0],))
simple("documents.actions.revoke", ONE, lambda: (documents.issue(*signed_event(), by=BY)[0], "Wrong."))


# -- events --


@recipe("events.actions.change_event", ALL)
def _() -> Any:
    return (factories.make_event(),), {"by": BY, "capacity": 12}


simple("events.actions.publish_event", ONE, lambda: (factories.make_event(state=EventState.DRAFT),))
simple("events.actions.cancel_event", ONE, lambda: (factories.make_event(),))
recipe("events.actions.change_session", ALL)(lambda: ((a_session(),), {"by": BY, "speaker": "Somebody"}))
simple("events.actions.remove_session", ONE, lambda: (a_session(),))


# -- invitations --


@recipe("invitations.actions.invite", ONE)
def _() -> Any:
    event = factories.make_event()
    return (event, a_guest(event)), {"by": BY}


@recipe("invitations.actions.change", ALL)
def _() -> Any:
    invitation = an_invitation()
    return (invitation, a_guest(invitation.event, name="Other")), {"by": BY}


simple("invitations.actions.withdraw", ONE, lambda: (an_invitation(),))
simple("invitations.sending.send", ONE, lambda: (an_invitation(), Channel.MAIL))


def sent_long_ago() -> EventInvitation:
    invitation = an_invitation()
    sending.send(invitation, Channel.MAIL, by=BY)
    invitation.sent_at = now() - dt.timedelta(days=3)
    audit.record(BY, "invitation.send", invitation)
    return invitation


simple("invitations.sending.remind", ONE, lambda: (sent_long_ago(), Channel.MAIL))
simple("invitations.sending.renew", ALL, lambda: (an_invitation(),))
simple("invitations.sending.send_all", SAME, lambda: (an_invitation().event, {}, Channel.MAIL))
simple("invitations.sending.remind_all", SAME, lambda: (sent_long_ago().event, {}))


# -- messages, outcomes, privacy --


@recipe("messages.actions.send", SAME)
def _() -> Any:
    person = a_person()
    words = {"en": "Words.", "id": "Kata."}
    return (person.event, [person], words, words), {"by": BY, "client_key": f"key-{person.public_id}"}


def closed() -> Consultation:
    consultation = factories.make_consultation()
    for section in consultation.sections:
        freeze(section)
    return consultation


def a_step() -> Any:
    consultation = closed()
    return consultation, outcomes.record_step(consultation, StepKind.COMMENTS_CLOSED, now().date(), "The ministry", "", by=BY)


simple("outcomes.actions.record_step", ONE, lambda: (closed(), StepKind.COMMENTS_CLOSED, now().date(), "The ministry", ""))
simple("outcomes.actions.undo_step", ONE, lambda: (*a_step(), "By mistake."))
simple("outcomes.actions.take_recommendations", SAME, lambda: (a_consultation(),))


@recipe("outcomes.actions.change_follow_up", ALL)
def _() -> Any:
    row = outcomes.add_follow_up(a_consultation(), {"en": "Do it."}, None, "", None, by=BY)
    return (row, {"en": "Do it now."}, None, "", None), {"by": BY}


def asked() -> Any:
    person = a_person()
    return privacy.ask(person, RequestKind.ERASE, "", by=person)


@recipe("privacy.actions.ask", ONE)
def _() -> Any:
    person = a_person()
    return (person, RequestKind.ERASE, ""), {"by": person}


simple("privacy.actions.answer", ONE, lambda: (asked(), RequestState.DONE, "Done."))
simple("privacy.erasure.erase", ONE, lambda: (a_person().person,))


# -- registrations --


@recipe("registrations.actions.register", SAME)
def _() -> Any:
    event = factories.make_event()
    return (event, details(event, email="same@example.org")), {"by": BY, "source": factories.Source.ORGANISER, "send": False}


@recipe("registrations.actions.change", ALL)
def _() -> Any:
    person = a_person()
    return (person, details(person.event, name="Other")), {"by": BY}


def in_state(state: RegistrationState) -> Registration:
    person = a_person()
    person.state = state
    audit.record(BY, "registration.change", person)
    return person


@recipe("registrations.moves.change_own", ALL)
def _() -> Any:
    person = a_person()
    factories.make_registration(person.event, institution="Ministry of Others")
    return (person, details(person.event, institution="Ministry of Others")), {"by": person}


def who_asked() -> InstitutionChange:
    person = a_person()
    factories.make_registration(person.event, institution="Ministry of Others")
    asked_for = moves.change_own(person, details(person.event, institution="Ministry of Others"), by=person)
    assert asked_for is not None
    return asked_for


simple("registrations.moves.accept", ONE, lambda: (who_asked(),))
simple("registrations.moves.refuse", ONE, lambda: (who_asked(),))
simple("registrations.actions.cancel", ONE, lambda: (a_person(),))
simple("registrations.actions.approve", ONE, lambda: (in_state(RegistrationState.PENDING),))
simple("registrations.actions.refuse", ONE, lambda: (in_state(RegistrationState.PENDING), "No room."))
simple("registrations.actions.restore", ONE, lambda: (in_state(RegistrationState.CANCELLED),))


@recipe("registrations.actions.replace", ONE)
def _() -> Any:
    person = a_person()
    return (person, details(person.event)), {"by": BY}


simple("registrations.actions.renew_secrets", ALL, lambda: (a_person(),))


@recipe("registrations.questions.change_question", ALL)
def _() -> Any:
    event, question = two_questions()
    return (question, event, questions.QuestionDetails(QuestionKind.TEXT, {"en": "Another?"})), {"by": BY}


simple("registrations.questions.retire_question", ONE, lambda: (two_questions()[1],))


@recipe("registrations.questions.ask_again", ONE)
def _() -> Any:
    question = two_questions()[1]
    questions.retire_question(question, by=BY)
    return (question,), {"by": BY}


@recipe("registrations.questions.move_question", ONE)
def _() -> Any:
    event, question = two_questions()
    return (question, event, 1), {"by": BY, "seen": question.place}


def waiting_for_a_seat() -> tuple[Event]:
    event = factories.make_event(capacity=1)
    first = a_person(event)
    a_person(event)
    first.state = RegistrationState.CANCELLED
    audit.record(BY, "registration.cancel", first)
    return (event,)


simple("registrations.seats.move_up", SAME, waiting_for_a_seat)


@recipe("registrations.seats.set_quota", SAME)
def _() -> Any:
    event = factories.make_event()
    return (event, factories.stakeholder_type(event.consultation_id), 5), {"by": BY}


simple("registrations.settings.save_settings", ALL, lambda: (factories.make_event(), Settings(capacity=5)))
simple("registrations.speakers.let_speak", SAME, lambda: (a_person(),))


@recipe("registrations.speakers.let_speak_no_more", ONE)
def _() -> Any:
    person = a_person()
    speakers.let_speak(person, by=BY)
    return (person,), {"by": BY}


def a_type() -> Any:
    consultation = a_consultation()
    return factories.stakeholder_type(consultation.id), consultation


simple("registrations.stakeholders.new_stakeholder_type", ONE, lambda: (a_consultation(), {"en": "Schools"}))
simple("registrations.stakeholders.rename_stakeholder_type", ALL, lambda: (*a_type(), {"en": "Schools"}))
simple("registrations.stakeholders.remove_stakeholder_type", ONE, lambda: a_type())


@recipe("registrations.stakeholders.move_stakeholder_type", ONE)
def _() -> Any:
    return (*a_type(), 1), {"by": BY, "seen": 0}


# -- reports --


def validated() -> Consultation:
    consultation = closed()
    user = factories.make_user(Role.FOCAL_POINT, consultation)
    for section in consultation.sections:
        name(section, user)
        sign(section, user)
    return consultation


simple("reports.actions.request_report", ONE, lambda: (validated(), "en"))


@recipe("reports.actions.withdraw_report", ONE)
def _() -> Any:
    report = Report(consultation=validated(), number=1, state=ReportState.SEALED, manifest={"sections": []})
    db.session.add(report)
    audit.record(BY, "report.seal", report)
    return (report, "Wrong numbers."), {"by": BY}


@recipe("reports.papers.keep_paper", SAME)
def _() -> Any:
    section = a_section_frozen()
    assert section.revision is not None
    return (section, "pdf", f"paper{section.id}", b"scan", "", section.revision.sha256), {"by": BY}


# -- the room --


def with_hand() -> Any:
    room = a_room()
    return rooms.raise_hand(room, by=a_person(room.event))


simple("room.actions.open_room", SAME, lambda: (a_session(),))
simple("room.actions.start", ONE, lambda: (a_room(on=False),))
simple("room.actions.pause", ONE, lambda: (a_room(),))
simple("room.actions.close", ONE, lambda: (a_room(),))


def other_indicator() -> Any:
    room = a_room()
    return room, rooms.indicators_of(room)[1]


simple("room.actions.show", SAME, other_indicator)


def first_shown() -> Any:
    room = a_room()
    assert room.indicator is not None
    return room, room.indicator.code, 1


simple("room.actions.step", SAME, first_shown)
recipe("room.actions.allow", ALL)(lambda: ((a_room(),), {"by": BY, "comments": False}))
simple("room.actions.moderate", ALL, lambda: (a_room(), True))
simple("room.actions.pin", ALL, lambda: (a_room(), None))
simple("room.actions.give_time", ALL, lambda: (a_room(), 5))
simple("room.actions.report_back", SAME, lambda: (a_room(), "Notes", 0))


@recipe("room.actions.raise_hand", SAME)
def _() -> Any:
    room = a_room()
    return (room,), {"by": a_person(room.event)}


simple("room.actions.lower_hand", SAME, lambda: (with_hand(),))


# -- sign-off --


@recipe("signoff.actions.sign_off", ONE)
def _() -> Any:
    section = a_section_frozen()
    user = a_focal_point(section)
    assert section.revision is not None
    return (section, Decision.APPROVE, section.revision.sha256, "", totp(user)), {"by": user}


@recipe("signoff.actions.withdraw", ONE)
def _() -> Any:
    section = a_section_frozen()
    user = a_focal_point(section)
    return (sign(section, user), "Second thoughts."), {"by": user}


@recipe("signoff.digest.choose", SAME)
def _() -> Any:
    consultation = a_consultation()
    user = factories.make_user(Role.OBSERVER, consultation)
    return (consultation, not user.memberships[0].wants_digest), {"by": user}


# -- all at once --


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The application on one PostgreSQL server for all of them."""
    if BIN is None:
        pytest.skip("needs the Debian package postgresql")
    with postgresql_server() as url:
        app = create_app({**SETTINGS, "VAR": tmp_path_factory.mktemp("all-at-once"), "DATABASE_URL": url})
        app.test_client_class = Client
        with app.app_context():
            upgrade()
            yield app
            db.session.remove()
            db.engine.dispose()


def _named(value: Any) -> Any:
    """The same without a session: rows by their ids."""
    if isinstance(value, db.Model):
        return ("row", type(value), value.id)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: _named(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return ("made", type(value), fields)
    if isinstance(value, list):
        return [_named(one) for one in value]
    return value


def _read(value: Any) -> Any:
    """The rows again, in this thread's session, and what a page would have read of them before."""
    if isinstance(value, tuple) and value[:1] == ("row",):
        row = db.session.get_one(value[1], value[2])
        for relation in db.inspect(value[1]).relationships:
            getattr(row, relation.key)
        return row
    if isinstance(value, tuple) and value[:1] == ("made",):
        return value[1](**{name_: _read(one) for name_, one in value[2].items()})
    if isinstance(value, list):
        return [_read(one) for one in value]
    return value


def at_once(app: Flask, act: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], crowd: int = CROWD) -> list[Any]:
    """Run it in as many threads, each with what it read before any of them acted; returns "done" or the problem of each."""
    db.session.flush()
    given, named = [_named(one) for one in args], {key: _named(one) for key, one in kwargs.items()}
    db.session.commit()
    db.session.remove()
    gate, results = threading.Barrier(crowd), []

    def run() -> None:
        with app.app_context():
            try:
                mine, mine_named = [_read(one) for one in given], {key: _read(one) for key, one in named.items()}
                gate.wait(20)
                act(*mine, **mine_named)
                db.session.commit()
                results.append("done")
            except Exception as problem:
                db.session.rollback()
                results.append(problem)

    threads = [threading.Thread(target=run) for _n in range(crowd)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def _entries() -> Counter[tuple[str, str]]:
    return Counter({(row.action, row.object_type): row.count for row in db.session.execute(
        db.select(audit.AuditEntry.action, audit.AuditEntry.object_type, db.func.count().label("count")).group_by(
            audit.AuditEntry.action, audit.AuditEntry.object_type
        )
    )})  # fmt: skip


def test_every_action_has_a_recipe_or_a_reason_to_have_none() -> None:
    assert sorted(RECIPES.keys() | WITHOUT.keys()) == sorted(actions())
    assert not RECIPES.keys() & WITHOUT.keys()


@pytest.mark.parametrize("action", sorted(RECIPES))
def test_rule_30_of_several_at_once_one_wins_and_the_others_are_told(app: Flask, action: str) -> None:
    expected, make = RECIPES[action]
    args, kwargs = make()
    db.session.commit()
    before = _entries()
    results = at_once(app, actions()[action], args, kwargs)
    done, problems = results.count("done"), [one for one in results if one != "done"]
    assert [
        problem
        for problem in problems
        if not isinstance(problem, Conflict | Missing | (Invalid if action in REFUSED_BY_FIELD else Conflict))
    ] == []
    assert done == (1 if expected == ONE else CROWD), problems
    assert all(str(problem.message) for problem in problems)
    if expected == SAME:
        assert [verb for verb, count in (_entries() - before).items() if count > 1] == []


def test_nothing_of_it_is_against_the_record(app: Flask) -> None:
    assert audit.verify()[1] == []


@pytest.mark.parametrize("_turn", range(4))
def test_rule_27_nothing_is_sealed_of_a_section_that_is_opened_again_meanwhile(app: Flask, _turn: int) -> None:
    consultation = validated()
    consultation_id, deeds = consultation.id, iter(("open again", "seal"))

    def act(consultation: Consultation) -> None:
        if next(deeds) == "seal":
            reports.request_report(consultation, "en", by=BY)
        else:
            consultations.reopen_section(consultation.sections[0], by=BY)

    results = at_once(app, act, (consultation,), {}, crowd=2)
    report = db.session.scalar(db.select(Report).where(Report.consultation_id == consultation_id))
    if report is None:  # it was opened first
        assert sorted(isinstance(one, Conflict) for one in results) == [False, True]
        return
    assert results == ["done", "done"]
    with pytest.raises(Conflict):  # asked for first, and made while it was opened
        reports.keep_sealed(report, b"%PDF", {}, {"sections": binding(chapters_of(report.consultation))}, by=BY)
    db.session.rollback()


def test_rule_4_a_colleague_sent_eight_times_at_once_takes_one_seat(app: Flask) -> None:
    event = factories.make_event(capacity=2)
    person, _other, event_id = a_person(event), a_person(event), event.id
    results = at_once(app, registrations.replace, (person, details(event)), {"by": BY}, crowd=8)
    assert results.count("done") == 1
    assert all(isinstance(problem, DomainError) for problem in results if problem != "done")
    held = db.select(db.func.count()).where(Registration.event_id == event_id, Registration.state == RegistrationState.CONFIRMED)
    assert db.session.scalar(held) == 2
