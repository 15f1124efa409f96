"""The phones that follow a room, the screen in the hall, and the stream to all of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from flask import Response, abort, current_app, g, jsonify, redirect, render_template, request, url_for

from consult_app import audit, policy, qr
from consult_app.comments.actions import endorse, take_position, write_comment
from consult_app.comments.drafts import drafts_of
from consult_app.comments.forms import CommentForm, PositionForm
from consult_app.comments.models import Comment, CommentKind, Position, PositionValue
from consult_app.comments.queries import indicator_counts, load_comment
from consult_app.comments.views import seen
from consult_app.consultations import labels as section_labels
from consult_app.consultations.models import SECTION_PARTS, Indicator
from consult_app.consultations.queries import as_shown, load_indicator, load_section
from consult_app.db import db
from consult_app.errors import Invalid
from consult_app.forms import Form
from consult_app.i18n import language
from consult_app.policy import can, public, require
from consult_app.registrations.models import Registration
from consult_app.room import actions, queries
from consult_app.room.blueprint import bp, is_script, who
from consult_app.room.models import Hand, Room
from consult_app.room.stream import SEEN_AS, current, facts, hub, last_number, stream
from consult_app.web import Answer, external_url, limiter, still


@bp.get("/rooms/<public_id>")
def follow(public_id: str) -> Answer:
    """The phone: what the room is at, and what its owner says of it."""
    room = queries.load_room(public_id)
    require("room.see", room)
    form = CommentForm.of(room.event.consultation.languages, language(), {"client_key": secrets.token_urlsafe(16)}, formdata=None)
    names = page(room, "phone")
    return render_template(
        "room/follow.html",
        form=form,
        typed=drafts_of(g.actor) if g.actor.is_participant else {},
        position_form=PositionForm(formdata=None),
        indicators=queries.indicators_of(room),
        shown=as_shown(room.event.consultation),
        counts=indicator_counts(room.event.consultation),
        mine=queries.mine(room, g.actor, names["hands"]) if g.actor.is_participant else None,
        **names,
    )


@bp.get("/rooms/<public_id>/sections/<int:number>")
def section(public_id: str, number: int) -> Answer:
    """The draft text of a section, for phones that fold it out."""
    room = queries.load_room(public_id)
    require("room.see", room)
    found = load_section(room.event.consultation, number)
    return render_template("room/_section.html", section=found, parts=SECTION_PARTS, labels=section_labels)


@bp.get("/r/<public_id>")
def short(public_id: str) -> Answer:
    """The address behind the hall's QR: to the room for whoever belongs to it, for others the ways to their personal link."""
    public()
    room = queries.load_room(public_id)
    if can(g.actor, "room.see", room):
        return redirect(url_for("room.follow", public_id=public_id))
    return render_template(
        "room/join.html", event=room.event if room.event.is_public else None, then=url_for("room.follow", public_id=public_id)
    )


@bp.get("/rooms/<public_id>/screen")
def screen(public_id: str) -> Answer:
    """The projector; whoever runs the session may also turn the pages here, with the arrow keys."""
    room = queries.load_room(public_id)
    require("room.show", room)
    address = external_url("room.short", public_id=public_id)
    return render_template("room/screen.html", address=address, qr=qr.svg_path(address), **page(room, "hall"))


def page(room: Room, view: str, indicators: Sequence[Indicator] | None = None) -> dict[str, Any]:
    """Where the log stands is read first, so that nothing that comes later is missed."""
    return {"seen": audit.last_number(str(room.consultation_id)), **facts(room, view, indicators=indicators)}


def _needed(view: str) -> str:
    return "room.run" if view == "console" else "room.see"


def _audience(public_id: str) -> tuple[Room, str]:
    """The room and the view, for whoever may see it."""
    view = request.args.get("view", "phone")
    if view not in SEEN_AS:
        abort(404)
    room = queries.load_room(public_id)
    require(_needed(view), room)
    return room, view


