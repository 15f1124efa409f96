"""Requests of data subjects: asked from the personal page, answered by an organiser within 72 hours."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select

from consult_app import audit, mail
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid
from consult_app.i18n import _
from consult_app.policy import Actor
from consult_app.privacy.erasure import erase
from consult_app.privacy.models import DataRequest, RequestKind, RequestState
from consult_app.privacy.queries import organisers, own_requests
from consult_app.registrations.models import Registration

CLOCK = dt.timedelta(hours=72)  # UU 27/2022 gives 3 x 24 hours
MOST_OPEN = 5


@audit.in_turn
def ask(registration: Registration, kind: RequestKind, words: str, *, by: Actor) -> DataRequest:
    """Make a request; organisers are told. Raises Conflict where the same is open already or too many are."""
    still_open = [request for request in own_requests(registration.person) if request.state is RequestState.OPEN]
    if len(still_open) >= MOST_OPEN or any(request.kind is kind is RequestKind.ERASE for request in still_open):
        raise Conflict(_("You have asked for this already. The organisers answer within 72 hours."))
    if kind is not RequestKind.ERASE and not words:
        raise Invalid(_("Say in a few words what should be done."), field="words")
    request = DataRequest(
        consultation_id=registration.consultation_id, person=registration.person, kind=kind, words=words, due_at=now() + CLOCK
    )
    db.session.add(request)
    audit.record(by, "data_request.ask", request)
    for user in organisers(registration.consultation_id):
        key = f"data_request:{request.public_id}:{user.public_id}"
        mail.queue("privacy.asked", user.email, user.language, key, request.consultation_id, request_id=request.id)
    return request


@audit.in_turn
def answer(request: DataRequest, state: RequestState, reply: str, *, by: Actor) -> None:
    """Close a request as done or refused; the person is told. An erasure that is done erases. Raises Conflict, Invalid."""
    if request.state is not RequestState.OPEN:
        raise Conflict(_("This request was answered already."))
    if state is RequestState.REFUSED and not reply:
        raise Invalid(_("Give the reason: the person will read it."), field="reply")
    request.state, request.reply, request.answered_at = state, reply, now()
    audit.record(by, "data_request.answer", request)
    erases = request.kind is RequestKind.ERASE and state is RequestState.DONE
    address, language = request.person.email, _language(request)
    if erases:
        erase(request.person, by=by)
    if address:
        # queued after the erasure, which empties what waits; a mail about an erasure forgets its own address once it has left
        key = f"data_request:{request.public_id}:answer"
        mail.queue("privacy.answered", address, language, key, request.consultation_id, request_id=request.id, forget=erases)


def _language(request: DataRequest) -> str:
    query = select(Registration.language).where(Registration.person_id == request.person_id).order_by(Registration.id.desc())
    return db.session.scalar(query.limit(1)) or "en"
