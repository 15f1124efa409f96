"""Sending by every way, reminding, and the page where an institution names its people."""

from __future__ import annotations

import datetime as dt
import io
import re
import subprocess
from typing import Any

import pytest
import zxingcpp
from flask import Flask
from PIL import Image

from consult_app.db import db, now
from consult_app.events.models import Event
from consult_app.invitations.links import invitation_link
from consult_app.invitations.models import EventInvitation, InvitationState
from consult_app.policy import Role
from consult_app.registrations.models import Registration, RegistrationState
from tests import factories

pytestmark = pytest.mark.usefixtures("audit_ok")


@pytest.fixture
def event(app: Flask) -> Event:
    return factories.make_event()


@pytest.fixture
def organiser(event: Event, browse: Any) -> Any:
    return browse(factories.make_user(Role.ORGANISER, event.consultation))


def invite(organiser: Any, event: Event, **more: str) -> EventInvitation:
    data = {
        "kind": "person",
        "institution": "Dinas Tenaga Kerja",
        "stakeholder_type": "government",
        "sex": "undisclosed",
        "language": "en",
        **more,
    }
    answer = organiser.post(f"/events/{event.slug}/invitations/add", data=data)
    assert answer.status_code == 303, answer.text
    return db.session.scalars(db.select(EventInvitation).order_by(EventInvitation.id.desc())).first()  # type: ignore[return-value]


def page_of(invitation: EventInvitation, app: Flask, browse: Any) -> Any:
    with app.test_request_context():
        link = invitation_link(invitation)
    client = browse()
    assert client.get("/invitation").status_code == 200
    assert client.post("/invitation", data={"token": link}).status_code == 303
    return client


def test_by_whatsapp_and_by_letter(app: Flask, event: Event, organiser: Any, last_entry: Any) -> None:
    by_phone = invite(organiser, event, name="Siti", phone="0812 3456 7890")
    assert by_phone.phone == "+6281234567890"
    here = f"/events/{event.slug}/invitations/{by_phone.public_id}"
    assert "https://wa.me/6281234567890?text=" in organiser.get(here).text
    assert by_phone.state is InvitationState.DRAFT
    assert organiser.post(f"{here}/send", data={"channel": "whatsapp"}).status_code == 303
    assert by_phone.state is InvitationState.SENT
    by_letter = invite(organiser, event, name="Budi")
    letter = organiser.get(f"/events/{event.slug}/invitations/{by_letter.public_id}/letter.pdf")
    picture = subprocess.run(["pdftoppm", "-r", "110", "-gray", "-png", "-"], input=letter.data, capture_output=True, check=True).stdout
    with Image.open(io.BytesIO(picture)) as page:
        (code,) = zxingcpp.read_barcodes(page)
    with app.test_request_context():
        assert code.text == invitation_link(by_letter)
    assert by_letter.state is InvitationState.DRAFT  # a GET sends nothing
    assert last_entry("invitation.send").object_id == by_phone.public_id


def test_a_reminder_goes_to_those_who_have_not_answered_and_once_a_day(event: Event, organiser: Any, sent: Any) -> None:
    one = invite(organiser, event, name="Siti", email="siti@example.org")
    assert organiser.post(f"/events/{event.slug}/invitations/send", data={"channel": "mail"}).status_code == 303
    remind = f"/events/{event.slug}/invitations/remind"
    organiser.post(remind)
    assert len(sent()) == 1  # they were written to today
    one.sent_at = now() - dt.timedelta(days=2)
    factories.audit.record(factories.BY, "invitation.change", one)
    db.session.commit()
    for _click in range(2):
        organiser.post(remind)
    assert [mail["To"] for mail in sent()] == ["siti@example.org"] * 2
    assert one.reminders == 1


def test_an_institution_names_replaces_and_withdraws_its_people_by_one_link(app: Flask, event: Event, organiser: Any, browse: Any) -> None:
    ours = invite(organiser, event, kind="institution", name="", email="contact@example.org", seats="2")
    organiser.post(f"/events/{event.slug}/invitations/send", data={"channel": "mail"})
    client = page_of(ours, app, browse)

    def add(name: str, email: str) -> Any:
        data = {"name": name, "sex": "female", "email": email, "informed": "y", "client_key": name}
        return client.post("/my/invitation/delegates/add", data=data)

    assert add("Wayan", "wayan@example.org").status_code == 303
    assert add("Made", "made@example.org").status_code == 303
    assert add("Nyoman", "nyoman@example.org").status_code in (409, 422)  # two seats
    wayan, made = db.session.scalars(db.select(Registration).order_by(Registration.id)).all()
    assert {wayan.invitation_id, made.invitation_id} == {ours.id}
    colleague = {"name": "Ketut", "sex": "male", "email": "ketut@example.org", "informed": "y"}
    replaced = client.post(f"/my/invitation/delegates/{wayan.public_id}/replace", data=colleague)
    assert replaced.status_code == 303, replaced.text
    assert wayan.state is RegistrationState.REPLACED
    assert client.post(f"/my/invitation/delegates/{made.public_id}/withdraw").status_code == 303
    assert made.state is RegistrationState.CANCELLED
    client.get("/my/invitation")  # shows what was just done, with the name in it, once
    assert "Ketut" in client.get("/my/invitation").text
    ketut = db.session.scalars(db.select(Registration).where(Registration.name == "Ketut")).one()
    assert ketut.invitation_id == ours.id

    theirs = invite(organiser, event, kind="institution", institution="Another office", name="", email="other@example.org")
    stranger = page_of(theirs, app, browse)
    assert stranger.post(f"/my/invitation/delegates/{wayan.public_id}/withdraw").status_code == 404
    assert "Ketut" not in stranger.get("/my/invitation").text


def test_a_withdrawn_invitation_opens_nothing_and_a_wrong_link_says_so(app: Flask, event: Event, organiser: Any, browse: Any) -> None:
    one = invite(organiser, event, name="Siti", email="siti@example.org")
    assert organiser.post(f"/events/{event.slug}/invitations/{one.public_id}/withdraw").status_code == 303
    assert one.state is InvitationState.WITHDRAWN
    assert browse().post("/invitation", data={"token": "nonsense"}).status_code == 422
    assert re.search("withdrawn", page_of(one, app, browse).get("/my/invitation").text)


@pytest.mark.parametrize("path", ["", "/add", "/send", "/import", "/institutions"])
def test_who_may_see_the_list(path: str, event: Event, browse: Any) -> None:
    url = f"/events/{event.slug}/invitations{path}"
    assert browse(factories.make_user(Role.OBSERVER, event.consultation)).get(url).status_code == 403
    assert browse().get(url).status_code in (303, 403)


def test_a_list_of_invitations_is_not_saved_as_registrations(event: Event, organiser: Any) -> None:
    data = {"file": (io.BytesIO(b"Name,Institution,Type\nSiti,Dinas,government\n"), "list.csv")}
    draft = organiser.post(f"/events/{event.slug}/invitations/import", data=data, content_type="multipart/form-data").headers["Location"]
    crossed = draft.replace("/invitations/", "/registrations/")
    assert organiser.get(crossed).status_code == 404
    assert organiser.post(crossed).status_code == 404
    assert [organiser.post(draft).status_code for _click in range(2)] == [303, 404]
    assert len(db.session.scalars(db.select(EventInvitation)).all()) == 1
