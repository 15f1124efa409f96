"""Fragments of a room for those who may see the same, and the stream that carries them (server-sent events)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from flask import Flask, current_app, g, render_template

from consult_app import audit, monitor, policy
from consult_app.comments import labels as comment_labels
from consult_app.comments.attribution import byline, must_suppress
from consult_app.comments.queries import Held, positions, talk_of, waiting
from consult_app.consultations.models import Indicator
from consult_app.db import db, transaction_mode
from consult_app.i18n import clock, gettext, ngettext, reading
from consult_app.policy import Role
from consult_app.room import labels, queries
from consult_app.room.hub import Fragment, Hub
from consult_app.room.models import Room

BEAT = 10.0  # seconds between two signs of life
RIGHT = 10.0  # seconds after which it is asked again whether whoever reads a stream still may
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


def facts(room: Room, view: str, browsed: Indicator | None = None, indicators: Sequence[Indicator] | None = None) -> dict[str, Any]:
    """The names that the fragments of a room need: of what it shows, or of another indicator that somebody browses.

    `indicators` are those that the room goes through, where they are read already.
    """
    roles = SEEN_AS[view]
    indicator = browsed or (room.indicator if room.is_on else None)
    consultation = room.event.consultation
    comments = queries.latest_comments(indicator) if indicator else []
    suppress = must_suppress(consultation.attribution, roles)
    hands = queries.hands_up(room)
    console = _console_facts(room, indicators) if view == "console" else {}
    held = positions(indicator, suppress=suppress) if indicator else None
    return {
        "room": room,
        "view": view,
        "event": room.event,
        "consultation": consultation,
        "indicator": indicator,
        "comments": comments,
        "bylines": {comment.id: byline(comment, roles) for comment in comments},
        "pinned_byline": byline(room.pinned, roles) if room.pinned else None,
        "talk": talk_of([*comments, *console.get("waiting", []), *console.get("held", [])]),
        "everyone": held.everyone if held else None,
        "by_type": held.rows if held else [],
        "told": held,
        "revisions": held.revisions if held else [],
        "now_at": indicator.dimension.section.revision_number if indicator else 0,
        "hands": hands,
        "comment_labels": comment_labels,
        "labels": labels,
        **console,
        **(_hall_facts(room, len(hands), held) if view == "hall" else {}),
    }


def _hall_facts(room: Room, hands: int, held: Held | None) -> dict[str, Any]:
    """What the wall says, once in each language of the consultation: it is read by all."""
    said = []
    for code in room.event.consultation.languages:
        with reading(code):
            words: dict[str, str] = {value.value: str(words) for value, words in comment_labels.POSITION.items()}
            up = ngettext("%(num)s hand", "%(num)s hands", hands)
            pinned = (
                gettext("made on revision %(number)s; the text has changed since", number=room.pinned.revision.number)
                if room.pinned
                else ""
            )
            taken = comment_labels.taken_on(held.revisions) if held else ""
            if held and held.told_at:
                taken += " · " + comment_labels.as_of(held, room.event.timezone)
            words["people"] = ngettext("%(num)s position", "%(num)s positions", held.people) if held and held.people else ""
            words["not_shown"] = gettext("Not put before participants yet")
            said.append(words | {"code": code, "state": str(labels.STATE[room.state]), "hands": up, "pinned": pinned, "taken": taken})
    return {"said": said}


def _console_facts(room: Room, indicators: Sequence[Indicator] | None) -> dict[str, Any]:
    """What only facilitators see: the queue, and what they did last."""
    indicators = indicators if indicators is not None else queries.indicators_of(room)
    kept = waiting([one.id for one in indicators])
    step = queries.last_step(room)
    told = str(labels.STEP[step.action]) % {"name": step.name, "time": clock(step.at, room.event.timezone)} if step else ""
    return {
        "codes": [one.code for one in indicators],
        "waiting": [comment for comment in kept if comment.waits_for_facilitator],
        "held": [comment for comment in kept if comment.is_held],
        "queue_bylines": {comment.id: byline(comment, SEEN_AS["console"]) for comment in kept},
        "last_step": told,
    }


def render(app: Flask, public_id: str, chain: str, view: str, language: str, code: str = "") -> Fragment:
    """What an audience sees now. Nobody in particular asks: what is in it goes to all of them."""
    with app.test_request_context(), transaction_mode("read"), reading(language):
        g.actor, g.policy_asked = policy.Nobody(), True
        number = audit.last_number(chain)  # before the rest is read: the fragment is at least as new
        room = queries.load_room(public_id)
        html = render_template(f"room/_{view}.html", **facts(room, view, queries.load_shown(room, code) if code else None))
        db.session.remove()
        return Fragment(number, html)


def current(app: Flask, public_id: str, chain: str, view: str, language: str, at_least: int, code: str = "") -> Fragment:
    """The audience's fragment, from what is kept if nothing has changed since."""
    made = lambda: render(app, public_id, chain, view, language, code)  # noqa: E731
    return hub().fragment((public_id, view, language, code), at_least, made)


def stream(
    app: Flask, public_id: str, chain: str, view: str, language: str, seen: int, may: Callable[[], bool] = lambda: True
) -> Iterator[str]:
    """Server-sent events: each fragment with the number it stands at, so that a browser that comes back says what it has seen.

    It ends soon after `may` says no, by closing: the browser asks anew, and is refused.
    """
    with monitor.STREAMS.track_inprogress():
        yield from _events(app, public_id, chain, view, language, seen, may)


def _events(app: Flask, public_id: str, chain: str, view: str, language: str, seen: int, may: Callable[[], bool]) -> Iterator[str]:
    asked = time.monotonic()
    end = asked + LIFE
    if (bus := app.extensions["bus"]) is not None:
        bus.listen()
    yield "retry: 2000\n\n"
    with app.app_context():
        number = last_number(chain)
        hub().tell(chain, number)
    while (moment := time.monotonic()) < end:
        if moment - asked >= RIGHT:
            if not may():
                return
            asked = moment
        if number > seen:
            with app.app_context():
                fragment = current(app, public_id, chain, view, language, number)
            seen = fragment.number
            lines = "".join(f"data: {line}\n" for line in fragment.html.splitlines())
            yield f"id: {seen}\n{lines}\n"
            time.sleep(CALM)
        with app.app_context():
            number = hub().wait(chain, seen, min(BEAT, asked + RIGHT - time.monotonic()), lambda: last_number(chain))
        if number <= seen:
            yield ": here\n\n"
