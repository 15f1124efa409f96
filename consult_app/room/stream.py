"""Fragments of a room for those who may see the same, and the stream that carries them (server-sent events)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, cast

from flask import Flask, current_app, g, render_template

from consult_app import audit, policy
from consult_app.comments import labels as comment_labels
from consult_app.comments.attribution import byline, must_suppress
from consult_app.comments.queries import endorsement_counts, positions
from consult_app.db import db, transaction_mode
from consult_app.i18n import reading
from consult_app.policy import Role
from consult_app.room import labels, queries
from consult_app.room.hub import Fragment, Hub
from consult_app.room.models import Room

BEAT = 15.0  # seconds between two signs of life
CALM = 0.25  # seconds between two fragments of one stream: many comments at once are one fragment
LIFE = 600.0  # seconds of a stream; then the browser asks anew, and is asked anew who it is
# what each view may know: the console is the facilitator's, phones and the hall see what participants see
SEEN_AS = {"console": frozenset({Role.FACILITATOR}), "phone": frozenset({Role.PARTICIPANT}), "hall": frozenset({Role.PARTICIPANT})}


def hub() -> Hub:
    return cast(Hub, current_app.extensions["hub"])


def last_number(chain: str) -> int:
    """The number of the last entry in a consultation's log."""
    with transaction_mode("read"):
        try:
            return audit.last_number(chain)
        finally:
            db.session.remove()


def facts(room: Room, view: str) -> dict[str, Any]:
    """The names that the fragments of a room need."""
    roles = SEEN_AS[view]
    indicator = room.indicator
    consultation = room.event.consultation
    comments = queries.latest_comments(indicator) if indicator and room.is_on else []
    revision = indicator.dimension.section.revision if indicator else None
    suppress = must_suppress(consultation.attribution, roles)
    everyone, by_type = positions(indicator, revision.id if revision else None, suppress=suppress) if indicator else (None, [])
    return {
        "room": room,
        "view": view,
        "event": room.event,
        "consultation": consultation,
        "indicator": indicator,
        "comments": comments,
        "bylines": {comment.id: byline(comment, roles) for comment in comments},
        "pinned_byline": byline(room.pinned, roles) if room.pinned else None,
        "endorsements": endorsement_counts(comments),
        "everyone": everyone,
        "by_type": by_type,
        "comment_labels": comment_labels,
        "labels": labels,
    }


def render(app: Flask, public_id: str, chain: str, view: str, language: str) -> Fragment:
    """What an audience sees now. Nobody in particular asks: what is in it goes to all of them."""
    with app.test_request_context(), transaction_mode("read"), reading(language):
        g.actor, g.policy_asked = policy.Nobody(), True
        number = audit.last_number(chain)  # before the rest is read: the fragment is at least as new
        html = render_template(f"room/_{view}.html", **facts(queries.load_room(public_id), view))
        db.session.remove()
        return Fragment(number, html)


def current(app: Flask, public_id: str, chain: str, view: str, language: str, at_least: int) -> Fragment:
    """The audience's fragment, from what is kept if nothing has changed since."""
    return hub().fragment((public_id, view, language), at_least, lambda: render(app, public_id, chain, view, language))


def stream(app: Flask, public_id: str, chain: str, view: str, language: str, seen: int) -> Iterator[str]:
    """Server-sent events: each fragment with the number it stands at, so that a browser that comes back says what it has seen."""
    end = time.monotonic() + LIFE
    yield "retry: 2000\n\n"
    with app.app_context():
        number = last_number(chain)
        hub().tell(chain, number)
    while time.monotonic() < end:
        if number > seen:
            with app.app_context():
                fragment = current(app, public_id, chain, view, language, number)
            seen = fragment.number
            lines = "".join(f"data: {line}\n" for line in fragment.html.splitlines())
            yield f"id: {seen}\n{lines}\n"
            time.sleep(CALM)
        with app.app_context():
            number = hub().wait(chain, seen, BEAT, lambda: last_number(chain))
        if number <= seen:
            yield ": here\n\n"