@bp.get("/rooms/<public_id>/stream")
def events(public_id: str) -> Answer:
    """What changes, as server-sent events; `Last-Event-ID` (or `seen`) says what the browser has."""
    room, view = _audience(public_id)
    chain = str(room.consultation_id)
    said = request.headers.get("Last-Event-ID", request.args.get("seen", ""))
    seen = int(said) if said.isascii() and said.isdigit() and len(said) < 16 else -1
    db.session.remove()  # a stream holds no connection
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    may = still(lambda: policy.can(g.actor, _needed(view), queries.load_room(public_id)))
    answer = Response(stream(app, public_id, chain, view, language(), seen, may), mimetype="text/event-stream")
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"  # nginx passes each event on at once
    return answer


@bp.get("/rooms/<public_id>/now")
def now(public_id: str) -> Answer:
    """The same fragment once, for browsers to which no stream comes through; with `code` that of another indicator of the room."""
    room, view = _audience(public_id)
    chain, code = str(room.consultation_id), request.args.get("code", "")
    if code:
        code = queries.load_shown(room, code).code
    db.session.remove()
    number = last_number(chain)
    hub().tell(chain, number)
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    fragment = current(app, public_id, chain, view, language(), number, code)
    return jsonify(number=fragment.number, html=fragment.html)


@bp.post("/rooms/<public_id>/hand")
@limiter.limit("30 per minute", key_func=who)
def hand(public_id: str) -> Answer:
    """A participant raises a hand, or lowers their own."""
    room = queries.load_room(public_id)
    require("hand.raise", room)
    raised: Hand | None
    if request.form.get("up") == "1":
        raised = actions.raise_hand(room, by=g.actor)
    elif (raised := queries.hand_of(room, g.actor)) is not None:
        actions.lower_hand(raised, by=g.actor)
    db.session.commit()
    if is_script():
        return jsonify(hand=raised.public_id if raised and raised.lowered_at is None else "")
    return redirect(url_for("room.follow", public_id=public_id), 303)


@bp.post("/rooms/<public_id>/endorse")
@limiter.limit("60 per minute", key_func=who)
def endorse_shown(public_id: str) -> Answer:
    """Endorse a comment that the phone shows, or take it back."""
    room = queries.load_room(public_id)
    require("comment.write", room)
    stands = endorse(load_comment(room.event.consultation, request.form.get("comment", "")), g.actor, by=g.actor)
    db.session.commit()
    return jsonify(endorsed=stands) if is_script() else redirect(url_for("room.follow", public_id=public_id), 303)


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


def write_from(indicator: Indicator, author: Registration, form: CommentForm) -> Comment:
    return write_comment(
        indicator, author, CommentKind(form.kind.data), form.text.data or "", by=g.actor, client_key=form.client_key.data or "",
        proposed=form.proposed.data or "", proposed_language=form.proposed_language.data or "", link=form.link.data or "",
        language=language(), seen=seen(),
    )  # fmt: skip


def _since(row: Comment | Position) -> dict[str, Any]:
    """The revision on which it stands, and whether the text has changed since."""
    return {"revision": row.revision.number, "changed": row.revision.number != row.revision.section.revision_number}


@bp.post("/rooms/<public_id>/comments")
@limiter.limit("60 per minute", key_func=who)
def write(public_id: str) -> Answer:
    """A comment from a phone that follows. Sent again with the same client key it is the same comment (rule 10)."""
    room = queries.load_room(public_id)
    require("comment.write", room)
    indicator = load_indicator(room.event.consultation, request.form.get("code", ""))
    form = CommentForm.of(room.event.consultation.languages, language())

    def keep() -> dict[str, Any]:
        comment = write_from(indicator, g.actor, form)
        address = url_for("comments.attach", slug=room.event.consultation.slug, public_id=comment.public_id)
        return {
            "number": comment.number,
            "id": comment.public_id,
            "waits": comment.waits_for_facilitator,
            "attach": address,
            **_since(comment),
        }

    return _take(form, keep)


@bp.post("/rooms/<public_id>/position")
@limiter.limit("120 per minute", key_func=who)
def position(public_id: str) -> Answer:
    room = queries.load_room(public_id)
    require("position.take", room)
    indicator = load_indicator(room.event.consultation, request.form.get("code", ""))
    form = PositionForm()

    def keep() -> dict[str, Any]:
        value, reason = PositionValue(form.value.data), form.reason.data or ""
        taken = take_position(indicator, g.actor, value, reason, by=g.actor, seen=seen())
        return {"value": taken.value.value, **_since(taken)}

    return _take(form, keep)
