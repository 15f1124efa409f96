"""The join code: shown at a staffed desk after a check-in, opens the guest's own phone once; and what opens nothing."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from consult_app import audit
from consult_app.attendance.devices import invite, pair
from consult_app.attendance.models import CheckIn, DeviceKind
from consult_app.db import db, now
from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.registrations.actions import cancel, renew_secrets
from consult_app.registrations.models import JoinCode, Registration, RegistrationState
from consult_app.registrations.tickets import link_secret, ticket_code
from tests import factories
from tests.attendance.conftest import Desk


@pytest.fixture
def person(event: Event) -> Registration:
    made = factories.make_registration(event, name="Retno Guest")
    db.session.commit()
    return made


def show(desk: Desk, person: Registration) -> Any:
    return desk.post(f"/guests/{person.public_id}/join", {})


def secret_of(desk: Desk, person: Registration) -> str:
    desk.scan(person)
    answer = show(desk, person)
    assert answer.status_code == 200, answer.text
    return str(answer.json["address"].split("#")[1])


def read_qr(size: int, path: str) -> str:
    image = Image.new("L", (size * 8, size * 8), 255)
    draw = ImageDraw.Draw(image)
    for x, y, run in ((int(a) * 8, int(b) * 8, int(c) * 8) for a, b, c in re.findall(r"M(\d+) (\d+)h(\d+)v1", path)):
        draw.rectangle((x, y, x + run - 1, y + 7), fill=0)
    (found,) = zxingcpp.read_barcodes(image)
    return str(found.text)


def test_the_guests_phone_joins_once(desk: Desk, person: Registration, browse: Any, last_entry: Any, audit_ok: None) -> None:
    desk.scan(person)
    shown = show(desk, person).json
    assert read_qr(shown["size"], shown["path"]) == shown["address"]
    assert shown["address"].startswith("http://127.0.0.1:8000/join#J1")
    assert last_entry("join_code.show").actor == desk.device.actor_key
    secret = shown["address"].split("#")[1]
    assert secret not in str(db.session.scalars(db.select(JoinCode)).one().__dict__)  # its SHA-256 alone is kept
    phone = browse()
    for _bot in range(3):
        assert phone.get("/join").status_code == 200
        assert phone.head("/join").status_code == 200
    answer = phone.post("/join", data={"token": secret})
    assert (answer.status_code, answer.location) == (303, "/my/registration")
    assert "Retno Guest" in phone.get("/my/registration").text
    assert last_entry("join_code.use").actor == person.actor_key
    again = browse().post("/join", data={"token": secret})
    assert again.status_code == 422
    assert "works once" in again.text
    assert "/open/again" in again.text
    assert phone.get("/my/registration").status_code == 200


def test_it_is_too_old_after_ten_minutes_and_ends_with_the_registration(desk: Desk, event: Event, browse: Any) -> None:
    first, second = factories.make_registration(event), factories.make_registration(event)
    old, ended = secret_of(desk, first), secret_of(desk, second)
    code = db.session.scalars(db.select(JoinCode).where(JoinCode.registration_id == first.id)).one()
    assert dt.timedelta(minutes=9) < code.ends_at - now() <= dt.timedelta(minutes=10)
    code.ends_at = now() - dt.timedelta(seconds=1)
    audit.record(factories.BY, "join_code.show", code)
    cancel(second, by=factories.BY)
    db.session.commit()
    assert "too old" in browse().post("/join", data={"token": old}).text
    assert browse().post("/join", data={"token": ended}).status_code == 422


def test_the_session_ends_when_the_link_is_renewed(desk: Desk, person: Registration, browse: Any) -> None:
    phone = browse()
    phone.post("/join", data={"token": secret_of(desk, person)})
    renew_secrets(person, by=factories.BY)
    assert phone.get("/my/registration").status_code == 303


def test_only_after_a_check_in_and_with_a_place(desk: Desk, event: Event, person: Registration) -> None:
    assert show(desk, person).status_code == 409  # nobody has seen them
    desk.scan(person)
    assert show(desk, person).status_code == 200
    person.state = RegistrationState.WAITING
    audit.record(factories.BY, "registration.change", person)
    db.session.commit()
    assert show(desk, person).status_code == 409


def test_a_kiosk_shows_none_since_a_picture_of_a_ticket_must_open_nothing(app: Any, event: Event, person: Registration) -> None:
    _device, pairing = invite(event, "Kiosk", DeviceKind.KIOSK, by=factories.BY)
    _paired, token = pair(pairing, "k" * 20)
    db.session.commit()
    kiosk = Desk(app, event.slug, token)
    kiosk.scan(person)
    answer = show(kiosk, person)
    assert answer.status_code == 409
    assert "kiosk" in answer.json["message"]


def test_who_may_show_one(desk: Desk, event: Event, person: Registration, browse: Any, make_desk: Any, last_entry: Any) -> None:
    desk.scan(person)
    other = make_desk(factories.make_event(event.consultation), "Other")
    strange = Desk(desk.app, event.slug, other.token)
    assert show(strange, person).status_code in (403, 404)
    assert show(Desk(desk.app, event.slug, ""), person).status_code == 401
    deed = f"/events/{event.slug}/desk/join/{person.public_id}"
    assert browse().post(deed).status_code in (303, 403)
    assert browse(person).post(deed).status_code == 403
    for role, status in ((Role.CHECK_IN, 200), (Role.ORGANISER, 200), (Role.OBSERVER, 403), (Role.RAPPORTEUR, 403)):
        user = factories.make_user(role, event.consultation)
        assert browse(user).post(deed).status_code == status
    assert browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).post(deed).status_code in (403, 404)
    staff = browse(factories.make_user(Role.CHECK_IN, event.consultation))
    page = staff.post(f"/events/{event.slug}/desk", data={"code": ticket_code(person.seed), "nonce": "n9"}).text
    assert deed in page  # on the answer, also when they were in already
    assert "Their own phone joins by this code" in staff.post(deed).text
    fresh = factories.make_registration(event)
    assert staff.post(f"/events/{event.slug}/desk/join/{fresh.public_id}").status_code == 409
    assert staff.post(f"/events/{event.slug}/desk/join/none").status_code == 404


@pytest.mark.parametrize("token", ["", " ", "x", "J1", "#", "\x00", "=1+1", "J1" + "a" * 600, "\ud800"], ids=repr)
def test_what_is_no_code_is_422(app: Any, browse: Any, token: str) -> None:
    assert browse().post("/join", data={"token": token.encode("utf-8", "surrogatepass")}).status_code == 422


def test_a_ticket_opens_nothing_and_a_link_checks_nobody_in(desk: Desk, person: Registration, browse: Any) -> None:
    join = secret_of(desk, factories.make_registration(person.event))
    ticket, link = ticket_code(person.seed), link_secret(person.seed)
    for address in ("/open", "/join"):
        for token in (ticket, ticket.lower(), f"http://127.0.0.1:8000{address}#{ticket}"):
            phone = browse()
            assert phone.post(address, data={"token": token}).status_code == 422
            assert phone.get("/my/registration").status_code == 303
    assert browse().post("/join", data={"token": link}).status_code == 422  # nor is one secret the other
    assert browse().post("/open", data={"token": join}).status_code == 422
    before = db.session.scalar(db.select(db.func.count()).select_from(CheckIn))
    for code in (link, join, f"http://127.0.0.1:8000/open#{link}", person.public_id):
        assert desk.scan(code)["result"] == "unknown"
    staff = browse(factories.make_user(Role.CHECK_IN, person.event.consultation))
    assert "Unknown code" in staff.post(f"/events/{person.event.slug}/desk", data={"code": link, "nonce": "n1"}).text
    assert db.session.scalar(db.select(db.func.count()).select_from(CheckIn)) == before
