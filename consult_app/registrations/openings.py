"""On how many phones a personal link was opened: from the third on, its owner is asked whether that was them.

A link is a key that can be passed on. Whoever opens it on their own phone, at a desk's tablet and at a colleague's
laptop is asked once for each further one, and can make a new link with one click; the old one then stops working
everywhere.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from consult_app import audit
from consult_app.db import db, now
from consult_app.registrations.models import LinkOpening, Registration
from consult_app.registrations.telling import tell
from consult_app.registrations.tickets import token_hash

QUESTIONED = 3  # from so many phones on


def opened_on(registration: Registration, phone: str) -> bool:
    """Remember the phone (a secret of its own) that opened the link; True where it is one too many, and the owner is asked."""
    phone_hash = token_hash(f"{registration.public_id}:{phone}")  # nobody can tell from the rows who shares a phone
    mine = select(func.count()).select_from(LinkOpening).where(LinkOpening.registration_id == registration.id)
    if db.session.scalar(mine.where(LinkOpening.phone_hash == phone_hash)):
        return False
    try:
        with db.session.begin_nested():
            db.session.add(LinkOpening(registration_id=registration.id, phone_hash=phone_hash, opened_at=now()))
    except IntegrityError:  # another window of the same phone at the same moment
        return False
    if (db.session.scalar(mine) or 0) < QUESTIONED:
        return False
    audit.record(registration, "registration.another_phone", registration)
    tell(registration, "another_phone", key=phone_hash)
    return True


def opened_so_far(registration: Registration) -> tuple[int, dt.datetime | None]:
    """On how many phones the link that holds now was opened, and when on the newest of them."""
    of_link = select(func.count(), func.max(LinkOpening.opened_at)).where(LinkOpening.registration_id == registration.id)
    count, newest = db.session.execute(of_link).one()
    return count, newest
