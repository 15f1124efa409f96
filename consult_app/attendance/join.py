"""The code that a staffed desk shows after a check-in, for the guest's own phone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select

from consult_app import audit, qr, web
from consult_app.attendance.models import CheckIn, Device, DeviceKind
from consult_app.attendance.queries import standing
from consult_app.db import db
from consult_app.errors import Conflict
from consult_app.events.models import Event
from consult_app.i18n import _
from consult_app.policy import Actor
from consult_app.registrations.joining import make_join_code
from consult_app.registrations.models import Registration


@dataclass(frozen=True)
class Shown:
    """A code as it is shown: its address, and the QR of it as the size and the path of an SVG."""

    address: str
    ends_at: dt.datetime
    size: int
    path: str


@audit.in_turn
def show_join_code(event: Event, guest: Registration, *, by: Actor) -> Shown:
    """Make a code for somebody who has arrived. Raises Conflict where they have not, and at a kiosk.

    Whoever holds a picture of a ticket could check in at a kiosk, and a ticket must open nothing: it takes a person who sees the guest.
    """
    if isinstance(by, Device) and by.kind is DeviceKind.KIOSK:
        raise Conflict(_("A kiosk shows no join codes. Ask at a desk with staff."))
    arrived = select(CheckIn.id).where(*standing(event), CheckIn.registration_id == guest.id).limit(1)
    if db.session.scalar(arrived) is None:
        raise Conflict(_("Check them in first. A check-in made without a network has to be sent before."))
    code, secret = make_join_code(guest, by=by)
    address = f"{web.external_url('registrations.join')}#{secret}"
    size, path = qr.svg_path(address)
    return Shown(address, code.ends_at, size, path)
