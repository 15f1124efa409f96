"""The page of an indicator with 10, 100 and 10,000 comments on it, as a participant asks for it: its time on the server.

`python -m benchmarks.indicator` prints one JSON object a line, on SQLite, and on PostgreSQL where its programs are
installed. The page asks the database as often with 10,000 as with 10.
"""

from __future__ import annotations

import statistics
from typing import Any

from sqlalchemy import insert, text

from benchmarks.bare import bare_view
from benchmarks.site import empty_site, register, tell, timed
from consult_app.comments.models import Comment, CommentKind, PositionValue
from consult_app.comments.models import Position as PositionRow
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Indicator
from consult_app.db import db, new_public_id, now
from consult_app.registrations.models import Registration
from tests.factories import BY
from tests.postgresql import BIN, postgresql_server

SIZES, PEOPLE, ROUNDS = (10, 100, 10_000), 300, 60  # ten make half a page of comments, the others a full one
WORDS = "The law of 2017 is quoted, but the regulation that carries it out was replaced; please name it, with the article."


def _write(indicator: Indicator, people: list[Registration], first: int, last: int) -> None:
    """Comments past the log, which is not what is measured."""
    section = indicator.dimension.section
    assert section.revision is not None
    shared = {
        "consultation_id": indicator.consultation_id, "section_id": section.id, "indicator_id": indicator.id,
        "revision_id": section.revision.id, "kind": CommentKind.CONTEXT, "language": "en", "created_at": now(),
        "proposed": "", "link": "", "held_reason": "",
    }  # fmt: skip
    rows = [
        {
            **shared,
            "public_id": new_public_id(),
            "number": n,
            "text": f"{n}. {WORDS}",
            "client_key": f"key-{n}",
            "registration_id": people[n % PEOPLE].id,
            "person_id": people[n % PEOPLE].person_id,
        }
        for n in range(first, last)
    ]
    db.session.execute(insert(Comment), rows)
    db.session.commit()


def _positions(indicator: Indicator, people: list[Registration]) -> None:
    """One of each person: as many with 10 comments as with 10,000."""
    section = indicator.dimension.section
    assert section.revision is not None
    shared = {"consultation_id": indicator.consultation_id, "indicator_id": indicator.id, "revision_id": section.revision.id}
    rows = [
        {
            **shared,
            "public_id": new_public_id(),
            "created_at": now(),
            "taken_at": now(),
            "reason": "",
            "person_id": person.person_id,
            "registration_id": person.id,
            "value": list(PositionValue)[n % 4],
        }
        for n, person in enumerate(people)
    ]
    db.session.execute(insert(PositionRow), rows)
    db.session.commit()


def measure(url: str | None, suffix: str) -> None:
    """The indicators in turn, round by round: what else the machine does falls on both."""
    with empty_site(url) as (app, at_event):
        for section in at_event.consultation.sections:
            consultations.open_section(section, by=BY)
        people = register(at_event, PEOPLE)
        slug, pages = at_event.consultation.slug, {}
        indicators = [indicator for dimension in at_event.consultation.dimensions for indicator in dimension.indicators]
        first = 0
        for number, found in zip(SIZES, indicators, strict=False):
            _positions(found, people)
            _write(found, people, first, first + number)
            first += number
            pages[number] = f"/consultations/{slug}/indicators/{found.code}"
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE" if url else "ANALYZE"))  # as autovacuum does within a minute
        client: Any = app.test_client()
        client.open_link(people[0])
        db.session.remove()  # no server holds what was made before: the test client would look at all of it around each request
        statements, acts = [], {}
        for number, path in pages.items():
            floor, asked = bare_view(client, path)
            statements.append(asked)
            acts[number] = (lambda path=path: client.get(path), lambda floor=floor: floor.get("/"))
        assert len(set(statements)) == 1, statements
        taken: dict[int, list[tuple[float, float]]] = {number: [] for number in acts}
        for _round in range(ROUNDS):
            for number, (ours, bare) in acts.items():
                taken[number].append((timed(ours), timed(bare)))
        values = {}
        for number, times in taken.items():
            ours, bare = [sorted(column) for column in zip(*times, strict=True)]
            values[number] = statistics.median(ours)
            floor, spread = statistics.median(bare), ours[-1] - ours[0]
            tell(f"indicator_page_{number}{suffix}", values[number] * 1000, "ms", floor * 1000, number, spread * 1000)
        tell(f"indicator_page_statements{suffix}", statements[0], "statements", None, SIZES[-1])
        tell(f"indicator_page_ratio{suffix}", values[SIZES[-1]] / values[SIZES[-2]], "times that with 1/100 of the rows", None, ROUNDS)


def main() -> None:
    measure(None, "")
    if BIN is not None:
        with postgresql_server() as url:
            measure(url, "_postgresql")


if __name__ == "__main__":
    main()
