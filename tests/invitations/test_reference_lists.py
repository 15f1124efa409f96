"""The two reference workshops from the list to the last paper: 58 and 92 people, one register, numbers that agree."""

from __future__ import annotations

import datetime as dt
import io
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from flask import Flask
from PIL import Image

from consult_app.attendance import queries as attendance
from consult_app.consultations.actions import create_consultation
from consult_app.consultations.models import Attribution, Consultation, Level
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.invitations.links import invitation_link
from consult_app.invitations.models import EventInvitation, InvitationKind, InvitationState
from consult_app.policy import Role
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import ticket_code
from tests import factories

DATA = Path(__file__).parent.parent / "data"
LISTS = [("invitations_national.xlsx", Level.NATIONAL, 58), ("invitations_central_java.csv", Level.SUBNATIONAL, 92)]


def text_of(pdf: bytes) -> str:
    return subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()


def codes_of(pdf: bytes, folder: Path) -> list[str]:
    """Every QR of every page, as a camera would read it from paper."""
    subprocess.run(["pdftoppm", "-r", "150", "-gray", "-png", "-", str(folder / "page")], input=pdf, check=True)
    found = []
    for page in sorted(folder.glob("page*.png")):
        with Image.open(page) as picture:
            found += [code.text for code in zxingcpp.read_barcodes(picture)]
    return found


def import_list(client: Any, event: Event, name: str) -> None:
    data = {"file": (io.BytesIO((DATA / name).read_bytes()), name)}
    answer = client.post(f"/events/{event.slug}/invitations/import", data=data, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.text
    assert db.session.scalars(db.select(EventInvitation)).all() == []  # nothing is saved before somebody has looked
    done = client.post(answer.headers["Location"])
    assert done.status_code == 303, client.get(answer.headers["Location"]).text


def accept(client: Any, link: str, invitation: EventInvitation) -> None:
    """What an invited person does on their phone."""
    assert client.post("/invitation", data={"token": link}).status_code == 303
    page = client.get("/my/invitation")
    assert invitation.name in page.text or invitation.name.replace("'", "&#39;") in page.text
    sex = invitation.sex.value if invitation.sex.value != "undisclosed" else "female"
    data = {
        "name": invitation.name, "title_before": invitation.title_before, "title_after": invitation.title_after,
        "position": invitation.position, "sex": sex, "phone": invitation.phone, "email": invitation.email,
        "attendance": "in_person", "taking_part": "y",
    }  # fmt: skip
    answer = client.post("/my/invitation/accept", data=data)
    assert answer.status_code == 303, answer.text


@pytest.mark.usefixtures("audit_ok")
@pytest.mark.parametrize(("name", "level", "people"), LISTS)
def test_rule_9_and_23_from_the_list_to_the_papers(
    name: str, level: Level, people: int, app: Flask, browse: Any, sent: Any, tmp_path: Path
) -> None:
    consultation: Consultation = create_consultation(
        "reference", {"en": "Reference", "id": "Rujukan"}, by=factories.BY, level=level, languages=["id", "en"],
        territory="ID" if level is Level.NATIONAL else "ID-JT", attribution=Attribution.BY_INSTITUTION,
    )  # fmt: skip
    event = factories.make_event(consultation)
    organiser = browse(factories.make_user(Role.ORGANISER, consultation))
    import_list(organiser, event, name)
    invited = db.session.scalars(db.select(EventInvitation).order_by(EventInvitation.id)).all()
    assert len([one for one in invited if one.kind is InvitationKind.PERSON]) == people
    with_address = [one for one in invited if one.email]
    assert organiser.post(f"/events/{event.slug}/invitations/send", data={"channel": "mail"}).status_code == 303
    links = {}
    for mail in sent():
        text = mail.get_body(("plain",)).get_content()
        links[mail["To"]] = re.search(r"http\S+/invitation#\S+", text)[0]
    assert set(links) == {one.email for one in with_address}
    phone = browse()
    for one in [one for one in invited if one.kind is InvitationKind.PERSON]:
        with app.test_request_context():
            link = links.get(one.email) or invitation_link(one)  # those without a mail got it by WhatsApp or letter
        accept(phone, link, one)
    db.session.expire_all()
    assert {one.state for one in invited if one.kind is InvitationKind.PERSON} == {InvitationState.ACCEPTED}
    registered = db.session.scalars(db.select(Registration).where(Registration.event_id == event.id)).all()
    assert len(registered) == people

    badges = organiser.post(f"/events/{event.slug}/documents/badges", data={"paper": "a4", "per_sheet": "8", "language": "id"})
    assert badges.mimetype == "application/pdf", badges.text[:300]
    codes = codes_of(badges.data, tmp_path)
    assert sorted(codes) == sorted(ticket_code(one.seed) for one in registered)

    event.starts_on = event.ends_on = dt.datetime.now(dt.UTC).astimezone(event.zone).date()
    factories.audit.record(factories.BY, "event.change", event)
    desk = browse(factories.make_user(Role.CHECK_IN, consultation))
    for number, code in enumerate(codes):
        scan = desk.post(f"/events/{event.slug}/desk", data={"code": code, "nonce": f"n{number}"})
        assert scan.status_code == 200, scan.text
    assert attendance.count_arrived(event) == people
    sheet = text_of(organiser.get(f"/events/{event.slug}/attendance-sheet.pdf").data)
    assert sum(one.name.split()[0][:12].lower() in sheet.lower() for one in registered) >= people - 3  # Arabic is shaped on paper
    table = organiser.get(f"/events/{event.slug}/attendance").text
    assert str(people) in table
    participation = text_of(organiser.get(f"/events/{event.slug}/participation.pdf").data)
    assert re.search(rf"\b{people}\b", participation)
