"""The facilitator's console: its buttons, the queue, what is recorded for somebody, and the notes for the plenary."""

from __future__ import annotations

import secrets

from flask import flash, g, redirect, render_template, request, url_for

from consult_app.comments.actions import hold, release
from consult_app.comments.models import CommentKind
from consult_app.comments.queries import load_comment
from consult_app.comments.views import seen, since
from consult_app.consultations.actions import Stale
from consult_app.consultations.diff import word_diff
from consult_app.consultations.queries import as_shown, load_indicator
from consult_app.db import db
from consult_app.errors import Conflict, Invalid, Missing
from consult_app.events.queries import load_event, load_session
from consult_app.forms import one_line
from consult_app.i18n import gettext
from consult_app.policy import require
from consult_app.registrations.models import Registration
from consult_app.registrations.queries import load_registration
from consult_app.room import actions, queries
from consult_app.room.blueprint import bp, is_script, who
from consult_app.room.forms import HoldForm, NotesForm, SpokenForm, named
from consult_app.room.models import Room
from consult_app.room.views import page, write_from
from consult_app.web import Answer, attempt, limiter


@bp.post("/events/<slug>/sessions/<public_id>/room")
def open_room(slug: str, public_id: str) -> Answer:
    """The console of a session of the agenda."""
    event = load_event(slug)
    require("room.run", event)
    room = actions.open_room(load_session(event, public_id), by=g.actor)
    db.session.commit()
    return redirect(url_for("room.console", public_id=room.public_id), 303)


@bp.get("/rooms/<public_id>/console")
def console(public_id: str) -> Answer:
    """The facilitator's page; `?speaker=` and `?hold=` open its forms without a script."""
    room = queries.load_room(public_id)
    require("room.run", room)
    return _console(room)


def _console(
    room: Room, *, spoken: SpokenForm | None = None, holding: HoldForm | None = None, notes: NotesForm | None = None, status: int = 200
) -> Answer:
    """The console with its forms, fresh or as they were refused."""
    texts = as_shown(room.event.consultation)
    indicators, revisions = queries.indicators_and_revisions(room, seen())
    asked = {"code": room.indicator.code if room.indicator else "", "speaker": request.args.get("speaker", "")}
    fresh = {"client_key": secrets.token_urlsafe(16), "kind": CommentKind.CONTEXT.value, **asked}
    words = one_line(request.args.get("q", ""))[:100]
    theirs = word_diff(room.notes, notes.notes.data or "") if notes is not None and status == 409 else None
    if theirs is not None and notes is not None:
        notes.number.raw_data, notes.number.data = None, room.notes_number  # the next save is on the newest notes, knowingly
    return render_template(
        "room/console.html",
        indicators=indicators,
        written_on=revisions,
        shown=texts,
        spoken=spoken or SpokenForm.in_room(room, indicators, queries.speakers(room, words), texts, **fresh),
        holding=holding or HoldForm(formdata=None, data={"comment": request.args.get("hold", "")}),
        notes=notes or NotesForm(formdata=None, data={"number": room.notes_number, "notes": room.notes}),
        theirs=theirs,
        words=words,
        others=queries.others_at_console(room, g.actor),
        **page(room, "console", indicators),
    ), status


@bp.post("/rooms/<public_id>/do")
def do(public_id: str) -> Answer:
    """One button of the console: its verb, and what it is about behind a space ("next 1.2", "pin abc")."""
    room = queries.load_room(public_id)
    require("room.run", room)
    if is_script():
        _do(room)  # what cannot be is an answer: nothing may be left to be said on the wall later
        return "", 204
    attempt(lambda: _do(room))
    return redirect(url_for("room.console", public_id=public_id), 303)


