"""/api/v1: the check-in desk, for the page that staff open on their phones and for any other program.

A device shows its token at each request. Each answer of a scan is final for its nonce, and stands in the database before
it is given.
"""

from __future__ import annotations

import dataclasses
from typing import Any, cast

from apiflask import APIBlueprint, APIFlask
from flask import Response, abort, current_app, g, jsonify, make_response, render_template
from sqlalchemy import select

from consult_app import qr
from consult_app.attendance import actions, devices, guests, queries, shapes
from consult_app.attendance.actions import Scan, ScanAnswer, Shown
from consult_app.attendance.join import show_join_code
from consult_app.attendance.models import CheckIn, Device, ScanResult
from consult_app.attendance.together import together
from consult_app.attendance.why import why
from consult_app.db import alone, copy_of, db, now
from consult_app.errors import Invalid, Missing
from consult_app.events.models import Event, Session
from consult_app.events.queries import load_event
from consult_app.i18n import _, local
from consult_app.policy import public, require
from consult_app.registrations import queries as registrations
from consult_app.registrations.actions import Details, details_of
from consult_app.registrations.tickets import ticket_code

bp = APIBlueprint("api", __name__, url_prefix="/api/v1", tag="Check-in")
CODES = {ScanResult.PENDING: ScanResult.WAITING_LIST, ScanResult.REFUSED: ScanResult.CANCELLED}


def _event(slug: str, action: str, *, also_revoked: bool = False) -> Event:
    """The event, for a device of it that may do the action. A revoked one is told so."""
    device = g.actor
    if not isinstance(device, Device):
        abort(401)  # a public event is no reason to hear more than that
    is_scan = also_revoked and device.event.slug == slug
    event = device.event if is_scan else load_event(slug)  # a scan only reads it
    require(action, event)
    if device.is_revoked and not also_revoked:
        g.device_revoked = True
        abort(401)
    return event


def _device(device: Device) -> dict[str, Any]:
    return {"id": device.public_id, "name": device.name, "kind": device.kind.value, "asks_signature": device.asks_signature}


def _facts(event: Event, device: Device) -> dict[str, Any]:
    day = {"id": "", "name": str(_("Entry"))}
    sessions = [
        {"id": s.public_id, "name": local(s.title), "day": s.day.isoformat(), "starts_at": f"{s.starts_at:%H:%M}"} for s in event.sessions
    ]
    kinds = registrations.stakeholder_types(event.consultation_id)
    return {
        "slug": event.slug,
        "title": local(event.title),
        "timezone": event.timezone,
        "days": event.days,
        "today": event.day_of(now()),
        "server_now": now(),
        "languages": event.consultation.languages,
        "lists": [day, *sessions],
        "stakeholder_types": [{"code": kind.code, "name": local(kind.name)} for kind in kinds],
        "institutions": [local(i.name) for i in registrations.institutions(event.consultation)],
        "device": _device(device),
        **_figures(event),
    }


def _figures(event: Event) -> dict[str, int]:
    return {"registered": registrations.counts(event).registered, "arrived": queries.count_arrived(event)}


def _how(event: Event, made: shapes.Made, offset: float | None) -> Scan:
    wanted: str = getattr(made, "list", "")
    session = _session(event, wanted) if wanted else None
    if not isinstance(made, shapes.CheckInIn):
        return Scan(session=session, claimed_at=made.scanned_at, clock_offset=offset)
    return Scan(made.type, session, made.mode, made.scanned_at, offset)


def _session(event: Event, public_id: str) -> Session:
    """A copy to be read: a scan that waits for its turn has no transaction yet. Raises Invalid."""
    with alone() as connection:
        found = connection.execute(
            select(Session.id, Session.day).where(Session.event_id == event.id, Session.public_id == public_id)
        ).first()
    if found is None:
        raise Invalid(_("There is no such session at this event."), field="list")
    return copy_of(Session, id=found.id, day=found.day)


def _shown(event: Event, item: shapes.CheckInIn, offset: float | None, device: Device) -> Shown | ScanAnswer:
    """What is to be scanned, or its answer where the session is gone: it must not hold up the others of a batch."""
    try:
        how = _how(event, item, offset)
    except Invalid as problem:
        return ScanAnswer(ScanResult.UNKNOWN, note=problem.message)
    return Shown(event, device, item.nonce, item.code, item.guest, how)


