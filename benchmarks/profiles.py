"""Where the five hottest paths spend their time on the server: cProfile, by the library whose function runs, in per cent.

`python -m benchmarks.profiles` prints a table for docs/performance.md. The profiler itself makes Python look slower beside C.
"""

from __future__ import annotations

import cProfile
import itertools
import pstats
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from benchmarks.site import empty_site, register
from consult_app.attendance.devices import create_token
from consult_app.comments.actions import write_comment
from consult_app.comments.models import CommentKind
from consult_app.consultations import actions as consultations
from consult_app.db import db
from consult_app.policy import Role
from consult_app.registrations.tickets import ticket_code
from tests import factories
from tests.factories import BY

TIMES = 60
KINDS = (
    ("database", r"sqlite3|psycopg"), ("SQLAlchemy", r"sqlalchemy"), ("pages", r"jinja2|markupsafe|templates/|babel|gettext"),
    ("Flask", r"flask|werkzeug|wtforms|itsdangerous|limits|marshmallow|apiflask|brotli|pydantic"), ("ours", r"consult_app"),
)  # fmt: skip


def shares(act: Callable[[], Any]) -> dict[str, float]:
    """Per cent of the time by kind, and the milliseconds of one call under the profiler."""
    for _n in range(5):
        act()
    with cProfile.Profile() as profile:
        for _n in range(TIMES):
            act()
    found: Counter[str] = Counter()
    stats: Any = pstats.Stats(profile)
    for (file, _line, name), (_calls, _all, own, _under, _callers) in stats.stats.items():
        words = f"{file} {name}"
        found[next((kind for kind, pattern in KINDS if re.search(pattern, words)), "other")] += own
    total = sum(found.values())
    return {kind: 100 * found[kind] / total for kind, _pattern in (*KINDS, ("other", ""))} | {"ms": 1000 * total / TIMES}


def main() -> None:
    with empty_site() as (app, event):
        consultation = event.consultation
        people = register(event, 2 * TIMES + 20)
        for section in consultation.sections:
            consultations.open_section(section, by=BY)
        indicator = consultation.dimensions[0].indicators[0]
        for n, person in enumerate(people[:40]):
            write_comment(indicator, person, CommentKind.CONTEXT, f"Comment {n}", by=person, client_key=f"k{n}")
        organiser = factories.make_user(Role.ORGANISER, consultation)
        _device, token = create_token(event, "profile", by=BY)
        db.session.commit()
        tickets, numbers = iter([ticket_code(person.seed) for person in people]), itertools.count()
        staff, phone, desk = (app.test_client() for _n in range(3))
        staff.sign_in(organiser)  # type: ignore[attr-defined]
        phone.open_link(people[0])  # type: ignore[attr-defined]
        here, at = f"/consultations/{consultation.slug}", f"/events/{event.slug}"
        page = f"{here}/indicators/{indicator.code}"
        shown = {"Authorization": f"Bearer {token}"}
        paths: dict[str, Callable[[], Any]] = {
            "check-in": lambda: desk.post(
                f"/api/v1{at}/checkins", json={"code": next(tickets), "nonce": f"nonce-{next(numbers)}"}, headers=shown
            ),
            "comment": lambda: phone.post(
                f"{page}/comments", data={"client_key": f"p{next(numbers)}", "kind": "context", "text": f"Text {next(numbers)}"}
            ),
            "indicator": lambda: phone.get(page),
            "dashboard": lambda: staff.get(here),
            "guest list": lambda: staff.get(f"{at}/registrations"),
        }
        kinds = [kind for kind, _pattern in KINDS] + ["other"]
        db.session.remove()
        print(f"| path | ms under the profiler | {' | '.join(kinds)} |\n|---|---|{'---|' * len(kinds)}")
        for name, act in paths.items():
            found = shares(act)
            print(f"| {name} | {found['ms']:.1f} | {' | '.join(f'{found[kind]:.0f}%' for kind in kinds)} |")


if __name__ == "__main__":
    main()
