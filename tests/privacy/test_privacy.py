"""Rights of a data subject: see, take along, withdraw, ask; and what is left after an erasure: totals, and a log that verifies."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from consult_app import audit
from consult_app.consultations.models import ImportDraft, ImportKind
from consult_app.db import db, now
from consult_app.events.models import Event
from consult_app.invitations.actions import Guest, invite
from consult_app.invitations.models import InvitationKind, InvitationState
from consult_app.mail import Mail, MailState
from consult_app.policy import Role
from consult_app.privacy import retention
from consult_app.privacy.erasure import erase
from consult_app.privacy.models import DataRequest, RequestKind, RequestState
from consult_app.registrations.actions import change, set_consents
from consult_app.registrations.answers import set_answers
from consult_app.registrations.models import Consent, Purpose, QuestionAnswer, QuestionKind, Registration, Source
from consult_app.registrations.people import details_of
from consult_app.registrations.questions import QuestionDetails, add_question
from tests import factories

NAME, MAIL, PHONE = "Zulkifli Uniknama", "zulkifli.unik@example.org", "+62 812-7777-0001"


@pytest.fixture
def event(app: Flask) -> Event:
    return factories.make_event()


@pytest.fixture
def organiser(event: Event) -> Any:
    return factories.make_user(Role.ORGANISER, event.consultation)


@pytest.fixture
def person(event: Event) -> Registration:
    registration = factories.make_registration(event, name=NAME, email=MAIL, phone=PHONE, send=True)
    details = details_of(registration)
    details.diet, details.accommodations = "uniknama diet", "ramp for Zulkifli"
    change(registration, details, by=registration)
    set_consents(
        registration, {Purpose.TAKING_PART: True, Purpose.PHOTO: True, Purpose.FOLLOW_UP: False}, by=registration, channel=Source.PUBLIC
    )
    db.session.commit()
    return registration


def traces(app: Flask, *words: str) -> list[str]:
    """Every file of the site, database and its journal included, that still holds one of the words."""
    db.session.commit()
    with sqlite3.connect(app.config["DATABASE_URL"].removeprefix("sqlite:///")) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    found = []
    for file in Path(app.config["VAR"]).rglob("*"):
        if file.is_file():
            content = file.read_bytes().lower()
            found += [f"{file.name}: {word}" for word in words if word.lower().encode() in content]
    return found


def ask(client: Any, kind: str = "erase", words: str = "") -> Any:
    return client.post("/my/data", data={"kind": kind, "words": words})


def answer(client: Any, event: Event, request: DataRequest, state: str = "done", reply: str = "") -> Any:
    return client.post(f"/consultations/{event.consultation.slug}/data-requests/{request.public_id}", data={"state": state, "reply": reply})


def only_request() -> DataRequest:
    return db.session.scalars(db.select(DataRequest)).one()


def test_a_participant_sees_everything_and_takes_it_along(person: Registration, browse: Any) -> None:
    client = browse(person)
    page = client.get("/my/data").text
    for words in (NAME, MAIL, "uniknama diet", "photos and recordings", "notice of"):
        assert words in page.lower() or words in page
    file = client.get("/my/data.json")
    assert "attachment" in file.headers["Content-Disposition"]
    data = json.loads(file.data)
    (registration,) = data["registrations"]
    assert (registration["name"], registration["phone"], registration["diet"]) == (NAME, PHONE, "uniknama diet")
    assert len(registration["consents"]) == 3
    assert data["mails"][0]["to"] == MAIL
    assert person.seed not in file.text
    assert person.ticket_hash not in file.text


def test_the_file_says_what_was_done_with_the_data_and_not_who_of_the_staff_it_was(
    person: Registration, organiser: Any, browse: Any
) -> None:
    change(person, details_of(person), by=organiser)
    file = browse(person).get("/my/data.json")
    history = json.loads(file.data)["history"]
    assert [(entry["action"], entry["by"]) for entry in history][-2:] == [("registration.change", "you"), ("registration.change", "staff")]
    assert organiser.public_id not in file.text
    assert all(entry["at"] for entry in history)


def test_the_notice_says_how_long_each_is_kept_before_anybody_agrees(event: Event, browse: Any) -> None:
    page = browse().get(f"/events/{event.slug}/register").text
    for words in ("Diet and accessibility needs, after the event", "14 days", "365 days", "until you ask for them to be erased"):
        assert words in page


def test_nobody_else_sees_it(person: Registration, event: Event, organiser: Any, browse: Any) -> None:
    other = factories.make_registration(event, name="Other")
    assert NAME not in browse(other).get("/my/data").text
    assert browse(organiser).get("/my/data").status_code in (403, 404)
    assert browse().get("/my/data").status_code == 303
    assert browse().get("/my/data.json").status_code == 303


@pytest.mark.usefixtures("audit_ok")
def test_a_consent_is_withdrawn_and_its_history_stays(person: Registration, browse: Any) -> None:
    client = browse(person)
    assert client.post("/my/data/consents/photo/withdraw").status_code == 303
    assert client.post("/my/data/consents/photo/withdraw").status_code == 303  # a double click
    rows = db.session.scalars(db.select(Consent).where(Consent.purpose == Purpose.PHOTO).order_by(Consent.id)).all()
    assert [row.is_given for row in rows] == [True, False]
    assert client.post("/my/data/consents/taking_part/withdraw").status_code == 404


def test_a_request_has_72_hours_and_the_organisers_are_told(person: Registration, organiser: Any, browse: Any, sent: Any) -> None:
    client = browse(person)
    assert ask(client, "correct").status_code == 422
    assert ask(client, "correct", "My institution is <b>another</b>").status_code == 303
    request = only_request()
    assert request.due_at - request.created_at == pytest.approx(dt.timedelta(hours=72), abs=dt.timedelta(seconds=5))
    (mail,) = [message for message in sent() if message["To"] == organiser.email]
    assert "72 hours" in mail["Subject"]
    page = browse(organiser).get(f"/consultations/{person.event.consultation.slug}/data-requests/{request.public_id}").text
    assert "&lt;b&gt;another" in page


def test_the_same_erasure_is_asked_for_once(person: Registration, browse: Any) -> None:
    client = browse(person)
    assert ask(client).status_code == 303
    assert ask(client).status_code == 409
    assert len(db.session.scalars(db.select(DataRequest)).all()) == 1


def test_a_refusal_needs_its_reason_and_is_told(person: Registration, event: Event, organiser: Any, browse: Any, sent: Any) -> None:
    ask(browse(person))
    client = browse(organiser)
    assert answer(client, event, only_request(), "refused").status_code == 422
    assert answer(client, event, only_request(), "refused", "The report is signed.").status_code == 303
    assert answer(client, event, only_request(), "done").status_code == 409
    texts = [m.get_body(("plain",)).get_content() for m in sent() if m["To"] == MAIL and "about your data" in m["Subject"]]
    assert len(texts) == 1
    assert "The report is signed." in texts[0]
    db.session.expire_all()
    assert person.name == NAME


@pytest.mark.usefixtures("audit_ok")
def test_an_erased_person_leaves_no_trace_and_the_totals_stand(
    app: Flask, person: Registration, event: Event, organiser: Any, browse: Any, sent: Any
) -> None:
    factories.make_registration(event, name="Somebody Else")
    sent()
    mine = browse(person)
    ask(mine, "correct", "I am Zulkifli Uniknama, please")
    ask(mine)
    erasing = db.session.scalars(db.select(DataRequest).where(DataRequest.kind == RequestKind.ERASE)).one()
    assert answer(browse(organiser), event, erasing).status_code == 303
    letters = [message for message in sent() if message["To"] == MAIL and "about your data" in message["Subject"]]
    assert len(letters) == 1  # they are told, and then the address is forgotten too
    for file in (Path(app.config["VAR"]) / "mail").glob("*.eml"):
        if MAIL.encode() in file.read_bytes():
            file.unlink()  # the mail that left: elsewhere by now
    with sqlite3.connect(app.config["DATABASE_URL"].removeprefix("sqlite:///")) as raw:
        raw.execute("VACUUM")
    assert traces(app, "uniknama", "zulkifli", MAIL, PHONE) == []
    db.session.expire_all()
    assert person.full_name == "(name erased)"
    assert person.person.erased_at is not None
    assert db.session.scalar(db.select(db.func.count()).select_from(Registration)) == 2
    assert mine.get("/my/registration").status_code == 303  # the link and its session ended
    page = browse(organiser).get(f"/events/{event.slug}/registrations")
    assert page.status_code == 200
    assert "uniknama" not in page.text.lower()
    assert erasing.state is RequestState.DONE


def test_a_state_that_vanished_without_an_erasure_is_found(person: Registration) -> None:
    entry = db.session.scalars(db.select(audit.AuditEntry).where(audit.AuditEntry.object_id == person.public_id)).first()
    assert entry is not None
    entry.salt = entry.state = None
    db.session.commit()
    _count, faults = audit.verify()
    assert [fault.number for fault in faults] == [entry.number]
    assert "no erasure says why" in faults[0].what


def test_erasing_hides_no_later_change(person: Registration, event: Event, organiser: Any, browse: Any) -> None:
    ask(browse(person))
    answer(browse(organiser), event, only_request())
    db.session.execute(db.update(Registration).where(Registration.id == person.id).values(sex="other"))
    db.session.commit()
    _count, faults = audit.verify()
    assert any("sex" in fault.what for fault in faults)


@pytest.mark.usefixtures("audit_ok")
def test_each_kind_of_data_goes_after_its_own_time(person: Registration, event: Event) -> None:
    db.session.add(ImportDraft(consultation_id=event.consultation_id, kind=ImportKind.REGISTRATIONS, filename="a.csv", rows={}))
    db.session.commit()
    retention.run()
    assert (person.diet, person.email) == ("uniknama diet", MAIL)

    def set_back(days: int) -> None:
        event.ends_on = (now() - dt.timedelta(days=days)).date()
        event.starts_on = event.ends_on
        audit.record(factories.BY, "event.change", event)
        for row in (*db.session.scalars(db.select(Mail)), *db.session.scalars(db.select(ImportDraft))):
            row.created_at = now() - dt.timedelta(days=days)
        db.session.commit()
        retention.run()

    set_back(15)
    assert (person.diet, person.accommodations, person.email) == ("", "", MAIL)
    assert db.session.scalars(db.select(ImportDraft)).all() == []
    set_back(366)
    assert (person.email, person.phone, person.person.email) == ("", "", None)
    assert person.name == NAME  # the record of who came stays, as the signed attendance sheet does


@pytest.mark.parametrize(("state", "stays"), [("queued", True), ("sending", True), ("sent", False), ("failed", False)])
def test_a_mail_that_waits_keeps_its_address_however_old_it_is(person: Registration, state: str, stays: bool) -> None:
    mail = db.session.scalars(db.select(Mail).where(Mail.to == MAIL)).first()
    assert mail is not None
    mail.state, mail.created_at = MailState(state), now() - dt.timedelta(days=400)
    db.session.commit()
    retention.run()
    db.session.refresh(mail)
    assert bool(mail.to) is stays


@pytest.mark.parametrize("state", list(InvitationState))
def test_an_invitation_of_an_erased_person_is_emptied_and_open_ones_withdrawn(
    person: Registration, event: Event, organiser: Any, browse: Any, state: InvitationState
) -> None:
    kind = factories.stakeholder_type(event.consultation_id)
    guest = Guest(kind=InvitationKind.PERSON, stakeholder_type=kind, institution="Office", name=NAME, email=MAIL, phone=PHONE)
    other = Guest(kind=InvitationKind.PERSON, stakeholder_type=kind, institution="Office", name="Somebody Else", email="else@example.org")
    invitation, stays = invite(event, guest, by=factories.BY), invite(event, other, by=factories.BY)
    invitation.state = state
    audit.record(factories.BY, "invitation.test", invitation)
    db.session.commit()
    erase(person.person, by=factories.BY)
    db.session.commit()
    is_open = state in (InvitationState.DRAFT, InvitationState.SENT)
    assert (invitation.name, invitation.email, invitation.phone) == ("", "", "")
    assert invitation.state is (InvitationState.WITHDRAWN if is_open else state)
    assert (stays.name, stays.state) == ("Somebody Else", InvitationState.DRAFT)
    assert audit.verify()[1] == []


@pytest.mark.usefixtures("audit_ok")
def test_answers_to_questions_go_with_the_person_and_nobody_elses(person: Registration, event: Event) -> None:
    other = factories.make_registration(event, name="Somebody Else")
    question = add_question(event, QuestionDetails(QuestionKind.TEXT, {"en": "Where will you stay?"}), by=factories.BY)
    for one, words in ((person, "With Zulkifli"), (other, "At an inn")):
        set_answers(one, {question: [words]}, by=factories.BY)
    db.session.commit()
    erase(person.person, by=factories.BY)
    db.session.commit()
    assert [row.value for row in db.session.scalars(db.select(QuestionAnswer))] == ["At an inn"]


def test_who_agreed_to_follow_up_can_be_written_to(person: Registration, event: Event) -> None:
    set_consents(person, {Purpose.FOLLOW_UP: True}, by=person, channel=Source.PUBLIC)
    event.starts_on = event.ends_on = (now() - dt.timedelta(days=400)).date()
    audit.record(factories.BY, "event.change", event)
    db.session.commit()
    retention.run()
    assert person.email == MAIL


@pytest.mark.parametrize("role", [Role.CHECK_IN, Role.OBSERVER, Role.FOCAL_POINT])
def test_only_organisers_answer(role: Role, person: Registration, event: Event, browse: Any) -> None:
    ask(browse(person))
    client = browse(factories.make_user(role, event.consultation))
    assert client.get(f"/consultations/{event.consultation.slug}/data-requests").status_code == 403
    assert answer(client, event, only_request()).status_code == 403
    stranger = browse(factories.make_user(Role.ORGANISER, factories.make_consultation()))
    assert answer(stranger, event, only_request()).status_code == 404


@pytest.mark.parametrize(("said", "stays"), [((True,), True), ((True, False), False), ((False, True), True), ((True, False, True), True)])
def test_contact_data_is_kept_while_the_last_word_says_so(event: Event, said: tuple[bool, ...], stays: bool) -> None:
    person = factories.make_registration(event, email="asked@example.org", phone="+62 812-7777-0002")
    for is_given in said:
        set_consents(person, {Purpose.FOLLOW_UP: is_given}, by=person, channel=Source.PUBLIC)
    event.starts_on = event.ends_on = now().date() - dt.timedelta(days=400)
    audit.record(factories.BY, "event.change", event)
    db.session.commit()
    retention.run()
    db.session.refresh(person)
    assert bool(person.email) is bool(person.phone) is stays
    assert audit.verify()[1] == []