def _result(event: Event, nonce: str, answer: ScanAnswer, offset: float | None = None) -> dict[str, Any]:
    found, stands = answer.registration, answer.check_in
    detail = {ScanResult.PENDING: "pending", ScanResult.REFUSED: "refused"}.get(answer.result, "")
    if answer.result is ScanResult.CANCELLED and found is not None and found.state.value == "replaced":
        detail = "replaced"
    elif answer.result is ScanResult.ALREADY and stands is not None and stands.type.value == "exit":
        detail = "out"
    elif shapes.is_off(offset):
        detail = detail or "clock"
    is_elsewhere = found is not None and found.event_id != event.id
    guest = {
        "id": found.public_id,
        "name": found.full_name,
        "institution": local(found.institution.name),
        "type": found.stakeholder_type.code,
    } if found is not None else None  # fmt: skip
    return {
        "nonce": nonce,
        "result": CODES.get(answer.result, answer.result).value,
        "detail": detail,
        "message": str(answer.note) or why(answer, event),
        "guest": guest,
        "at": stands.scanned_at if stands is not None else None,
        "where": answer.where if stands is not None else None,
        "event": local(db.session.get_one(Event, found.event_id).title) if found is not None and is_elsewhere else None,
    }


@bp.post("/devices/pair")
@bp.input(shapes.PairIn, arg_name="asked")
@bp.output(shapes.PairOut)
@bp.doc(summary="Pair a device by the secret of its one-time QR", responses={409: "The code is unknown, used, or too old."})
def pair(asked: shapes.PairIn) -> dict[str, Any]:
    public()
    device, token = devices.pair(asked.secret, asked.client_key)
    devices.heard(device, pending=0, app_version=asked.app_version, clock_offset=None)
    db.session.commit()
    return {"token": token, "device": _device(device), "event": _facts(device.event, device)}


@bp.get("/events/<slug>")
@bp.output(shapes.EventOut)
@bp.doc(summary="The event, its lists and its stakeholder types", security="token")
def show_event(slug: str) -> dict[str, Any]:
    event = _event(slug, "checkin.guests")
    return _facts(event, g.actor)


@bp.get("/events/<slug>/guests")
@bp.input(shapes.GuestsQuery, location="query", arg_name="asked")
@bp.output(shapes.GuestsOut)
@bp.doc(summary="The guests, or those that changed since the cursor of an earlier answer", security="token")
def list_guests(slug: str, asked: shapes.GuestsQuery) -> dict[str, Any]:
    event = _event(slug, "checkin.guests")
    cursor, is_full, found = guests.changed_since(event, asked.since)
    return {"cursor": cursor, "full": is_full, "server_now": now(), "guests": found, **_figures(event)}


@bp.post("/events/<slug>/checkins")
@bp.input(shapes.CheckInIn, arg_name="item")
@bp.output(shapes.ResultOut)
@bp.doc(summary="Check in or out by a ticket's code or a guest's id", security="token")
def check_in(slug: str, item: shapes.CheckInIn) -> dict[str, Any]:
    event, offset = _event(slug, "checkin.scan", also_revoked=True), item.clock_offset(now())
    shown = _shown(event, item, offset, g.actor)
    return _result(event, item.nonce, together(shown) if isinstance(shown, Shown) else shown, offset)


@bp.post("/events/<slug>/checkins/batch")
@bp.input(shapes.BatchIn, arg_name="batch")
@bp.output(shapes.BatchOut)
@bp.doc(summary="Up to 500 check-ins that waited on the device, in their order", security="token")
def check_in_batch(slug: str, batch: shapes.BatchIn) -> dict[str, Any]:
    event = _event(slug, "checkin.scan", also_revoked=True)
    offset = shapes.offset(now(), batch.device_now)
    shown = [_shown(event, item, offset, g.actor) for item in batch.items]
    scans = [one for one in shown if isinstance(one, Shown)]
    answers = iter(actions.scan_all(scans) if scans else ())
    results = [
        _result(event, item.nonce, next(answers) if isinstance(one, Shown) else one, offset)
        for item, one in zip(batch.items, shown, strict=True)
    ]
    devices.heard(g.actor, pending=batch.pending, app_version=batch.app_version, clock_offset=offset)
    db.session.commit()
    return {"server_now": now(), "clock_offset": offset or 0.0, "revoked": g.actor.is_revoked, "results": results}


