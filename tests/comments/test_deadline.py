"""The deadline for written comments: set, shown, kept to by participants and not by staff, reminded of once."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from consult_app import audit
from consult_app.comments import deadlines
from consult_app.comments.models import Comment, Position
from consult_app.consultations import actions as consultations
from consult_app.consultations.deadlines import set_deadline
from consult_app.consultations.models import Consultation, Section
from consult_app.db import db, now
from consult_app.policy import Role
from consult_app.registrations.actions import cancel, set_consents
from consult_app.registrations.models import Purpose, Registration, Source
from tests import factories
from tests.signoff.steps import comment_on, freeze

DAY = dt.timedelta(days=1)
FORM = {"client_key": "k1", "kind": "context", "text": "In time?"}


def pass_by(section: Section) -> None:
    """The deadline was an hour ago."""
    section.comments_until = now() - dt.timedelta(hours=1)
    audit.record(factories.BY, "section.set_deadline", section)
    db.session.commit()


def url(section: Section, deed: str = "/comments") -> str:
    return f"/consultations/{section.consultation.slug}/indicators/1.1{deed}"


def deed(section: Section) -> str:
    return f"/consultations/{section.consultation.slug}/sections/{section.number}/deadline"


def test_whoever_advances_the_section_sets_it_in_the_consultations_time(
    section: Section, consultation: Consultation, author: Any, browse: Any, last_entry: Any, audit_ok: None
) -> None:
    staff = browse(factories.make_user(Role.RAPPORTEUR, consultation))
    assert staff.post(deed(section), data={"comments_until": "2099-12-21T23:59"}).status_code == 303
    assert section.comments_until == dt.datetime(2099, 12, 21, 16, 59, tzinfo=dt.UTC)
    assert last_entry("section.set_deadline").object_id == section.public_id
    words = "Open for written comments until Monday, 21 December 2099, 23:59 WIB"
    base = f"/consultations/{consultation.slug}"
    for page in (f"{base}/sections", f"{base}/sections/1"):
        assert words in staff.get(page).text
    mine = browse(author)
    for page in (url(section, ""), f"{base}/take-part", f"{base}/sections/1", "/my/registration"):
        assert words in mine.get(page).text, page
    assert "Senin, 21 Desember 2099, 23.59 WIB" in mine.get(f"{base}/take-part?lang=id").text
    assert staff.post(deed(section), data={"comments_until": ""}).status_code == 303
    assert section.comments_until is None


def test_the_same_for_every_section_that_is_open(consultation: Consultation, section: Section, browse: Any) -> None:
    client = browse(factories.make_user(Role.ORGANISER, consultation))
    other = consultation.sections[1]
    form = {"comments_until": "2099-12-21T23:59", "everywhere": "y"}
    client.post(deed(section), data=form)
    assert other.comments_until is None  # a draft
    consultations.open_section(other, by=factories.BY)
    db.session.commit()
    client.post(deed(section), data=form)
    assert other.comments_until == section.comments_until is not None


@pytest.mark.parametrize("wrong", ["2001-01-01T00:00", "soon", "2099-13-01T00:00", "<b>"])
def test_a_wrong_moment_is_422(section: Section, consultation: Consultation, browse: Any, wrong: str) -> None:
    client = browse(factories.make_user(Role.ORGANISER, consultation))
    assert client.post(deed(section), data={"comments_until": wrong}).status_code == 422
    assert section.comments_until is None


def test_who_may_set_it_and_when(section: Section, consultation: Consultation, author: Any, browse: Any) -> None:
    form = {"comments_until": "2099-12-21T23:59"}
    assert browse().post(deed(section), data=form).status_code == 303
    for who, status in (
        (author, 403),
        (factories.make_user(Role.FACILITATOR, consultation), 403),
        (factories.make_user(Role.ORGANISER, factories.make_consultation()), 404),
    ):
        assert browse(who).post(deed(section), data=form).status_code == status
    freeze(section)
    assert browse(factories.make_user(Role.ORGANISER, consultation)).post(deed(section), data=form).status_code == 409
    assert section.comments_until is None


def test_after_it_participants_are_told_so_and_staff_still_record(
    section: Section, consultation: Consultation, author: Any, browse: Any, audit_ok: None
) -> None:
    comment = comment_on(section, author)
    pass_by(section)
    client, other = browse(author), browse(factories.make_registration(author.event))
    base = f"/consultations/{consultation.slug}/comments/{comment.public_id}"
    for answer in (
        client.post(url(section), data=FORM),
        client.post(url(section, "/position"), data={"value": "agree"}),
        other.post(f"{base}/endorse"),
        other.post(f"{base}/reply", data={"client_key": "r", "text": "Late"}),
    ):
        assert answer.status_code == 409
        assert "The time for written comments on this section ended" in answer.text
    page = client.get(url(section, "")).text
    assert "The time for written comments on this section ended" in page
    assert 'name="text"' not in page
    rapporteur = browse(factories.make_user(Role.RAPPORTEUR, consultation))
    assert 'name="speaker"' in rapporteur.get(url(section, "")).text
    assert rapporteur.post(url(section, "/record"), data={**FORM, "speaker": author.public_id}).status_code == 303
    assert rapporteur.post(f"{base}/reply", data={"client_key": "r", "text": "Thank you"}).status_code == 303
    assert len(db.session.scalars(db.select(Comment)).all()) == 2
    assert db.session.scalars(db.select(Position)).all() == []


@pytest.fixture
def reached(author: Registration, event: Any) -> Registration:
    """Of four people, the one who agreed to be written to and still has a place."""
    people = {name: factories.make_registration(event, name=name) for name in ("Never", "Withdrew", "Cancelled")}
    for who, answers in ((author, [True]), (people["Withdrew"], [True, False]), (people["Cancelled"], [True])):
        for answer in answers:
            set_consents(who, {Purpose.FOLLOW_UP: answer}, by=who, channel=Source.PUBLIC)
            db.session.expire(who, ["consents"])
    cancel(people["Cancelled"], by=factories.BY)
    db.session.commit()
    return author


def reminders(sent: Any) -> list[Any]:
    return [message for message in sent() if "Comments end soon" in message["Subject"]]


def test_a_reminder_goes_once_two_days_before_to_who_agreed(
    section: Section, consultation: Consultation, reached: Registration, sent: Any, browse: Any, last_entry: Any, audit_ok: None
) -> None:
    set_deadline(section, now() + 3 * DAY, by=factories.BY)
    deadlines.remind()
    assert reminders(sent) == []
    set_deadline(section, now() + DAY, by=factories.BY)
    for _hour in range(3):
        deadlines.remind()
    (message,) = reminders(sent)
    assert message["To"] == reached.email
    text = message.get_body(("plain",)).get_content()
    assert "Dimension 1" in text
    assert "WIB" in text
    link = re.search(r"/open\?then=\S*#(\S+)", text)
    assert link is not None
    assert browse().post("/open", data={"token": link[1]}).status_code == 303
    assert last_entry("comment.remind").note == "1 people"
    set_deadline(section, now() + DAY + dt.timedelta(hours=5), by=factories.BY)  # put off: another deadline
    deadlines.remind()
    assert len(reminders(sent)) == 2


def test_no_reminder_of_what_was_closed_meanwhile(section: Section, reached: Registration, sent: Any) -> None:
    set_deadline(section, now() + DAY, by=factories.BY)
    deadlines.remind()
    consultations.start_review(section, by=factories.BY)
    assert reminders(sent) == []
    deadlines.remind()
    assert reminders(sent) == []
