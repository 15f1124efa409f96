"""An event of today, and programs at its desks that show their tokens."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from consult_app.attendance.devices import create_token
from consult_app.attendance.models import CheckIn, Device
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import ticket_code
from tests import factories


def iso(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


@dataclass
class Desk:
    """A device with its token, as another program uses the API."""

    app: Flask
    slug: str
    token: str
    language: str = "en"

    @property
    def device(self) -> Device:
        return db.session.scalars(db.select(Device).where(Device.event.has(slug=self.slug)).order_by(Device.id)).all()[self.number]

    number: int = 0

    def ask(self, method: str, path: str = "", **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Accept-Language": self.language, **more.pop("headers", {})}
        return self.app.test_client().open(f"/api/v1/events/{self.slug}{path}", method=method, headers=headers, **more)

    def post(self, path: str, body: Any) -> Any:
        return self.ask("POST", path, json=body)

    def scan(self, who: Registration | str, nonce: str = "", **more: Any) -> dict[str, Any]:
        answer = self.post("/checkins", item(who, nonce, **more))
        assert answer.status_code == 200, answer.text
        return dict(answer.json)

    def batch(self, items: list[dict[str, Any]], device_now: dt.datetime | None = None, **more: Any) -> list[dict[str, Any]]:
        body = {"device_now": iso(device_now or factories.now()), "app_version": "test", "items": items, **more}
        answer = self.post("/checkins/batch", body)
        assert answer.status_code == 200, answer.text
        return list(answer.json["results"])

    def guests(self, since: str = "") -> Any:
        answer = self.ask("GET", f"/guests?since={since}")
        assert answer.status_code == 200, answer.text
        return answer.json


def item(who: Registration | str, nonce: str = "", at: dt.datetime | None = None, **more: Any) -> dict[str, Any]:
    code = who if isinstance(who, str) else ticket_code(who.seed)
    return {"code": code, "nonce": nonce or uuid.uuid4().hex, **({"scanned_at": iso(at)} if at else {}), **more}


@pytest.fixture
def event(app: Flask) -> Event:
    """Yesterday, today and tomorrow in its own zone: whatever the hour, an hour ago was on one of its days."""
    day = dt.datetime.now(dt.timezone(dt.timedelta(hours=7))).date()
    one = dt.timedelta(days=1)
    made = factories.make_event(starts_on=day - one, ends_on=day + one, starts_at=dt.time(0), ends_at=dt.time(23, 59))
    db.session.commit()
    return made


@pytest.fixture
def noon(event: Event) -> dt.datetime:
    """Noon of the event's first day: times around it are long past, and all on one day."""
    return dt.datetime.combine(event.starts_on, dt.time(12), dt.timezone(dt.timedelta(hours=7)))


@pytest.fixture
def make_desk(app: Flask) -> Any:
    """`make_desk(event, name="Desk 1")`"""

    def make(event: Event, name: str = "Desk 1") -> Desk:
        number = db.session.scalar(db.select(db.func.count()).select_from(Device).where(Device.event_id == event.id)) or 0
        _device, token = create_token(event, name, by=factories.BY)
        db.session.commit()
        return Desk(app, event.slug, token, number=number)

    return make


@pytest.fixture
def desk(make_desk: Any, event: Event) -> Desk:
    return make_desk(event)  # type: ignore[no-any-return]


@pytest.fixture
def rows(app: Flask) -> Any:
    """`rows()`: all check-ins, in the order in which they reached us."""

    def read() -> list[CheckIn]:
        db.session.expire_all()
        return list(db.session.scalars(db.select(CheckIn).order_by(CheckIn.id)))

    return read
