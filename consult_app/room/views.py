"""The facilitator's console, the phones that follow it, and the screen in the hall."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, abort, current_app, flash, g, jsonify, redirect, render_template, request, url_for

from consult_app import audit, qr
from consult_app.comments.actions import take_position, write_comment
from consult_app.comments.forms import CommentForm, PositionForm
from consult_app.comments.models import CommentKind, PositionValue
from consult_app.comments.queries import load_comment
from consult_app.consultations.queries import load_indicator
from consult_app.db import db
from consult_app.errors import Conflict, Invalid
from consult_app.events.queries import load_event, load_session
from consult_app.forms import Form
from consult_app.i18n import gettext, language
from consult_app.policy import require
from consult_app.room import actions, queries
from consult_app.room.models import Room
from consult_app.room.stream import SEEN_AS, current, facts, hub, last_number, stream
from consult_app.web import Answer, attempt, external_url, limiter

bp = Blueprint("room", __name__)


def _room(public_id: str, action: str) -> Room:
    room = queries.load_room(public_id)
    require(action, room.event.consultation)
    return room


@bp.post("/events/<slug>/sessions/<public_id>/room")
def open_room(slug: str, public_id: str) -> Answer:
    """The console of a session of the agenda."""
    event = load_event(slug)
    require("room.run", event)
    room = actions.open_room(load_session(event, public_id), by=g.actor)
    db.session.commit()
    return redirect(url_for("room.console", public_id=room.public_id), 303)


@bp.get("/rooms/<public_id>")
def follow(public_id: str) -> Answer:
    """The phone: what the room is at, and what its owner says of it."""
    room = _room(public_id, "room.see")
    form = CommentForm(formdata=None, data={"client_key": secrets.token_urlsafe(16)})
    return render_template("room/follow.html", form=form, position_form=PositionForm(formdata=None), **_page(room, "phone"))


@bp.get("/rooms/<public_id>/console")
def console(public_id: str) -> Answer:
    room = _room(public_id, "room.run")
    return render_template("room/console.html", indicators=queries.indicators_of(room), **_page(room, "console"))


@bp.get("/rooms/<public_id>/screen")
def screen(public_id: str) -> Answer:
    """The projector; whoever runs the session may also turn the pages here, with the arrow keys."""
    room = _room(public_id, "room.show")
    address = external_url("events.show", slug=room.event.slug)
    return render_template("room/screen.html", address=address, qr=qr.svg_path(address), **_page(room, "hall"))


def _page(room: Room, view: str) -> dict[str, Any]:
    """Where the log stands is read first, so that nothing that comes later is missed."""
    return {"seen": audit.last_number(str(room.consultation_id)), **facts(room, view)}


def _audience(public_id: str) -> tuple[str, str]:
    """The chain and the view, for whoever may see it."""
    view = request.args.get("view", "phone")
    if view not in SEEN_AS:
        abort(404)
    room = queries.load_room(public_id)
    require("room.run" if view == "console" else "room.see", room.event.consultation)
    return str(room.consultation_id), view


@bp.get("/rooms/<public_id>/stream")
def events(public_id: str) -> Answer:
    """What changes, as server-sent events; `Last-Event-ID` (or `seen`) says what the browser has."""
    chain, view = _audience(public_id)
    said = request.headers.get("Last-Event-ID", request.args.get("seen", ""))
    seen = int(said) if said.isascii() and said.isdigit() and len(said) < 16 else -1
    db.session.remove()  # a stream holds no connection
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    answer = Response(stream(app, public_id, chain, view, language(), seen), mimetype="text/event-stream")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"  # nginx passes each event on at once
    return answer


@bp.get("/rooms/<public_id>/now")
def now(public_id: str) -> Answer:
    """The same fragment once, for browsers to which no stream comes through."""
    chain, view = _audience(public_id)
    db.session.remove()
    number = last_number(chain)
    hub().tell(chain, number)
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    fragment = current(app, public_id, chain, view, language(), number)
    return jsonify(number=fragment.number, html=fragment.html)


@bp.post("/rooms/<public_id>/do")
def do(public_id: str) -> Answer:
    """One button of the console: its name and value."""
    room = _room(public_id, "room.run")
    if request.headers.get("X-Requested-With") == "fetch":
        _do(room)  # what cannot be is an answer: nothing may be left to be said on the wall later
        return "", 204
    attempt(lambda: _do(room))
    return redirect(url_for("room.console", public_id=public_id), 303)


def _do(room: Room) -> None:
    by, given = g.actor, request.form
    match given.get("do"):
        case "start":
            actions.start(room, by=by)
        case "pause":
            actions.pause(room, by=by)
        case "close":
            actions.close(room, by=by)
        case "next" | "previous" as way:
            actions.step(room, given.get("shown", ""), 1 if way == "next" else -1, by=by)
        case "show":
            actions.show(room, load_indicator(room.event.consultation, given.get("code", "")), by=by)
        case "comments":
            actions.allow(room, by=by, comments=given.get("value") == "1")
        case "positions":
            actions.allow(room, by=by, positions=given.get("value") == "1")
        case "pin":
            actions.pin(room, load_comment(room.event.consultation, given.get("comment", "")), by=by)
        case "unpin":
            actions.pin(room, None, by=by)
        case "time":
            actions.give_time(room, given.get("minutes", type=int) or 0, by=by)
        case "report":
            actions.report_back(room, given.get("notes", "")[:10_000], by=by)
            flash(gettext("The notes are kept."), "success")
        case _:
            raise Conflict(gettext("There is no such button."))
    db.session.commit()


def _take(form: Form, keep: Callable[[], dict[str, Any]]) -> Answer:
    """Keep what a phone sent, and answer its queue: with what was kept, or with 422 and what is wrong."""
    if form.validate():
        try:
            kept = keep()
            db.session.commit()
            return jsonify(kept)
        except Invalid as problem:
            db.session.rollback()
            problems = [str(problem.message)]
    else:
        problems = [str(problem) for found in form.errors.values() for problem in found]
    answer = jsonify(errors=problems)
    answer.status_code = 422
    return answer


@bp.post("/rooms/<public_id>/comments")
@limiter.limit("60 per minute", key_func=lambda: str(g.actor.actor_key))
def write(public_id: str) -> Answer:
    """A comment from a phone that follows. Sent again with the same client key it is the same comment (rule 10)."""
    room = _room(public_id, "comment.write")
    indicator = load_indicator(room.event.consultation, request.form.get("code", ""))
    form = CommentForm()

    def keep() -> dict[str, Any]:
        comment = write_comment(
            indicator, g.actor, CommentKind(form.kind.data), form.text.data or "", by=g.actor, client_key=form.client_key.data or "",
            proposed=form.proposed.data or "", link=form.link.data or "", language=language(),
        )  # fmt: skip
        return {"number": comment.number}

    return _take(form, keep)


@bp.post("/rooms/<public_id>/position")
@limiter.limit("120 per minute", key_func=lambda: str(g.actor.actor_key))
def position(public_id: str) -> Answer:
    room = _room(public_id, "position.take")
    indicator = load_indicator(room.event.consultation, request.form.get("code", ""))
    form = PositionForm()

    def keep() -> dict[str, Any]:
        taken = take_position(indicator, g.actor, PositionValue(form.value.data), form.reason.data or "", by=g.actor)
        return {"value": taken.value.value}

    return _take(form, keep)