def _do(room: Room) -> None:
    by, consultation = g.actor, room.event.consultation
    verb, _space, what = request.form.get("do", "").partition(" ")
    match verb:
        case "start":
            actions.start(room, by=by)
        case "pause":
            actions.pause(room, by=by)
        case "close":
            actions.close(room, by=by)
        case "next" | "previous":
            actions.step(room, what, 1 if verb == "next" else -1, by=by)
        case "show":
            actions.show(room, load_indicator(consultation, request.form.get("code", "")), by=by)
        case "comments":
            actions.allow(room, by=by, comments=what == "1")
        case "positions":
            actions.allow(room, by=by, positions=what == "1")
        case "moderate":
            actions.moderate(room, what == "1", by=by)
        case "release":
            release(load_comment(consultation, what), by=by)
        case "pin":
            actions.pin(room, load_comment(consultation, what), by=by)
        case "unpin":
            actions.pin(room, None, by=by)
        case "lower":
            actions.lower_hand(queries.load_hand(room, what), by=by)
        case "time":
            actions.give_time(room, request.form.get("minutes", type=int) or 0, by=by)
        case _:
            raise Conflict(gettext("There is no such button."))
    db.session.commit()


@bp.post("/rooms/<public_id>/hold")
def hold_back(public_id: str) -> Answer:
    """Keep a comment that waits from the screens, with the reason."""
    room = queries.load_room(public_id)
    require("room.run", room)
    form = HoldForm()
    if not form.validate():
        return _console(room, holding=form, status=422)
    hold(load_comment(room.event.consultation, form.comment.data or ""), form.reason.data or "", by=g.actor)
    db.session.commit()
    return _done(room)


def _done(room: Room) -> Answer:
    return ("", 204) if is_script() else redirect(url_for("room.console", public_id=room.public_id), 303)


@bp.post("/rooms/<public_id>/record")
@limiter.limit("60 per minute", key_func=who)
def record(public_id: str) -> Answer:
    """A comment that was spoken in the room: who recorded it and for whom both stay on it (rule 12)."""
    room = queries.load_room(public_id)
    require("comment.record", room)
    form = SpokenForm.in_room(room, queries.indicators_of(room), queries.speakers(room), as_shown(room.event.consultation))
    if form.validate():
        try:
            speaker = _speaker(room, form.speaker.data)
            comment = write_from(load_indicator(room.event.consultation, form.code.data), speaker, form)
            db.session.commit()
            if not is_script():
                flash(gettext("The comment of %(name)s is recorded.", name=speaker.full_name) + since(comment), "success")
            return _done(room)
        except Invalid as problem:
            db.session.rollback()
            form[problem.field or "text"].errors = [str(problem.message)]
            room = queries.load_room(public_id)
    return _console(room, spoken=form, status=422)


def _speaker(room: Room, public_id: str) -> Registration:
    """Whoever spoke, of those who have a place at the event. Raises Invalid."""
    try:
        found = load_registration(room.event, public_id)
    except Missing:
        found = None
    if found is None or not found.is_confirmed:
        raise Invalid(gettext("Choose who spoke."), field="speaker")
    return found


@bp.get("/rooms/<public_id>/speakers")
def speakers(public_id: str) -> Answer:
    """The choices of who spoke, for the words that were typed."""
    room = queries.load_room(public_id)
    require("room.run", room)
    words = one_line(request.args.get("q", ""))[:100]
    return render_template("room/_speakers.html", people=[(who.public_id, named(who, here)) for who, here in queries.speakers(room, words)])


@bp.post("/rooms/<public_id>/notes")
def report_back(public_id: str) -> Answer:
    """What the group tells the plenary. Whoever saves on older notes is shown both, and keeps what they typed."""
    room = queries.load_room(public_id)
    require("room.run", room)
    form = NotesForm()
    if not form.validate():
        return _console(room, notes=form, status=422)
    try:
        actions.report_back(room, form.notes.data or "", form.number.data, by=g.actor)
        db.session.commit()
        flash(gettext("The notes are kept."), "success")
        return redirect(url_for("room.console", public_id=public_id, _anchor="notes"), 303)
    except Stale as problem:
        db.session.rollback()
        form.form_errors.append(str(problem.message))
        return _console(queries.load_room(public_id), notes=form, status=409)


@bp.post("/rooms/<public_id>/here")
def here(public_id: str) -> Answer:
    """The console says that it is open (or, with `left`, that it closes), and learns who else is there."""
    room = queries.load_room(public_id)
    require("room.run", room)
    (actions.leave if request.form.get("left") else actions.visit)(room, by=g.actor)
    db.session.commit()
    return render_template("room/_here.html", others=queries.others_at_console(room, g.actor))
