"""The answering page of a person: accept, decline, pass on, and change one's mind."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from consult_app import audit
from consult_app.db import db, now
from consult_app.events.models import EventMode, EventState
from consult_app.i18n import Texts
from consult_app.invitations.links import PURPOSE
from consult_app.invitations.models import EventInvitation, InvitationState
from consult_app.registrations.models import Attendance, Question, QuestionKind, Registration, RegistrationState, Source
from consult_app.registrations.tickets import grouped, secret, ticket_code
from tests import factories
from tests.invitations.conftest import ACCEPTING, make_invitation, open_invitation


def registrations(event: Any) -> list[Registration]:
    return list(db.session.scalars(db.select(Registration).where(Registration.event_id == event.id).order_by(Registration.id)))


@pytest.fixture
def invitation(event: Any) -> EventInvitation:
    return make_invitation(event, title_before="Dr.")


@pytest.fixture
def reader(invitation: EventInvitation, browse: Any) -> Any:
    return open_invitation(browse(), invitation)


def test_looking_changes_nothing(invitation: EventInvitation, browse: Any, client: Any) -> None:
    for method in (client.get, client.head):
        assert method("/invitation").status_code == 200
        assert method(f"/invitation?token={secret(PURPOSE, invitation.seed)}").status_code == 200
    assert client.get("/my/invitation").location == "/invitation"
    assert invitation.opened_at is None
    reader = open_invitation(browse(), invitation)
    assert invitation.opened_at is not None
    for path in ("", "/decline", "/delegate"):
        assert reader.get(f"/my/invitation{path}").status_code == 200
    assert reader.get("/my/invitation/accept").status_code == 405
    assert (invitation.state, registrations(invitation.event)) == (InvitationState.DRAFT, [])
    assert "no-store" in reader.get("/my/invitation").headers["Cache-Control"]


def test_only_its_own_secret_opens_it(event: Any, invitation: EventInvitation, client: Any) -> None:
    registration = factories.make_registration(event)
    wrong = ("guess", invitation.link_hash, invitation.public_id, invitation.seed, secret("link", invitation.seed))
    for token in (*wrong, secret("link", registration.seed), ticket_code(invitation.seed), ""):
        assert client.post("/invitation", data={"token": token}).status_code == 422
    assert client.post("/open", data={"token": secret(PURPOSE, invitation.seed)}).status_code == 422
    for path in ("accept", "decline", "delegate", "delegates/add"):
        assert client.post(f"/my/invitation/{path}", data=ACCEPTING).location == "/invitation"
    assert registrations(event) == [registration]


def test_it_opens_nothing_else(reader: Any, event: Any) -> None:
    factories.make_registration(event)
    assert "/sign-in" in reader.get("/my/registration").location
    for path in ("registrations", "invitations", "registrations.csv"):
        assert "/sign-in" in reader.get(f"/events/{event.slug}/{path}").location
    assert reader.get("/my/invitation/delegates/add").status_code == 404  # that of an institution


def test_an_organiser_who_tries_a_link_stays_signed_in(organiser: Any, invitation: EventInvitation) -> None:
    open_invitation(organiser, invitation)
    assert organiser.get("/my/invitation").status_code == 200
    assert organiser.get(f"/events/{invitation.event.slug}/invitations").status_code == 200


@pytest.mark.usefixtures("audit_ok")
def test_accept(reader: Any, invitation: EventInvitation, event: Any, sent: Any, last_entry: Any) -> None:
    page = reader.get("/my/invitation").text
    assert 'value="Suharti"' in page
    assert 'name="taking_part"' in page
    assert "checked" not in page[page.index('name="taking_part"') - 200 :]  # consents are unticked
    assert reader.post("/my/invitation/accept", data=ACCEPTING).status_code == 303
    (registration,) = registrations(event)
    assert (registration.source, registration.invitation_id) == (Source.INVITATION, invitation.id)
    assert (registration.email, registration.institution) == (invitation.email, invitation.institution)
    assert invitation.state is InvitationState.ACCEPTED
    entry = last_entry("invitation.accept")
    assert entry.actor == f"invitation:{invitation.public_id}"
    page = reader.get("/my/invitation").text
    assert grouped(ticket_code(registration.seed)) in page
    (mail,) = sent()
    assert mail["To"] == invitation.email
    assert {consent.purpose.value: consent.is_given for consent in registration.consents} == {
        "taking_part": True, "photo": False, "follow_up": False,
    }  # fmt: skip
    assert reader.post("/my/invitation/accept", data=ACCEPTING).status_code == 303  # sent twice, counts once
    assert registrations(event) == [registration]
    assert len(sent()) == 1


@pytest.mark.parametrize("left_out", ["name", "sex", "taking_part"])
def test_what_is_missing_is_said_and_what_was_typed_stays(left_out: str, reader: Any, event: Any) -> None:
    answer = reader.post("/my/invitation/accept", data={**ACCEPTING, left_out: "", "position": "Kept as typed"} if left_out != "taking_part"
                         else {k: v for k, v in ACCEPTING.items() if k != left_out} | {"position": "Kept as typed"})  # fmt: skip
    assert answer.status_code == 422
    assert "Kept as typed" in answer.text
    assert registrations(event) == []


def test_attendance_is_asked_where_there_is_a_choice(browse: Any) -> None:
    event = factories.make_event(mode=EventMode.HYBRID)
    reader = open_invitation(browse(), make_invitation(event))
    assert reader.post("/my/invitation/accept", data=ACCEPTING).status_code == 422
    assert reader.post("/my/invitation/accept", data={**ACCEPTING, "attendance": "online"}).status_code == 303
    assert registrations(event)[0].attendance is Attendance.ONLINE


def ask(
    event: Any, kind: QuestionKind, label: str, codes: list[str] | None = None, options: list[dict[str, Any]] | None = None
) -> Question:
    words: Texts = {"en": label}
    question = Question(
        consultation_id=event.consultation_id, event_id=event.id, place=0, kind=kind, label=words, is_required=True,
        stakeholder_type_codes=codes or [], options=options or [],
    )  # fmt: skip
    db.session.add(question)
    audit.record(factories.BY, "question.add", question)
    return question


@pytest.mark.usefixtures("audit_ok")
def test_the_organisers_questions_are_asked_here_too(reader: Any, event: Any, browse: Any) -> None:
    group = ask(event, QuestionKind.CHOICE, "Which group?", options=[{"key": "a", "name": {"en": "First"}, "seats": 1}])
    ask(event, QuestionKind.TEXT, "Only asked of NGOs", codes=["ngo"])
    page = reader.get("/my/invitation").text
    assert "Which group?" in page
    assert "Only asked of NGOs" not in page
    assert reader.post("/my/invitation/accept", data=ACCEPTING).status_code == 422
    data = {**ACCEPTING, f"q_{group.public_id}": "a"}
    assert reader.post("/my/invitation/accept", data=data).status_code == 303
    assert [answer.value for answer in registrations(event)[0].answers] == ["a"]
    late = open_invitation(browse(), make_invitation(event, name="Wagiyem", email="w@example.org"))
    assert late.post("/my/invitation/accept", data=data).status_code == 422  # its one seat is taken
    assert len(registrations(event)) == 1


def test_when_all_seats_are_taken_one_waits(browse: Any, sent: Any) -> None:
    event = factories.make_event(capacity=1)
    factories.make_registration(event)
    reader = open_invitation(browse(), make_invitation(event))
    assert reader.post("/my/invitation/accept", data=ACCEPTING).status_code == 303
    assert registrations(event)[1].state is RegistrationState.WAITING
    page = reader.get("/my/invitation").text
    assert "Waiting list" in page
    assert "ticket__qr" not in page
    assert len(sent()) == 1


@pytest.mark.usefixtures("audit_ok")
def test_rule_5_who_is_registered_already_keeps_that_place(reader: Any, invitation: EventInvitation, event: Any) -> None:
    held = factories.make_registration(event, email=invitation.email)
    assert reader.post("/my/invitation/accept", data=ACCEPTING).status_code == 303
    assert registrations(event) == [held]
    assert held.invitation_id == invitation.id
    assert grouped(ticket_code(held.seed)) in reader.get("/my/invitation").text


@pytest.mark.usefixtures("audit_ok")
def test_rule_5_an_address_typed_here_tells_nothing_of_whose_it_is(event: Any, browse: Any, sent: Any) -> None:
    held = factories.make_registration(event, email="other@example.org", name="Somebody Else")
    pages = []
    for typed in ("other@example.org", "nobody@example.org"):
        invitation = make_invitation(event, name=f"Person {len(pages)}", email="", phone="+6281210002000")
        reader = open_invitation(browse(), invitation)
        assert reader.post("/my/invitation/accept", data={**ACCEPTING, "email": typed}).status_code == 303
        assert invitation.state is InvitationState.ACCEPTED
        page = reader.get("/my/invitation").text
        pages.append(page[page.index('<main id="main"') : page.index("</main>")].split("csrf_token")[0])
    assert pages[0] == pages[1]
    assert grouped(ticket_code(held.seed)) not in pages[0]
    assert "Somebody Else" not in pages[0]
    assert held.invitation_id is None
    assert {mail["To"] for mail in sent()} == {"other@example.org", "nobody@example.org"}


def test_without_an_address_the_ticket_is_shown(event: Any, browse: Any) -> None:
    reader = open_invitation(browse(), make_invitation(event, email="", phone="+6281210002000"))
    assert reader.post("/my/invitation/accept", data=ACCEPTING).status_code == 303
    page = reader.get("/my/invitation").text
    (registration,) = registrations(event)
    assert grouped(ticket_code(registration.seed)) in page
    assert secret("link", registration.seed) in page  # the only way to their personal link


@pytest.mark.usefixtures("audit_ok")
def test_decline_and_change_ones_mind(reader: Any, invitation: EventInvitation, event: Any, last_entry: Any, organiser: Any) -> None:
    assert reader.post("/my/invitation/decline", data={"reason": "<b>Another</b> meeting"}).status_code == 303
    assert (invitation.state, invitation.state_note) == (InvitationState.DECLINED, "<b>Another</b> meeting")
    assert last_entry("invitation.decline") is not None
    page = organiser.get(f"/events/{event.slug}/invitations/{invitation.public_id}").text
    assert "&lt;b&gt;Another&lt;/b&gt; meeting" in page
    assert reader.post("/my/invitation/accept", data=ACCEPTING).status_code == 303
    assert invitation.state is InvitationState.ACCEPTED
    assert "Your registration is cancelled with it" in reader.get("/my/invitation/decline").text
    assert reader.post("/my/invitation/decline", data={}).status_code == 303
    assert [one.state for one in registrations(event)] == [RegistrationState.CANCELLED]
    assert reader.post("/my/invitation/accept", data=ACCEPTING).status_code == 303
    assert [one.state for one in registrations(event)] == [RegistrationState.CANCELLED, RegistrationState.CONFIRMED]
    assert reader.post("/my/invitation/decline", data={"reason": "x" * 301}).status_code == 422


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"registration_closes_at": now() - dt.timedelta(hours=1)}, "is closed"),
        ({"state": EventState.CANCELLED}, "was cancelled"),
    ],
)
def test_where_registration_is_closed(columns: dict[str, Any], words: str, reader: Any, event: Any) -> None:
    for name, value in columns.items():
        setattr(event, name, value)
    db.session.commit()
    assert reader.get("/my/invitation").status_code == 200
    answer = reader.post("/my/invitation/accept", data=ACCEPTING)
    assert answer.status_code == 409
    assert words in answer.text
    assert reader.post("/my/invitation/delegate", data={"name": "Poniman", "email": "p@example.org"}).status_code == 409
    assert registrations(event) == []


def test_the_invited_need_not_wait_until_registration_opens_to_the_public(browse: Any) -> None:
    event = factories.make_event(registration_opens_at=now() + dt.timedelta(hours=1))
    reader = open_invitation(browse(), make_invitation(event))
    assert reader.post("/my/invitation/accept", data=ACCEPTING).status_code == 303


@pytest.mark.usefixtures("audit_ok")
def test_send_a_colleague(reader: Any, invitation: EventInvitation, event: Any, sent: Any, browse: Any, last_entry: Any) -> None:
    assert reader.post("/my/invitation/delegate", data={"name": "Poniman"}).status_code == 422  # how to reach them?
    own = {"name": "Poniman", "email": invitation.email}
    assert reader.post("/my/invitation/delegate", data=own).status_code == 422
    data = {"name": "Poniman", "email": "poniman@example.org", "phone": "0812 1000 2001"}
    assert reader.post("/my/invitation/delegate", data=data).status_code == 303
    colleague = db.session.scalars(db.select(EventInvitation).where(EventInvitation.delegated_from_id == invitation.id)).one()
    assert (invitation.state, colleague.state) == (InvitationState.DELEGATED, InvitationState.SENT)
    assert (colleague.institution_id, colleague.phone) == (invitation.institution_id, "+6281210002001")
    assert last_entry("invitation.delegate").object_id == invitation.public_id
    (mail,) = sent()
    assert mail["To"] == "poniman@example.org"
    assert "Dr. Suharti cannot come" in mail.get_body(("plain",)).get_content()
    assert "passed this invitation on" in reader.get("/my/invitation").text
    assert reader.post("/my/invitation/accept", data=ACCEPTING).status_code == 409
    assert reader.post("/my/invitation/delegate", data=data).status_code == 409
    other = open_invitation(browse(), colleague)
    assert other.post("/my/invitation/accept", data={**ACCEPTING, "name": "Poniman"}).status_code == 303
    assert [one.name for one in registrations(event)] == ["Poniman"]


@pytest.mark.usefixtures("audit_ok")
def test_a_colleague_without_a_mail_is_left_to_the_organiser(reader: Any, event: Any, organiser: Any, sent: Any) -> None:
    assert reader.post("/my/invitation/delegate", data={"name": "Poniman", "phone": "081210002001"}).status_code == 303
    assert sent() == []
    assert "wa.me/6281210002001" in organiser.get(f"/events/{event.slug}/invitations/send").text
    assert "by WhatsApp" in reader.get("/my/invitation").text


@pytest.mark.usefixtures("audit_ok")
def test_a_colleague_who_is_invited_already_gets_no_second_one(reader: Any, event: Any, sent: Any) -> None:
    colleague = make_invitation(event, name="Poniman", email="poniman@example.org", institution="Elsewhere")
    assert reader.post("/my/invitation/delegate", data={"name": "Poniman", "email": colleague.email}).status_code == 303
    assert db.session.scalar(db.select(db.func.count()).select_from(EventInvitation)) == 2
    assert len(sent()) == 1
