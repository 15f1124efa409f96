"""Two ways back in for whoever has no link at hand: a code that the desk shows after a check-in, and the links sent again.

Neither takes anything but what it is for: a ticket's code opens nothing here, and the secret of a join code checks nobody in.
"""

from __future__ import annotations

import datetime as dt
import secrets

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from consult_app import audit, jobs
from consult_app.addresses import address_key
from consult_app.db import db, now
from consult_app.errors import Conflict
from consult_app.i18n import _
from consult_app.policy import Actor
from consult_app.registrations.actions import send_again
from consult_app.registrations.models import LIVE, JoinCode, LinkRequest, Person, Registration
from consult_app.registrations.tickets import token_hash

JOIN_TIME = dt.timedelta(minutes=10)
MOST_LINKS = 10  # to one address at once: the newest registrations


@audit.in_turn
def make_join_code(registration: Registration, *, by: Actor) -> tuple[JoinCode, str]:
    """A secret that opens the participant's session once, within ten minutes; it is told only now. Raises Conflict without a place."""
    if not registration.is_confirmed:
        raise Conflict(_("Only somebody with a place at the event can join."))
    secret = "J1" + secrets.token_urlsafe(32)
    code = JoinCode(
        consultation_id=registration.consultation_id, registration=registration, secret_hash=token_hash(secret), ends_at=now() + JOIN_TIME
    )
    db.session.add(code)
    audit.record(by, "join_code.show", code)
    return code, secret


def join(secret: str) -> Registration:
    """Who a join code lets in; it is used up. Raises Conflict where it is unknown, used, too old, or its registration ended."""
    query = select(JoinCode).where(JoinCode.secret_hash == token_hash(secret))
    code = db.session.scalar(query.options(joinedload(JoinCode.registration).joinedload(Registration.event)))
    if code is not None:
        audit.take_turn(code.consultation_id, code)
    if code is None or not code.registration.is_confirmed:
        raise Conflict(_("This code is not valid. Ask at the desk for a new one."))
    if code.used_at is not None:
        raise Conflict(_("This code was used already: it works once. Ask at the desk for a new one."))
    if now() > code.ends_at:
        raise Conflict(_("This code is too old: it works for ten minutes. Ask at the desk for a new one."))
    code.used_at = now()
    audit.record(code.registration, "join_code.use", code)
    return code.registration


# -- the links again --


def ask_for_links(email: str) -> None:
    """Note that somebody wants the links of an address. It is the same work whether or not the address is known."""
    request = LinkRequest(email=address_key(email))
    db.session.add(request)
    db.session.flush()  # the job needs its id
    jobs.after_commit("registrations.send_links", request.id)


@jobs.job("registrations.send_links")
def send_links(request_id: int) -> None:
    """Send the personal links of an address's live registrations, each in a mail of its own, and forget who asked."""
    request = db.session.get(LinkRequest, request_id)
    if request is None:
        return
    theirs = select(Registration).join(Person, Person.id == Registration.person_id)
    theirs = theirs.where(Person.email == request.email, Registration.state.in_(LIVE), Registration.email != "")
    for registration in db.session.scalars(theirs.order_by(Registration.id.desc()).limit(MOST_LINKS)):
        send_again(registration)
    db.session.delete(request)
    db.session.commit()


@jobs.sweep
def send_links_again() -> None:
    """Requests whose job was lost in a crash."""
    late = now() - dt.timedelta(minutes=2)
    for request_id in db.session.scalars(select(LinkRequest.id).where(LinkRequest.asked_at < late)):
        jobs.after_commit("registrations.send_links", request_id)
    db.session.commit()