@bp.post("/events/<slug>/checkins/<nonce>/undo")
@bp.input(shapes.UndoIn, arg_name="asked")
@bp.output(shapes.DoneOut)
@bp.doc(summary="Take back a check-in of this device, with a reason", security="token")
def undo(slug: str, nonce: str, asked: shapes.UndoIn) -> dict[str, Any]:
    event = _event(slug, "checkin.undo")
    actions.undo(_made_here(event, nonce, asked.guest), asked.reason, by=g.actor)
    db.session.commit()
    return {"ok": True}


def _made_here(event: Event, nonce: str, guest: str) -> CheckIn:
    found = db.session.scalar(
        select(CheckIn).where(CheckIn.device_id == g.actor.id, CheckIn.nonce == f"{nonce}:{guest}", CheckIn.event_id == event.id)
    )
    if found is None:
        raise Missing(_("There is no such check-in at this event."))
    return found


@bp.post("/events/<slug>/signatures")
@bp.input(shapes.SignatureIn, arg_name="drawn")
@bp.output(shapes.DoneOut)
@bp.doc(summary="A signature drawn for the attendance sheet, by whoever was checked in here", security="token")
def sign(slug: str, drawn: shapes.SignatureIn) -> dict[str, Any]:
    event = _event(slug, "checkin.sign")
    actions.sign_sheet(event, _made_here(event, drawn.nonce, drawn.guest), drawn.strokes, by=g.actor)
    db.session.commit()
    return {"ok": True}


@bp.post("/events/<slug>/walk-ins")
@bp.input(shapes.WalkInIn, arg_name="person")
@bp.output(shapes.ResultOut)
@bp.doc(summary="Register somebody who was not expected, and check them in", security="token")
def walk_in(slug: str, person: shapes.WalkInIn) -> dict[str, Any]:
    event = _event(slug, "registration.add")
    kind = next((k for k in registrations.stakeholder_types(event.consultation_id) if k.code == person.type), None)
    if kind is None:
        raise Invalid(_("Choose a stakeholder type of this consultation."), field="type")
    details = Details(person.name, person.institution, kind, email=person.email, sex=person.sex, language=event.consultation.languages[0])
    offset = person.clock_offset(now())
    answer = actions.walk_in(event, details, by=g.actor, nonce=person.nonce, how=_how(event, person, offset))
    db.session.commit()
    return _result(event, person.nonce, answer, offset)


@bp.post("/events/<slug>/guests/<public_id>/replace")
@bp.input(shapes.ReplaceIn, arg_name="person")
@bp.output(shapes.ResultOut)
@bp.doc(summary="A colleague takes the seat of a delegate who does not come, and is checked in", security="token")
def replace(slug: str, public_id: str, person: shapes.ReplaceIn) -> dict[str, Any]:
    event = _event(slug, "checkin.replace")
    old = registrations.load_registration(event, public_id)
    details = details_of(old)
    # of the delegate who stays away, only the seat is taken over
    details = Details(
        person.name, details.institution, details.stakeholder_type, email=person.email, sex=person.sex, position=person.position,
        days=details.days, dimension_id=details.dimension_id, language=details.language,
    )  # fmt: skip
    answer = actions.replace_at_desk(event, old, details, by=g.actor, nonce=person.nonce)
    db.session.commit()
    return _result(event, person.nonce, answer)


@bp.post("/events/<slug>/guests/<public_id>/join")
@bp.output(shapes.JoinOut)
@bp.doc(
    summary="A code for the phone of a guest who has arrived: works once, for ten minutes",
    security="token",
    responses={409: "They have not arrived, have no place, or the device is a kiosk."},
)
def join_code(slug: str, public_id: str) -> dict[str, Any]:
    event = _event(slug, "checkin.join")
    shown = show_join_code(event, registrations.load_registration(event, public_id), by=g.actor)
    db.session.commit()
    return dataclasses.asdict(shown)


@bp.get("/events/<slug>/guests/<public_id>/badge")
@bp.doc(summary="One badge as HTML, to be printed by the browser", security="token")
def badge(slug: str, public_id: str) -> Response:
    event = _event(slug, "document.badge")
    person = registrations.load_registration(event, public_id)
    size, path = qr.svg_path(ticket_code(person.seed))
    return make_response(render_template("attendance/_badge.html", event=event, person=person, size=size, path=path))


@bp.get("/openapi.json")
@bp.doc(hide=True)
def openapi() -> Response:
    """This description."""
    public()
    return jsonify(cast(APIFlask, current_app).spec)
