"""Devices: the organiser pairs one by a code that works once, sees it, and revokes it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from consult_app.attendance.models import Device
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.policy import Role
from tests import factories

KEY = "the-key-of-the-first-phone"


@pytest.fixture
def event(app: Any) -> Event:
    return factories.make_event()


@pytest.fixture
def organiser(event: Event, browse: Any) -> Any:
    return browse(factories.make_user(Role.ORGANISER, event.consultation))


def invite(organiser: Any, event: Event, **data: str) -> str:
    """Show a code; returns its secret."""
    page = organiser.post(f"/events/{event.slug}/devices", data={"name": "Entrance <b>", "kind": "desk", **data})
    assert page.status_code == 200
    found = re.search(r"/desk#([\w-]+)", page.text)
    assert found is not None
    return found[1]


def pair(client: Any, secret: str, key: str = KEY) -> Any:
    return client.post("/api/v1/devices/pair", json={"secret": secret, "client_key": key, "app_version": "1"})


def test_a_code_works_once_for_one_phone(event: Event, organiser: Any, client: Any, last_entry: Any, audit_ok: None) -> None:
    secret = invite(organiser, event)
    paired = pair(client, secret)
    assert paired.json["event"]["slug"] == event.slug
    assert paired.json["device"]["name"] == "Entrance <b>"
    assert pair(client, secret).json["token"] == paired.json["token"]  # the answer was lost on its way
    other = pair(client, secret, "the-key-of-another-phone")
    assert other.status_code == 409
    assert "another device" in other.json["message"]
    assert last_entry("device.pair").actor.startswith("device:")
    page = organiser.get(f"/events/{event.slug}/devices").text
    assert "Entrance &lt;b&gt;" in page
    assert "Paired" in page


def test_a_code_is_good_for_ten_minutes(event: Event, organiser: Any, client: Any) -> None:
    secret = invite(organiser, event)
    device = db.session.scalars(db.select(Device)).one()
    assert device.pairing_ends_at is not None
    device.pairing_ends_at -= 2 * (device.pairing_ends_at - device.created_at)
    assert "too old" in pair(client, secret).json["message"]
    assert "Code too old" in organiser.get(f"/events/{event.slug}/devices/{device.public_id}").text


def test_a_revoked_device_is_told_and_its_scans_are_kept_and_do_not_count(
    event: Event, organiser: Any, client: Any, audit_ok: None
) -> None:
    token = {"Authorization": f"Bearer {pair(client, invite(organiser, event)).json['token']}"}
    person = factories.make_registration(event)
    device = db.session.scalars(db.select(Device)).one()
    url = f"/events/{event.slug}/devices/{device.public_id}/revoke"
    assert organiser.post(url).status_code == 303
    assert organiser.post(url).status_code == 409
    refused = client.get(f"/api/v1/events/{event.slug}/guests", headers=token)
    assert (refused.status_code, refused.json["code"]) == (401, "revoked")
    item = {"guest": person.public_id, "nonce": "n1", "scanned_at": "2023-12-07T02:00:00Z"}
    batch = {"device_now": "2023-12-07T02:00:00Z", "items": [item]}
    answer = client.post(f"/api/v1/events/{event.slug}/checkins/batch", json=batch, headers=token).json
    assert answer["revoked"] is True
    assert [result["result"] for result in answer["results"]] == ["revoked"]
    assert "Revoked, and wiped" in organiser.get(f"/events/{event.slug}/devices").text


def test_a_device_needs_a_name(event: Event, organiser: Any) -> None:
    page = organiser.post(f"/events/{event.slug}/devices", data={"name": " ", "kind": "kiosk"})
    assert page.status_code == 422
    assert db.session.scalar(db.select(db.func.count()).select_from(Device)) == 0


def test_devices_are_for_the_organiser(event: Event, browse: Any) -> None:
    url = f"/events/{event.slug}/devices"
    assert browse(factories.make_user(Role.CHECK_IN, event.consultation)).get(url).status_code == 403
    event.state = "draft"
    assert browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).get(url).status_code == 404
    assert browse().get(url).status_code == 303


def test_the_desk_is_one_page_for_everybody_and_holds_no_data(client: Any) -> None:
    page = client.get("/desk")
    assert "wasm-unsafe-eval" in page.headers["Content-Security-Policy"]
    assert "wasm-unsafe-eval" not in client.get("/sign-in").headers["Content-Security-Policy"]
    worker = client.get("/desk/worker.js")
    assert worker.headers["Service-Worker-Allowed"] == "/desk"
    assert client.get("/desk/manifest.webmanifest").json["start_url"] == "/desk"
