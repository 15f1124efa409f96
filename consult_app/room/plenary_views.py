"""What the groups of an event report back: all on one page, and one after the other on the screen of the plenary."""

from __future__ import annotations

from flask import render_template, request

from consult_app.events.queries import load_event
from consult_app.policy import require
from consult_app.room import labels, queries
from consult_app.room.blueprint import bp
from consult_app.web import Answer, is_htmx


@bp.get("/events/<slug>/report-back")
def plenary(slug: str) -> Answer:
    """The notes of all rooms, with who wrote them and when."""
    event = load_event(slug)
    require("room.report", event.consultation)
    return render_template("room/plenary.html", event=event, rooms=queries.rooms_of(event), labels=labels)


@bp.get("/events/<slug>/report-back/screen")
def plenary_screen(slug: str) -> Answer:
    """One group's notes in large type; `?room=` chooses it, and the arrow keys turn to the next."""
    event = load_event(slug)
    require("room.show", event.consultation)
    rooms = [room for room in queries.rooms_of(event) if room.notes]
    place = next((n for n, room in enumerate(rooms) if room.public_id == request.args.get("room")), 0)
    template = "room/_plenary.html" if is_htmx() else "room/plenary_screen.html"
    return render_template(template, event=event, rooms=rooms, place=place)
