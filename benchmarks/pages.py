"""Pages and posts on the server, beside bare Flask views on the same rows with the same durability; one process, no network.

`python -m benchmarks.pages` prints one JSON object a line: register, comment_post, dashboard, event_page, guest_list, and how the pages
of the staff grow with the rows.
"""

from __future__ import annotations

import itertools
import os
import statistics
import sys
from typing import Any

from flask import Flask
from sqlalchemy import text

from benchmarks.bare import bare_view, pairs
from benchmarks.floors import make_app, make_tables
from benchmarks.site import empty_site, register, tell, timed
from consult_app.comments import answers
from consult_app.comments.actions import write_comment
from consult_app.comments.models import CommentKind, DispositionKind
from consult_app.consultations import actions as consultations
from consult_app.db import db
from consult_app.policy import Role
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import ticket_code, token_hash
from tests import factories
from tests.bulk import multiply
from tests.factories import BY
from tests.registrations.test_register import FORM

ROUNDS, POSTS = 40, 150


def _durable_row(app: Flask) -> Any:
    """A client of the floor: a bare view with one indexed SELECT and one durable INSERT, on the same database."""
    make_tables(db.session.connection())
    db.session.commit()
    os.environ["DATABASE_URL"] = app.config["DATABASE_URL"]
    return make_app().test_client()


def posts() -> None:
    with empty_site() as (app, event):
        people = register(event, 20)
        for section in event.consultation.sections:
            consultations.open_section(section, by=BY)
        db.session.commit()
        floor, numbers = _durable_row(app), itertools.count()
        hashed = token_hash(ticket_code(people[0].seed))

        def bare() -> None:
            answer = floor.post("/checkins", json={"hash": hashed, "nonce": f"n{next(numbers)}"})
            assert answer.status_code == 200

        public: Any = app.test_client()

        def ours() -> None:
            form = {**FORM, "email": f"guest{next(numbers)}@example.org", "phone": ""}
            answer = public.post(f"/events/{event.slug}/register", data=form)
            assert answer.status_code == 303, answer.text[:500]

        pairs("register", "ms", ours, bare, POSTS)
        client: Any = app.test_client()
        client.open_link(people[0])
        indicator = event.consultation.dimensions[0].indicators[0]
        where = f"/consultations/{event.consultation.slug}/indicators/{indicator.code}/comments"

        def comment() -> None:
            key = f"key-{next(numbers)}"
            answer = client.post(where, data={"client_key": key, "kind": "context", "text": f"{key}: please name the law of 2017."})
            assert answer.status_code == 303, answer.text[:500]

        pairs("comment_post", "ms", comment, bare, POSTS)


def pages() -> None:
    """The dashboard, the page of an event and its list of guests, with some rows and with a hundred times as many.

    `…_anew`: where something was recorded since the figures of the consultation were counted.
    """
    with empty_site() as (app, event):
        consultation = event.consultation
        people = register(event, 40)
        decider = factories.make_user(Role.FOCAL_POINT, consultation)
        organiser = factories.make_user(Role.ORGANISER, consultation)
        for section in consultation.sections:
            consultations.open_section(section, by=BY)
            factories.name_focal_point(section, decider)
        indicators = [indicator for dimension in consultation.dimensions for indicator in dimension.indicators]
        for n, person in enumerate(people):
            comment = write_comment(
                indicators[n % len(indicators)], person, CommentKind.CONTEXT, f"Comment {n}", by=person, client_key=f"k{n}"
            )
            if n % 2:
                answers.decide(comment, DispositionKind.NOTED, "Noted.", by=decider)
        db.session.commit()
        client: Any = app.test_client()
        client.sign_in(organiser)
        here, at = f"/consultations/{consultation.slug}", f"/events/{event.slug}"
        db.session.remove()  # no server holds what was made before: the test client would look at all of it around each request
        first: dict[str, float] = {}
        for rows in (40, 4_000):
            if rows > 40:
                multiply(db.session, 99)
                db.session.execute(text("ANALYZE"))
                db.session.commit()
            for name, path in (("dashboard", here), ("event_page", at), ("guest_list", f"{at}/registrations")):
                bare, _asked = bare_view(client, path)
                label = name if rows > 40 else f"{name}_{rows}"
                took = pairs(label, "ms", lambda path=path: client.get(path), lambda bare=bare: bare.get("/"), ROUNDS, rows)
                first.setdefault(name, took)
                if rows > 40:

                    def anew(path: str = path) -> None:
                        app.extensions["figures"].clear()
                        client.get(path)

                    pairs(f"{name}_anew", "ms", anew, lambda bare=bare: bare.get("/"), ROUNDS, rows)
                    tell(f"{name}_growth", took / first[name], "times that with 1/100 of the rows", None, rows)


def slopes() -> None:
    """What a further consultation, participant and comment cost: bytes of the database, and milliseconds of a check-in and a page."""
    with empty_site() as (app, event):
        people = register(event, 20)
        for section in event.consultation.sections:
            consultations.open_section(section, by=BY)
        indicator = event.consultation.dimensions[0].indicators[0]
        for n, person in enumerate(people):
            write_comment(
                indicator,
                person,
                CommentKind.CONTEXT,
                f"Comment {n}: " + "please name the law of 2017. " * 4,
                by=person,
                client_key=f"k{n}",
            )
        db.session.commit()
        client: Any = app.test_client()
        client.open_link(people[0])
        slug = event.consultation.slug
        for times, label in ((24, 500), (9, 5_000), (9, 50_000)):
            multiply(db.session, times)
            db.session.commit()
            size = db.session.execute(text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")).scalar_one()
            count = db.session.scalar(db.select(db.func.count()).select_from(Registration))
            client.get(path := f"/consultations/{slug}/indicators/{indicator.code}")
            took = statistics.median(timed(lambda path=path: client.get(path)) for _n in range(9)) * 1000
            tell(f"growth_{label}_bytes", size / (count or 1), "bytes of a participant with a comment", None, count or 0)
            tell(f"growth_{label}_page", took, "ms of the indicator's page", None, count or 0)


def main() -> None:
    parts = {"posts": posts, "pages": pages, "slopes": slopes}
    for part in sys.argv[1:] or list(parts):
        parts[part]()


if __name__ == "__main__":
    main()
